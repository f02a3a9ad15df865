package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"carbongraph/internal/seed"
)

// The mixed load: so many organizations, different requests of each, and one write to so many operations. Which request is asked follows Zipf's law over all of them.
const (
	mixTenants    = 20
	mixRequests   = 100
	mixWriteEvery = 20
	mixWorkers    = 16
	mixFor        = 20 * time.Second
)

// tenant is one organization of the mixed load.
type tenant struct {
	key       string
	suppliers []string // external ids
	nodes     []string // their ids
	written   atomic.Int64
}

// mixed is the mixed load: reads and writes of many organizations, and what came of them.
type mixed struct {
	server   *server
	tenants  []*tenant
	bodies   [][]byte  // by rank, the most asked first
	weights  []float64 // sums of 1/rank
	mu       sync.Mutex
	statuses map[string]int
}

// mix measures how many answers are kept ones while organizations are written to.
func (b *bench) mix(ctx context.Context) error {
	s, err := b.carbongraph(ctx, "auto", "RESPONSE_CACHE=on", "REDIS_URL="+os.Getenv("TEST_REDIS_URL"))
	if err != nil {
		return err
	}
	m := &mixed{server: s, statuses: map[string]int{}}
	for i := range mixTenants {
		t, err := b.tenant(ctx, s, i)
		if err != nil {
			return err
		}
		m.tenants = append(m.tenants, t)
	}
	sum := 0.0
	for rank := range mixTenants * mixRequests {
		body := asked(m.tenants[rank%mixTenants].request(rank / mixTenants))
		sum += 1 / float64(rank+1)
		m.bodies, m.weights = append(m.bodies, body), append(m.weights, sum)
	}
	if err := m.sound(ctx); err != nil {
		return err
	}
	if _, _, err := m.run(ctx, mixFor/4); err != nil { // warms up
		return err
	}
	clear(m.statuses)
	before, err := hits(ctx, s)
	if err != nil {
		return err
	}
	reads, writes, err := m.run(ctx, mixFor)
	if err != nil {
		return err
	}
	after, err := hits(ctx, s)
	if err != nil {
		return err
	}
	kept, all := 0, 0
	for status, n := range m.statuses {
		if all += n; status == "hit" {
			kept += n
		}
	}
	ratio := float64(kept) / float64(all)
	b.add(figure{fmt.Sprintf("answers that were kept ones, %d reads by Zipf over %d requests and %d writes to %d organizations", reads, len(m.bodies), writes, mixTenants),
		fmt.Sprintf("%.1f %% %v; %.0f operations/s", 100*ratio, m.statuses, float64(reads+writes)/mixFor.Seconds()), ">= 88 %", ratio >= 0.88})
	layers := (after.found - before.found) / (after.asked - before.asked)
	b.add(figure{"the same over all layers and strategies", fmt.Sprintf("%.1f %%", 100*layers), ">= 92 %", layers >= 0.92})
	return nil
}

