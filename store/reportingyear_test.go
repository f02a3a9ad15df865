package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// lock locks a year, or opens it, and gives what it is by then.
func lock(t *testing.T, tenant *store.Tenant, year int32, locked bool, more ...func(*store.LockReportingYearInput)) *store.ReportingYear {
	t.Helper()
	in := store.LockReportingYearInput{Year: year, Locked: locked, Reason: "Published"}
	for _, m := range more {
		m(&in)
	}
	y, err := tenant.LockReportingYear(t.Context(), in, "Ann")
	if err != nil {
		t.Fatalf("lock %d: %v", year, err)
	}
	return y
}

func asBase(in *store.LockReportingYearInput) { in.Base = new(true) }

func threshold(percent string) func(*store.LockReportingYearInput) {
	return func(in *store.LockReportingYearInput) {
		in.RecalculationThresholdPercent = new(exact.MustDecimal(percent))
	}
}

// dated makes a calculated line of a day.
func dated(l *storetest.Ledger, externalID string, year int, co2e exact.Milligrams) *store.Line {
	line := storetest.NewLine(externalID, l.Suppliers[0])
	line.Activity.OccurredOn = exact.NewDate(year, 6, 30)
	return storetest.Calculate(line, l.Factors[0], l.Run, co2e)
}

// yearTotals are the sums over a year's emissions as they are now.
func yearTotals(t testing.TB, tenant *store.Tenant, year int) store.FootprintTotals {
	t.Helper()
	totals, err := tenant.EmissionTotals(t.Context(), &store.EmissionFilter{OccurredFrom: new(exact.NewDate(year, 1, 1)), OccurredTo: new(exact.NewDate(year, 12, 31))})
	if err != nil {
		t.Fatal(err)
	}
	return *totals
}

func TestALockedYear(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(l *storetest.Ledger, in, out *store.Line) *store.Line // of the line in 2024, which is locked, or of the one in 2025
		status store.ItemStatus
		names  string
		path   string
	}{
		"refuses a new line": {change: func(l *storetest.Ledger, _, _ *store.Line) *store.Line { return dated(l, "new", 2024, kg) },
			status: store.Failed, names: "2024", path: "occurredOn"},
		"refuses a new line without a calculation": {change: func(l *storetest.Ledger, _, _ *store.Line) *store.Line {
			line := dated(l, "new", 2024, kg)
			line.Emission = nil
			return line
		}, status: store.Failed, names: "2024", path: "occurredOn"},
		"refuses another text": {change: func(_ *storetest.Ledger, in, _ *store.Line) *store.Line {
			in.Activity.Description = "Other"
			return in
		}, status: store.Failed, names: "2024"},
		"refuses another text without a calculation": {change: func(_ *storetest.Ledger, in, _ *store.Line) *store.Line {
			in.Activity.Description, in.Emission = "Other", nil
			return in
		}, status: store.Failed, names: "2024"},
		"refuses another calculation": {change: func(l *storetest.Ledger, in, _ *store.Line) *store.Line {
			return storetest.Calculate(in, l.Factors[0], l.Run, 99*kg)
		}, status: store.Failed, names: "2024"},
		"refuses a problem in place of a calculation": {change: func(_ *storetest.Ledger, in, _ *store.Line) *store.Line {
			in.Emission, in.Activity.Problem = nil, &store.Problem{Code: "NO_FACTOR", Message: "No factor."}
			return in
		}, status: store.Failed, names: "2024"},
		"lets no line go": {change: func(l *storetest.Ledger, in, _ *store.Line) *store.Line {
			return dated(l, in.Activity.ExternalID, 2025, kg)
		},
			status: store.Failed, names: "2024"},
		"takes no line in": {change: func(l *storetest.Ledger, _, out *store.Line) *store.Line {
			return dated(l, out.Activity.ExternalID, 2024, kg)
		},
			status: store.Failed, names: "2024", path: "occurredOn"},
		"leaves a line that says nothing new": {change: func(_ *storetest.Ledger, in, _ *store.Line) *store.Line { return in }, status: store.Unchanged},
		"leaves a line that nobody calculates": {change: func(_ *storetest.Ledger, in, _ *store.Line) *store.Line {
			in.Emission = nil
			return in
		}, status: store.Unchanged},
		"leaves other years alone": {change: func(l *storetest.Ledger, _, out *store.Line) *store.Line {
			out.Activity.Description = "Other"
			return storetest.Calculate(out, l.Factors[0], l.Run, kg)
		}, status: store.Updated},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			l := storetest.NewLedger(t, st, "Acme", 0, nil)
			in, out := dated(l, "in", 2024, 2*kg), dated(l, "out", 2025, 3*kg)
			storetest.PutLines(t, l.Tenant, in, out)
			lock(t, l.Tenant, 2024, true)
			was := history(t, l.Tenant, in.Activity)
			line := tc.change(l, in, out)
			beside := dated(l, "beside", 2025, kg)
			expect(t, "statuses", storetest.PutLines(t, l.Tenant, line, beside), []store.ItemStatus{tc.status, store.Created})
			if f := line.Refused; (f != nil) != (tc.status == store.Failed) || f != nil &&
				(f.Code != fault.PeriodLocked || !strings.Contains(f.Message, tc.names) || !strings.Contains(f.Message, "lockReportingYear") || strings.Join(f.Path, ".") != tc.path) {
				t.Errorf("refused as %+v; want %s that names %s at %q", f, fault.PeriodLocked, tc.names, tc.path)
			}
			expect(t, "the locked line's history", history(t, l.Tenant, in.Activity), was)
			if got := yearTotals(t, l.Tenant, 2024); got.CO2e != 2*kg || got.ActivityCount != 1 {
				t.Errorf("the year comes to %+v", got)
			}
			checkSums(t, t.Context(), l.Tenant, l.Suppliers)
		})
	}
}

