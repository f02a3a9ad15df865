package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// rank is where a row should stand by a field, told in Go: nulls last in both directions, then the number, the text and the id.
type rank struct {
	null bool
	num  float64
	text string
	id   store.ID
}

// sorted gives the ids in the order that a connection should have.
func sorted(ranks []rank, desc bool) []store.ID {
	ranks = slices.Clone(ranks)
	slices.SortFunc(ranks, func(a, b rank) int {
		if a.null != b.null {
			if a.null {
				return 1
			}
			return -1
		}
		c := cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.text, b.text), strings.Compare(a.id.String(), b.id.String()))
		if desc {
			c = -c
		}
		return c
	})
	ids := make([]store.ID, len(ranks))
	for i, r := range ranks {
		ids[i] = r.id
	}
	return ids
}

// shown is a page as a test looks at it.
type shown struct {
	ids     []store.ID
	cursors []string
	info    store.PageInfo
}

func show[T any](c *store.Connection[T], err error, id func(*T) store.ID) (shown, error) {
	if err != nil {
		return shown{}, err
	}
	s := shown{info: c.PageInfo}
	for i, e := range c.Edges {
		if c.Nodes[i] != e.Node {
			return s, fmt.Errorf("node %d is not the edge's", i)
		}
		s.ids, s.cursors = append(s.ids, id(e.Node)), append(s.cursors, e.Cursor())
	}
	return s, nil
}

// listing is one connection in one order, with what it should hold.
type listing struct {
	name string
	want []store.ID
	page func(context.Context, store.Page) (shown, error)
}

var directions = []store.OrderDirection{store.Asc, store.Desc}

// listings are all connections of a ledger in all orders and both directions, as they should be by the rows that are stored.
func listings(t testing.TB, st *store.Store, l *storetest.Ledger) []listing {
	t.Helper()
	return slices.Concat(supplierListings(t, l, nil, "suppliers"), activityListings(t, l, nil, "activities"), emissionListings(t, l, nil, "emissions"), factorListings(t, st, l))
}

func supplierListings(t testing.TB, l *storetest.Ledger, f *store.SupplierFilter, name string) (out []listing) {
	t.Helper()
	rows := read(t, l.Tenant.SuppliersByID, l.Suppliers, func(s *store.Supplier) store.ID { return s.ID })
	for field, by := range map[store.SupplierOrderField]func(*store.Supplier) rank{
		store.SuppliersByName:      func(s *store.Supplier) rank { return rank{text: strings.ToLower(s.Name), id: s.ID} },
		store.SuppliersByCountry:   func(s *store.Supplier) rank { return rank{null: s.Country == nil, text: deref(s.Country), id: s.ID} },
		store.SuppliersByCreatedAt: func(s *store.Supplier) rank { return rank{text: s.CreatedAt.String(), id: s.ID} },
		store.SuppliersByUpdatedAt: func(s *store.Supplier) rank { return rank{text: s.UpdatedAt.String(), id: s.ID} },
		store.SuppliersByCO2e:      func(s *store.Supplier) rank { return rank{num: float64(s.CO2e), id: s.ID} },
	} {
		for _, d := range directions {
			out = append(out, listing{fmt.Sprintf("%s by %s %s", name, field, d), sorted(ranked(rows, by), d == store.Desc), func(ctx context.Context, p store.Page) (shown, error) {
				c, err := l.Tenant.Suppliers(ctx, f, store.SupplierOrder{Field: field, Direction: d}, p)
				return show(c, err, func(s *store.Supplier) store.ID { return s.ID })
			}})
		}
	}
	return out
}

func activityListings(t testing.TB, l *storetest.Ledger, f *store.ActivityFilter, name string) (out []listing) {
	t.Helper()
	rows := read(t, l.Tenant.ActivitiesByID, l.Lines, func(l *store.Line) store.ID { return l.Activity.ID })
	for field, by := range activityRanks {
		for _, d := range directions {
			out = append(out, listing{fmt.Sprintf("%s by %s %s", name, field, d), sorted(ranked(rows, by), d == store.Desc), func(ctx context.Context, p store.Page) (shown, error) {
				c, err := l.Tenant.Activities(ctx, f, store.ActivityOrder{Field: field, Direction: d}, p)
				return show(c, err, activityID)
			}})
		}
	}
	return out
}

