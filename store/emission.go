package store

import (
	"context"

	"carbongraph/internal/exact"
)

var emissionRelation = newRelation("emissions", "e", (*Emission).unpack,
	idColumn("e.id", "ID GlobalID", func(e *Emission) *ID { return &e.ID }),
	idColumn("e.activity_id", "ActivityID", func(e *Emission) *ID { return &e.ActivityID }),
	maybeID("e.supplier_id", "SupplierID", func(e *Emission) **ID { return &e.SupplierID }),
	intColumn("e.category_number", "CategoryNumber Category", func(e *Emission) *int32 { return &e.CategoryNumber }),
	idColumn("e.factor_id", "FactorID Steps", func(e *Emission) *ID { return &e.FactorID }),
	idColumn("e.dataset_id", "DatasetID", func(e *Emission) *ID { return &e.DatasetID }),
	idColumn("e.run_id", "RunID", func(e *Emission) *ID { return &e.RunID }),
	dateColumn("e.occurred_on", "OccurredOn", func(e *Emission) *exact.Date { return &e.OccurredOn }),
	maybeText("e.country", "Country", func(e *Emission) **string { return &e.Country }),
	maybeText("e.account_code", "AccountCode", func(e *Emission) **string { return &e.AccountCode }),
	longColumn("e.co2e_mg", "CO2e Mass", func(e *Emission) *exact.Milligrams { return &e.CO2e }),
	longColumn("e.biogenic_mg", "BiogenicCO2 BiogenicMass", func(e *Emission) *exact.Milligrams { return &e.BiogenicCO2 }),
	maybeLong("e.low_mg", "Uncertainty", func(e *Emission) **exact.Milligrams { return &e.Low }),
	maybeLong("e.high_mg", "Uncertainty", func(e *Emission) **exact.Milligrams { return &e.High }),
	maybeLong("e.spend_micros", "Spend", func(e *Emission) **exact.Micros { return &e.Spend }),
	textColumn("e.method", "Method", func(e *Emission) *CalculationMethod { return &e.Method }),
	textColumn("e.gwp_set", "GwpSet", func(e *Emission) *GwpSet { return &e.GwpSet }),
	intColumn("e.quality", "Quality", func(e *Emission) *int32 { return &e.quality }),
	idColumn("e.formula_id", "FormulaID", func(e *Emission) *ID { return &e.FormulaID }),
	textColumn("(SELECT text FROM formulas WHERE id = e.formula_id)", "Steps GasAmounts", func(e *Emission) *string { return &e.Formula }),
	longColumn("e.amount_micros", "Steps GasAmounts", func(e *Emission) *exact.Micros { return &e.Amount }),
	instantColumn("e.calculated_at", "CalculatedAt", func(e *Emission) *exact.Instant { return &e.CalculatedAt }),
	boolColumn("e.superseded", "Superseded", func(e *Emission) *bool { return &e.Superseded }),
)

func emissions() *relation[Emission] { return emissionRelation }

// unpack makes of columns what they mean.
func (e *Emission) unpack() { e.Quality = unpackQuality(e.quality) }

// order finds the expression of an order. The zero order is that of the contract: by day.
func (o EmissionOrder) order() (order, error) {
	switch o.Field {
	case "", EmissionsByOccurredOn:
		return newOrder(EmissionsByOccurredOn, o.Direction, Desc, keyDate, "e.occurred_on")
	case EmissionsByCO2e:
		return newOrder(o.Field, o.Direction, Desc, keyInt, "e.co2e_mg")
	case EmissionsByCalculatedAt:
		return newOrder(o.Field, o.Direction, Desc, keyInstant, "e.calculated_at")
	}
	return order{}, unknownOrder(o.Field)
}

func (f *EmissionFilter) canonical() (c EmissionFilter, err error) {
	if f == nil {
		return c, nil
	}
	c.OccurredFrom, c.OccurredTo, c.RunID = f.OccurredFrom, f.OccurredTo, f.RunID
	if f.IncludeSuperseded != nil && *f.IncludeSuperseded {
		c.IncludeSuperseded = f.IncludeSuperseded
	}
	err = checks(
		func() error { return checkSpan(f.OccurredFrom, f.OccurredTo) },
		set(&c.SupplierIds, func() ([]GlobalID, error) { return canonicalIDs("supplierIds", f.SupplierIds) }),
		set(&c.Categories, func() ([]int32, error) { return canonicalCategories(f.Categories) }),
		set(&c.Methods, func() ([]CalculationMethod, error) { return canonicalTexts("methods", f.Methods) }),
		set(&c.Countries, func() ([]string, error) { return canonicalCountries(f.Countries) }),
		set(&c.DatasetIds, func() ([]GlobalID, error) { return canonicalIDs("datasetIds", f.DatasetIds) }),
		set(&c.FactorIds, func() ([]GlobalID, error) { return canonicalIDs("factorIds", f.FactorIds) }),
	)
	return c, err
}