func TestLockedTotals(t *testing.T) {
	storetest.Each(t, "stay as they were until the year is locked again", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		line := dated(l, "a", 2024, 2*kg)
		line.Emission.BiogenicCO2 = 7
		storetest.PutLines(t, l.Tenant, line, dated(l, "b", 2024, 3*kg), dated(l, "other", 2025, 11*kg))
		first := yearTotals(t, l.Tenant, 2024)
		y := lock(t, l.Tenant, 2024, true)
		if !y.Locked || y.LockedAt == nil || y.LockedTotals == nil || *y.LockedTotals != first || first.CO2e != 5*kg || first.BiogenicCO2 != 7 || !first.HasSpend {
			t.Fatalf("locked: %+v with %+v, want %+v", y, y.LockedTotals, first)
		}
		at := *y.LockedAt
		if y = lock(t, l.Tenant, 2024, true, threshold("7.5")); *y.LockedTotals != first || *y.LockedAt != at {
			t.Errorf("locked as it was: %+v with %+v at %v, want %+v at %v", y, y.LockedTotals, y.LockedAt, first, at)
		}
		if y = lock(t, l.Tenant, 2024, false); y.Locked || *y.LockedTotals != first || *y.LockedAt != at {
			t.Errorf("open: %+v with %+v, want %+v", y, y.LockedTotals, first)
		}
		storetest.PutLines(t, l.Tenant, dated(l, "c", 2024, 5*kg))
		now := yearTotals(t, l.Tenant, 2024)
		if y = only(t, l.Tenant, 2024); *y.LockedTotals != first || y.ChangeSinceLock(&now).Canonical() != "100" {
			t.Errorf("after a write: %+v, changed by %v %%", y.LockedTotals, y.ChangeSinceLock(&now))
		}
		if y = lock(t, l.Tenant, 2024, true); *y.LockedTotals != now || y.ChangeSinceLock(&now).Canonical() != "0" {
			t.Errorf("locked again: %+v, want %+v", y.LockedTotals, now)
		}
		var told []string
		events, err := l.Tenant.ReportingYearEvents(t.Context(), 2024)
		for _, e := range events {
			told = append(told, fmt.Sprintf("%s %t %s %s %s", e.Actor, e.Locked, e.RecalculationThresholdPercent, e.CO2e.Decimal().Canonical(), e.Reason))
		}
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "events", told, []string{"Ann true 5 5 Published", "Ann true 7.5 5 Published", "Ann false 7.5 5 Published", "Ann true 7.5 10 Published"})
	})
}