var activityRanks = map[store.ActivityOrderField]func(*store.Activity) rank{
	store.ActivitiesByOccurredOn: func(a *store.Activity) rank { return rank{text: a.OccurredOn.String(), id: a.ID} },
	store.ActivitiesByCreatedAt:  func(a *store.Activity) rank { return rank{text: a.CreatedAt.String(), id: a.ID} },
	store.ActivitiesByMoney: func(a *store.Activity) rank {
		if a.Money == nil {
			return rank{null: true, id: a.ID}
		}
		return rank{num: float64(a.Money.Amount), id: a.ID}
	},
}

func emissionListings(t testing.TB, l *storetest.Ledger, f *store.EmissionFilter, name string) (out []listing) {
	t.Helper()
	rows := currentEmissions(t, l)
	for field, by := range emissionRanks {
		for _, d := range directions {
			out = append(out, listing{fmt.Sprintf("%s by %s %s", name, field, d), sorted(ranked(rows, by), d == store.Desc), func(ctx context.Context, p store.Page) (shown, error) {
				c, err := l.Tenant.Emissions(ctx, f, store.EmissionOrder{Field: field, Direction: d}, p)
				return show(c, err, emissionID)
			}})
		}
	}
	return out
}

var emissionRanks = map[store.EmissionOrderField]func(*store.Emission) rank{
	store.EmissionsByOccurredOn:   func(e *store.Emission) rank { return rank{text: e.OccurredOn.String(), id: e.ID} },
	store.EmissionsByCO2e:         func(e *store.Emission) rank { return rank{num: float64(e.CO2e), id: e.ID} },
	store.EmissionsByCalculatedAt: func(e *store.Emission) rank { return rank{text: e.CalculatedAt.String(), id: e.ID} },
}

func factorListings(t testing.TB, st *store.Store, l *storetest.Ledger) (out []listing) {
	t.Helper()
	rows, err := st.DatasetFactors(t.Context(), l.Dataset.ID)
	if err != nil {
		t.Fatal(err)
	}
	f := &store.EmissionFactorFilter{DatasetIds: []store.GlobalID{l.Dataset.GlobalID()}}
	for field, by := range map[store.EmissionFactorOrderField]func(*store.EmissionFactor) rank{
		store.FactorsByName: func(f *store.EmissionFactor) rank { return rank{text: strings.ToLower(f.Name), id: f.ID} },
		store.FactorsByCode: func(f *store.EmissionFactor) rank { return rank{text: f.Code, id: f.ID} },
		store.FactorsByValue: func(f *store.EmissionFactor) rank {
			if f.Value == nil {
				return rank{null: true, id: f.ID}
			}
			return rank{num: f.Value.Float64(), id: f.ID}
		},
	} {
		for _, d := range directions {
			out = append(out, listing{fmt.Sprintf("factors by %s %s", field, d), sorted(ranked(rows, by), d == store.Desc), func(ctx context.Context, p store.Page) (shown, error) {
				c, err := st.Factors(ctx, f, store.EmissionFactorOrder{Field: field, Direction: d}, p)
				return show(c, err, func(f *store.EmissionFactor) store.ID { return f.ID })
			}})
		}
	}
	return out
}

func activityID(a *store.Activity) store.ID { return a.ID }
func emissionID(e *store.Emission) store.ID { return e.ID }

func ranked[T any](rows []*T, by func(*T) rank) []rank {
	out := make([]rank, len(rows))
	for i, row := range rows {
		out[i] = by(row)
	}
	return out
}

// read reads rows again by their ids: as they are stored, which may differ from how they were given.
func read[T, F any](t testing.TB, byID func(context.Context, []store.ID) ([]*T, error), from []F, id func(F) store.ID) []*T {
	t.Helper()
	ids := make([]store.ID, len(from))
	for i, row := range from {
		ids[i] = id(row)
	}
	rows, err := byID(t.Context(), ids)
	if err != nil || len(rows) != len(ids) {
		t.Fatalf("rows by id: %d of %d, %v", len(rows), len(ids), err)
	}
	return rows
}

