package factors_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/factors"
	"carbongraph/store"
)

// mapping makes a mapping whose reason is what it matches; an empty part matches anything.
func mapping(accountCode, description, country string) *store.FactorMapping {
	part := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return &store.FactorMapping{ID: store.ID{1}, AccountCode: part(accountCode), Description: part(description), Country: part(country),
		Exclude: true, Reason: new(accountCode + "|" + description + "|" + country)}
}

func TestTheMostSpecificMappingHolds(t *testing.T) {
	all := []*store.FactorMapping{
		mapping("", "", "GB"), mapping("", "Gas", ""), mapping("", "Gas*", ""), mapping("", "Gas and*", ""), mapping("4010", "", ""),
		mapping("", "Gas", "GB"), mapping("4010", "", "GB"), mapping("4010", "Gas*", ""), mapping("4010", "Gas", "GB"),
		mapping("", "Electricity  SUPPLY", ""), mapping("", "Water*", "FR"),
	}
	r := factors.NewResolver(all)
	for name, tc := range map[string]struct{ accountCode, description, country, want string }{
		"all three go before two":                     {"4010", "Gas", "GB", "4010|Gas|GB"},
		"code and beginning go before code alone":     {"4010", "Gas", "FR", "4010|Gas*|"},
		"code and description before code and place":  {"4010", "Gas bill", "GB", "4010|Gas*|"},
		"code and place go before code alone":         {"4010", "Oil", "GB", "4010||GB"},
		"description and place before description":    {"", "Gas", "GB", "|Gas|GB"},
		"the code goes before the description":        {"4010", "Electricity supply", "FR", "4010||"},
		"a whole description before its beginning":    {"4999", "Gas", "FR", "|Gas|"},
		"a longer beginning before a shorter":         {"4999", "Gas and oil", "FR", "|Gas and*|"},
		"a beginning may be all of the description":   {"4999", "gas AND", "FR", "|Gas and*|"},
		"a place alone is better than nothing":        {"4999", "Oil", "GB", "||GB"},
		"case and runs of spaces make no difference":  {"", " electricity   Supply ", "", "|Electricity  SUPPLY|"},
		"a place that is not the mapping's is no fit": {"", "Water", "DE", ""},
		"a beginning with a place":                    {"", "Water works", "fr", "|Water*|FR"},
		"nothing fits":                                {"4999", "Oil", "FR", ""},
		"a line that says nothing":                    {"", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from memory
				if got := r.Resolve(tc.accountCode, tc.description, tc.country); got.Reason != tc.want || (got.MappingID != nil) != (tc.want != "") {
					t.Errorf("decision is %q, mapping %v; want %q", got.Reason, got.MappingID, tc.want)
				}
			}
		})
	}
}

func TestADecisionCarriesWhatTheMappingSays(t *testing.T) {
	id, factor := store.ID{7}, store.ID{9}
	r := factors.NewResolver([]*store.FactorMapping{{ID: id, AccountCode: new("a"), FactorID: &factor, CategoryNumber: new(int32(6))}})
	got := r.Resolve("A", "", "")
	if *got.MappingID != id || *got.FactorID != factor || *got.CategoryNumber != 6 || got.Exclude || got.Reason != "" {
		t.Errorf("decision is %+v", got)
	}
}

// The law: a decision is that of the best of all mappings that fit, looked at one by one, whatever their order.
func TestDecisionsAreThoseOfALookAtEveryMapping(t *testing.T) {
	words := rapid.SampledFrom([]string{"", "a", "ab", "abc", "b", "B", "a b"})
	rapid.Check(t, func(t *rapid.T) {
		byKey := map[string]*store.FactorMapping{}
		for range rapid.IntRange(0, 12).Draw(t, "mappings") {
			description := words.Draw(t, "description")
			if description != "" && rapid.Bool().Draw(t, "prefix") {
				description += "*"
			}
			m := mapping(words.Draw(t, "code"), description, rapid.SampledFrom([]string{"", "GB"}).Draw(t, "country"))
			if *m.Reason != "||" {
				byKey[strings.ToLower(*m.Reason)] = m
			}
		}
		var all []*store.FactorMapping
		for _, m := range byKey {
			all = append(all, m) // in an order that differs from run to run
		}
		r := factors.NewResolver(all)
		code, description, country := words.Draw(t, "line's code"), words.Draw(t, "line's description"), rapid.SampledFrom([]string{"", "GB", "FR"}).Draw(t, "line's country")
		want, most := "", 0
		for _, m := range all {
			if w := weight(m, code, description, country); w > most {
				want, most = *m.Reason, w
			}
		}
		if got := r.Resolve(code, description, country); got.Reason != want {
			t.Fatalf("decision for %q %q %q is %q; want %q", code, description, country, got.Reason, want)
		}
	})
}

// weight is 0 where a mapping does not fit; otherwise more where it is better.
func weight(m *store.FactorMapping, code, description, country string) int {
	w := 0
	if m.AccountCode != nil {
		if !strings.EqualFold(*m.AccountCode, code) {
			return 0
		}
		w += 1400
	}
	if m.Country != nil {
		if *m.Country != country {
			return 0
		}
		w += 1100
	}
	if m.Description != nil {
		text, prefix := strings.CutSuffix(strings.ToLower(*m.Description), "*")
		line := strings.ToLower(description)
		switch {
		case line == "" || prefix && !strings.HasPrefix(line, text) || !prefix && line != text:
			return 0
		case prefix:
			w += 1200 + len(text)
		default:
			w += 1250
		}
	}
	return w
}

func TestAResolverServesManyAtOnceAndForgetsInTime(t *testing.T) {
	r := factors.NewResolver([]*store.FactorMapping{mapping("", "line*", "")})
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range 20_000 {
				if got := r.Resolve("", fmt.Sprintf("line %d of %d", i, worker), ""); got.Reason != "|line*|" {
					t.Errorf("decision is %q", got.Reason)
					return
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkResolve(b *testing.B) {
	r := factors.NewResolver([]*store.FactorMapping{mapping("4010", "", ""), mapping("", "Gas*", "")})
	for b.Loop() {
		r.Resolve("4011", "Gas bill of June", "GB")
	}
}