// only gives one of the organization's reporting years.
func only(t *testing.T, tenant *store.Tenant, year int32) *store.ReportingYear {
	t.Helper()
	years, err := tenant.ReportingYears(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(years, func(y *store.ReportingYear) bool { return y.Year == year })
	if i < 0 {
		t.Fatalf("%d is none of %v", year, years)
	}
	return years[i]
}

func TestReportingYears(t *testing.T) {
	storetest.Each(t, "are those with lines and those decided of, newest first", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		years := func() (out []string) {
			all, err := l.Tenant.ReportingYears(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, y := range all {
				out = append(out, fmt.Sprintf("%d %t %t %s", y.Year, y.Locked, y.LockedTotals != nil, y.RecalculationThresholdPercent))
			}
			return out
		}
		expect(t, "years of nothing", years(), nil)
		plain := dated(l, "plain", 2021, kg)
		plain.Emission = nil // a line counts, calculated or not
		first, last := dated(l, "first", 2024, kg), dated(l, "last", 2024, kg)
		first.Activity.OccurredOn, last.Activity.OccurredOn = exact.NewDate(2024, 1, 1), exact.NewDate(2024, 12, 31)
		first.Emission.OccurredOn, last.Emission.OccurredOn = first.Activity.OccurredOn, last.Activity.OccurredOn
		storetest.PutLines(t, l.Tenant, plain, first, last, dated(l, "old", 1999, kg))
		expect(t, "years", years(), []string{"2024 false false 5", "2021 false false 5", "1999 false false 5"})
		lock(t, l.Tenant, 2022, true)
		lock(t, l.Tenant, 2024, true)
		lock(t, l.Tenant, 1998, false, threshold("3"))
		expect(t, "years", years(), []string{"2024 true true 5", "2022 true true 5", "2021 false false 5", "1999 false false 5", "1998 false false 3"})
		totals, err := l.Tenant.YearTotals(t.Context())
		if err != nil || len(totals) != 2 || totals[2024].CO2e != 2*kg || totals[1999].ActivityCount != 1 {
			t.Errorf("totals %v, %v", totals, err)
		}
	})
}

func TestTheBaseYear(t *testing.T) {
	storetest.Each(t, "is one, and moves", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		base := func() (out []int32) {
			all, err := l.Tenant.ReportingYears(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, y := range all {
				if y.Base {
					out = append(out, y.Year)
				}
			}
			return out
		}
		lock(t, l.Tenant, 2019, true, asBase)
		expect(t, "base", base(), []int32{2019})
		lock(t, l.Tenant, 2020, true)
		expect(t, "base", base(), []int32{2019})
		lock(t, l.Tenant, 2020, true, asBase)
		expect(t, "base", base(), []int32{2020})
		lock(t, l.Tenant, 2020, false)
		expect(t, "base", base(), []int32{2020})
		lock(t, l.Tenant, 2020, false, func(in *store.LockReportingYearInput) { in.Base = new(false) })
		expect(t, "base", base(), nil)
	})
	for name, tc := range map[string]struct {
		locked, now exact.Milligrams
		threshold   string
		base        bool
		change      string
		due         bool
	}{
		"is not due as it was":                       {locked: 100 * kg, now: 100 * kg, base: true, change: "0"},
		"is not due at exactly the threshold":        {locked: 100 * kg, now: 105 * kg, base: true, change: "5"},
		"is due a milligram above":                   {locked: 100 * kg, now: 105*kg + 1, base: true, change: "5.000001", due: true},
		"is not due at the threshold downwards":      {locked: 100 * kg, now: 95 * kg, base: true, change: "-5"},
		"is due a milligram below":                   {locked: 100 * kg, now: 95*kg - 1, base: true, change: "-5.000001", due: true},
		"is due by its own threshold":                {locked: 100 * kg, now: 101 * kg, threshold: "0.999999", base: true, change: "1", due: true},
		"is due by any change where that is nothing": {locked: 3 * kg, now: 3*kg + 1, threshold: "0", base: true, change: "0.000033333333", due: true},
		"is due from nothing to something":           {locked: 0, now: 1, base: true, change: "none", due: true},
		"is not due from nothing to nothing":         {locked: 0, now: 0, base: true, change: "0"},
		"grows from credits":                         {locked: -100 * kg, now: -94 * kg, base: true, change: "6", due: true},
		"alone is due":                               {locked: 100 * kg, now: 200 * kg, change: "100"},
	} {
		t.Run(name, func(t *testing.T) {
			y := &store.ReportingYear{Base: tc.base, RecalculationThresholdPercent: exact.MustDecimal("5"), LockedTotals: &store.FootprintTotals{CO2e: tc.locked}}
			if tc.threshold != "" {
				y.RecalculationThresholdPercent = exact.MustDecimal(tc.threshold)
			}
			now := &store.FootprintTotals{CO2e: tc.now}
			change := "none"
			if c := y.ChangeSinceLock(now); c != nil {
				change = c.Canonical()
			}
			if due := y.RecalculationDue(now); change != tc.change || due != tc.due {
				t.Errorf("changed by %s %%, due %t; want %s, %t", change, due, tc.change, tc.due)
			}
			y.LockedTotals = nil
			if y.ChangeSinceLock(now) != nil || y.RecalculationDue(now) {
				t.Error("a year that was never locked has changed since")
			}
		})
	}
}

func TestLockReportingYearRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		in   store.LockReportingYearInput
		path string
	}{
		"a year before ledgers":          {in: store.LockReportingYearInput{Year: 1899, Locked: true, Reason: "x"}, path: "year"},
		"a year after years":             {in: store.LockReportingYearInput{Year: 10_000, Reason: "x"}, path: "year"},
		"a year that has not begun":      {in: store.LockReportingYearInput{Year: 2999, Locked: true, Reason: "x"}, path: "year"},
		"no reason":                      {in: store.LockReportingYearInput{Year: 2024, Locked: true, Reason: " "}, path: "reason"},
		"too long a reason":              {in: store.LockReportingYearInput{Year: 2024, Locked: true, Reason: strings.Repeat("ü", 4001)}, path: "reason"},
		"a reason that no text can hold": {in: store.LockReportingYearInput{Year: 2024, Locked: true, Reason: "a\x00b"}, path: "reason"},
		"a threshold below nothing":      {in: store.LockReportingYearInput{Year: 2024, Reason: "x", RecalculationThresholdPercent: new(exact.MustDecimal("-1"))}, path: "recalculationThresholdPercent"},
		"a threshold beyond everything":  {in: store.LockReportingYearInput{Year: 2024, Reason: "x", RecalculationThresholdPercent: new(exact.MustDecimal("100.1"))}, path: "recalculationThresholdPercent"},
		"a threshold too fine":           {in: store.LockReportingYearInput{Year: 2024, Reason: "x", RecalculationThresholdPercent: new(exact.MustDecimal("0.0000001"))}, path: "recalculationThresholdPercent"},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			tenant := storetest.Organization(t, st, "Acme")
			_, err := tenant.LockReportingYear(t.Context(), tc.in, "Ann")
			if f := fault.Of(err); f.Code != fault.BadUserInput || strings.Join(f.Path, ".") != tc.path {
				t.Errorf("error %v at %v, want %s at %s", err, f.Path, fault.BadUserInput, tc.path)
			}
			if years, err := tenant.ReportingYears(t.Context()); err != nil || len(years) != 0 {
				t.Errorf("years %v, %v; want none", years, err)
			}
		})
	}
}

