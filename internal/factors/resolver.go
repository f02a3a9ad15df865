package factors

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"carbongraph/internal/calc"
	"carbongraph/store"
)

// Decision is what an organization's mappings say of a line. The zero Decision says nothing.
type Decision struct {
	MappingID      *store.ID // nil where no mapping fits
	FactorID       *store.ID
	CategoryNumber *int32
	Exclude        bool
	Reason         string     // why it is excluded
	Match          calc.Match // how the factor was chosen
}

// Resolver finds the mapping of a line. The more a mapping names the more it weighs: account code, description and country together first, then account code
// with description, with country, description with country, then account code, description, and country alone. Of two that name the same, one that has the
// whole description goes before one that has its beginning, and a longer beginning before a shorter. Case and runs of spaces make no difference.
// It is safe for concurrent use.
type Resolver struct {
	exact    map[lineKey]*store.FactorMapping
	prefixes map[lineKey][]prefix // by the key without description, longest first
	mu       sync.RWMutex
	known    map[written]Decision
}

// lineKey is folded; an empty part is one that a mapping does not name.
type lineKey struct{ accountCode, description, country string }

// written is a line's key as the ledger has it.
type written struct{ accountCode, description, country string }

type prefix struct {
	text    string
	mapping *store.FactorMapping
}

// maxKnown bounds how many different lines are remembered: a ledger whose descriptions are all different must not fill the memory.
const maxKnown = 1 << 16

// NewResolver makes a resolver of an organization's mappings. Of two that are alike but for case and spaces, the later one holds.
func NewResolver(mappings []*store.FactorMapping) *Resolver {
	r := &Resolver{exact: map[lineKey]*store.FactorMapping{}, prefixes: map[lineKey][]prefix{}, known: map[written]Decision{}}
	for _, m := range mappings {
		key := keyOf(m)
		text, isPrefix := strings.CutSuffix(key.description, "*")
		if !isPrefix {
			r.exact[key] = m
			continue
		}
		key.description = ""
		r.prefixes[key] = slices.DeleteFunc(r.prefixes[key], func(p prefix) bool { return p.text == text })
		r.prefixes[key] = append(r.prefixes[key], prefix{text, m})
	}
	for _, list := range r.prefixes {
		slices.SortFunc(list, func(a, b prefix) int { return cmp.Compare(len(b.text), len(a.text)) })
	}
	return r
}

func keyOf(m *store.FactorMapping) lineKey {
	part := func(s *string) string {
		if s == nil {
			return ""
		}
		return fold(*s)
	}
	return lineKey{part(m.AccountCode), part(m.Description), part(m.Country)}
}

// fold makes texts alike that differ in case and in runs of spaces alone.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// Resolve gives the decision for a line. Parts that the line lacks are empty.
func (r *Resolver) Resolve(accountCode, description, country string) Decision {
	line := written{accountCode, description, country}
	r.mu.RLock()
	d, ok := r.known[line]
	r.mu.RUnlock()
	if ok {
		return d
	}
	d = decide(r.find(lineKey{fold(accountCode), fold(description), fold(country)}))
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	r.known[line] = d
	return d
}

// levels are the combinations that a mapping can name, heaviest first: account code, description, country.
func levels() [7][3]bool {
	return [7][3]bool{{true, true, true}, {true, true, false}, {true, false, true}, {false, true, true}, {true, false, false}, {false, true, false}, {false, false, true}}
}

func (r *Resolver) find(line lineKey) *store.FactorMapping {
	for _, level := range levels() {
		if level[0] && line.accountCode == "" || level[1] && line.description == "" || level[2] && line.country == "" {
			continue
		}
		var key lineKey
		if level[0] {
			key.accountCode = line.accountCode
		}
		if level[2] {
			key.country = line.country
		}
		if !level[1] {
			if m := r.exact[key]; m != nil {
				return m
			}
			continue
		}
		if m := r.describes(key, line.description); m != nil {
			return m
		}
	}
	return nil
}

func (r *Resolver) describes(key lineKey, description string) *store.FactorMapping {
	whole := key
	whole.description = description
	if m := r.exact[whole]; m != nil {
		return m
	}
	for _, p := range r.prefixes[key] {
		if strings.HasPrefix(description, p.text) {
			return p.mapping
		}
	}
	return nil
}

func decide(m *store.FactorMapping) Decision {
	if m == nil {
		return Decision{}
	}
	d := Decision{MappingID: &m.ID, FactorID: m.FactorID, CategoryNumber: m.CategoryNumber, Exclude: m.Exclude, Match: calc.ByRule}
	if guessed := m.DecidedBy == store.ByTextMatch || m.DecidedBy == store.ByLanguageModel; guessed && !m.Reviewed {
		d.Match = calc.MatchOfText(m.Confidence.Float64())
	}
	if m.Reason != nil {
		d.Reason = *m.Reason
	}
	return d
}
