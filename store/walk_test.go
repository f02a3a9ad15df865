package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// walk reads a connection page by page until it ends. look sees each page and may change rows.
func walk(ctx context.Context, c listing, backward bool, size func() int32, look func(shown)) ([]store.ID, error) {
	var all []store.ID
	var at *string
	for {
		n := size()
		p := store.Page{First: &n, After: at}
		if backward {
			p = store.Page{Last: &n, Before: at}
		}
		got, err := c.page(ctx, p)
		if err != nil {
			return all, err
		}
		look(got)
		more := got.info.HasNextPage
		if backward {
			more = got.info.HasPreviousPage
			all = append(slices.Clone(got.ids), all...)
			at = got.info.StartCursor
		} else {
			all = append(all, got.ids...)
			at = got.info.EndCursor
		}
		if !more {
			return all, nil
		}
		if len(got.ids) == 0 {
			return all, fmt.Errorf("an empty page says that there are more rows")
		}
	}
}

func TestWalkingAConnection(t *testing.T) {
	clock := newClock()
	storetest.Each(t, "gives each row once, in order, and tells honestly what lies around a page", func(t *testing.T, st *store.Store) {
		l := knotty(t, st, clock, "Acme", 66)
		knotty(t, st, clock, "Other", 20) // whose rows are nobody's business
		for _, c := range listings(t, st, l) {
			if len(c.want) < 20 {
				t.Fatalf("%s: %d rows prove nothing", c.name, len(c.want))
			}
			for _, size := range []int32{1, 2, 7, 65, 500} {
				walkStill(t, c, size)
			}
		}
	}, clock.option)
}

