package store

import (
	"context"
	"slices"

	"carbongraph/internal/exact"
)

var activityRelation = newRelation("activities", "a", (*Activity).pair,
	idColumn("a.id", "ID GlobalID", func(a *Activity) *ID { return &a.ID }),
	textColumn("a.external_id", "ExternalID", func(a *Activity) *string { return &a.ExternalID }),
	maybeID("a.supplier_id", "SupplierID", func(a *Activity) **ID { return &a.SupplierID }),
	intColumn("a.category_number", "CategoryNumber Category", func(a *Activity) *int32 { return &a.CategoryNumber }),
	textColumn("a.description", "Description", func(a *Activity) *string { return &a.Description }),
	maybeText("a.account_code", "AccountCode", func(a *Activity) **string { return &a.AccountCode }),
	dateColumn("a.occurred_on", "OccurredOn", func(a *Activity) *exact.Date { return &a.OccurredOn }),
	maybeLong("a.quantity_micros", "Quantity", func(a *Activity) **exact.Micros { return &a.columns.quantity }),
	maybeText("a.quantity_unit", "Quantity", func(a *Activity) **string { return &a.columns.unit }),
	maybeLong("a.money_micros", "Money", func(a *Activity) **exact.Micros { return &a.columns.money }),
	maybeText("a.currency", "Money", func(a *Activity) **string { return &a.columns.currency }),
	maybeText("a.country", "Country", func(a *Activity) **string { return &a.Country }),
	maybeID("a.factor_id", "GivenFactorID", func(a *Activity) **ID { return &a.FactorID }),
	maybeInt("a.given_category", "GivenCategory", func(a *Activity) **int32 { return &a.GivenCategory }),
	maybeText("a.conversion_property", "ConversionProperty", func(a *Activity) **string { return &a.ConversionProperty }),
	maybeLong("a.uncertainty_micros", "UncertaintyPercent", func(a *Activity) **exact.Micros { return &a.UncertaintyPercent }),
	maybeText("a.problem_code", "Problem", func(a *Activity) **string { return &a.columns.code }),
	maybeText("a.problem_message", "Problem", func(a *Activity) **string { return &a.columns.message }),
	instantColumn("a.created_at", "CreatedAt", func(a *Activity) *exact.Instant { return &a.CreatedAt }),
	instantColumn("a.updated_at", "UpdatedAt", func(a *Activity) *exact.Instant { return &a.UpdatedAt }),
)

func activities() *relation[Activity] { return activityRelation }

// pairs are the columns of an activity that mean something two by two.
type pairs struct {
	quantity, money               *exact.Micros
	unit, currency, code, message *string
}

// pair makes of two columns what they mean together.
func (a *Activity) pair() {
	a.Quantity, a.Money, a.Problem = nil, nil, nil
	c := &a.columns
	if c.quantity != nil && c.unit != nil {
		a.Quantity = &Quantity{*c.quantity, *c.unit}
	}
	if c.money != nil && c.currency != nil {
		a.Money = &Money{*c.money, *c.currency}
	}
	if c.code != nil && c.message != nil {
		a.Problem = &Problem{Code: *c.code, Message: *c.message}
	}
	*c = pairs{}
}

// order finds the expression of an order. The zero order is that of the contract: by day.
func (o ActivityOrder) order() (order, error) {
	switch o.Field {
	case "", ActivitiesByOccurredOn:
		return newOrder(ActivitiesByOccurredOn, o.Direction, Desc, keyDate, "a.occurred_on")
	case ActivitiesByCreatedAt:
		return newOrder(o.Field, o.Direction, Desc, keyInstant, "a.created_at")
	case ActivitiesByMoney:
		return newNullableOrder(o.Field, o.Direction, Desc, keyInt, "a.money_micros", "9223372036854775807", "-9223372036854775807")
	}
	return order{}, unknownOrder(o.Field)
}

func (f *ActivityFilter) canonical() (c ActivityFilter, err error) {
	if f == nil {
		return c, nil
	}
	c.OccurredFrom, c.OccurredTo, c.Calculated = f.OccurredFrom, f.OccurredTo, f.Calculated
	err = checks(
		func() error { return checkSpan(f.OccurredFrom, f.OccurredTo) },
		set(&c.SupplierIds, func() ([]GlobalID, error) { return canonicalIDs("supplierIds", f.SupplierIds) }),
		set(&c.Categories, func() ([]int32, error) { return canonicalCategories(f.Categories) }),
		set(&c.Countries, func() ([]string, error) { return canonicalCountries(f.Countries) }),
		set(&c.AccountCodes, func() ([]string, error) { return canonicalTexts("accountCodes", f.AccountCodes) }),
		set(&c.Search, func() (*string, error) { return canonicalSearch(f.Search) }),
	)
	return c, err
}

