package resolvers_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
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

func TestFollowingARun(t *testing.T) {
	storetest.Each(t, "from its state now to its end", func(t *testing.T, st *store.Store) {
		tenant, other := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Other")
		s := newServer(st, tenant.ID(), resolvers.Options{})
		run, silent := storetest.Run(t, tenant), storetest.Run(t, tenant)
		progress := func(r *store.CalculationRun) string {
			return `subscription { calculationRunProgress(id: "` + r.GlobalID().String() + `") { status } }`
		}
		told := func(status string) string { return `{"data":{"calculationRunProgress":{"status":"` + status + `"}}}` }

		ctx, leave := context.WithCancel(t.Context())
		const followers = 20
		var all []<-chan string
		for range followers {
			all = append(all, s.follow(t.Context(), t, progress(run)))
		}
		gone, waiting := s.follow(ctx, t, progress(run)), s.follow(ctx, t, progress(silent))
		for _, f := range append(all, gone, waiting) {
			if got := heard(t, f); got != told("RUNNING") {
				t.Fatalf("at first: %s", got)
			}
		}
		run.Status = store.RunPartial
		if err := tenant.FinishRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		for _, f := range append(all, gone) {
			if got, end := heard(t, f), heard(t, f); got != told("PARTIAL") || end != "the end" {
				t.Errorf("when it has ended: %s, then %s", got, end)
			}
		}
		// One who begins after the end hears of it, and no more.
		late := s.follow(t.Context(), t, progress(run))
		if got, end := heard(t, late), heard(t, late); got != told("PARTIAL") || end != "the end" {
			t.Errorf("one who came late: %s, then %s", got, end)
		}
		leave()
		if got := heard(t, waiting); got != "the end" {
			t.Errorf("one who leaves: %s", got)
		}
		for name, r := range map[string]*store.CalculationRun{"another organization's run": storetest.Run(t, other), "no run": {ID: store.ID{6: 0x70, 8: 0x80}}} {
			if got := heard(t, s.follow(t.Context(), t, progress(r))); !strings.Contains(got, `"NOT_FOUND"`) || !strings.Contains(got, "There is no calculation run") {
				t.Errorf("%s: %s", name, got)
			}
		}
		if got := heard(t, s.follow(t.Context(), t, strings.Replace(progress(run), run.GlobalID().String(), store.Global(store.KindOrganization, tenant.ID()).String(), 1))); !strings.Contains(got, `"NOT_FOUND"`) {
			t.Errorf("an id of something else: %s", got)
		}
	})
}

// However many follow however many runs, an organization's are read by one statement each quarter of a second, and by none when all have gone.
func TestFollowersShareTheirReads(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tel := telemetry.New()
			sharedReads(t, open(t, func(o *store.Options) { o.Metrics = tel.Store }), tel)
		})
	}
}

func sharedReads(t *testing.T, st *store.Store, tel *telemetry.Telemetry) {
	reads := func() (n int) {
		w := httptest.NewRecorder()
		tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		for line := range strings.Lines(w.Body.String()) {
			if count, ok := strings.CutPrefix(line, `carbongraph_store_statement_seconds_count{operation="SELECT",table="calculation_runs"} `); ok {
				n, _ = strconv.Atoi(strings.TrimSpace(count))
			}
		}
		return n
	}
	tenant := storetest.Organization(t, st, "Acme")
	s := newServer(st, tenant.ID(), resolvers.Options{})
	runs := []*store.CalculationRun{storetest.Run(t, tenant), storetest.Run(t, tenant), storetest.Run(t, tenant)}
	ctx, leave := context.WithCancel(t.Context())
	before := reads()
	began := time.Now()
	var all []<-chan string
	for i := range 40 {
		run := runs[i%len(runs)]
		all = append(all, s.follow(ctx, t, `subscription { calculationRunProgress(id: "`+run.GlobalID().String()+`") { status } }`))
	}
	for _, f := range all {
		heard(t, f)
	}
	for reads() < before+len(all)+3 {
		time.Sleep(5 * time.Millisecond)
	}
	if got, most := reads()-before-len(all), int(time.Since(began)/(250*time.Millisecond))+1; got > most {
		t.Errorf("%d statements in %s, want at most %d", got, time.Since(began), most)
	}
	leave()
	for _, f := range all {
		if got := heard(t, f); got != "the end" {
			t.Error(got)
		}
	}
	after := reads()
	time.Sleep(600 * time.Millisecond)
	if got := reads(); got > after+1 { // one may have been on its way
		t.Errorf("%d statements for nobody", got-after)
	}
}
