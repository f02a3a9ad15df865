package store

import "carbongraph/internal/exact"

// This file derives what rows show from what they store. Nothing here reads the database.

// ratioPlaces is how many digits after the point a ratio keeps.
const ratioPlaces = 12

// Category gives the category of the line.
func (a *Activity) Category() *Category { return CategoryByNumber(a.CategoryNumber) }

// Category gives the category of the line when it was calculated.
func (e *Emission) Category() *Category { return CategoryByNumber(e.CategoryNumber) }

// Mass gives the CO2e in a unit.
func (e *Emission) Mass(unit exact.MassUnit) exact.Scaled { return e.CO2e.In(unit) }

// BiogenicMass gives the biogenic CO2 in a unit.
func (e *Emission) BiogenicMass(unit exact.MassUnit) exact.Scaled { return e.BiogenicCO2.In(unit) }

// SourceNode gives the id of the factor that the operand came from; nil where it came from none.
func (s ProvenanceStep) SourceNode() *GlobalID {
	if s.SourceID == nil && s.SourceRow != nil {
		id := Global(KindEmissionFactor, *s.SourceRow)
		return &id
	}
	return s.SourceID
}

// Mass gives the CO2e in a unit.
func (t *FootprintTotals) Mass(unit exact.MassUnit) exact.Scaled { return t.CO2e.In(unit) }

// BiogenicMass gives the biogenic CO2 in a unit.
func (t *FootprintTotals) BiogenicMass(unit exact.MassUnit) exact.Scaled {
	return t.BiogenicCO2.In(unit)
}

// Intensity gives kilograms of CO2e per unit of money, over the emissions with money; nil where no money was spent on balance.
func (t *FootprintTotals) Intensity() *exact.Decimal {
	if !t.HasSpend || t.Spend == 0 {
		return nil
	}
	x := t.SpendCO2e.Decimal().Quo(t.Spend.Decimal()).Round(ratioPlaces)
	return &x
}

// scorePlaces is how many digits after the point the score of several emissions keeps.
const scorePlaces = 4

// DataQualityScore is the mean of the emissions' scores, each weighted by its CO2e without the sign, in whole grams; nil where that comes to nothing.
func (t *FootprintTotals) DataQualityScore() *exact.Decimal {
	if t.Weight == 0 {
		return nil
	}
	x := exact.NewDecimal(t.Quality, 0).Quo(exact.NewDecimal(t.Weight, 0).Mul(exact.NewDecimal(5, 0))).Round(scorePlaces)
	return &x
}

// Uncertainty is the sum of the emissions' 95 % intervals, in kilograms, as if all errors lay on the same side: lines share factors, and what they share
// does not even out, so it is the cautious bound. An emission that states none counts by its CO2e; nil where none states any.
func (t *FootprintTotals) Uncertainty() *Interval {
	if !t.HasInterval {
		return nil
	}
	return &Interval{t.Low.Decimal(), t.High.Decimal()}
}

// Category gives the category that the group is of; nil where categories are not grouped by.
func (r *FootprintRow) Category() *Category {
	if r.CategoryNumber == nil {
		return nil
	}
	return CategoryByNumber(*r.CategoryNumber)
}

// Share gives the group's part of the whole filter's CO2e; 0 where the whole is 0.
func (r *FootprintRow) Share() exact.Decimal {
	if r.WholeCO2e == 0 {
		return exact.Decimal{}
	}
	return r.Totals.CO2e.Decimal().Quo(r.WholeCO2e.Decimal()).Round(ratioPlaces)
}

// ChangeSinceLock gives by how many percent the year's CO2e has changed, up or down, since it was locked last: nil where it never was, and where nothing was
// locked that the change could be a part of.
func (y *ReportingYear) ChangeSinceLock(now *FootprintTotals) *exact.Decimal {
	if y.LockedTotals == nil {
		return nil
	}
	change, whole := y.change(now)
	if whole.Sign() == 0 && change.Sign() != 0 {
		return nil
	}
	if change.Sign() == 0 {
		return new(exact.Decimal)
	}
	return new(change.Mul(hundred).Quo(whole).Round(ratioPlaces))
}

// RecalculationDue tells of a base year whether its CO2e has changed by more than the threshold since it was locked last. Nothing is rounded on the way.
func (y *ReportingYear) RecalculationDue(now *FootprintTotals) bool {
	if !y.Base || y.LockedTotals == nil {
		return false
	}
	change, whole := y.change(now)
	if change.Sign() < 0 {
		change = change.Neg()
	}
	return change.Mul(hundred).Cmp(whole.Mul(y.RecalculationThresholdPercent)) > 0
}

// change gives by how much the year's CO2e differs from what was locked, and the size of that: credits may make it negative.
func (y *ReportingYear) change(now *FootprintTotals) (change, whole exact.Decimal) {
	locked := y.LockedTotals.CO2e.Decimal()
	change, whole = now.CO2e.Decimal().Sub(locked), locked
	if whole.Sign() < 0 {
		whole = whole.Neg()
	}
	return change, whole
}

var hundred = exact.NewDecimal(100, 0)

// ValueBy gives kilograms of CO2e per unit by a GWP set, nil meaning the dataset's own: nil where the gases are not known by mass. The factor must be
// one that was read.
func (f *EmissionFactor) ValueBy(gwpSet *GwpSet) *exact.Decimal {
	if gwpSet == nil || *gwpSet == f.DatasetGwpSet {
		return f.Value
	}
	switch *gwpSet {
	case AR4:
		return f.ValueAR4
	case AR5:
		return f.ValueAR5
	case AR6:
		return f.ValueAR6
	}
	return nil
}
