package resolvers_test

import (
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

const everyYear = `{ reportingYears { year locked base lockedAt totals { co2e activityCount spend } lockedTotals { co2e activityCount spend } recalculationThresholdPercent changeSinceLock recalculationDue } }`

// told fails where an answer is another one.
func told(t *testing.T, what string, got answer, want string) {
	t.Helper()
	want = strings.Join(strings.Fields(want), "")
	if text := strings.Join(strings.Fields(string(got.Data)), ""); text != want || len(got.Errors) > 0 {
		t.Errorf("%s = %s %v\nwant %s", what, got.Data, got.Errors, want)
	}
}

// The life of a base year, from its lines to a recalculation.
func TestAYearIsLockedAndOpened(t *testing.T) {
	storetest.Each(t, "and its published totals stay", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 4, nil) // four days of 2025: 10 kg, 10 USD
		s := newServer(st, l.Tenant.ID(), importing(t, st))
		ids := map[string]any{"factor": l.Factors[2].GlobalID().String()}
		years := func(what, want string) {
			t.Helper()
			told(t, what, s.ask(t, everyYear, nil), `{"reportingYears":[`+want+`]}`)
		}
		power := func(kWh, day string) string {
			return `mutation($factor: ID!) { importActivities(input: {activities: [{externalId: "P", description: "Power", occurredOn: "` + day + `", quantity: {value: "` + kWh + `", unit: "kWh"}, factorId: $factor},
				{externalId: "Q` + kWh + `", description: "Power", occurredOn: "2024-01-01", quantity: {value: "0", unit: "kWh"}, factorId: $factor}]}) { created updated unchanged failed results { status error { code path } } } }`
		}
		years("at first", `{"year":2025,"locked":false,"base":false,"lockedAt":null,"totals":{"co2e":"10","activityCount":4,"spend":"10"},"lockedTotals":null,
			"recalculationThresholdPercent":"5","changeSinceLock":null,"recalculationDue":false}`)
		told(t, "lock", s.ask(t, `mutation { lockReportingYear(input: {year: 2025, locked: true, base: true, reason: "Published"}) { reportingYear { year locked base lockedAt totals { co2e } lockedTotals { co2e } changeSinceLock recalculationDue } } }`, nil),
			`{"lockReportingYear":{"reportingYear":{"year":2025,"locked":true,"base":true,"lockedAt":"2026-03-01T12:00:00.000000Z","totals":{"co2e":"10"},"lockedTotals":{"co2e":"10"},"changeSinceLock":"0","recalculationDue":false}}}`)
		told(t, "a line in the locked year", s.ask(t, power("1", "2025-07-01"), ids),
			`{"importActivities":{"created":1,"updated":0,"unchanged":0,"failed":1,"results":[{"status":"FAILED","error":{"code":"PERIOD_LOCKED","path":["input","activities","0","occurredOn"]}},{"status":"CREATED","error":null}]}}`)
		told(t, "what is deleted", s.ask(t, `mutation { deleteActivities(input: {externalIds: ["Q1", "L0001", "none", "Q1"]}) { deleted errors { code path } } }`, nil),
			`{"deleteActivities":{"deleted":1,"errors":[{"code":"PERIOD_LOCKED","path":["input","externalIds","1"]},{"code":"NOT_FOUND","path":["input","externalIds","2"]},{"code":"BAD_USER_INPUT","path":["input","externalIds","3"]}]}}`)
		told(t, "open", s.ask(t, `mutation { lockReportingYear(input: {year: 2025, locked: false, reason: "An error in the power bill"}) { reportingYear { locked base lockedTotals { co2e } } } }`, nil),
			`{"lockReportingYear":{"reportingYear":{"locked":false,"base":true,"lockedTotals":{"co2e":"10"}}}}`)
		told(t, "a line in the open year", s.ask(t, power("1", "2025-07-01"), ids),
			`{"importActivities":{"created":2,"updated":0,"unchanged":0,"failed":0,"results":[{"status":"CREATED","error":null},{"status":"CREATED","error":null}]}}`)
		beside := `,{"year":2024,"locked":false,"base":false,"lockedAt":null,"totals":{"co2e":"0","activityCount":1,"spend":"0"},"lockedTotals":null,"recalculationThresholdPercent":"5","changeSinceLock":null,"recalculationDue":false}`
		base := func(locked, co2e, count, was, wasCount, change, due string) string {
			return `{"year":2025,"locked":` + locked + `,"base":true,"lockedAt":"2026-03-01T12:00:00.000000Z","totals":{"co2e":"` + co2e + `","activityCount":` + count + `,"spend":"10"},
				"lockedTotals":{"co2e":"` + was + `","activityCount":` + wasCount + `,"spend":"10"},"recalculationThresholdPercent":"5","changeSinceLock":"` + change + `","recalculationDue":` + due + `}` + beside
		}
		years("exactly five percent more", base("false", "10.5", "5", "10", "4", "5", "false"))
		if got := s.ask(t, power("1.000002", "2025-07-01"), ids); len(got.Errors) > 0 {
			t.Fatal(got.Errors)
		}
		beside = strings.Replace(beside, `"activityCount":1`, `"activityCount":2`, 1)
		years("a milligram more", base("false", "10.500001", "5", "10", "4", "5.00001", "true"))
		if got := s.ask(t, `mutation { lockReportingYear(input: {year: 2025, locked: true, reason: "Recalculated"}) { reportingYear { year } } }`, nil); len(got.Errors) > 0 {
			t.Fatal(got.Errors)
		}
		years("locked again", base("true", "10.500001", "5", "10.500001", "5", "0", "false"))
		events, err := l.Tenant.ReportingYearEvents(t.Context(), 2025)
		if err != nil || len(events) != 3 || events[1].Actor != "test" || events[1].Reason != "An error in the power bill" || events[1].Locked {
			t.Errorf("events %v, %v", events, err)
		}
	}, counted)
}

