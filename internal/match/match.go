// Package match tells which emission factors a ledger's text may mean, ranked, from the factors' names and a table of the words that ledgers use for them.
// It reads nothing but what it is given: no network, no database, no clock.
package match

import (
	"cmp"
	"slices"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Line is what a ledger says of a purchase. All but the description may be empty.
type Line struct {
	Description string
	AccountCode string // as text: a code of digits says nothing
	Supplier    string
	Country     string // ISO 3166-1 alpha-2: factors of this region are preferred
	Unit        string // of the amount, a unit or a currency: only factors that it converts to are given
}

// Answer is what a line may mean. A line that is not a purchase has no suggestions.
type Answer struct {
	Exclusion   *Exclusion
	Suggestions []Suggestion // best first
}

// Exclusion is why a line is not a purchase.
type Exclusion struct {
	Confidence exact.Decimal // 0 to 1, as of Suggestion
	Reason     string
}

// Suggestion is a factor that a line may mean.
type Suggestion struct {
	Factor     *store.EmissionFactor
	Category   *int32        // the factor's own, else that of the words; nil where neither tells
	Confidence exact.Decimal // 0 to 1: of answers with this confidence, about this share is right
	Reason     string        // a sentence

	entry int32 // of the index, the factor
}

// Match tells what a line may mean, at most as many as first. The same line and factors give the same answer on every machine.
// A unit that is not known is an UNKNOWN_UNIT fault.
func (x *Index) Match(line Line, first int) (Answer, error) {
	var unit calc.Dimension
	if line.Unit != "" {
		u, err := calc.ParseUnit(line.Unit)
		if err != nil {
			return Answer{}, err
		}
		unit = u.Dimension
	}
	q := x.question(line)
	found := x.phrases(q)
	if e := x.exclusion(q, found); e != nil {
		return Answer{Exclusion: e}, nil
	}
	ranked := x.rank(q, found, unit, line.Country)
	var out []Suggestion
	for _, c := range ranked[:min(first, len(ranked))] {
		out = append(out, x.suggestion(q, c, ranked))
	}
	return Answer{Suggestions: out}, nil
}

// candidate is a factor with what speaks for it.
type candidate struct {
	entry  int32
	score  int64
	phrase int32 // the phrase that speaks loudest for it, or -1
}

// rank scores every factor that shares a word or a phrase with the question. All arithmetic is in integers, so that no machine rounds differently.
func (x *Index) rank(q *question, found []hit, unit calc.Dimension, country string) []candidate {
	credits := x.credits(q, found)
	out := make([]candidate, 0, len(credits))
	for entry, c := range credits {
		e := &x.entries[entry]
		if unit != "" && e.unit != unit {
			continue
		}
		score := c.total(q) * x.preference(e, country, q) / 100
		if score > 0 {
			out = append(out, candidate{entry, score, c.phrase})
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.entry, b.entry)) // entries stand in the order of their codes
	})
	return out
}

// DefaultConfidence is what an answer needs to be proposed for a ledger.
const DefaultConfidence = 0.5
