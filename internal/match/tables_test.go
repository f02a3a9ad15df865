package match

import (
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

// TestEveryMeaningIsAFactor finds names in synonyms.csv that no built-in factor has: a synonym with a misspelt meaning would be silent for ever.
func TestEveryMeaningIsAFactor(t *testing.T) {
	t.Parallel()
	all, err := factors.Builtin(func() store.ID { return store.ID{} }, exact.Instant{})
	if err != nil {
		t.Fatal(err)
	}
	var current []*store.EmissionFactor
	for _, im := range all {
		if im.Dataset.Version != "1.2" {
			current = append(current, im.Factors...)
		}
	}
	x := New(current)
	for i, s := range x.synonyms {
		meant := map[int]bool{}
		for _, target := range x.targets[i] {
			meant[target.rank] = true
		}
		for rank, meaning := range s.meanings {
			if !meant[rank] {
				t.Errorf("%q, said to be meant by %q, is no factor", meaning, s.phrase)
			}
		}
	}
}

// TestNoPhraseStandsTwice finds a phrase that two rows of synonyms.csv have: which of them was meant cannot be told. Another order is another phrase.
func TestNoPhraseStandsTwice(t *testing.T) {
	t.Parallel()
	tables := newTables()
	seen := map[string][]string{}
	for _, s := range tables.synonyms {
		key := strings.Join(s.phrase, " ")
		if other := seen[key]; other != nil && other[0] != s.meanings[0] {
			t.Errorf("%q means %q and %q", s.phrase, other[0], s.meanings[0])
		}
		seen[key] = s.meanings
	}
}
