package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"carbongraph/internal/fault"
)

func factors() relation[EmissionFactor] {
	return relation[EmissionFactor]{
		table: "emission_factors", alias: "f",
		columns: "f.id, f.dataset_id, f.code, f.name, f.region, f.unit, f.value, f.value_ar4, f.value_ar5, f.value_ar6, f.biogenic_co2, f.price_year, " +
			"f.price_basis, f.life_cycle_boundary, f.year, f.valid_from, f.valid_to, f.uncertainty_percent, f.category_number, f.gases",
		row: func(scan scanner) (*EmissionFactor, error) { return scanFactor(scan) },
	}
}

// scanFactor reads a factor; lead is scanned before its own columns.
func scanFactor(scan scanner, lead ...any) (*EmissionFactor, error) {
	f := new(EmissionFactor)
	var gases []byte
	err := scan(append(lead, &f.ID, &f.DatasetID, &f.Code, &f.Name, &f.Region, &f.Unit, &f.Value, &f.ValueAR4, &f.ValueAR5, &f.ValueAR6, &f.BiogenicCO2,
		&f.PriceYear, &f.PriceBasis, &f.LifeCycleBoundary, &f.Year, &f.ValidFrom, &f.ValidTo, &f.UncertaintyPercent, &f.CategoryNumber, &gases)...)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(gases, &f.Gases); err != nil {
		return nil, fmt.Errorf("store: gases of factor %s: %w", f.ID, err)
	}
	return f, nil
}

// order finds the expression of an order. The zero order is that of the contract: by name.
func (o EmissionFactorOrder) order(b *statement, search *string) (order, error) {
	switch o.Field {
	case "", FactorsByName:
		return newOrder(FactorsByName, o.Direction, Asc, keyText, "f.name_key")
	case FactorsByCode:
		return newOrder(o.Field, o.Direction, Asc, keyText, "f.code")
	case FactorsByValue:
		return newNullableOrder(o.Field, o.Direction, Asc, keyFloat, "f.value_key", "1e308", "-1e308")
	case FactorsByRelevance:
		if search == nil {
			return order{}, fault.New(fault.BadUserInput, "The order RELEVANCE needs a search in the filter.").At("orderBy", "field")
		}
		return newOrder(o.Field, o.Direction, Asc, keyInt, relevance(b, *search))
	}
	return order{}, unknownOrder(o.Field)
}

// relevance is an integer that is smaller the better a factor meets a search, so that ascending, the contract's default, is best first: as its
// code, as its whole name, at the name's start, at the start of a word, anywhere in one piece, or only word by word; among equals the shorter
// name is the better.
func relevance(b *statement, search string) string {
	exact, escaped := b.bind(search), escapeLike(search)
	like := func(expr, pattern string) string { return expr + " LIKE " + b.bind(pattern) + ` ESCAPE '\'` }
	return "(CASE WHEN LOWER(f.code) = " + exact + " THEN 1000 WHEN f.name_key = " + exact + " THEN 2000 WHEN " + like("f.name_key", escaped+"%") +
		" THEN 3000 WHEN " + like("f.name_key", "% "+escaped+"%") + " THEN 4000 WHEN " + like("f.name_key", "%"+escaped+"%") +
		" THEN 5000 ELSE 6000 END + CASE WHEN LENGTH(f.name_key) < 900 THEN LENGTH(f.name_key) ELSE 900 END)"
}

func (f *EmissionFactorFilter) canonical() (c EmissionFactorFilter, err error) {
	if f == nil {
		return c, nil
	}
	if f.Current != nil && *f.Current {
		c.Current = f.Current
	}
	err = checks(
		set(&c.Search, func() (*string, error) { return canonicalSearch(f.Search) }),
		set(&c.DatasetIds, func() ([]GlobalID, error) { return canonicalIDs("datasetIds", f.DatasetIds) }),
		set(&c.Regions, func() ([]string, error) { return canonicalTexts("regions", f.Regions) }),
		set(&c.Units, func() ([]string, error) { return canonicalTexts("units", f.Units) }),
		set(&c.Codes, func() ([]string, error) { return canonicalTexts("codes", f.Codes) }),
	)
	return c, err
}

// where adds what a canonical filter asks.
func (f EmissionFactorFilter) where(b *statement) {
	b.words(f.Search, "f.name_key", "LOWER(f.code)")
	b.ids("f.dataset_id", KindFactorDataset, f.DatasetIds)
	texted(b, "f.region", f.Regions)
	texted(b, "f.unit", f.Units)
	texted(b, "f.code", f.Codes)
	if f.Current != nil {
		b.where("f.dataset_id NOT IN (SELECT d.supersedes_id FROM factor_datasets AS d WHERE d.supersedes_id IS NOT NULL)")
	}
}

// Factors gives one page of the emission factors that meet the filter. Factors are shared: their cursors are bound to no organization.
func (s *Store) Factors(ctx context.Context, f *EmissionFactorFilter, o EmissionFactorOrder, p Page) (*Connection[EmissionFactor], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := s.statement()
	by, err := o.order(b, c.Search)
	if err != nil {
		return nil, err
	}
	c.where(b)
	return page(ctx, s, b, factors(), by, p, newScope(s.cursorKey, ID{}, "emissionFactors", by, c, by.kind, keyID))
}

// CountFactors tells how many factors meet the filter.
func (s *Store) CountFactors(ctx context.Context, f *EmissionFactorFilter) (int, error) {
	c, err := f.canonical()
	if err != nil {
		return 0, err
	}
	b := s.statement()
	c.where(b)
	return s.count(ctx, b, "emission_factors", "f")
}

// FactorsByID gives the factors with these ids, in any order.
func (s *Store) FactorsByID(ctx context.Context, ids []ID) ([]*EmissionFactor, error) {
	return byID(ctx, s, s.statement(), factors(), ids)
}

// DatasetFactors gives all factors of a dataset, by code.
func (s *Store) DatasetFactors(ctx context.Context, dataset ID) ([]*EmissionFactor, error) {
	b := s.statement()
	b.is("f.dataset_id", "=", dataset.String())
	return all(ctx, s, b, factors(), "f.code, f.id")
}

// SupersededBy gives, for each factor that has one, the factor of the same code, region, unit and price basis in the dataset that supersedes its
// own. Where a dataset has several such factors, it is the first that was made.
func (s *Store) SupersededBy(ctx context.Context, ids []ID) (map[ID]*EmissionFactor, error) {
	later := make(map[ID]*EmissionFactor)
	if len(ids) == 0 {
		return later, nil
	}
	b := s.statement()
	b.in("o.id", listUUID, idTexts(ids))
	text := strings.Join([]string{
		"SELECT o.id,", factors().columns,
		"FROM emission_factors AS o JOIN factor_datasets AS d ON d.supersedes_id = o.dataset_id",
		"JOIN emission_factors AS f ON f.dataset_id = d.id AND f.code = o.code AND f.region = o.region AND f.unit = o.unit",
		"AND COALESCE(f.price_basis, '') = COALESCE(o.price_basis, '') WHERE", b.all(), "ORDER BY o.id, f.id",
	}, " ")
	err := s.read(ctx, "emission_factors", text, b, func(scan scanner) error {
		var old ID
		f, err := scanFactor(scan, &old)
		if err == nil && later[old] == nil {
			later[old] = f
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return later, nil
}
