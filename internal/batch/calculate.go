package batch

import (
	"context"

	"carbongraph/internal/calc"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// excluded is the code of a line that is no purchase.
const excluded = "EXCLUDED"

// calculate finds for each line its factor and category and, where that is asked for, what it emits. What stands in the way of an emission becomes
// the line's problem, what is wrong with its input its failure; only what is our own fault is an error.
func (r *run) calculate(ctx context.Context, lines []*line) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	decisions := make([]factors.Decision, len(lines))
	var ids []store.ID
	for i, l := range lines {
		if l.failure != nil {
			continue
		}
		var err error
		if decisions[i], err = r.decide(ctx, l); err != nil {
			if err = l.refuse(err); err != nil {
				return err
			}
			continue
		}
		if id := decisions[i].FactorID; id != nil {
			ids = append(ids, *id)
		}
	}
	found, err := r.catalog.Factors(ctx, ids)
	if err != nil {
		return err
	}
	for i, l := range lines {
		if l.failure != nil {
			continue
		}
		var f *factors.Entry
		if id := decisions[i].FactorID; id != nil {
			f = found[*id]
		}
		if err := l.refuse(r.settle(l, &decisions[i], f)); err != nil {
			return err
		}
	}
	return nil
}

// decide tells which factor a line is calculated with: the one that the client named, else the one that a rule maps it to.
func (r *run) decide(ctx context.Context, l *line) (factors.Decision, error) {
	a := &l.activity
	switch {
	case l.factorID != nil:
		l.activity.FactorID = l.factorID
		return factors.Decision{FactorID: l.factorID, Match: calc.Named}, nil
	case l.code != "":
		id, err := r.codes.find(ctx, l.source, l.code, deref(a.Country))
		if err != nil {
			return factors.Decision{}, err
		}
		l.activity.FactorID = &id
		return factors.Decision{FactorID: &id, Match: calc.Named}, nil
	}
	for _, rules := range r.rules {
		if d := rules.Resolve(deref(a.AccountCode), a.Description, deref(a.Country)); d.MappingID != nil {
			return d, nil
		}
	}
	return factors.Decision{}, nil
}

// settle gives a line its category, and an emission or the reason for none.
func (r *run) settle(l *line, d *factors.Decision, f *factors.Entry) error {
	if l.factorID != nil && f == nil {
		return unknownFactor("factorId")
	}
	l.activity.CategoryNumber, l.activity.GivenCategory = categoryOf(l, d, f), l.category
	l.excluded = d.Exclude
	switch {
	case !r.flags.Calculate:
		return nil
	case d.Exclude:
		l.activity.Problem = &store.Problem{Code: excluded, Message: reasonOf(d)}
		return nil
	case f == nil:
		return noFactor(&l.activity)
	}
	return r.emit(l, d, f)
}

// categoryOf is the category that was given, else the rule's, else the one that the factor implies, else purchased goods and services.
func categoryOf(l *line, d *factors.Decision, f *factors.Entry) int32 {
	switch {
	case l.category != nil:
		return *l.category
	case d.CategoryNumber != nil:
		return *d.CategoryNumber
	case f != nil && f.CategoryNumber != nil:
		return *f.CategoryNumber
	}
	return 1
}

func reasonOf(d *factors.Decision) string {
	if d.Reason == "" {
		return "Excluded by a rule."
	}
	return d.Reason
}

func noFactor(a *store.Activity) *fault.Fault {
	if a.AccountCode != nil {
		return fault.New(fault.NoFactor, "No rule maps account code %.60q, %.80q, to a factor.", *a.AccountCode, a.Description)
	}
	return fault.New(fault.NoFactor, "No rule maps %.80q to a factor.", a.Description)
}

// refuse sorts an error: a problem of the calculation stays with the line, wrong input fails it, anything else is returned.
func (l *line) refuse(err error) error {
	if err == nil {
		return nil
	}
	switch f := fault.Of(err); f.Code {
	case fault.UnknownUnit, fault.UnitMismatch, fault.NoFactor, fault.NoExchangeRate:
		l.activity.Problem, l.emission = problemOf(f), nil
	case fault.BadUserInput, fault.NotFound:
		l.fail(f)
	default:
		return err
	}
	return nil
}

// emit calculates the line's emission.
func (r *run) emit(l *line, d *factors.Decision, f *factors.Entry) error {
	a := &l.activity
	in := lineOf(a, d.Match)
	result, err := r.calculator.Calculate(&in, f.Calc)
	if err != nil {
		return err
	}
	e := &store.Emission{
		CategoryNumber: a.CategoryNumber, FactorID: f.ID, DatasetID: f.DatasetID, RunID: r.record.ID,
		OccurredOn: a.OccurredOn, Country: a.Country, AccountCode: a.AccountCode,
		CO2e: result.CO2e, BiogenicCO2: result.Biogenic, Method: store.CalculationMethod(result.Method), GwpSet: store.GwpSet(result.GwpSet),
		Quality: qualityOf(result.Quality), FormulaID: store.ID(result.ID), Formula: result.Text, Amount: result.Amount,
	}
	if result.HasInterval {
		e.Low, e.High = new(result.Low), new(result.High)
	}
	l.emission = e
	return r.spend(a, e)
}

// lineOf gives a line as calculations want it.
func lineOf(a *store.Activity, match calc.Match) calc.Line {
	in := calc.Line{OccurredOn: a.OccurredOn, Country: deref(a.Country), Property: deref(a.ConversionProperty), Match: match}
	if a.UncertaintyPercent != nil {
		in.Uncertainty = *a.UncertaintyPercent
	}
	if a.Quantity != nil {
		in.Quantity = calc.Amount{Value: a.Quantity.Value, Unit: a.Quantity.Unit}
	}
	if a.Money != nil {
		in.Money = calc.Amount{Value: a.Money.Amount, Unit: a.Money.Currency}
	}
	return in
}

func qualityOf(q calc.Quality) store.DataQuality {
	return store.DataQuality{Technology: int32(q.Technology), Time: int32(q.Time), Geography: int32(q.Geography), Completeness: int32(q.Completeness), Reliability: int32(q.Reliability)}
}

// spend brings the line's money into the organization's currency, at the rate of its month. Without a rate the line has no emission:
// totals of spend that lack a line, unseen, would be worse.
func (r *run) spend(a *store.Activity, e *store.Emission) error {
	if a.Money == nil {
		return nil
	}
	spend, err := r.calculator.Convert(calc.Amount{Value: a.Money.Amount, Unit: a.Money.Currency}, a.OccurredOn, r.org.Currency)
	switch fault.CodeOf(err) {
	case "":
		e.Spend = &spend
		return nil
	case fault.BadUserInput:
		return fault.Of(err).At("money", "amount")
	}
	return fault.Of(err).At("money", "currency")
}
