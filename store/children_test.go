package store_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestPagesOfChildren(t *testing.T) {
	clock := newClock()
	storetest.Each(t, "are for each parent what its own page would be", func(t *testing.T, st *store.Store) {
		l := knotty(t, st, clock, "Acme", 60)
		other := knotty(t, st, clock, "Other", 12)
		activities := read(t, l.Tenant.ActivitiesByID, l.Lines, func(l *store.Line) store.ID { return l.Activity.ID })
		emissions := currentEmissions(t, l)
		rapid.Check(t, func(r *rapid.T) {
			size, desc := rapid.Int32Range(1, 6).Draw(r, "size"), rapid.Bool().Draw(r, "desc")
			if rapid.Bool().Draw(r, "activities") {
				field := rapid.SampledFrom([]store.ActivityOrderField{store.ActivitiesByOccurredOn, store.ActivitiesByCreatedAt, store.ActivitiesByMoney}).Draw(r, "order")
				f := &store.ActivityFilter{Calculated: rapid.SampledFrom([]*bool{nil, new(true), new(false)}).Draw(r, "calculated")}
				var kept []*store.Activity
				for _, a := range activities {
					if f.Calculated == nil || *f.Calculated == (a.Problem == nil && slices.ContainsFunc(emissions, func(e *store.Emission) bool { return e.ActivityID == a.ID })) {
						kept = append(kept, a)
					}
				}
				checkChildren(r, drawParents(r, l, other, store.KindSupplier), kept, ownerOfActivity, activityID, activityRanks[field], size, desc,
					func(parents []store.GlobalID, p store.Page) ([]*store.Connection[store.Activity], error) {
						return l.Tenant.ActivitiesOf(t.Context(), parents, f, store.ActivityOrder{Field: field, Direction: direction(desc)}, p)
					})
				return
			}
			field := rapid.SampledFrom([]store.EmissionOrderField{store.EmissionsByOccurredOn, store.EmissionsByCO2e, store.EmissionsByCalculatedAt}).Draw(r, "order")
			kind := rapid.SampledFrom([]store.Kind{store.KindSupplier, store.KindCategory, store.KindActivity}).Draw(r, "kind")
			f := &store.EmissionFilter{}
			kept := emissions
			if rapid.Bool().Draw(r, "filtered") {
				f.Methods = []store.CalculationMethod{store.SpendBased, store.Hybrid}
				kept = slices.DeleteFunc(slices.Clone(kept), func(e *store.Emission) bool { return e.Method == store.AverageData })
			}
			checkChildren(r, drawParents(r, l, other, kind), kept, ownerOfEmission, emissionID, emissionRanks[field], size, desc,
				func(parents []store.GlobalID, p store.Page) ([]*store.Connection[store.Emission], error) {
					return l.Tenant.EmissionsOf(t.Context(), parents, f, store.EmissionOrder{Field: field, Direction: direction(desc)}, p)
				})
		})
	}, clock.option)
}

func direction(desc bool) store.OrderDirection {
	if desc {
		return store.Desc
	}
	return store.Asc
}

// drawParents picks parents of a kind, some twice, some of another organization, some of another kind.
func drawParents(r *rapid.T, l, other *storetest.Ledger, kind store.Kind) []store.GlobalID {
	var known []store.GlobalID
	switch kind {
	case store.KindSupplier:
		for _, s := range slices.Concat(l.Suppliers, other.Suppliers[:2]) {
			known = append(known, s.GlobalID())
		}
	case store.KindCategory:
		for n := range 15 {
			known = append(known, store.CategoryID(n+1))
		}
		known = append(known, store.GlobalID{Kind: store.KindCategory, Row: store.ID{1}})
	default:
		for _, line := range slices.Concat(l.Lines, other.Lines[:2]) {
			known = append(known, line.Activity.GlobalID())
		}
	}
	parents := rapid.SliceOfN(rapid.SampledFrom(known), 1, 20).Draw(r, "parents")
	if rapid.Bool().Draw(r, "of another kind too") {
		parents = append(parents, l.Run.GlobalID())
	}
	return parents
}

