package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// LockReportingYearInput is what is to be decided of a year. Nil parts leave what is stored.
type LockReportingYearInput struct {
	Year                          int32
	Locked                        bool
	Base                          *bool
	RecalculationThresholdPercent *exact.Decimal
	Reason                        string
}

// maxReason is how long a reason, and what is said of a method, may be, in characters.
const maxReason = 4000

// LockReportingYear locks a year or opens it again, and keeps who did so and why. A year that becomes locked keeps the sums of that moment as its locked totals;
// one that is locked already keeps those it has. It waits for whoever writes lines, and none of them is missing in the sums. Where the year becomes the base
// year, the one before it no longer is.
func (t *Tenant) LockReportingYear(ctx context.Context, in LockReportingYearInput, actor string) (*ReportingYear, error) {
	in.Reason = strings.TrimSpace(in.Reason)
	if err := in.check(t.store.Now()); err != nil {
		return nil, err
	}
	var is *ReportingYear
	err := t.WriteAlone(ctx, func(ctx context.Context, w *Writer) error {
		was, err := w.reportingYear(ctx, in.Year)
		if err != nil {
			return err
		}
		if err := w.decideYear(ctx, in.over(was, w.t.store.Now()), was, actor); err != nil {
			return err
		}
		is, err = w.reportingYear(ctx, in.Year)
		return err
	})
	return is, err
}

func (in *LockReportingYearInput) check(now exact.Instant) error {
	if err := checkYear(in.Year); err != nil {
		return err
	}
	if last := now.Time().Year(); in.Locked && int(in.Year) > last {
		return fault.New(fault.BadUserInput, "%d has not begun; a year is locked when its figures are published, %d at the latest.", in.Year, last).At("year")
	}
	if in.Reason == "" {
		return fault.New(fault.BadUserInput, "Give the reason: it is kept with who decided, and when.").At("reason")
	}
	if err := checkWords("reason", in.Reason); err != nil {
		return err
	}
	if p := in.RecalculationThresholdPercent; p != nil {
		if _, fits := p.ScaledExactly(6); !fits || p.Sign() < 0 || p.Cmp(exact.NewDecimal(100, 0)) > 0 {
			return fault.New(fault.BadUserInput, "%.60s is no threshold; give a percentage from 0 to 100, with at most six decimals.", p).At("recalculationThresholdPercent")
		}
	}
	return nil
}

// checkYear refuses what is no year of a ledger.
func checkYear(year int32) error {
	if year < 1900 || year > 9999 {
		return fault.New(fault.BadUserInput, "%d is no year of a ledger; years begin in 1900.", year).At("year")
	}
	return nil
}

// checkWords refuses what no database keeps as it is.
func checkWords(part, text string) error {
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return fault.New(fault.BadUserInput, "%s is not text in UTF-8.", part).At(part)
	case utf8.RuneCountInString(text) > maxReason:
		return fault.New(fault.BadUserInput, "%s is too long; use at most %d characters.", part, maxReason).At(part)
	}
	return nil
}

// over gives what the year is after the input.
func (in *LockReportingYearInput) over(was *ReportingYear, now exact.Instant) *ReportingYear {
	is := *was
	is.Locked, is.Reason = in.Locked, in.Reason
	if in.Locked && !was.Locked {
		is.LockedAt = &now
	}
	if in.Base != nil {
		is.Base = *in.Base
	}
	if in.RecalculationThresholdPercent != nil {
		is.RecalculationThresholdPercent = *in.RecalculationThresholdPercent
	}
	return &is
}

// reportingYear gives a year as it is stored.
func (w *Writer) reportingYear(ctx context.Context, year int32) (*ReportingYear, error) {
	found := newYear(year)
	b := w.statement()
	b.is("year", "=", int(year))
	err := w.query(ctx, "SELECT", yearRelation.table, "SELECT "+yearRelation.columns+" FROM reporting_years AS y WHERE "+b.all(), b.args, func(scan scanner) error {
		row, err := yearRelation.row(scan)
		found = &row.ReportingYear
		return err
	})
	return found, err
}

// decideYear stores what a year is by now, with the sums of this moment where it is locked by that, and the decision itself.
func (w *Writer) decideYear(ctx context.Context, is, was *ReportingYear, actor string) error {
	if is.Base && !was.Base {
		if err := w.exec(ctx, "UPDATE", "reporting_years", "UPDATE reporting_years SET base = FALSE WHERE org_id = $1 AND base", w.t.org.String()); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, "INSERT", "reporting_years", `INSERT INTO reporting_years (org_id, year, locked, base, locked_at, threshold_percent, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, year) DO UPDATE SET locked = EXCLUDED.locked, base = EXCLUDED.base,
		locked_at = EXCLUDED.locked_at, threshold_percent = EXCLUDED.threshold_percent, reason = EXCLUDED.reason`,
		w.t.org.String(), int(is.Year), is.Locked, is.Base, is.LockedAt, is.RecalculationThresholdPercent, is.Reason); err != nil {
		return err
	}
	totals, err := w.sumYear(ctx, is.Year)
	if err != nil {
		return err
	}
	if is.Locked && !was.Locked {
		if err := w.keepTotals(ctx, is.Year, totals); err != nil {
			return err
		}
	}
	return w.exec(ctx, "INSERT", "reporting_year_events", `INSERT INTO reporting_year_events (org_id, year, id, decided_at, actor, locked, base, threshold_percent, reason, co2e_mg)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, w.t.org.String(), int(is.Year), w.t.store.newID(), w.t.store.Now(), actor, is.Locked, is.Base,
		is.RecalculationThresholdPercent, is.Reason, int64(totals.CO2e))
}

// sumYear sums the year's emissions as the transaction sees them.
func (w *Writer) sumYear(ctx context.Context, year int32) (totals *FootprintTotals, err error) {
	q, err := w.t.EmissionSum(yearFilter(year))
	if err != nil {
		return nil, err
	}
	err = w.query(ctx, "SELECT", "emissions", q.text, q.args, func(scan scanner) error {
		totals, err = q.rel.row(scan)
		return err
	})
	return totals, err
}

// keepTotals stores sums with the year, each under the name that it has among them.
func (w *Writer) keepTotals(ctx context.Context, year int32, totals *FootprintTotals) error {
	b := w.statement()
	b.is("year", "=", int(year))
	var set []string
	for _, c := range totalsOf["emissions"].cols {
		set = append(set, c.sql+" = "+b.bind(c.dest(totals)))
	}
	return w.exec(ctx, "UPDATE", "reporting_years", "UPDATE reporting_years SET "+strings.Join(set, ", ")+" WHERE "+b.all(), b.args...)
}
