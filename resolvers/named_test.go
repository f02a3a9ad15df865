package resolvers_test

import (
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// What mutations of many items say of modes, dry runs and names of work, in the order of the steps.
func TestWorkThatHasAName(t *testing.T) {
	storetest.Each(t, "is done once, and answered again", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		o := importing(t, st)
		o.Begun = func() {}
		s := newServer(st, l.Tenant.ID(), o)
		const line = `description: "Power", occurredOn: "2025-06-30", quantity: {value: 1, unit: "kWh"}`
		lines := func(input string) string {
			return `mutation { importActivities(input: {` + input + `, activities: [{externalId: "a", ` + line + `}, {externalId: "b", description: "", occurredOn: "2030-01-01", quantity: {value: 1, unit: "kWh"}}]}) { created unchanged failed results { status error { code path } } } }`
		}
		suppliers := func(input string) string {
			return `mutation { upsertSuppliers(input: {` + input + `, suppliers: [{externalId: "x", name: "X"}, {externalId: "y", name: ""}]}) { created results { status supplier { name } error { code } } } }`
		}
		const refused = `{"status":"FAILED","error":{"code":"BAD_USER_INPUT","path":["input","activities","1","occurredOn"]}}`
		for _, step := range []struct{ name, document, want string }{
			{"all or nothing", lines(`mode: ATOMIC`),
				`{"importActivities":{"created":0,"unchanged":0,"failed":2,"results":[{"status":"FAILED","error":{"code":"ROLLED_BACK","path":["input","activities","0"]}},` + refused + `]}}`},
			{"by name", lines(`idempotencyKey: "one"`),
				`{"importActivities":{"created":1,"unchanged":0,"failed":1,"results":[{"status":"CREATED","error":{"code":"NO_FACTOR","path":["input","activities","0"]}},` + refused + `]}}`},
			{"by name again", lines(`idempotencyKey: "one"`),
				`{"importActivities":{"created":1,"unchanged":0,"failed":1,"results":[{"status":"CREATED","error":{"code":"NO_FACTOR","path":["input","activities","0"]}},` + refused + `]}}`},
			{"by a name that is taken", lines(`mode: CHUNK, idempotencyKey: "one"`), `IDEMPOTENCY_KEY_REUSED`},
			{"by no name", lines(`idempotencyKey: " "`), `BAD_USER_INPUT`},
			{"suppliers dry", suppliers(`dryRun: true, idempotencyKey: "one"`),
				`{"upsertSuppliers":{"created":1,"results":[{"status":"CREATED","supplier":null,"error":null},{"status":"FAILED","supplier":null,"error":{"code":"BAD_USER_INPUT"}}]}}`},
			{"suppliers all or nothing", suppliers(`mode: ATOMIC`),
				`{"upsertSuppliers":{"created":0,"results":[{"status":"FAILED","supplier":null,"error":{"code":"ROLLED_BACK"}},{"status":"FAILED","supplier":null,"error":{"code":"BAD_USER_INPUT"}}]}}`},
			{"suppliers by name", suppliers(`idempotencyKey: "two"`),
				`{"upsertSuppliers":{"created":1,"results":[{"status":"CREATED","supplier":{"name":"X"},"error":null},{"status":"FAILED","supplier":null,"error":{"code":"BAD_USER_INPUT"}}]}}`},
			{"suppliers by name again", suppliers(`idempotencyKey: "two"`),
				`{"upsertSuppliers":{"created":1,"results":[{"status":"CREATED","supplier":{"name":"X"},"error":null},{"status":"FAILED","supplier":null,"error":{"code":"BAD_USER_INPUT"}}]}}`},
			{"deleted by name", `mutation { deleteActivities(input: {idempotencyKey: "three", externalIds: ["a", "z"]}) { deleted errors { code path } } }`,
				`{"deleteActivities":{"deleted":1,"errors":[{"code":"NOT_FOUND","path":["input","externalIds","1"]}]}}`},
			{"deleted by name again", `mutation { deleteActivities(input: {idempotencyKey: "three", externalIds: ["a", "z"]}) { deleted errors { code path } } }`,
				`{"deleteActivities":{"deleted":1,"errors":[{"code":"NOT_FOUND","path":["input","externalIds","1"]}]}}`},
			{"an answer of what is gone", strings.Replace(lines(`idempotencyKey: "one"`), "results { status error { code path } }", "results { status activity { externalId } }", 1),
				`{"importActivities":{"created":1,"unchanged":0,"failed":1,"results":[{"status":"CREATED","activity":null},{"status":"FAILED","activity":null}]}}`},
		} {
			got := s.ask(t, step.document, nil)
			if !strings.HasPrefix(step.want, "{") {
				if !slices.Equal(codes(got), []fault.Code{fault.Code(step.want)}) {
					t.Errorf("%s: %s %v; want %s", step.name, got.Data, got.Errors, step.want)
				}
			} else if string(got.Data) != step.want || len(got.Errors) > 0 {
				t.Errorf("%s:\n%s %v; want\n%s", step.name, got.Data, got.Errors, step.want)
			}
		}
		start := `mutation { startRecalculation(input: {idempotencyKey: "four", reason: "again"}) { batch { id } } }`
		if first, again := s.ask(t, start, nil), s.ask(t, start, nil); string(first.Data) != string(again.Data) || len(first.Errors) > 0 {
			t.Errorf("recalculations %s and %s %v; want one", first.Data, again.Data, first.Errors)
		}
	})
	storetest.Each(t, "and mappings have the ledger calculated anew, unless told not to", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		begun := 0
		o := importing(t, st)
		o.Begun = func() { begun++ }
		s := newServer(st, l.Tenant.ID(), o)
		set := func(more string) string {
			got := s.ask(t, `mutation { setFactorMappings(input: {`+more+` mappings: [{description: "Rates", exclude: true, reason: "Tax"}]}) { mappings { reason } errors { code path } batch { kind status run { reason } } } }`, nil)
			if len(got.Errors) > 0 {
				t.Fatal(got.Errors)
			}
			return string(got.Data)
		}
		const stored = `{"setFactorMappings":{"mappings":[{"reason":"Tax"}],`
		if got, want := set(`recalculate: false,`), stored+`"errors":[],"batch":null}}`; got != want || begun != 0 {
			t.Errorf("%s, begun %d times; want %s", got, begun, want)
		}
		if got, want := set(""), stored+`"errors":[],"batch":{"kind":"RECALCULATION","status":"QUEUED","run":{"reason":"Mappings were decided"}}}}`; got != want || begun != 1 {
			t.Errorf("%s, begun %d times; want %s", got, begun, want)
		}
		in := store.LockReportingYearInput{Year: 2025, Locked: true, Reason: "Published"}
		if _, err := l.Tenant.LockReportingYear(t.Context(), in, "Ann"); err != nil {
			t.Fatal(err)
		}
		if got, want := set(""), stored+`"errors":[{"code":"PERIOD_LOCKED","path":["input","recalculate"]}],"batch":null}}`; got != want || begun != 1 {
			t.Errorf("with a locked year: %s, begun %d times; want %s", got, begun, want)
		}
	})
}