func ownerOfActivity(a *store.Activity, g store.GlobalID) bool {
	return a.SupplierID != nil && g == store.Global(store.KindSupplier, *a.SupplierID)
}

func ownerOfEmission(e *store.Emission, g store.GlobalID) bool {
	return e.SupplierID != nil && g == store.Global(store.KindSupplier, *e.SupplierID) || g == store.CategoryID(int(e.CategoryNumber)) ||
		g == store.Global(store.KindActivity, e.ActivityID)
}

// checkChildren reads pages of all parents, forwards and backwards, at the start, after and before a place, and compares each with what Go makes of the rows.
func checkChildren[T any](r *rapid.T, parents []store.GlobalID, rows []*T, owner func(*T, store.GlobalID) bool, id func(*T) store.ID, by func(*T) rank,
	size int32, desc bool, read func([]store.GlobalID, store.Page) ([]*store.Connection[T], error)) {
	whole := sorted(ranked(rows, by), desc)
	all, err := read(parents, store.Page{First: new(int32(500))})
	if err != nil || len(all) != len(parents) {
		r.Fatalf("%d pages of %d parents, %v", len(all), len(parents), err)
	}
	at := store.ID{}
	var cursor *string
	for _, c := range all {
		if n := len(c.Edges); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(r, "place")
			text := c.Edges[i].Cursor()
			at, cursor = id(c.Nodes[i]), &text
		}
	}
	place := slices.Index(whole, at)
	for _, p := range []store.Page{{First: &size}, {Last: &size}, {First: &size, After: cursor}, {Last: &size, After: cursor}, {First: &size, Before: cursor}, {Last: &size, Before: cursor}} {
		got, err := read(parents, p)
		if err != nil || len(got) != len(parents) {
			r.Fatalf("%d pages of %d parents, %v", len(got), len(parents), err)
		}
		for i, parent := range parents {
			var before, within, after []store.ID
			for j, row := range whole {
				k := slices.IndexFunc(rows, func(x *T) bool { return id(x) == row })
				switch {
				case !owner(rows[k], parent):
				case p.After != nil && j <= place:
					before = append(before, row)
				case p.Before != nil && j >= place:
					after = append(after, row)
				default:
					within = append(within, row)
				}
			}
			next, previous := len(after) > 0, len(before) > 0
			if more := len(within) > int(size); more && p.First != nil {
				within, next = within[:size], true
			} else if more {
				within, previous = within[len(within)-int(size):], true
			}
			shown, err := show(got[i], nil, id)
			if err != nil || !slices.Equal(shown.ids, within) || shown.info.HasNextPage != next || shown.info.HasPreviousPage != previous {
				r.Fatalf("parent %d of %d, page %+v: %v\ngot  %v %+v\nwant %v next %t previous %t", i, len(parents), p, err, shown.ids, shown.info, within, next, previous)
			}
		}
	}
}

func TestChildrenOfNothing(t *testing.T) {
	storetest.Each(t, "are none, and of a type without such children an error of ours", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		ctx := t.Context()
		none, err := l.Tenant.EmissionsOf(ctx, nil, nil, store.EmissionOrder{}, store.Page{})
		totals, errTotals := l.Tenant.EmissionTotalsOf(ctx, nil, nil)
		counts, errCounts := l.Tenant.CountActivitiesOf(ctx, nil, nil)
		if len(none) != 0 || err != nil || len(totals) != 0 || errTotals != nil || len(counts) != 0 || errCounts != nil {
			t.Errorf("of nothing: %v %v, %v %v, %v %v", none, err, totals, errTotals, counts, errCounts)
		}
		wrong := []store.GlobalID{l.Dataset.GlobalID()}
		_, err = l.Tenant.EmissionsOf(ctx, wrong, nil, store.EmissionOrder{}, store.Page{})
		_, errTotals = l.Tenant.EmissionTotalsOf(ctx, wrong, nil)
		_, errCounts = l.Tenant.CountActivitiesOf(ctx, []store.GlobalID{store.CategoryID(1)}, nil)
		for _, err := range []error{err, errTotals, errCounts} {
			if fault.CodeOf(err) != fault.Internal {
				t.Errorf("of a dataset: %v; want INTERNAL", err)
			}
		}
	})
}
