package resolvers_test

import (
	"context"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/internal/match"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestFactorSuggestions(t *testing.T) {
	storetest.Each(t, "suggestions", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		s := newServer(st, l.Tenant.ID(), resolvers.Options{})
		for name, tc := range map[string]struct {
			document, want string
			code           fault.Code
		}{
			"by the words of the line": {document: `{ factorSuggestions(description: "Office cleaning", unit: "GBP", first: 1) { factor { code dataset { version } } category { number } confidence decidedBy reason } }`,
				want: `{"factorSuggestions":[{"factor":{"code":"561720","dataset":{"version":"1"}},"category":{"number":1},"confidence":"0.95","decidedBy":"TEXT_MATCH","reason":"'office cleaning' in the text means \"Janitorial Services\"."}]}`},
			"by the supplier":     {document: `{ factorSuggestions(description: "Invoice", supplierName: "City Cleaning Ltd", country: "GB", unit: "USD") { factor { code } } }`, want: `{"factorSuggestions":[{"factor":{"code":"561720"}}]}`},
			"of no other unit":    {document: `{ factorSuggestions(description: "Office cleaning", unit: "kWh") { reason } }`, want: `{"factorSuggestions":[]}`},
			"for no tax":          {document: `{ factorSuggestions(description: "Business rates") { reason } }`, want: `{"factorSuggestions":[]}`},
			"for nothing":         {document: `{ factorSuggestions(description: "", first: null) { reason } }`, want: `{"factorSuggestions":[]}`},
			"in an unknown unit":  {document: `{ factorSuggestions(description: "Cleaning", unit: "furlong") { reason } }`, code: fault.UnknownUnit},
			"none asked for":      {document: `{ factorSuggestions(description: "Cleaning", first: 0) { reason } }`, code: fault.BadUserInput},
			"too many asked for":  {document: `{ factorSuggestions(description: "Cleaning", first: 101) { reason } }`, code: fault.BadUserInput},
			"and what lies below": {document: `{ factorSuggestions(description: "Cleaning") { category { emissions { totalCount } } factor { supersededBy { id } } } }`, want: `{"factorSuggestions":[{"category":{"emissions":{"totalCount":0}},"factor":{"supersededBy":null}}]}`},
		} {
			got := s.ask(t, tc.document, nil)
			if tc.code != "" {
				if len(got.Errors) != 1 || codes(got)[0] != tc.code {
					t.Errorf("%s: %s %v; want %s", name, got.Data, got.Errors, tc.code)
				}
			} else if string(got.Data) != tc.want || len(got.Errors) > 0 {
				t.Errorf("%s: %s %v; want %s", name, got.Data, got.Errors, tc.want)
			}
		}
	})
}

// broken is a matcher whose factors cannot be read.
type broken struct{}

func (broken) Match(context.Context, match.Line, int) (match.Answer, error) {
	return match.Answer{}, fault.New(fault.Overloaded, "There are too many factors.")
}

func TestAMatcherThatFailsIsTold(t *testing.T) {
	st := storetest.SQLite(t)
	s := newServer(st, storetest.Organization(t, st, "Acme").ID(), resolvers.Options{Matcher: broken{}})
	if got := s.ask(t, `{ factorSuggestions(description: "Cleaning") { reason } }`, nil); len(got.Errors) != 1 || codes(got)[0] != fault.Overloaded {
		t.Errorf("%s %v; want OVERLOADED", got.Data, got.Errors)
	}
}

func TestTooManyMappingsAreRefused(t *testing.T) {
	st := storetest.SQLite(t)
	s := newServer(st, storetest.Organization(t, st, "Acme").ID(), importing(t, st))
	many := make([]any, 1001)
	for i := range many {
		many[i] = map[string]any{"description": "x"}
	}
	got := s.ask(t, `mutation($m: [FactorMappingInput!]!) { setFactorMappings(input: {mappings: $m}) { errors { code } } }`, map[string]any{"m": many})
	if len(got.Errors) != 1 || codes(got)[0] != fault.BadUserInput {
		t.Errorf("%s %v; want BAD_USER_INPUT", got.Data, got.Errors)
	}
}
