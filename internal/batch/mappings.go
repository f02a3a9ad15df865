package batch

import (
	"context"
	"encoding/json"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// maxReason is the longest reason, in characters.
const maxReason = 1000

// MappingResult is what became of one mapping. The path of its problem begins within the mapping.
type MappingResult struct {
	Mapping *store.FactorMapping // nil where it failed
	Problem *store.Problem       // why it failed
}

// Mappings stores what a person decided, replacing what was decided for the same lines, and gives a result for each, in order.
func (im *Importer) Mappings(ctx context.Context, t *store.Tenant, in []store.FactorMappingInput) ([]MappingResult, error) {
	known, err := im.factorsOf(ctx, in)
	if err != nil {
		return nil, err
	}
	results := make([]MappingResult, len(in))
	seen := make(map[string]bool, len(in))
	var rows []*store.FactorMapping
	for i := range in {
		m := &in[i]
		key, err := json.Marshal([]*string{m.AccountCode, m.Description, m.Country})
		if err != nil {
			return nil, err
		}
		f := checkMapping(m)
		switch {
		case f != nil:
		case m.FactorID != nil && !known[m.FactorID.Row]:
			f = unknownFactor("factorId")
		case seen[string(key)]:
			f = fault.New(fault.BadUserInput, "Another item before this one has the same accountCode, description and country; give one.")
		}
		if f != nil {
			results[i].Problem = problemOf(f)
			continue
		}
		seen[string(key)] = true
		results[i].Mapping = decided(m)
		rows = append(rows, results[i].Mapping)
	}
	return results, t.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rows) })
}

// factorsOf tells which of the named factors there are.
func (im *Importer) factorsOf(ctx context.Context, in []store.FactorMappingInput) (map[store.ID]bool, error) {
	var ids []store.ID
	for _, m := range in {
		if m.FactorID != nil && m.FactorID.Kind == store.KindEmissionFactor {
			ids = append(ids, m.FactorID.Row)
		}
	}
	found, err := im.catalog.Factors(ctx, ids)
	if err != nil {
		return nil, err
	}
	known := make(map[store.ID]bool, len(found))
	for id := range found {
		known[id] = true
	}
	return known, nil
}

// decided makes a person's decision of an input that was checked.
func decided(m *store.FactorMappingInput) *store.FactorMapping {
	out := &store.FactorMapping{AccountCode: m.AccountCode, Description: m.Description, Country: m.Country, CategoryNumber: m.Category, Exclude: m.Exclude,
		Reason: m.Reason, DecidedBy: store.ByPerson, Confidence: exact.NewDecimal(1, 0), Reviewed: true}
	if m.FactorID != nil {
		out.FactorID = &m.FactorID.Row
	}
	return out
}

func checkMapping(m *store.FactorMappingInput) *fault.Fault {
	if m.AccountCode == nil && m.Description == nil && m.Country == nil {
		return fault.New(fault.BadUserInput, "The mapping matches nothing; give accountCode, description or country.")
	}
	for _, c := range []struct {
		path string
		text *string
		most int
	}{{"accountCode", m.AccountCode, maxKey}, {"description", m.Description, maxDescription}, {"reason", m.Reason, maxReason}} {
		if c.text == nil {
			continue
		}
		if strings.TrimSpace(*c.text) == "" {
			return fault.New(fault.BadUserInput, "%s is empty; leave it out.", c.path).At(c.path)
		}
		if reason := wrongText(*c.text, c.most); reason != "" {
			return fault.New(fault.BadUserInput, "%s %s.", c.path, reason).At(c.path)
		}
	}
	if f := checkStars(m); f != nil {
		return f
	}
	switch {
	case m.Country != nil && !countryForm.MatchString(*m.Country):
		return fault.New(fault.BadUserInput, "%.20q is not a country; write two capital letters, such as GB.", *m.Country).At("country")
	case m.Exclude && m.FactorID != nil:
		return fault.New(fault.BadUserInput, "A line is excluded or calculated; give exclude or factorId.").At("factorId")
	case m.Exclude && m.Category != nil:
		return fault.New(fault.BadUserInput, "An excluded line has no category.").At("category")
	case m.Exclude && m.Reason == nil:
		return fault.New(fault.BadUserInput, "exclude needs the reason.").At("reason")
	case !m.Exclude && m.FactorID == nil:
		return fault.New(fault.BadUserInput, "Give factorId, or exclude with a reason.").At("factorId")
	case m.Category != nil && store.CategoryByNumber(*m.Category) == nil:
		return fault.New(fault.BadUserInput, "There is no category %d; they are numbered 1 to 15.", *m.Category).At("category")
	case m.FactorID != nil && m.FactorID.Kind != store.KindEmissionFactor:
		return unknownFactor("factorId")
	}
	return nil
}

// checkStars refuses stars that match nothing, or everything.
func checkStars(m *store.FactorMappingInput) *fault.Fault {
	if m.AccountCode != nil && strings.Contains(*m.AccountCode, "*") {
		return fault.New(fault.BadUserInput, "An account code has no star; give one mapping for each code.").At("accountCode")
	}
	if d := m.Description; d != nil {
		if star := strings.Index(*d, "*"); *d == "*" || star >= 0 && star < len(*d)-1 {
			return fault.New(fault.BadUserInput, "A star stands at the end of a description, with something before it.").At("description")
		}
	}
	return nil
}
