package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// deleted deletes lines and gives the code of each refusal; "" where there is none.
func deleted(t *testing.T, tenant *store.Tenant, externalIDs ...string) (codes []fault.Code) {
	t.Helper()
	storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
		codes = nil
		refused, err := w.DeleteLines(ctx, externalIDs)
		for _, f := range refused {
			if f == nil {
				codes = append(codes, "")
			} else {
				codes = append(codes, f.Code)
			}
		}
		return err
	})
	return codes
}

func TestDeleteLines(t *testing.T) {
	storetest.Each(t, "takes lines and their emissions, and tells of each that stays", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		theirs := storetest.NewLedger(t, st, "Rival", 3, nil)
		again := dated(l, "again", 2025, 5*kg)
		plain := storetest.NewLine("plain", nil)
		storetest.PutLines(t, l.Tenant, again, dated(l, "locked", 2024, 2*kg), dated(l, "stays", 2025, 3*kg), plain)
		storetest.PutLines(t, l.Tenant, storetest.Calculate(again, l.Factors[1], storetest.Run(t, l.Tenant), 7*kg))
		expect(t, "sums before", sums(t, l.Tenant, l.Suppliers...), []string{"12", "0", "0"})
		lock(t, l.Tenant, 2024, true)
		got := deleted(t, l.Tenant, "again", "nobody's", "locked", "plain", "again", "L0001", "a\x00b", "")
		expect(t, "refusals", got, []fault.Code{"", fault.NotFound, fault.PeriodLocked, "", fault.BadUserInput, fault.NotFound, fault.NotFound, fault.NotFound})
		expect(t, "sums after", sums(t, l.Tenant, l.Suppliers...), []string{"5", "0", "0"})
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
		if c, err := l.Tenant.Activities(t.Context(), nil, store.ActivityOrder{}, store.Page{}); err != nil || len(c.Nodes) != 2 {
			t.Errorf("%d lines stay, %v; want two", len(c.Nodes), err)
		}
		every, err := l.Tenant.EmissionTotals(t.Context(), &store.EmissionFilter{IncludeSuperseded: new(true)})
		if err != nil || every.EmissionCount != 2 || every.CO2e != 5*kg {
			t.Errorf("emissions %+v, %v; want those of the two lines", every, err)
		}
		if n, err := theirs.Tenant.CountActivities(t.Context(), nil); err != nil || n != 3 {
			t.Errorf("the other organization has %d lines, %v", n, err)
		}
		expect(t, "deleted again", deleted(t, l.Tenant, "again"), []fault.Code{fault.NotFound})
		expect(t, "put again", storetest.PutLines(t, l.Tenant, dated(l, "again", 2025, kg)), []store.ItemStatus{store.Created})
		expect(t, "nothing", deleted(t, l.Tenant), nil)
	})
}

// Some write lines while others delete them: each line is there whole or not at all.
func TestLinesThatAreDeletedMeanwhile(t *testing.T) {
	storetest.Each(t, "leave no emission behind", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		g, ctx := errgroup.WithContext(t.Context())
		for writer := range 4 {
			r := rand.New(rand.NewPCG(5, uint64(writer)))
			g.Go(func() error {
				for range 25 {
					keys := make([]string, 0, 3)
					lines := make([]*store.Line, 0, 3)
					for _, i := range r.Perm(12)[:3] {
						keys = append(keys, fmt.Sprint("L", i))
						lines = append(lines, dated(l, keys[len(keys)-1], 2025, exact.Milligrams(r.IntN(1000))))
					}
					err := l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) (err error) {
						if writer%2 == 0 {
							_, err = w.DeleteLines(ctx, keys)
						} else {
							_, err = w.PutLines(ctx, lines)
						}
						return err
					})
					if err != nil && fault.CodeOf(err) != fault.Conflict { // who meets others each time that he tries is told so
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
		lines, err := l.Tenant.CountActivities(t.Context(), &store.ActivityFilter{Calculated: new(true)})
		totals, failed := l.Tenant.EmissionTotals(t.Context(), nil)
		if err != nil || failed != nil || int(totals.EmissionCount) != lines {
			t.Errorf("%d lines with %d current emissions, %v %v", lines, totals.EmissionCount, err, failed)
		}
	})
}
