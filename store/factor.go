package store

import (
	"context"
	"slices"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

var factorRelation = newRelation("emission_factors", "f", nil,
	idColumn("f.id", "ID GlobalID", func(f *EmissionFactor) *ID { return &f.ID }),
	idColumn("f.dataset_id", "DatasetID", func(f *EmissionFactor) *ID { return &f.DatasetID }),
	textColumn("(SELECT own.gwp_set FROM factor_datasets AS own WHERE own.id = f.dataset_id)", "ValueBy", func(f *EmissionFactor) *GwpSet { return &f.DatasetGwpSet }),
	textColumn("f.code", "Code", func(f *EmissionFactor) *string { return &f.Code }),
	textColumn("f.name", "Name", func(f *EmissionFactor) *string { return &f.Name }),
	textColumn("f.region", "Region", func(f *EmissionFactor) *string { return &f.Region }),
	textColumn("f.unit", "Unit", func(f *EmissionFactor) *string { return &f.Unit }),
	maybeDecimal("f.value", "Value ValueBy", func(f *EmissionFactor) **exact.Decimal { return &f.Value }),
	maybeDecimal("f.value_ar4", "ValueBy", func(f *EmissionFactor) **exact.Decimal { return &f.ValueAR4 }),
	maybeDecimal("f.value_ar5", "ValueBy", func(f *EmissionFactor) **exact.Decimal { return &f.ValueAR5 }),
	maybeDecimal("f.value_ar6", "ValueBy", func(f *EmissionFactor) **exact.Decimal { return &f.ValueAR6 }),
	maybeDecimal("f.biogenic_co2", "BiogenicCO2", func(f *EmissionFactor) **exact.Decimal { return &f.BiogenicCO2 }),
	maybeInt("f.price_year", "PriceYear", func(f *EmissionFactor) **int32 { return &f.PriceYear }),
	maybeText("f.price_basis", "PriceBasis", func(f *EmissionFactor) **PriceBasis { return &f.PriceBasis }),
	maybeText("f.life_cycle_boundary", "LifeCycleBoundary", func(f *EmissionFactor) **string { return &f.LifeCycleBoundary }),
	maybeInt("f.year", "Year", func(f *EmissionFactor) **int32 { return &f.Year }),
	maybeDate("f.valid_from", "ValidFrom", func(f *EmissionFactor) **exact.Date { return &f.ValidFrom }),
	maybeDate("f.valid_to", "ValidTo", func(f *EmissionFactor) **exact.Date { return &f.ValidTo }),
	maybeDecimal("f.uncertainty_percent", "UncertaintyPercent", func(f *EmissionFactor) **exact.Decimal { return &f.UncertaintyPercent }),
	maybeDecimal("f.supplier_share", "SupplierShare", func(f *EmissionFactor) **exact.Decimal { return &f.SupplierShare }),
	maybeBool("f.verified", "Verified", func(f *EmissionFactor) **bool { return &f.Verified }),
	maybeText("f.conversion_property", "ConversionProperty", func(f *EmissionFactor) **string { return &f.ConversionProperty }),
	maybeText("f.supplier_name", "SupplierName", func(f *EmissionFactor) **string { return &f.SupplierName }),
	maybeInt("f.category_number", "CategoryNumber", func(f *EmissionFactor) **int32 { return &f.CategoryNumber }),
	jsonColumn("f.gases", "Gases", func(f *EmissionFactor) *[]FactorGas { return &f.Gases }),
)

func factors() *relation[EmissionFactor] { return factorRelation }

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
	q, err := s.FactorPage(f, o, p, 0)
	return connection(ctx, q, err)
}

// FactorPage is the read behind Factors.
func (s *Store) FactorPage(f *EmissionFactorFilter, o EmissionFactorOrder, p Page, some Columns) (*Select[EmissionFactor], error) {
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
	return page(s, b, factors(), by, p, some, s.binding(ID{}, "emissionFactors", by, c))
}

var factorCount = newCount("emission_factors", "f")

// CountFactors tells how many factors meet the filter.
func (s *Store) CountFactors(ctx context.Context, f *EmissionFactorFilter) (int, error) {
	q, err := s.FactorCount(f)
	return one(ctx, q, err)
}

// FactorCount is the read behind CountFactors.
func (s *Store) FactorCount(f *EmissionFactorFilter) (*Select[int], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := s.statement()
	c.where(b)
	return aggregate(s, b, factorCount, countRows), nil
}

// FactorsByID gives the factors with these ids, in any order.
func (s *Store) FactorsByID(ctx context.Context, ids []ID) ([]*EmissionFactor, error) {
	return s.FactorsWith(ids, 0).All(ctx)
}

// FactorsWith is the read behind FactorsByID.
func (s *Store) FactorsWith(ids []ID, some Columns) *Select[EmissionFactor] {
	return byID(s, s.statement(), factors(), ids, some)
}

// DatasetFactors gives all factors of a dataset, by code.
func (s *Store) DatasetFactors(ctx context.Context, dataset ID) ([]*EmissionFactor, error) {
	b := s.statement()
	b.is("f.dataset_id", "=", dataset)
	return all(s, b, factors(), "f.code, f.id", 0).All(ctx)
}

// FactorsByCode gives the factors of a dataset with these codes of its own, in any order. What no text can hold is no factor's code.
func (s *Store) FactorsByCode(ctx context.Context, dataset ID, codes []string) ([]*EmissionFactor, error) {
	codes = slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return storable("codes", code) != nil })
	b := s.statement()
	b.is("f.dataset_id", "=", dataset)
	return byKey(s, b, factors(), "f.code", listText, codes, 0).All(ctx)
}

// SuccessorsOf is the read of the factor of the same code, region, unit and price basis in the dataset that supersedes a factor's own, for each that has
// one. Each row hangs on the factor that it supersedes; of several the first, which was made first, is meant.
func (s *Store) SuccessorsOf(ids []ID, some Columns) *Select[EmissionFactor] {
	return ledTo(s, factors(), ids, some, "emission_factors AS o JOIN factor_datasets AS d ON d.supersedes_id = o.dataset_id "+
		"JOIN emission_factors AS f ON f.dataset_id = d.id AND f.code = o.code AND f.region = o.region AND f.unit = o.unit "+
		"AND COALESCE(f.price_basis, '') = COALESCE(o.price_basis, '')", "o.id, f.id")
}
