package batch_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// fromEnv is a number that the environment may set.
func fromEnv(t testing.TB, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// site is a server as far as imports go: a store of its own, by way of a proxy that fails.
type site struct {
	proxy *storetest.Proxy
	store *store.Store
}

func newSite(t *testing.T, url string) *site {
	t.Helper()
	p := storetest.NewProxy(t, url)
	st, err := store.Open(t.Context(), store.Options{DatabaseURL: p.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &site{p, st}
}

// trouble has the connections of a site fail now and then, until the context ends.
func (s *site) trouble(ctx context.Context, r *rand.Rand) {
	for range 1 + r.IntN(4) {
		after, of := r.IntN(40), storetest.Trips
		if r.IntN(2) == 0 {
			after, of = r.IntN(30_000), storetest.Bytes
		}
		if r.IntN(3) == 0 {
			s.proxy.Stall(after, of)
		} else {
			s.proxy.Cut(after, of)
		}
		for patience := 0; !s.proxy.Begun() && patience < 300 && ctx.Err() == nil; patience++ {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(r.IntN(120)) * time.Millisecond)
		s.proxy.Heal()
	}
}

// asking is a client that asks until it has an answer.
type asking struct {
	lines []store.ActivityInput
	flags batch.Flags
	tries int
	got   []batch.ItemResult
}

// answer asks; some clients go away before they have heard, and ask again.
func (a *asking) answer(ctx context.Context, im *batch.Importer, t *store.Tenant, r *rand.Rand) error {
	for {
		a.tries++
		once, gone := context.WithCancel(ctx)
		if a.tries == 1 && r.IntN(4) == 0 {
			time.AfterFunc(time.Duration(r.IntN(60))*time.Millisecond, gone)
		}
		got, err := im.Activities(once, t, a.lines, a.flags)
		left := once.Err() != nil
		gone()
		switch code := fault.CodeOf(err); {
		case err == nil:
			a.got = got
			return nil
		case ctx.Err() != nil || code != fault.Overloaded && code != fault.Timeout && !left:
			return fmt.Errorf("try %d: %s: %w", a.tries, code, err)
		}
	}
}

// faulty is one run: an organization with some lines, and two clients of two sites that import at the same time.
type faulty struct {
	w      *world // past the proxies
	before map[string]*store.ActivityInput
	asks   []*asking
	alone  bool // the clients ask for different lines
	wrong  map[string]bool
}

// draw makes a run. What it will be is told by the generator alone.
func (f *faulty) draw(t testing.TB, r *rand.Rand) {
	f.before, f.wrong = map[string]*store.ActivityInput{}, map[string]bool{}
	some := func(prefix string) []store.ActivityInput {
		lines := make([]store.ActivityInput, 1+r.IntN(60))
		for i, place := range r.Perm(80)[:len(lines)] {
			lines[i] = f.w.input(fmt.Sprintf("%s%02d", prefix, place), func(a *store.ActivityInput) {
				a.Money.Amount = exact.NewDecimal(int64(1+r.IntN(1000)), 0)
				a.SupplierExternalID = new(fmt.Sprintf("S%d", r.IntN(5)))
				switch r.IntN(25) {
				case 0:
					a.Description, f.wrong[a.ExternalID] = strings.Repeat("x", 5000), true
				case 1:
					a.Money, a.Quantity = nil, &store.QuantityInput{Value: exact.MustDecimal("3"), Unit: "blorp"}
				}
			})
		}
		if r.IntN(5) == 0 && len(lines) > 1 {
			lines[len(lines)-1].ExternalID = lines[0].ExternalID
			lines[len(lines)-1].Description = "the second of its name"
		}
		return lines
	}
	flags := func() batch.Flags {
		out := batch.Flags{Calculate: true, Mode: []store.BatchMode{"", store.ModeItem, store.ModeChunk, store.ModeAtomic}[r.IntN(4)], DryRun: r.IntN(10) == 0}
		if r.IntN(3) > 0 {
			out.Key = fmt.Sprint("key", r.Uint32())
		}
		return out
	}
	first := &asking{lines: some("L"), flags: flags()}
	second := &asking{lines: first.lines, flags: first.flags}
	if f.alone = r.IntN(2) == 0; f.alone {
		second = &asking{lines: some("M"), flags: flags()}
	}
	f.asks = []*asking{first, second}
	var there []store.ActivityInput
	for _, in := range first.lines {
		if r.IntN(4) == 0 && !f.wrong[in.ExternalID] && f.before[in.ExternalID] == nil {
			if r.IntN(2) == 0 {
				in.Description = "as it was"
			}
			f.before[in.ExternalID] = &in
			there = append(there, in)
		}
	}
	if len(there) > 0 {
		f.w.importAll(t, batch.Flags{Calculate: true}, there...)
	}
}

// expected is what becomes of each line of a client that nobody is in the way of.
func (f *faulty) expected(a *asking) []store.ItemStatus {
	out, seen := make([]store.ItemStatus, len(a.lines)), map[string]bool{}
	for i, in := range a.lines {
		was := f.before[in.ExternalID]
		switch {
		case seen[in.ExternalID], f.wrong[in.ExternalID] && in.Description != "the second of its name":
			out[i] = store.Failed
			continue
		case was == nil:
			out[i] = store.Created
		case was.Description != in.Description:
			out[i] = store.Updated
		default:
			out[i] = store.Unchanged
		}
		seen[in.ExternalID] = true
	}
	if a.flags.Mode == store.ModeAtomic && slices.Contains(out, store.Failed) {
		for i := range out {
			out[i] = store.Failed
		}
	}
	return out
}

// aligned checks an answer against what was asked, and gives the lines that are stored by it.
func (f *faulty) aligned(a *asking) (stored map[string]*store.ActivityInput, err error) {
	if len(a.got) != len(a.lines) {
		return nil, fmt.Errorf("%d results for %d lines", len(a.got), len(a.lines))
	}
	stored = map[string]*store.ActivityInput{}
	want := f.expected(a)
	exactly := a.tries == 1 || a.flags.Key != "" && !a.flags.DryRun
	for i, got := range a.got {
		in := &a.lines[i]
		switch {
		case got.ExternalID != in.ExternalID:
			return nil, fmt.Errorf("result %d is of %q, the line of %q", i, got.ExternalID, in.ExternalID)
		case (got.Status == store.Failed) != (want[i] == store.Failed) && a.flags.Mode != store.ModeChunk,
			want[i] == store.Failed && got.Status != store.Failed,
			(f.alone || a.flags.Key != "") && exactly && got.Status != store.Failed && got.Status != want[i]:
			return nil, fmt.Errorf("line %d (%s) is %s after %d tries; want %s", i, in.ExternalID, got.Status, a.tries, want[i])
		case got.Status == store.Failed && got.Problem == nil:
			return nil, fmt.Errorf("line %d failed without a reason", i)
		case got.Status != store.Failed && !a.flags.DryRun && (got.Activity == nil || got.Activity.ExternalID != in.ExternalID || got.Activity.Description != in.Description):
			return nil, fmt.Errorf("line %d comes with the row %+v", i, got.Activity)
		}
		if got.Status != store.Failed && !a.flags.DryRun {
			stored[in.ExternalID] = in
		}
	}
	return stored, nil
}

// check holds the answers against each other and against the ledger.
func (f *faulty) check(ctx context.Context) error {
	holds := map[string]*store.ActivityInput{}
	for id, in := range f.before {
		holds[id] = in
	}
	for i, a := range f.asks {
		stored, err := f.aligned(a)
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		for id, in := range stored {
			holds[id] = in
		}
	}
	if a, b := f.asks[0], f.asks[1]; !f.alone && a.flags.Key != "" && !a.flags.DryRun && !slices.Equal(statusesOf(a.got), statusesOf(b.got)) {
		return fmt.Errorf("two answers to one key:\n%q\n%q", statusesOf(a.got), statusesOf(b.got))
	}
	n, err := f.w.tenant.CountActivities(ctx, nil)
	if err != nil || n != len(holds) {
		return fmt.Errorf("%d lines are stored, %w; want %d", n, err, len(holds))
	}
	ids, emissions := make([]string, 0, len(holds)), 0
	for id := range holds {
		ids = append(ids, id)
	}
	rows, err := f.w.tenant.ActivitiesByExternalID(ctx, ids)
	if err != nil {
		return err
	}
	if len(rows) != len(holds) {
		return fmt.Errorf("%d of the lines are those of the ledger; want %d", len(rows), len(holds))
	}
	for _, row := range rows {
		in := holds[row.ExternalID]
		if row.Description != in.Description || (row.Money == nil) != (in.Money == nil) || row.Money != nil && row.Money.Amount.String() != in.Money.Amount.String() {
			return fmt.Errorf("%s is stored as %+v; want %+v", row.ExternalID, row, in)
		}
		if (row.Problem == nil) != (in.Money != nil) {
			return fmt.Errorf("%s: problem %v", row.ExternalID, row.Problem)
		}
		if row.Problem == nil {
			emissions++
		}
	}
	if all, err := f.w.tenant.EmissionTotals(ctx, nil); err != nil || int(all.EmissionCount) != emissions {
		return fmt.Errorf("the sums: %+v, %w; want %d emissions", all, err, emissions)
	}
	return f.w.tenant.CheckSums(ctx, func(s store.WrongSum) error { return fmt.Errorf("the sum %+v is wrong", s) })
}

// Connections break and stall at random while two clients of two servers import, with and without keys, in every mode, lines that are right and wrong, the same and
// others, and go away and ask again: each answer fits its lines, and the ledger holds what the answers say. FAULT_RUNS is how often, FAULT_SEED where it begins.
func TestAnswersHoldWhateverBreaks(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	past, err := store.Open(t.Context(), store.Options{DatabaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { past.Close() })
	w := newWorld(t, past)
	runs, seed := fromEnv(t, "FAULT_RUNS", 40), fromEnv(t, "FAULT_SEED", uint64(time.Now().UnixNano()))
	t.Logf("FAULT_SEED=%d FAULT_RUNS=%d", seed, runs)
	const lanes = 4
	var all sync.WaitGroup
	var mu sync.Mutex
	tries := map[int]int{}
	for lane := range uint64(lanes) {
		sites := []*site{newSite(t, url), newSite(t, url)}
		all.Go(func() {
			for run := lane; run < runs && !t.Failed(); run += lanes {
				r := rand.New(rand.NewPCG(seed, run))
				f := &faulty{w: newWorldBeside(t, w, fmt.Sprint("Organization ", run))}
				f.draw(t, r)
				chunk := cmp.Or(r.IntN(3)*r.IntN(20), 1000)
				dice := [][2]uint64{{r.Uint64(), r.Uint64()}, {r.Uint64(), r.Uint64()}}
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				errs := make([]error, 2)
				var clients, troubles sync.WaitGroup
				for i, s := range sites {
					own := rand.New(rand.NewPCG(dice[i][0], run))
					troubles.Go(func() { s.trouble(ctx, rand.New(rand.NewPCG(dice[i][1], run))) })
					clients.Go(func() {
						im := newImporter(t, s.store, func(o *batch.Options) { o.ChunkRows = chunk })
						errs[i] = f.asks[i].answer(ctx, im, s.store.Tenant(f.w.tenant.ID()), own)
					})
				}
				clients.Wait()
				troubles.Wait()
				err := cmp.Or(errs[0], errs[1])
				if err == nil {
					err = f.check(ctx)
				}
				cancel()
				mu.Lock()
				for _, a := range f.asks {
					tries[min(a.tries, 5)]++
				}
				mu.Unlock()
				if err != nil {
					t.Errorf("FAULT_SEED=%d, run %d, chunks of %d, flags %+v and %+v, of one mind %t: %v", seed, run, chunk, f.asks[0].flags, f.asks[1].flags, !f.alone, err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("clients by how often they asked: %v", tries)
}
