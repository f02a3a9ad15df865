package resolvers_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"carbongraph/internal/auth"
	"carbongraph/internal/telemetry"
	"carbongraph/resolvers"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// follow starts a subscription; what comes of it is told by the channel, which is closed at the end.
func (s *server) follow(ctx context.Context, t testing.TB, document string) <-chan string {
	t.Helper()
	ctx = graphql.StartOperationTrace(auth.With(telemetry.WithRequest(ctx, new(telemetry.Request)), &s.viewer))
	opCtx, errs := s.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document})
	if errs != nil {
		t.Fatal(errs)
	}
	begin := func(ctx context.Context) context.Context {
		return loaders.Begin(ctx, loaders.Options{Store: s.store, Tenant: s.store.Tenant(s.viewer.Org)})
	}
	handle, ctx := s.exec.DispatchOperation(begin(ctx), opCtx)
	out := make(chan string, 100)
	go func() {
		defer close(out)
		for res := handle(begin(ctx)); res != nil; res = handle(begin(ctx)) {
			text, err := json.Marshal(answer{Data: res.Data, Errors: res.Errors})
			if err != nil {
				t.Error(err)
			}
			out <- string(text)
		}
	}()
	return out
}

func heard(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case text, ok := <-from:
		if !ok {
			return "the end"
		}
		return text
	case <-time.After(10 * time.Second):
		return "nothing within 10 s"
	}
}

// followed is a kind of work that can be followed.
type followed struct {
	field, table, noun string
	// start begins such work, and gives its row and how it ends, in part.
	start func(t testing.TB, tenant *store.Tenant) (row store.Node, end func())
}

var (
	followedRuns = followed{"calculationRunProgress", "calculation_runs", "calculation run", func(t testing.TB, tenant *store.Tenant) (store.Node, func()) {
		run := storetest.Run(t, tenant)
		return run, func() {
			run.Status = store.RunPartial
			if err := tenant.FinishRun(t.Context(), run); err != nil {
				t.Error(err)
			}
		}
	}}
	followedBatches = followed{"batchProgress", "batches", "batch", func(t testing.TB, tenant *store.Tenant) (store.Node, func()) {
		b := work(t, tenant)
		return b, func() {
			storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
				return w.EndBatch(ctx, b, b.ID, store.RunPartial, nil)
			})
		}
	}}
)