// Writers write while a year is locked and opened. Whatever a lock did not sum, is not there while it holds.
func TestLocksAndWritersMeet(t *testing.T) {
	storetest.Each(t, "and no row is missing from locked totals", func(t *testing.T, st *store.Store) {
		const writers, rounds, locks = 5, 25, 25
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		var refused, written int
		counts := make(chan [2]int, writers)
		g, ctx := errgroup.WithContext(t.Context())
		for writer := range writers {
			r := rand.New(rand.NewPCG(3, uint64(writer)))
			g.Go(func() error {
				var n [2]int
				defer func() { counts <- n }()
				for round := range rounds {
					lines := make([]*store.Line, 4)
					for i := range lines {
						lines[i] = dated(l, fmt.Sprintf("L%d-%d", r.IntN(3), i), 2024, exact.Milligrams(r.IntN(1000)))
						if r.IntN(8) == 0 {
							lines[i] = dated(l, fmt.Sprintf("W%d-%d-%d", writer, round, i), 2024+r.IntN(2), 1)
						}
					}
					err := l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
						if _, err := w.PutLines(ctx, lines); err != nil {
							return err
						}
						if round%5 == 4 {
							_, err := w.DeleteLines(ctx, []string{lines[0].Activity.ExternalID})
							return err
						}
						return nil
					})
					if err != nil {
						return err
					}
					for _, line := range lines {
						if line.Refused != nil {
							n[0]++
						} else {
							n[1]++
						}
					}
				}
				return nil
			})
		}
		g.Go(func() error {
			for i := range locks {
				in := store.LockReportingYearInput{Year: 2024, Locked: true, Reason: "Published"}
				y, err := l.Tenant.LockReportingYear(ctx, in, "Ann")
				if err != nil {
					return err
				}
				for range 2 { // whatever is under way is done by the second look, or later ones
					if now := yearTotals(t, l.Tenant, 2024); now != *y.LockedTotals {
						t.Errorf("lock %d holds %+v, the year comes to %+v", i, *y.LockedTotals, now)
					}
				}
				in.Locked = false
				if _, err := l.Tenant.LockReportingYear(ctx, in, "Ann"); err != nil {
					return err
				}
			}
			return nil
		})
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		close(counts)
		for n := range counts {
			refused, written = refused+n[0], written+n[1]
		}
		if refused == 0 || written == 0 {
			t.Logf("%d lines refused and %d written: the two hardly met", refused, written)
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
	})
	storetest.Each(t, "and a lock waits for the writer at work", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		locked := make(chan *store.ReportingYear, 1)
		storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
			if _, err := w.PutLines(ctx, []*store.Line{dated(l, "a", 2024, kg)}); err != nil {
				return err
			}
			begun := make(chan struct{})
			go func() {
				close(begun)
				y, err := l.Tenant.LockReportingYear(context.WithoutCancel(t.Context()), store.LockReportingYearInput{Year: 2024, Locked: true, Reason: "x"}, "Ann")
				if err != nil {
					t.Error(err)
				}
				locked <- y
			}()
			<-begun
			_, err := w.PutLines(ctx, []*store.Line{dated(l, "b", 2024, kg)})
			return err
		})
		if y := <-locked; y == nil || y.LockedTotals.CO2e != 2*kg {
			t.Errorf("locked %+v, want two kilograms", y)
		}
	})
	storetest.Each(t, "and a lock of one organization stops no other's writers", func(t *testing.T, st *store.Store) {
		if st.Dialect() == "sqlite" {
			t.Skip("one writer at a time, whoever it is")
		}
		l, other := storetest.NewLedger(t, st, "Acme", 0, nil), storetest.NewLedger(t, st, "Rival", 0, nil)
		if err := l.Tenant.WriteAlone(t.Context(), func(context.Context, *store.Writer) error {
			storetest.PutLines(t, other.Tenant, dated(other, "a", 2024, kg))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWriteAlone(t *testing.T) {
	storetest.Each(t, "sees what others wrote, and they wait", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		g, ctx := errgroup.WithContext(t.Context())
		alone, most := 0, 0
		var inside = make(chan int, 64)
		for i := range 4 {
			g.Go(func() error {
				for round := range 5 {
					if err := l.Tenant.WriteAlone(ctx, func(ctx context.Context, w *store.Writer) error {
						alone++ // without a lock of its own: the race detector tells if another is inside
						most = max(most, alone)
						_, err := w.PutLines(ctx, []*store.Line{dated(l, fmt.Sprintf("A%d-%d", i, round), 2024, kg)})
						alone--
						return err
					}); err != nil {
						return err
					}
					if err := l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
						years, err := w.LockedYears(ctx)
						inside <- len(years)
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if most != 1 || len(inside) != 20 {
			t.Errorf("%d were inside at once, %d looked", most, len(inside))
		}
		if n, err := l.Tenant.CountActivities(t.Context(), nil); n != 20 || err != nil {
			t.Errorf("%d lines, %v", n, err)
		}
	})
}

func TestReportingYearsOfTwoOrganizations(t *testing.T) {
	storetest.Each(t, "know nothing of each other", func(t *testing.T, st *store.Store) {
		mine, theirs := storetest.NewLedger(t, st, "Acme", 0, nil), storetest.NewLedger(t, st, "Rival", 0, nil)
		storetest.PutLines(t, mine.Tenant, dated(mine, "a", 2024, kg))
		storetest.PutLines(t, theirs.Tenant, dated(theirs, "a", 2023, 9*kg))
		lock(t, theirs.Tenant, 2024, true, asBase)
		if y := lock(t, mine.Tenant, 2024, true, asBase); y.LockedTotals.CO2e != kg {
			t.Errorf("locked totals %+v hold another's", y.LockedTotals)
		}
		lock(t, mine.Tenant, 2024, false)
		expect(t, "a line in a year that another locked", storetest.PutLines(t, mine.Tenant, dated(mine, "b", 2024, kg)), []store.ItemStatus{store.Created})
		if y := only(t, theirs.Tenant, 2024); !y.Locked || !y.Base || y.LockedTotals.CO2e != 0 {
			t.Errorf("theirs is %+v", y)
		}
		if years, err := mine.Tenant.ReportingYears(t.Context()); err != nil || len(years) != 1 {
			t.Errorf("years %v, %v", years, err)
		}
		if events, err := theirs.Tenant.ReportingYearEvents(t.Context(), 2024); err != nil || len(events) != 1 {
			t.Errorf("events %v, %v", events, err)
		}
		if totals, err := mine.Tenant.YearTotals(t.Context()); err != nil || len(totals) != 1 || totals[2024].CO2e != 2*kg {
			t.Errorf("totals %v, %v", totals, err)
		}
	})
}
