package factors

import (
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// unspecified is the one gas of the EPA's tables that is no gas but a mix: its amount is CO2e, as 1.3 says and the totals of 1.2 show.
const unspecified = "HFCs and PFCs, unspecified"

// gasName gives a gas the name that the table of warming potentials has for it: SF6, HFC134a.
func gasName(written string) string {
	switch written = strings.TrimSpace(written); written {
	case "Carbon dioxide":
		return "CO2"
	case "Methane":
		return "CH4"
	case "Nitrous oxide":
		return "N2O"
	case "Sulfur hexafluoride":
		return "SF6"
	case "Nitrogen trifluoride":
		return "NF3"
	case "Carbon tetrafluoride":
		return "CF4"
	case "Hexafluoroethane":
		return "C2F6"
	case "Perfluoropropane":
		return "C3F8"
	case "Perfluorobutane":
		return "C4F10"
	case "Perfluorocyclobutane":
		return "cC4F8"
	case "Perfluorohexane":
		return "C6F14"
	}
	if rest, ok := strings.CutPrefix(written, "HFC-"); ok {
		return "HFC" + rest
	}
	return written
}

func mass(gas string, kilograms exact.Decimal) store.FactorGas {
	return store.FactorGas{Gas: gas, Amount: kilograms, Basis: store.BasisMass}
}

func co2e(gas string, kilograms exact.Decimal) store.FactorGas {
	return store.FactorGas{Gas: gas, Amount: kilograms, Basis: store.BasisCO2e}
}

// namePartial says in the name of a factor that gives some gases and no CO2e which ones it gives: its value is theirs alone.
func namePartial(f *store.EmissionFactor) {
	if f.Value != nil || len(f.Gases) == 0 {
		return
	}
	var names []string
	have := map[string]bool{}
	for _, g := range f.Gases {
		names = append(names, g.Gas)
		have[g.Gas] = true
	}
	if !have["CO2"] && f.BiogenicCO2 == nil || !have["CH4"] || !have["N2O"] {
		f.Name += " (" + strings.Join(names, " and ") + " only)"
	}
}