func TestWhatAReportSaysOfCategories(t *testing.T) {
	storetest.Each(t, "is told of all 15", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 4, nil) // categories 2 to 5
		s := newServer(st, l.Tenant.ID(), resolvers.Options{})
		said := func(year string) []string {
			t.Helper()
			got := s.ask(t, `{ categoryStatements(year: `+year+`) { category { number } included reason methodText totals { co2e } } }`, nil)
			if len(got.Errors) > 0 || got.Statements != 2 {
				t.Errorf("%v, %d statements; want 2", got.Errors, got.Statements)
			}
			out := strings.Split(strings.Trim(strings.TrimPrefix(string(got.Data), `{"categoryStatements":`), "[]}"), "},{")
			if len(out) != 15 {
				t.Fatalf("%d statements: %s", len(out), got.Data)
			}
			return out
		}
		told(t, "a category that is left out", s.ask(t, `mutation { setCategoryStatement(input: {year: 2025, category: 2, included: false, reason: "Immaterial", methodText: "Screened"}) { statement { category { name } year included reason methodText totals { co2e } } errors { code } } }`, nil),
			`{"setCategoryStatement":{"statement":{"category":{"name":"Capitalgoods"},"year":2025,"included":false,"reason":"Immaterial","methodText":"Screened","totals":{"co2e":"1"}},"errors":[]}}`)
		told(t, "one that is left out in silence", s.ask(t, `mutation { setCategoryStatement(input: {year: 2025, category: 3, included: false}) { statement { year } errors { code path } } }`, nil),
			`{"setCategoryStatement":{"statement":null,"errors":[{"code":"BAD_USER_INPUT","path":["input","reason"]}]}}`)
		for i, want := range map[int]string{0: `"included":true,"reason":null,"methodText":null,"totals":{"co2e":"0"}`, 1: `"included":false,"reason":"Immaterial","methodText":"Screened","totals":{"co2e":"1"}`,
			4: `"included":true,"reason":null,"methodText":null,"totals":{"co2e":"4"}`} {
			if got := said("2025")[i]; !strings.Contains(got, want) {
				t.Errorf("category %d: %s, want %s", i+1, got, want)
			}
		}
		if got := said("2024")[1]; !strings.Contains(got, `"included":true`) || !strings.Contains(got, `"co2e":"0"`) {
			t.Errorf("of another year: %s", got)
		}
		if got := s.ask(t, `mutation { lockReportingYear(input: {year: 2025, locked: true, reason: "x"}) { reportingYear { year } } }`, nil); len(got.Errors) > 0 {
			t.Fatal(got.Errors)
		}
		told(t, "one of a locked year", s.ask(t, `mutation { setCategoryStatement(input: {year: 2025, category: 2, included: true}) { statement { year } errors { code path } } }`, nil),
			`{"setCategoryStatement":{"statement":null,"errors":[{"code":"PERIOD_LOCKED","path":["input"]}]}}`)
		other := newServer(st, storetest.Organization(t, st, "Rival").ID(), resolvers.Options{})
		told(t, "another organization's years", other.ask(t, everyYear, nil), `{"reportingYears":[]}`)
		if got := other.ask(t, `{ categoryStatements(year: 2025) { included reason totals { co2e } } }`, nil); strings.Contains(string(got.Data), "Immaterial") || strings.Contains(string(got.Data), `"1"`) {
			t.Errorf("another organization sees %s", got.Data)
		}
	})
}