// tenant makes an organization with a ledger of three years.
func (b *bench) tenant(ctx context.Context, s *server, i int) (*tenant, error) {
	key, _, err := b.organization(ctx, fmt.Sprintf("Mixed %d %d", i, time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	t := &tenant{key: key}
	lines := slices.Collect(seed.New(seed.Options{Suppliers: 40, Activities: 600, Seed: uint64(i + 1)}).Activities())
	body, err := importBody(lines)
	if err != nil {
		return nil, err
	}
	one := *s
	one.key = key
	conn, err := dial(ctx, s.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.ask(one.request("", body), nil); err != nil {
		return nil, err
	}
	var found struct {
		Suppliers struct {
			Nodes []struct{ ID, ExternalID string }
		}
	}
	if err := one.query(conn, `{ suppliers(first: 40) { nodes { id externalId } } }`, nil, &found); err != nil {
		return nil, err
	}
	for _, n := range found.Suppliers.Nodes {
		t.nodes, t.suppliers = append(t.nodes, n.ID), append(t.suppliers, n.ExternalID)
	}
	if len(t.nodes) == 0 {
		return nil, fmt.Errorf("the mixed load has no suppliers")
	}
	return t, nil
}

// request is the nth of an organization's: what pages of a front end ask, of several years, suppliers, orders and pages.
func (t *tenant) request(n int) string {
	year := 2023 + n/10%3
	days := fmt.Sprintf(`{occurredFrom: "%d-01-01", occurredTo: "%d-12-31"}`, year, year)
	month := fmt.Sprintf(`{occurredFrom: "%d-%02d-01", occurredTo: "%d-%02d-28"}`, year, 1+n%12, year, 1+n%12)
	node := t.nodes[n%len(t.nodes)]
	switch n % 10 {
	case 0:
		return fmt.Sprintf(`{ footprint(groupBy: [CATEGORY], filter: %s) { totals { co2e spend } nodes { category { number name } totals { co2e } share } } }`, days)
	case 1:
		return fmt.Sprintf(`{ emissionFactors(first: %d) { nodes { id name unit region } } }`, 5+n)
	case 2, 3:
		return fmt.Sprintf(`{ node(id: %q) { ... on Supplier { name country } } }`, node)
	case 4:
		return fmt.Sprintf(`{ node(id: %q) { ... on Supplier { name footprint { co2e } activities(first: 10) { nodes { description occurredOn emission { co2e } } } } } }`, node)
	case 5:
		return fmt.Sprintf(`{ activities(first: %d, filter: %s) { totalCount nodes { externalId description occurredOn emission { co2e factor { name } } } } }`, 20+n/10, month)
	case 6:
		return fmt.Sprintf(`{ categories { number name } factorDatasets { name version } viewerYear: categoryStatements(year: %d) { included } }`, year)
	case 7:
		return fmt.Sprintf(`{ footprint(groupBy: [MONTH], filter: %s) { nodes { period totals { co2e } } } }`, days)
	case 8:
		return fmt.Sprintf(`{ emissions(first: %d, filter: %s) { nodes { co2e method occurredOn } totals { co2e } } }`, 10+n/10, days)
	}
	return fmt.Sprintf(`{ suppliers(first: %d) { nodes { name country } } }`, 10+n/10)
}

// write is a write to the organization: mostly lines of the running month, sometimes a supplier, a mapping or a statement.
func (t *tenant) write(random *rand.Rand) string {
	n := t.written.Add(1)
	supplier := t.suppliers[random.IntN(len(t.suppliers))]
	switch p := random.IntN(10); {
	case p < 6:
		return fmt.Sprintf(`mutation { importActivities(input: {activities: [{externalId: "W%d", description: "bought", occurredOn: "2025-12-%02d", category: 1, supplierExternalId: %q, money: {amount: "%d", currency: "GBP"}}]}) { created } }`,
			n, 1+random.IntN(28), supplier, 1+random.IntN(1000))
	case p < 9:
		return fmt.Sprintf(`mutation { upsertSuppliers(input: {suppliers: [{externalId: %q, name: "Supplier %d"}]}) { updated } }`, supplier, n)
	}
	return fmt.Sprintf(`mutation { setCategoryStatement(input: {year: 2025, category: %d, included: false, reason: "reason %d"}) { statement { reason } } }`, 1+random.IntN(15), n)
}

// asked is the body of a request for a document.
func asked(document string) []byte {
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		panic(err) // cannot be: any string can be written
	}
	return body
}

// sound asks each request once, and wants an answer without errors: what is refused would be counted with the others.
func (m *mixed) sound(ctx context.Context) error {
	conn, err := dial(ctx, m.server.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	s := *m.server
	for at, body := range m.bodies {
		var answer bytes.Buffer
		s.key = m.tenants[at%mixTenants].key
		if _, err := conn.ask(s.request("", body), &answer); err != nil {
			return err
		}
		if bytes.HasPrefix(answer.Bytes(), []byte(`{"errors"`)) {
			return fmt.Errorf("%s: %.300s", body, answer.Bytes())
		}
	}
	return nil
}

// run reads and writes for a while.
func (m *mixed) run(ctx context.Context, d time.Duration) (reads, writes int, err error) {
	var all sync.WaitGroup
	errs := make([]error, mixWorkers)
	var read, wrote atomic.Int64
	end := time.Now().Add(d)
	for w := range mixWorkers {
		all.Go(func() {
			errs[w] = m.work(ctx, rand.New(rand.NewPCG(uint64(w), 7)), end, &read, &wrote)
		})
	}
	all.Wait()
	for _, e := range errs {
		if e != nil && err == nil {
			err = e
		}
	}
	return int(read.Load()), int(wrote.Load()), err
}

func (m *mixed) work(ctx context.Context, random *rand.Rand, end time.Time, read, wrote *atomic.Int64) error {
	conn, err := dial(ctx, m.server.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	statuses := map[string]int{}
	s := *m.server
	for time.Now().Before(end) {
		if random.IntN(mixWriteEvery) == 0 {
			t := m.tenants[random.IntN(mixTenants)]
			s.key = t.key
			if _, err := conn.ask(s.request("", asked(t.write(random))), nil); err != nil {
				return err
			}
			wrote.Add(1)
			continue
		}
		at, _ := slices.BinarySearch(m.weights, random.Float64()*m.weights[len(m.weights)-1])
		s.key = m.tenants[at%mixTenants].key
		if _, err := conn.ask(s.request("", m.bodies[at]), nil); err != nil {
			return err
		}
		read.Add(1)
		statuses[stateOf(conn.cache)]++
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for status, n := range statuses {
		m.statuses[status] += n
	}
	return nil
}

// stateOf is the first word that Cache-Status says of an answer.
func stateOf(status string) string {
	_, rest, _ := strings.Cut(status, "; ")
	word, _, _ := strings.Cut(rest, ";")
	return strings.TrimPrefix(word, "fwd=")
}

// looked is how often something was looked for, by any strategy, and in how many of these cases some layer had it.
type looked struct{ asked, found float64 }

func hits(ctx context.Context, s *server) (l looked, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/metrics", nil)
	if err != nil {
		return l, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return l, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return l, err
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "carbongraph_cache_requests_total{") {
			continue
		}
		var n float64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' '):], &n); err != nil {
			return l, err
		}
		found := strings.Contains(line, `result="hit"`) || strings.Contains(line, `result="stale"`) || strings.Contains(line, `result="negative"`)
		if found {
			l.found += n
		}
		if strings.Contains(line, `layer="L1"`) && (found || strings.Contains(line, `result="miss"`)) { // each is looked for there first
			l.asked += n
		}
	}
	return l, nil
}
