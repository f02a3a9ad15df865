package factors

import (
	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Settings gives an organization's choices as calculations want them.
func Settings(o *store.Organization) calc.Settings {
	return calc.Settings{GwpSet: string(o.GwpSet), DeflateFirst: o.MoneyOrder == store.DeflateThenConvert, StrictValidity: o.StrictValidity}
}

// Calc gives a factor as calculations want it.
func Calc(f *store.EmissionFactor, d *store.FactorDataset) *calc.Factor {
	out := &calc.Factor{Source: d.Source, Version: d.Version, Code: f.Code, Name: f.Name, Region: f.Region, Unit: f.Unit,
		Value: f.Value, Biogenic: f.BiogenicCO2, GwpSet: string(ownSet(f, d)), Verified: verified(f, d), UncertaintyPercent: f.UncertaintyPercent}
	if f.PriceYear != nil {
		out.PriceYear = int(*f.PriceYear)
	}
	if f.PriceBasis != nil {
		out.PriceBasis = string(*f.PriceBasis)
	}
	if f.SupplierShare != nil {
		out.SupplierShare = *f.SupplierShare
	}
	if f.ConversionProperty != nil {
		out.Property = *f.ConversionProperty
	}
	if f.LifeCycleBoundary != nil {
		out.Boundary = *f.LifeCycleBoundary
	}
	if f.Year != nil {
		out.Year = int(*f.Year)
	}
	if f.ValidFrom != nil {
		out.ValidFrom = *f.ValidFrom
	}
	if f.ValidTo != nil {
		out.ValidTo = *f.ValidTo
	}
	for _, g := range f.Gases {
		out.Gases = append(out.Gases, calc.Gas{Gas: g.Gas, Amount: g.Amount, CO2eBasis: g.Basis == store.BasisCO2e})
	}
	return out
}

// verified is what the factor states, else that a public body published it.
func verified(f *store.EmissionFactor, d *store.FactorDataset) bool {
	if f.Verified != nil {
		return *f.Verified
	}
	return published(d.Source)
}

// published tells of the datasets of public bodies, which stand by their figures.
func published(source string) bool {
	return source == EPASupplyChain || source == EPAWithoutMargins || source == DESNZ || source == EPAHub
}

// ownSet is the GWP set of a factor's value: the dataset's, unless the value is that of another set. The OEFDB has AR4 alone for many.
func ownSet(f *store.EmissionFactor, d *store.FactorDataset) store.GwpSet {
	if f.Value == nil || isValue(f, d.GwpSet) {
		return d.GwpSet
	}
	for _, set := range sets() {
		if isValue(f, set) {
			return set
		}
	}
	return d.GwpSet
}

func isValue(f *store.EmissionFactor, set store.GwpSet) bool {
	v := *valueBy(f, set)
	return v != nil && v.Cmp(*f.Value) == 0
}

func sets() []store.GwpSet { return []store.GwpSet{store.AR4, store.AR5, store.AR6} }

// valueBy gives the place of the value by a set.
func valueBy(f *store.EmissionFactor, set store.GwpSet) **exact.Decimal {
	switch set {
	case store.AR4:
		return &f.ValueAR4
	case store.AR5:
		return &f.ValueAR5
	}
	return &f.ValueAR6
}

// fillValues values the gases by the sets that the source gives no value by. A factor of gases alone gets its own value so as well.
func fillValues(e *calc.Engine, d *store.FactorDataset, f *store.EmissionFactor) {
	c := Calc(f, d)
	for _, set := range sets() {
		place := valueBy(f, set)
		if *place != nil {
			continue
		}
		if v, ok := e.Value(c, string(set)); ok {
			*place = &v
		}
	}
	if f.Value == nil {
		f.Value = *valueBy(f, d.GwpSet)
	}
}
