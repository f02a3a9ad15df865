package store

import (
	"cmp"
	"context"
	"slices"

	"carbongraph/internal/exact"
)

var supplierRelation = newRelation("suppliers", "s", nil,
	idColumn("s.id", "ID GlobalID", func(s *Supplier) *ID { return &s.ID }),
	maybeText("s.external_id", "ExternalID", func(s *Supplier) **string { return &s.ExternalID }),
	textColumn("s.name", "Name", func(s *Supplier) *string { return &s.Name }),
	maybeText("s.country", "Country", func(s *Supplier) **string { return &s.Country }),
	maybeText("s.naics_code", "NaicsCode", func(s *Supplier) **string { return &s.NaicsCode }),
	maybeText("s.duns", "Duns", func(s *Supplier) **string { return &s.Duns }),
	maybeText("s.lei", "Lei", func(s *Supplier) **string { return &s.Lei }),
	maybeInt("s.tier", "Tier", func(s *Supplier) **int32 { return &s.Tier }),
	longColumn("s.co2e_mg", "CO2e", func(s *Supplier) *exact.Milligrams { return &s.CO2e }),
	instantColumn("s.created_at", "CreatedAt", func(s *Supplier) *exact.Instant { return &s.CreatedAt }),
	instantColumn("s.updated_at", "UpdatedAt", func(s *Supplier) *exact.Instant { return &s.UpdatedAt }),
)

func suppliers() *relation[Supplier] { return supplierRelation }

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
	q, err := t.SupplierPage(f, o, p, 0)
	return connection(ctx, q, err)
}

// SupplierPage is the read behind Suppliers.
func (t *Tenant) SupplierPage(f *SupplierFilter, o SupplierOrder, p Page, some Columns) (*Select[Supplier], error) {
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
	return page(t.store, b, suppliers(), by, p, some, t.binding("suppliers", by, c))
}

// CountSuppliers tells how many suppliers meet the filter.
func (t *Tenant) CountSuppliers(ctx context.Context, f *SupplierFilter) (int, error) {
	q, err := t.SupplierCount(f)
	return one(ctx, q, err)
}

// SupplierCount is the read behind CountSuppliers.
func (t *Tenant) SupplierCount(f *SupplierFilter) (*Select[int], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("s")
	c.where(b)
	return aggregate(t.store, b, supplierCount, countRows), nil
}

var supplierCount = newCount("suppliers", "s")

// SuppliersByID gives the suppliers with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) SuppliersByID(ctx context.Context, ids []ID) ([]*Supplier, error) {
	return t.SuppliersWith(ids, 0).All(ctx)
}

// SuppliersWith is the read behind SuppliersByID.
func (t *Tenant) SuppliersWith(ids []ID, some Columns) *Select[Supplier] {
	return byID(t.store, t.statement("s"), suppliers(), ids, some)
}

// SuppliersByExternalID gives the suppliers with these keys of the system they came from, in any order.
func (t *Tenant) SuppliersByExternalID(ctx context.Context, externalIDs []string) ([]*Supplier, error) {
	return t.SuppliersKnownAs(externalIDs, 0).All(ctx)
}

// SuppliersKnownAs is the read behind SuppliersByExternalID. What no text of the ledger can hold is nobody's key.
func (t *Tenant) SuppliersKnownAs(externalIDs []string, some Columns) *Select[Supplier] {
	externalIDs = slices.DeleteFunc(slices.Clone(externalIDs), func(key string) bool { return storable("externalId", key) != nil })
	return byKey(t.store, t.statement("s"), suppliers(), "s.external_id", listText, externalIDs, some)
}