// where adds what a canonical filter asks.
func (f ActivityFilter) where(b *statement) {
	b.ids("a.supplier_id", KindSupplier, f.SupplierIds)
	b.numbers("a.category_number", f.Categories)
	b.span("a.occurred_on", f.OccurredFrom, f.OccurredTo)
	texted(b, "a.country", f.Countries)
	texted(b, "a.account_code", f.AccountCodes)
	if f.Calculated != nil {
		if *f.Calculated {
			b.where("a.calculated")
		} else {
			b.where("NOT a.calculated")
		}
	}
	b.words(f.Search, "a.search_key")
}

// Activities gives one page of the activities that meet the filter.
func (t *Tenant) Activities(ctx context.Context, f *ActivityFilter, o ActivityOrder, p Page) (*Connection[Activity], error) {
	q, err := t.ActivityPage(f, o, p, 0)
	return connection(ctx, q, err)
}

// ActivityPage is the read behind Activities.
func (t *Tenant) ActivityPage(f *ActivityFilter, o ActivityOrder, p Page, some Columns) (*Select[Activity], error) {
	b, c, by, err := t.activities(f, o)
	if err != nil {
		return nil, err
	}
	return page(t.store, b, activities(), by, p, some, t.binding("activities", by, c))
}

// ActivityPages is the read of one page of the activities of each supplier, in the order of the suppliers and in one statement.
func (t *Tenant) ActivityPages(kind Kind, parents []ID, f *ActivityFilter, o ActivityOrder, p Page, some Columns) (*Select[Activity], error) {
	b, c, by, err := t.activities(f, o)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(kind, parents, activityParents)
	if err != nil {
		return nil, err
	}
	return pagesOf(t.store, b, activities(), of, by, p, some, t.binding(of.name+".activities", by, c))
}

// activities starts a read of activities: the statement with the filter's conditions, the canonical filter, the order.
func (t *Tenant) activities(f *ActivityFilter, o ActivityOrder) (*statement, ActivityFilter, order, error) {
	by, err := o.order()
	if err != nil {
		return nil, ActivityFilter{}, by, err
	}
	c, err := f.canonical()
	if err != nil {
		return nil, c, by, err
	}
	b := t.statement("a")
	c.where(b)
	return b, c, by, nil
}

// activityParents tells by which column activities belong to parents of a kind.
func activityParents(kind Kind) (column, name string) {
	if kind == KindSupplier {
		return "a.supplier_id", "Supplier"
	}
	return "", ""
}

var activityCount = newCount("activities", "a")

// CountActivities tells how many activities meet the filter.
func (t *Tenant) CountActivities(ctx context.Context, f *ActivityFilter) (int, error) {
	q, err := t.ActivityCount(f)
	return one(ctx, q, err)
}

// ActivityCount is the read behind CountActivities.
func (t *Tenant) ActivityCount(f *ActivityFilter) (*Select[int], error) {
	b, _, _, err := t.activities(f, ActivityOrder{})
	if err != nil {
		return nil, err
	}
	return aggregate(t.store, b, activityCount, countRows), nil
}

// ActivityCounts is the read of how many activities of each supplier meet the filter; suppliers without any are missing.
func (t *Tenant) ActivityCounts(kind Kind, parents []ID, f *ActivityFilter) (*Select[int], error) {
	b, _, _, err := t.activities(f, ActivityOrder{})
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(kind, parents, activityParents)
	if err != nil {
		return nil, err
	}
	return grouped(t.store, b, activityCount, countRows, of), nil
}

// ActivitiesWith is the read of the activities with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) ActivitiesWith(ids []ID, some Columns) *Select[Activity] {
	return byID(t.store, t.statement("a"), activities(), ids, some)
}

// ActivitiesByExternalID gives the activities with these keys, in any order; those that are not there are missing.
func (t *Tenant) ActivitiesByExternalID(ctx context.Context, externalIDs []string) ([]*Activity, error) {
	externalIDs = slices.DeleteFunc(slices.Clone(externalIDs), func(key string) bool { return storable("externalId", key) != nil })
	return byKey(t.store, t.statement("a"), activities(), "a.external_id", listText, externalIDs, 0).All(ctx)
}