// work is a batch that is its own holder, or waits where another is at work.
func work(t testing.TB, tenant *store.Tenant) *store.Batch {
	t.Helper()
	b := &store.Batch{Spec: "{}", Actor: "test"}
	if err := tenant.StartRecalculation(t.Context(), b, &store.CalculationRun{Reason: "test", GwpSet: store.AR5}); err != nil {
		t.Fatal(err)
	}
	taken, err := tenant.TakeBatch(t.Context(), b.ID, b.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if taken == nil { // it waits for one before it
		return b
	}
	return taken
}

func (f followed) subscription(n store.Node) string {
	return `subscription { ` + f.field + `(id: "` + n.GlobalID().String() + `") { status } }`
}

func (f followed) told(status string) string {
	return `{"data":{"` + f.field + `":{"status":"` + status + `"}}}`
}

func TestFollowingWork(t *testing.T) {
	for _, f := range []followed{followedRuns, followedBatches} {
		storetest.Each(t, f.noun+", from its state now to its end", func(t *testing.T, st *store.Store) {
			tenant, other := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Other")
			s := newServer(st, tenant.ID(), resolvers.Options{})
			row, end := f.start(t, tenant)
			silent, _ := f.start(t, tenant)
			ctx, leave := context.WithCancel(t.Context())
			const followers = 20
			var all []<-chan string
			for range followers {
				all = append(all, s.follow(t.Context(), t, f.subscription(row)))
			}
			gone, waiting := s.follow(ctx, t, f.subscription(row)), s.follow(ctx, t, f.subscription(silent))
			for _, h := range append(all, gone) {
				if got := heard(t, h); got != f.told("RUNNING") {
					t.Fatalf("at first: %s", got)
				}
			}
			if got := heard(t, waiting); !strings.HasPrefix(got, `{"data":{"`+f.field) {
				t.Fatalf("at first: %s", got)
			}
			end()
			for _, h := range append(all, gone) {
				if got, end := heard(t, h), heard(t, h); got != f.told("PARTIAL") || end != "the end" {
					t.Errorf("when it has ended: %s, then %s", got, end)
				}
			}
			// One who begins after the end hears of it, and no more.
			late := s.follow(t.Context(), t, f.subscription(row))
			if got, end := heard(t, late), heard(t, late); got != f.told("PARTIAL") || end != "the end" {
				t.Errorf("one who came late: %s, then %s", got, end)
			}
			leave()
			if got := heard(t, waiting); got != "the end" {
				t.Errorf("one who leaves: %s", got)
			}
			theirs, _ := f.start(t, other)
			none := store.ID{6: 0x70, 8: 0x80}
			for name, n := range map[string]store.Node{"another organization's": theirs, "one that is not there": &store.CalculationRun{ID: none}, "one that is gone": &store.Batch{ID: none},
				"an id of something else": &store.Organization{ID: tenant.ID()}, "the id of a supplier": &store.Supplier{ID: row.GlobalID().Row}} {
				if got := heard(t, s.follow(t.Context(), t, f.subscription(n))); !strings.Contains(got, `"NOT_FOUND"`) || !strings.Contains(got, "There is no "+f.noun+" with this id.") {
					t.Errorf("%s: %s", name, got)
				}
			}
		})
	}
}

// A batch tells of each step: how far it is, and with it everything that follows from that.
func TestFollowingTheStepsOfABatch(t *testing.T) {
	storetest.Each(t, "to its end", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		s := newServer(st, tenant.ID(), resolvers.Options{})
		b := work(t, tenant)
		from := s.follow(t.Context(), t, `subscription { batchProgress(id: "`+b.GlobalID().String()+`") { status total processed succeeded failed run { status } problem { code } } }`)
		told := func(rest string) string { return `{"data":{"batchProgress":{` + rest + `}}}` }
		if got, want := heard(t, from), told(`"status":"RUNNING","total":null,"processed":0,"succeeded":0,"failed":0,"run":{"status":"RUNNING"},"problem":null`); got != want {
			t.Fatalf("at first: %s", got)
		}
		b.Total, b.Processed, b.Failed = new(int32(7)), 3, 1
		storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error { return w.Progress(ctx, b, b.ID, time.Hour) })
		if got, want := heard(t, from), told(`"status":"RUNNING","total":7,"processed":3,"succeeded":2,"failed":1,"run":{"status":"RUNNING"},"problem":null`); got != want {
			t.Errorf("at a step: %s", got)
		}
		storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
			return w.EndBatch(ctx, b, b.ID, store.RunFailed, &store.Problem{Code: "INTERNAL", Message: "no luck"})
		})
		if got, want := heard(t, from), told(`"status":"FAILED","total":7,"processed":3,"succeeded":2,"failed":1,"run":{"status":"FAILED"},"problem":{"code":"INTERNAL"}`); got != want {
			t.Errorf("at its end: %s", got)
		}
		if got := heard(t, from); got != "the end" {
			t.Errorf("after its end: %s", got)
		}
	})
}

// However many follow however much, an organization's runs are read by one statement each fifth of a second, its batches by another, and by none when all have gone.
func TestFollowersShareTheirReads(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		for _, f := range []followed{followedRuns, followedBatches} {
			t.Run(f.noun+"/"+name, func(t *testing.T) {
				t.Parallel()
				tel := telemetry.New()
				sharedReads(t, open(t, func(o *store.Options) { o.Metrics = tel.Store }), tel, f)
			})
		}
	}
}

func sharedReads(t *testing.T, st *store.Store, tel *telemetry.Telemetry, f followed) {
	reads := func() int {
		n, _ := strconv.Atoi(read(tel)[f.table])
		return n
	}
	tenant := storetest.Organization(t, st, "Acme")
	s := newServer(st, tenant.ID(), resolvers.Options{})
	var rows []store.Node
	for range 3 {
		row, _ := f.start(t, tenant)
		rows = append(rows, row)
	}
	ctx, leave := context.WithCancel(t.Context())
	before := reads()
	began := time.Now()
	var all []<-chan string
	for i := range 40 {
		all = append(all, s.follow(ctx, t, f.subscription(rows[i%len(rows)])))
	}
	for _, h := range all {
		heard(t, h)
	}
	for reads() < before+len(all)+3 {
		time.Sleep(5 * time.Millisecond)
	}
	if got, most := reads()-before-len(all), int(time.Since(began)/(200*time.Millisecond))+1; got > most {
		t.Errorf("%d statements in %s, want at most %d", got, time.Since(began), most)
	}
	leave()
	for _, h := range all {
		if got := heard(t, h); got != "the end" {
			t.Error(got)
		}
	}
	after := reads()
	time.Sleep(600 * time.Millisecond)
	if got := reads(); got > after+1 { // one may have been on its way
		t.Errorf("%d statements for nobody", got-after)
	}
}