// However many years there are, and however much is asked of them, the statements are three: what is decided, which years have lines, what they come to.
func TestReportingTakesFewStatements(t *testing.T) {
	storetest.Each(t, "for everything", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 1200, nil)
		s := newServer(st, l.Tenant.ID(), resolvers.Options{})
		for document, want := range map[string]int64{
			`{ reportingYears { year locked lockedTotals { co2e } } }`: 2,
			everyYear: 3,
			`{ categoryStatements(year: 2025) { included } }`:                                                            1,
			`{ categoryStatements(year: 2025) { totals { co2e } category { emissions(first: 1) { nodes { co2e } } } } }`: 3,
		} {
			if got := s.ask(t, document, nil); got.Statements != want || len(got.Errors) > 0 {
				t.Errorf("%s took %d statements, want %d; %v", document, got.Statements, want, got.Errors)
			}
		}
	})
}

func TestReportingRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		document string
		role     store.Role
		code     fault.Code
		path     []string
	}{
		"a lock by those who only write":         {document: `mutation { lockReportingYear(input: {year: 2024, locked: true, reason: "x"}) { reportingYear { year } } }`, role: store.Editor, code: fault.Forbidden},
		"a statement by those who only read":     {document: `mutation { setCategoryStatement(input: {year: 2024, category: 1, included: true}) { errors { code } } }`, role: store.Analyst, code: fault.Forbidden},
		"a deletion by those who only read":      {document: `mutation { deleteActivities(input: {externalIds: ["L0001"]}) { deleted } }`, role: store.Analyst, code: fault.Forbidden},
		"a lock without a reason":                {document: `mutation { lockReportingYear(input: {year: 2024, locked: true, reason: ""}) { reportingYear { year } } }`, code: fault.BadUserInput, path: []string{"input", "reason"}},
		"a lock of a year to come":               {document: `mutation { lockReportingYear(input: {year: 2999, locked: true, reason: "x"}) { reportingYear { year } } }`, code: fault.BadUserInput, path: []string{"input", "year"}},
		"a threshold that is none":               {document: `mutation { lockReportingYear(input: {year: 2024, locked: true, recalculationThresholdPercent: 101, reason: "x"}) { reportingYear { year } } }`, code: fault.BadUserInput, path: []string{"input", "recalculationThresholdPercent"}},
		"statements of a year that there is not": {document: `{ categoryStatements(year: 12) { included } }`, code: fault.BadUserInput, path: []string{"year"}},
		"too many lines to delete": {document: `mutation { deleteActivities(input: {externalIds: [` + strings.Repeat(`"a", `, 10_001) + `]}) { deleted } }`,
			code: fault.BadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			st := refusing(t)
			s := newServer(st.Store, st.tenant.ID(), resolvers.Options{})
			if tc.role != "" {
				s = s.as(tc.role)
			}
			got := s.ask(t, tc.document, nil)
			if len(got.Errors) != 1 || codes(got)[0] != tc.code || !slices.Equal(fault.Of(got.Errors[0].Unwrap()).Path, tc.path) {
				t.Errorf("codes = %q, %v; want %q at %v", codes(got), got.Errors, tc.code, tc.path)
			}
			if n, err := st.tenant.CountActivities(t.Context(), nil); n != 1 || err != nil {
				t.Errorf("%d lines, %v", n, err)
			}
		})
	}
}
