package calc

import (
	"fmt"
	"strings"
	"unicode"

	"carbongraph/internal/exact"
)

type gwp struct {
	value  exact.Decimal
	source string
}

// gwpOf indexes potentials by set and gas. CO2 is 1 in every set: it is what the others are measured in, and no row of the tables.
func gwpOf(rows []GWP) (map[string]map[string]*gwp, error) {
	sets := map[string]map[string]*gwp{}
	for _, r := range rows {
		if r.Value.Sign() < 0 {
			return nil, fmt.Errorf("GWP of %s in %s is negative: %s", r.Gas, r.Set, r.Value)
		}
		if sets[r.Set] == nil {
			sets[r.Set] = map[string]*gwp{"co2": {one, "CO2 is the measure"}}
		}
		source := r.Source
		if source == "" {
			source = "GWP-100 of " + r.Set
		}
		key := gasKey(r.Gas)
		if before := sets[r.Set][key]; before != nil && before.value.Cmp(r.Value) != 0 {
			return nil, fmt.Errorf("GWP of %s in %s is given as %s and as %s", r.Gas, r.Set, before.value, r.Value)
		}
		sets[r.Set][key] = &gwp{r.Value, source}
	}
	return sets, nil
}

func (e *Engine) potential(set, gas string) (*gwp, bool) {
	of := e.gwp[set]
	if of == nil {
		return nil, false
	}
	key, known := gasNames[gas] // the spellings of our data sets need no folding
	if !known {
		key = gasKey(gas)
	}
	g, ok := of[key]
	if !ok && strings.Contains(key, "ch4") {
		if g, ok = of["ch4"]; ok { // tables that do not tell fossil methane from other have one value for both
			g = &gwp{g.value, g.source + ", one value for fossil and other methane"}
		}
	}
	return g, ok
}

// gasNames leads the names of gases to their formulas, as the tables of potentials write them, folded.
var gasNames = map[string]string{
	"CO2": "co2", "Carbon dioxide": "co2", "CH4": "ch4", "Methane": "ch4", "N2O": "n2o", "Nitrous oxide": "n2o",
	"Sulfur hexafluoride": "sf6", "Nitrogen trifluoride": "nf3", "Carbon tetrafluoride": "cf4", "Hexafluoroethane": "c2f6",
	"Perfluoropropane": "c3f8", "Perfluorobutane": "c4f10", "Perfluorocyclobutane": "cc4f8", "Perfluorohexane": "c6f14",
	"HFC-23": "hfc23", "HFC-32": "hfc32", "HFC-125": "hfc125", "HFC-134a": "hfc134a", "HFC-143a": "hfc143a", "HFC-236fa": "hfc236fa",

	"carbondioxide": "co2", "methane": "ch4", "fossilmethane": "ch4fossil", "methanefossil": "ch4fossil",
	"nonfossilmethane": "ch4nonfossil", "methanenonfossil": "ch4nonfossil", "biogenicmethane": "ch4nonfossil", "ch4biogenic": "ch4nonfossil",
	"nitrousoxide": "n2o", "sulfurhexafluoride": "sf6", "sulphurhexafluoride": "sf6", "nitrogentrifluoride": "nf3",
	"carbontetrafluoride": "cf4", "tetrafluoromethane": "cf4", "perfluoromethane": "cf4", "pfc14": "cf4",
	"hexafluoroethane": "c2f6", "perfluoroethane": "c2f6", "pfc116": "c2f6",
	"perfluoropropane": "c3f8", "octafluoropropane": "c3f8", "pfc218": "c3f8",
	"perfluorocyclobutane": "cc4f8", "octafluorocyclobutane": "cc4f8", "pfc318": "cc4f8", "pfcc318": "cc4f8",
	"perfluorobutane": "c4f10", "pfc3110": "c4f10", "perfluoropentane": "c5f12", "pfc4112": "c5f12",
	"perfluorohexane": "c6f14", "pfc5114": "c6f14", "pfc6116": "c7f16", "pfc7118": "c8f18", "pfc9118": "c10f18",
	"carbontetrachloride": "ccl4", "methylbromide": "ch3br", "methylchloroform": "ch3ccl3", "sulfurylfluoride": "so2f2",
}

// gasKey folds a name to letters and digits and gives the formula it stands for: HFC-134a and HFC134a are one gas.
func gasKey(name string) string {
	key := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	if formula, ok := gasNames[key]; ok {
		return formula
	}
	return key
}

// Value gives a factor's kilograms of CO2e per unit by a set of potentials; an empty set means the factor's own.
// By its own set that is the published value. By another it is the sum of gases × GWP, where that can be trusted:
// every gas is known by mass and has a potential (CO2e counts for the factor's own set alone), and by the factor's own set the same sum gives the published value within 5 %.
// A factor that lists a part of its gases, or CO2e as if it were mass, fails that last test and has no other value.
func (e *Engine) Value(f *Factor, set string) (exact.Decimal, bool) {
	if set == "" {
		set = f.GwpSet
	}
	if f.Value != nil && set == f.GwpSet {
		return *f.Value, true
	}
	return e.fromGases(f, set)
}

func (e *Engine) fromGases(f *Factor, set string) (exact.Decimal, bool) {
	sum, ok := e.sumOfGases(f, set)
	if !ok || f.Value == nil {
		return sum, ok
	}
	published, ok := e.sumOfGases(f, f.GwpSet)
	if !ok {
		return exact.Decimal{}, false
	}
	off, bound := published.Sub(*f.Value), f.Value.Mul(fivePercent)
	if off.Sign() < 0 {
		off = off.Neg()
	}
	if bound.Sign() < 0 {
		bound = bound.Neg()
	}
	return sum, off.Cmp(bound) <= 0
}

var fivePercent = exact.NewDecimal(5, -2)

// sumOfGases is false where a gas has no potential in the set, or is known as CO2e by another set alone.
func (e *Engine) sumOfGases(f *Factor, set string) (sum exact.Decimal, ok bool) {
	for i := range f.Gases {
		g := &f.Gases[i]
		if g.Amount.Sign() == 0 {
			continue
		}
		p, known := e.weight(g, f.GwpSet, set)
		if !known {
			return exact.Decimal{}, false
		}
		sum, ok = sum.Add(g.Amount.Mul(p.value)), true
	}
	return sum, ok
}

var already = &gwp{one, "CO2e already"}

// weight is what a gas's amount is multiplied by: its potential, or 1 for CO2e by the factor's own set.
func (e *Engine) weight(g *Gas, own, set string) (*gwp, bool) {
	if g.CO2eBasis {
		return already, set == own
	}
	return e.potential(set, g.Gas)
}