// where adds what a canonical filter asks.
func (f EmissionFilter) where(b *statement) {
	if f.IncludeSuperseded == nil {
		b.where("NOT e.superseded")
	}
	b.where(published)
	f.narrow(b, emissionTerms)
	texted(b, "e.country", f.Countries)
	b.ids("e.factor_id", KindEmissionFactor, f.FactorIds)
	if f.RunID != nil {
		b.ids("e.run_id", KindCalculationRun, []GlobalID{*f.RunID})
	}
}

// terms are the columns of what emissions are grouped and narrowed by, where they are read or where their sums are.
type terms struct {
	supplier, category, day, method, dataset string
	country, factor, account                 string // of sums empty: they do not tell
}

var emissionTerms = terms{"e.supplier_id", "e.category_number", "e.occurred_on", "e.method", "e.dataset_id", "e.country", "e.factor_id", "e.account_code"}

// narrow adds the parts of a filter that sums can be narrowed by too.
func (f EmissionFilter) narrow(b *statement, t terms) {
	b.ids(t.supplier, KindSupplier, f.SupplierIds)
	b.numbers(t.category, f.Categories)
	b.span(t.day, f.OccurredFrom, f.OccurredTo)
	texted(b, t.method, f.Methods)
	b.ids(t.dataset, KindFactorDataset, f.DatasetIds)
}

// published is the condition that an emission of a recalculation is one of the ledger: before its run is published, nobody sees any of it.
const published = "e.run_id NOT IN (SELECT run_id FROM unpublished_runs WHERE org_id = $1)"

// emissions starts a read of emissions: the statement with the filter's conditions, and the canonical filter.
func (t *Tenant) emissions(f *EmissionFilter) (*statement, EmissionFilter, error) {
	c, err := f.canonical()
	if err != nil {
		return nil, c, err
	}
	b := t.statement("e")
	c.where(b)
	return b, c, nil
}

// Emissions gives one page of the emissions that meet the filter.
func (t *Tenant) Emissions(ctx context.Context, f *EmissionFilter, o EmissionOrder, p Page) (*Connection[Emission], error) {
	q, err := t.EmissionPage(f, o, p, 0)
	return connection(ctx, q, err)
}

// EmissionPage is the read behind Emissions.
func (t *Tenant) EmissionPage(f *EmissionFilter, o EmissionOrder, p Page, some Columns) (*Select[Emission], error) {
	by, err := o.order()
	if err != nil {
		return nil, err
	}
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	return page(t.store, b, emissions(), by, p, some, t.binding("emissions", by, c))
}

// EmissionPages is the read of one page of the emissions of each supplier, category or activity: rows of one kind, in their order and in one statement.
func (t *Tenant) EmissionPages(kind Kind, parents []ID, f *EmissionFilter, o EmissionOrder, p Page, some Columns) (*Select[Emission], error) {
	by, err := o.order()
	if err != nil {
		return nil, err
	}
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(kind, parents, emissionParents)
	if err != nil {
		return nil, err
	}
	return pagesOf(t.store, b, emissions(), of, by, p, some, t.binding(of.name+".emissions", by, c))
}

// emissionParents tells by which column emissions belong to parents of a kind.
func emissionParents(kind Kind) (column, name string) {
	if kind == KindActivity {
		return "e.activity_id", "Activity"
	}
	return emissionTerms.parents(kind)
}

func (t terms) parents(kind Kind) (column, name string) {
	switch kind {
	case KindSupplier:
		return t.supplier, "Supplier"
	case KindCategory:
		return t.category, "Category"
	}
	return "", ""
}

// EmissionsWith is the read of the emissions with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) EmissionsWith(ids []ID, some Columns) *Select[Emission] {
	b := t.statement("e")
	b.where(published)
	return byID(t.store, b, emissions(), ids, some)
}

// CurrentEmissionsOf is the read of the emission that is not superseded of each activity that has one, in any order.
func (t *Tenant) CurrentEmissionsOf(activities []ID, some Columns) *Select[Emission] {
	b := t.statement("e")
	b.where("NOT e.superseded")
	b.where(published)
	return byKey(t.store, b, emissions(), "e.activity_id", listUUID, activities, some)
}
