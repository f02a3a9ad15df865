package factors

import (
	"context"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Rules looks the factors of the file up and gives its mappings. A factor that does not exist is a NO_FACTOR fault that names the code, the dataset
// and the line of the file.
func (m *MappingFile) Rules(ctx context.Context, st *store.Store, newID func() store.ID) ([]*store.FactorMapping, error) {
	datasets, err := st.Datasets(ctx)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, r := range m.rules {
		if r.factor != nil {
			keys = append(keys, *r.factor)
		}
	}
	found, err := Look(ctx, st, datasets, keys)
	if err != nil {
		return nil, err
	}
	var out []*store.FactorMapping
	for _, r := range m.rules {
		mapping := store.FactorMapping{CategoryNumber: r.category, DecidedBy: store.ByRule, Confidence: exact.NewDecimal(1, 0), Reviewed: true}
		if r.factor != nil {
			id, err := found.One(*r.factor)
			if err != nil {
				return nil, fault.New(fault.CodeOf(err), "Mapping file, line %d: %s", r.line, fault.Of(err).Message)
			}
			mapping.FactorID = &id
		} else {
			mapping.Exclude, mapping.Reason = true, &r.exclude
		}
		for key := range r.keys() {
			one := mapping
			one.ID = newID()
			one.AccountCode, one.Description, one.Country = orNil(key.accountCode), orNil(key.description), orNil(key.country)
			out = append(out, &one)
		}
	}
	return out, nil
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
