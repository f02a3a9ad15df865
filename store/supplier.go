package store

import (
	"cmp"
	"context"
)

func suppliers() relation[Supplier] {
	return relation[Supplier]{
		table: "suppliers", alias: "s",
		columns: "s.id, s.external_id, s.name, s.country, s.naics_code, s.duns, s.lei, s.tier, s.co2e_mg, s.created_at, s.updated_at",
		row: func(scan scanner) (*Supplier, error) {
			s := new(Supplier)
			return s, scan(&s.ID, &s.ExternalID, &s.Name, &s.Country, &s.NaicsCode, &s.Duns, &s.Lei, &s.Tier, &s.CO2e, &s.CreatedAt, &s.UpdatedAt)
		},
	}
}

// order finds the expression of an order. The zero order is that of the contract: by name.
func (o SupplierOrder) order() (order, error) {
	switch o.Field {
	case "", SuppliersByName:
		return newOrder(SuppliersByName, o.Direction, Asc, keyText, "s.name_key")
	case SuppliersByCountry:
		return newNullableOrder(o.Field, o.Direction, Asc, keyText, "s.country", "'~'", "''")
	case SuppliersByCreatedAt:
		return newOrder(o.Field, o.Direction, Asc, keyInstant, "s.created_at")
	case SuppliersByUpdatedAt:
		return newOrder(o.Field, o.Direction, Asc, keyInstant, "s.updated_at")
	case SuppliersByCO2e:
		return newOrder(o.Field, o.Direction, Asc, keyInt, "s.co2e_mg")
	}
	return order{}, unknownOrder(o.Field)
}

func (f *SupplierFilter) canonical() (c SupplierFilter, err error) {
	if f == nil {
		return c, nil
	}
	err = checks(
		set(&c.Search, func() (*string, error) { return canonicalSearch(f.Search) }),
		set(&c.Countries, func() ([]string, error) { return canonicalCountries(f.Countries) }),
		set(&c.NaicsPrefix, func() (*string, error) { return canonicalText("naicsPrefix", f.NaicsPrefix) }),
		set(&c.Tiers, func() ([]int32, error) { return canonicalList("tiers", f.Tiers, cmp.Compare[int32]) }),
		set(&c.ExternalIds, func() ([]string, error) { return canonicalTexts("externalIds", f.ExternalIds) }),
	)
	return c, err
}

// where adds what a canonical filter asks.
func (f SupplierFilter) where(b *statement) {
	b.words(f.Search, "s.name_key", "LOWER(s.external_id)")
	texted(b, "s.country", f.Countries)
	if f.NaicsPrefix != nil {
		b.fresh = true
		b.where("s.naics_code LIKE " + b.bind(escapeLike(*f.NaicsPrefix)+"%") + ` ESCAPE '\'`)
	}
	b.numbers("s.tier", f.Tiers)
	texted(b, "s.external_id", f.ExternalIds)
}

// Suppliers gives one page of the suppliers that meet the filter.
func (t *Tenant) Suppliers(ctx context.Context, f *SupplierFilter, o SupplierOrder, p Page) (*Connection[Supplier], error) {
	by, err := o.order()
	if err != nil {
		return nil, err
	}
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("s")
	c.where(b)
	return page(ctx, t.store, b, suppliers(), by, p, t.scope("suppliers", by, c))
}

// CountSuppliers tells how many suppliers meet the filter.
func (t *Tenant) CountSuppliers(ctx context.Context, f *SupplierFilter) (int, error) {
	c, err := f.canonical()
	if err != nil {
		return 0, err
	}
	b := t.statement("s")
	c.where(b)
	return t.store.count(ctx, b, "suppliers", "s")
}

// SuppliersByID gives the suppliers with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) SuppliersByID(ctx context.Context, ids []ID) ([]*Supplier, error) {
	return byID(ctx, t.store, t.statement("s"), suppliers(), ids)
}

// SuppliersByExternalID gives the suppliers with these keys of the system they came from, in any order.
func (t *Tenant) SuppliersByExternalID(ctx context.Context, externalIDs []string) ([]*Supplier, error) {
	if len(externalIDs) == 0 {
		return nil, nil
	}
	b := t.statement("s")
	b.in("s.external_id", listText, externalIDs)
	return all(ctx, t.store, b, suppliers(), "")
}
