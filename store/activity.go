package store

import (
	"context"

	"carbongraph/internal/exact"
)

func activities() relation[Activity] {
	return relation[Activity]{
		table: "activities", alias: "a",
		columns: "a.id, a.external_id, a.supplier_id, a.category_number, a.description, a.account_code, a.occurred_on, a.quantity_micros, " +
			"a.quantity_unit, a.money_micros, a.currency, a.country, a.problem_code, a.problem_message, a.created_at, a.updated_at",
		row: func(scan scanner) (*Activity, error) {
			a := new(Activity)
			var quantity, money *exact.Micros
			var unit, currency, code, message *string
			err := scan(&a.ID, &a.ExternalID, &a.SupplierID, &a.CategoryNumber, &a.Description, &a.AccountCode, &a.OccurredOn, &quantity, &unit,
				&money, &currency, &a.Country, &code, &message, &a.CreatedAt, &a.UpdatedAt)
			if quantity != nil && unit != nil {
				a.Quantity = &Quantity{*quantity, *unit}
			}
			if money != nil && currency != nil {
				a.Money = &Money{*money, *currency}
			}
			if code != nil && message != nil {
				a.Problem = &Problem{Code: *code, Message: *message}
			}
			return a, err
		},
	}
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
	b, c, by, err := t.activities(f, o)
	if err != nil {
		return nil, err
	}
	return page(ctx, t.store, b, activities(), by, p, t.scope("activities", by, c))
}

// ActivitiesOf gives one page of the activities of each supplier, in the order of the suppliers and in one statement.
func (t *Tenant) ActivitiesOf(ctx context.Context, parents []GlobalID, f *ActivityFilter, o ActivityOrder, p Page) ([]*Connection[Activity], error) {
	b, c, by, err := t.activities(f, o)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(parents, activityParents)
	if err != nil {
		return nil, err
	}
	return pagesOf(ctx, t.store, b, activities(), of, by, p, t.scope(of.name+".activities", by, c))
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

// CountActivities tells how many activities meet the filter.
func (t *Tenant) CountActivities(ctx context.Context, f *ActivityFilter) (int, error) {
	b, _, _, err := t.activities(f, ActivityOrder{})
	if err != nil {
		return 0, err
	}
	return t.store.count(ctx, b, "activities", "a")
}

// CountActivitiesOf tells how many activities of each supplier meet the filter, in the order of the suppliers.
func (t *Tenant) CountActivitiesOf(ctx context.Context, parents []GlobalID, f *ActivityFilter) ([]int, error) {
	b, _, _, err := t.activities(f, ActivityOrder{})
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(parents, activityParents)
	if err != nil {
		return nil, err
	}
	out := make([]int, of.count)
	var n int
	err = of.grouped(ctx, t.store, b, "activities", "a", "COUNT(*)", []any{&n}, func(at int) { out[at] = n })
	return out, err
}

// ActivitiesByID gives the activities with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) ActivitiesByID(ctx context.Context, ids []ID) ([]*Activity, error) {
	return byID(ctx, t.store, t.statement("a"), activities(), ids)
}