// walkStill walks both ways while nothing changes: every page is known beforehand.
func walkStill(t *testing.T, c listing, size int32) {
	t.Helper()
	for _, backward := range []bool{false, true} {
		seen := 0
		got, err := walk(t.Context(), c, backward, func() int32 { return size }, func(p shown) {
			from, to := seen, seen+len(p.ids)
			seen = to
			if backward {
				from, to = len(c.want)-to, len(c.want)-from
			}
			if next, previous := to < len(c.want), from > 0; p.info.HasNextPage != next || p.info.HasPreviousPage != previous {
				t.Errorf("%s, rows %d to %d of %d, size %d, backward %t: next %t, previous %t", c.name, from, to, len(c.want), size, backward, p.info.HasNextPage, p.info.HasPreviousPage)
			}
			if n := len(p.cursors); n > 0 && (*p.info.StartCursor != p.cursors[0] || *p.info.EndCursor != p.cursors[n-1]) {
				t.Errorf("%s: startCursor and endCursor are not those of the first and last edge", c.name)
			}
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Fatalf("%s, size %d, backward %t: %v\ngot  %v\nwant %v", c.name, size, backward, err, got, c.want)
		}
	}
}

func TestAWindowBetweenTwoCursors(t *testing.T) {
	clock := newClock()
	storetest.Each(t, "holds what stands between them", func(t *testing.T, st *store.Store) {
		l := knotty(t, st, clock, "Acme", 40)
		all := listings(t, st, l)
		rapid.Check(t, func(r *rapid.T) {
			c := rapid.SampledFrom(all).Draw(r, "connection")
			whole, err := c.page(t.Context(), store.Page{First: new(int32(500))})
			if err != nil {
				r.Fatal(err)
			}
			n := len(whole.ids)
			from, to := -1, n
			p := store.Page{}
			if rapid.Bool().Draw(r, "after") {
				from = rapid.IntRange(0, n-1).Draw(r, "from")
				p.After = &whole.cursors[from]
			}
			if rapid.Bool().Draw(r, "before") {
				to = rapid.IntRange(0, n-1).Draw(r, "to")
				p.Before = &whole.cursors[to]
			}
			size := rapid.IntRange(1, 12).Draw(r, "size")
			wantFrom, wantTo := from+1, max(to, from+1)
			if to <= from { // crossed: nothing stands between
				wantFrom, wantTo = 0, 0
			}
			backward := rapid.Bool().Draw(r, "backward")
			cut := min(size, wantTo-wantFrom)
			next, previous := wantTo-wantFrom > cut || p.Before != nil, p.After != nil
			if backward {
				p.Last = new(int32(size))
				next, previous = p.Before != nil, wantTo-wantFrom > cut || p.After != nil
				wantFrom = wantTo - cut
			} else {
				p.First = new(int32(size))
				wantTo = wantFrom + cut
			}
			got, err := c.page(t.Context(), p)
			if err != nil || !slices.Equal(got.ids, whole.ids[wantFrom:wantTo]) {
				r.Fatalf("%s between %d and %d, %d rows, backward %t: %v\ngot  %v\nwant %v", c.name, from, to, size, backward, err, got.ids, whole.ids[wantFrom:wantTo])
			}
			if got.info.HasNextPage != next || got.info.HasPreviousPage != previous {
				r.Errorf("%s between %d and %d: next %t, previous %t; want %t, %t", c.name, from, to, got.info.HasNextPage, got.info.HasPreviousPage, next, previous)
			}
		})
	}, clock.option)
}

func TestWalkingWhileRowsComeAndGo(t *testing.T) {
	clock := newClock()
	storetest.Each(t, "gives each row that was there throughout exactly once, in order", func(t *testing.T, st *store.Store) {
		round := 0
		rapid.Check(t, func(r *rapid.T) {
			round++
			l := knotty(t, st, clock, fmt.Sprintf("Acme %d", round), 24)
			c := rapid.SampledFrom(slices.Concat(supplierListings(t, l, nil, "suppliers"), activityListings(t, l, nil, "activities"), emissionListings(t, l, nil, "emissions"))).Draw(r, "connection")
			backward := rapid.Bool().Draw(r, "backward")
			gone := map[store.ID]bool{}
			got, err := walk(t.Context(), c, backward, func() int32 { return rapid.Int32Range(1, 9).Draw(r, "size") }, func(shown) {
				for range rapid.IntRange(0, 2).Draw(r, "deleted") {
					gone[remove(t, st, c.want[rapid.IntRange(0, len(c.want)-1).Draw(r, "row")])] = true
				}
				for range rapid.IntRange(0, 2).Draw(r, "inserted") {
					insert(t, l, rapid.IntRange(0, 8).Draw(r, "where"), clock)
				}
			})
			if err != nil {
				r.Fatalf("%s: %v", c.name, err)
			}
			stayed := slices.DeleteFunc(slices.Clone(c.want), func(id store.ID) bool { return gone[id] })
			came := make(map[store.ID]int, len(got))
			for _, id := range got {
				if came[id]++; came[id] > 1 {
					r.Errorf("%s gives %s twice", c.name, id)
				}
			}
			if got := slices.DeleteFunc(got, func(id store.ID) bool { return !slices.Contains(stayed, id) }); !slices.Equal(got, stayed) {
				r.Errorf("%s, backward %t\ngot  %v\nwant %v", c.name, backward, got, stayed)
			}
		})
	}, clock.option)
}

// remove takes a row away, of whatever table it is, and gives its id.
func remove(t *testing.T, st *store.Store, id store.ID) store.ID {
	t.Helper()
	for _, table := range []string{"suppliers", "activities", "emissions"} {
		if err := st.Exec(t.Context(), "DELETE FROM "+table+" WHERE id = $1", id.String()); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// insert adds a supplier and a line that stand somewhere in every order.
func insert(t *testing.T, l *storetest.Ledger, where int, clock *clock) {
	t.Helper()
	n := len(l.Lines)
	s := &store.Supplier{ExternalID: new(fmt.Sprintf("late %d", n)), Name: "alum" + "xyz"[where%3:], CO2e: 0}
	storetest.PutSuppliers(t, l.Tenant, s)
	line := storetest.NewLine(fmt.Sprintf("late %d", n), s)
	line.Activity.OccurredOn = exact.NewDate(2023, 1, 40*where)
	line.Activity.Money.Amount = exact.Micros(where-2) * 1_000_000
	storetest.Calculate(line, l.Factors[0], l.Run, exact.Milligrams(where-1)*1000)
	line.Emission.CalculatedAt = exact.InstantOf(clock.now())
	storetest.PutLines(t, l.Tenant, line)
	l.Lines = append(l.Lines, line)
}