func currentEmissions(t testing.TB, l *storetest.Ledger) []*store.Emission {
	t.Helper()
	ids := make([]store.ID, len(l.Lines))
	for i, line := range l.Lines {
		ids[i] = line.Activity.ID
	}
	rows, err := l.Tenant.CurrentEmissions(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// knotty makes a ledger full of ties and NULLs in every order, and of lines that were calculated more than once. clock is the store's.
func knotty(t testing.TB, st *store.Store, clock *clock, name string, lines int) *storetest.Ledger {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(lines)))
	l := storetest.NewLedger(t, st, name, 0, nil)
	knottySuppliers(t, l, clock, r, lines/3)
	knottyFactors(t, st, l, r, lines/2)
	for i := range lines {
		var supplier *store.Supplier
		if i%7 > 0 {
			supplier = l.Suppliers[r.IntN(len(l.Suppliers))]
		}
		line := storetest.NewLine(fmt.Sprintf("%s-%03d", name, i), supplier)
		a := line.Activity
		a.OccurredOn, a.CategoryNumber = exact.NewDate(2023, time.Month(1+r.IntN(24)), 1+r.IntN(2)), int32(1+r.IntN(15))
		a.Country, a.AccountCode = maybe(r, "DE", "FR", "GB"), maybe(r, "6000", "6100", "=", "~")
		a.Money.Amount = exact.Micros(r.Int64N(9)-2) * 1_000_000
		if i%5 == 0 {
			a.Money, a.Quantity = nil, &store.Quantity{Value: 5_000_000, Unit: "kWh"}
		}
		if i%11 > 0 {
			storetest.Calculate(line, l.Factors[r.IntN(len(l.Factors))], l.Run, exact.Milligrams(r.Int64N(7)-1)*1000)
			line.Emission.CalculatedAt = exact.InstantOf(clock.now().Add(time.Duration(r.IntN(4)) * time.Microsecond))
			line.Emission.Method = []store.CalculationMethod{store.SpendBased, store.AverageData, store.Hybrid}[r.IntN(3)]
			line.Emission.BiogenicCO2 = exact.Milligrams(r.Int64N(3))
		}
		l.Lines = append(l.Lines, line)
	}
	// In four writes, at three instants; then some lines again, changed: their first emissions are superseded.
	for chunk := range slices.Chunk(l.Lines, max(1, lines/4)) {
		storetest.PutLines(t, l.Tenant, chunk...)
		clock.tick(r.IntN(2))
	}
	for i, line := range l.Lines {
		if i%6 == 1 && line.Emission != nil {
			again := *line.Emission
			again.ID, again.CO2e = store.ID{}, again.CO2e+500
			line.Emission = &again
			storetest.PutLines(t, l.Tenant, line)
		}
	}
	return l
}

func knottySuppliers(t testing.TB, l *storetest.Ledger, clock *clock, r *rand.Rand, n int) {
	for i := range n {
		name := []string{"Alum", "alum", "Borax", "Ünder", "_%\\"}[r.IntN(5)]
		s := &store.Supplier{ExternalID: new(fmt.Sprintf("S%03d", i)), Name: name, Country: maybe(r, "DE", "FR", "GB"), Tier: new(int32(1 + r.IntN(3)))}
		storetest.PutSuppliers(t, l.Tenant, s)
		l.Suppliers = append(l.Suppliers, s)
		if i%4 == 0 {
			clock.tick(1)
		}
	}
	for i := 0; i < len(l.Suppliers); i += 3 {
		l.Suppliers[i].NaicsCode = new("334111")
		storetest.PutSuppliers(t, l.Tenant, l.Suppliers[i])
	}
}

func knottyFactors(t testing.TB, st *store.Store, l *storetest.Ledger, r *rand.Rand, n int) {
	d := &store.FactorDataset{Source: "knots of " + l.Tenant.ID().String(), Version: "1", Name: "Knots", Licence: "CC0", Attribution: "nobody", GwpSet: store.AR5, Digest: "1"}
	factors := make([]*store.EmissionFactor, n)
	for i := range factors {
		factors[i] = &store.EmissionFactor{Code: fmt.Sprint("C", r.IntN(n/2+1)), Name: []string{"Steel", "steel", "Paper"}[r.IntN(3)], Region: "US", Unit: fmt.Sprint("u", i)}
		if i%3 > 0 {
			factors[i].Value = new(exact.MustDecimal([]string{"0", "0.1", "0.10", "-3", "1e-9", "12345678901234567890"}[r.IntN(6)]))
		}
	}
	stored, _, err := st.PutDataset(t.Context(), d, factors)
	if err != nil {
		t.Fatal(err)
	}
	l.Dataset, l.Factors = stored, factors
}

func maybe(r *rand.Rand, texts ...string) *string {
	if i := r.IntN(len(texts) + 1); i < len(texts) {
		return &texts[i]
	}
	return nil
}
