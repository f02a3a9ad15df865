package calc

import (
	"strings"

	"carbongraph/internal/exact"
)

// heatContents are those of the EPA's Emission Factors Hub of 2024, table 1: mmBtu by higher heating value, per unit. The hub counts its factors
// per mmBtu in the same, without saying so in their unit, so each row serves energy by gross calorific value and energy that does not say.
var heatContents = []struct{ unit, rows string }{
	{"short ton", `
		anthracite 25.09, bituminous 24.93, sub-bituminous 17.25, lignite 14.21, mixed-commercial-sector 21.39, mixed-electric-power-sector 19.73,
		mixed-industrial-coking 26.28, mixed-industrial-sector 22.35, coal-coke 24.8, municipal-solid-waste 9.95, petroleum-coke-solid 30, plastics 38,
		tires 28, agricultural-byproducts 8.25, peat 8, solid-byproducts 10.39, wood-and-wood-residuals 17.48`},
	{"scf", `
		natural-gas 0.001026, blast-furnace-gas 0.000092, coke-oven-gas 0.000599, fuel-gas 0.001388, propane-gas 0.002516, landfill-gas 0.000485,
		other-biomass-gases 0.000655`},
	{"gallon", `
		asphalt-and-road-oil 0.158, aviation-gasoline 0.12, butane 0.103, butylene 0.105, crude-oil 0.138, distillate-fuel-oil-no-1 0.139,
		distillate-fuel-oil-no-2 0.138, distillate-fuel-oil-no-4 0.146, ethane 0.068, ethylene 0.058, heavy-gas-oils 0.148, isobutane 0.099,
		isobutylene 0.103, kerosene 0.135, kerosene-type-jet-fuel 0.135, liquefied-petroleum-gases-lpg 0.092, lubricants 0.144, motor-gasoline 0.125,
		naphtha-401-deg-f 0.125, natural-gasoline 0.11, other-oil-401-deg-f 0.139, pentanes-plus 0.11, petrochemical-feedstocks 0.125, propane 0.091,
		propylene 0.091, residual-fuel-oil-no-5 0.14, residual-fuel-oil-no-6 0.15, special-naphtha 0.125, unfinished-oils 0.139, used-oil 0.138,
		biodiesel-100 0.128, ethanol-100 0.084, rendered-animal-fat 0.125, vegetable-oil 0.12`},
}

// wellToTank are the UK's factors of 2025 for making a fuel, in kg CO2e per tonne, litre, cubic metre, kWh (Net CV) and kWh (Gross CV). What is
// emitted for a fuel is the same however it is measured: the factors of one fuel stand to one another as its units do.
var wellToTank = []struct{ fuel, tonne, litre, m3, net, gross string }{
	{"butane", "344.30947", "0.19765", "", "0.02736", "0.02524"},
	{"lpg", "349.29282", "0.18551", "", "0.02736", "0.02548"},
	{"natural-gas", "423.16368", "", "0.3366", "0.03347", "0.03021"},
	{"propane", "352.67018", "0.1817", "", "0.02736", "0.02519"},
	{"aviation-turbine-fuel", "661.79468", "0.52817", "", "0.05424", "0.05153"},
	{"burning-oil", "660.82605", "0.53078", "", "0.05424", "0.05153"},
	{"diesel-average-biofuel-blend", "733.64436", "0.61101", "", "0.06181", "0.05816"},
	{"diesel-100-mineral-diesel", "752.0276", "0.62409", "", "0.06291", "0.05913"},
	{"fuel-oil", "714.86545", "0.69539", "", "0.06291", "0.05913"},
	{"gas-oil", "743.83524", "0.62665", "", "0.06291", "0.05913"},
	{"petrol-average-biofuel-blend", "777.33392", "0.58094", "", "0.0648", "0.0614"},
	{"petrol-100-mineral-petrol", "815.93523", "0.60664", "", "0.06582", "0.06253"},
	{"coal-industrial", "418.14964", "", "", "0.05925", "0.05629"},
	{"coal-domestic", "470.95724", "", "", "0.05925", "0.05629"},
}

const (
	hubSource   = "EPA GHG Emission Factors Hub 2024, heat content (HHV)"
	desnzSource = "UK DESNZ conversion factors 2025, ratio of the fuel's well-to-tank factors, to 4 digits"
)

// builtinProperties gives the properties that every engine knows: "epa:natural-gas", "desnz:burning-oil" and the like.
func builtinProperties() []Property {
	var all []Property
	for _, h := range heatContents {
		for row := range strings.SplitSeq(h.rows, ",") {
			fuel, value, _ := strings.Cut(strings.TrimSpace(row), " ")
			for _, to := range []string{"mmBtu (Gross CV)", "mmBtu"} {
				all = append(all, Property{Name: "epa:" + fuel, From: h.unit, To: to, Value: exact.MustDecimal(value), Source: hubSource})
			}
		}
	}
	for _, f := range wellToTank {
		measures := []struct{ unit, factor string }{{"litre", f.litre}, {"m3", f.m3}, {"tonne", f.tonne}, {"kWh (Net CV)", f.net}, {"kWh (Gross CV)", f.gross}}
		for i, from := range measures {
			for _, to := range measures[i+1:] {
				if from.factor == "" || to.factor == "" {
					continue
				}
				value := exact.MustDecimal(from.factor).Quo(exact.MustDecimal(to.factor)).Significant(4)
				all = append(all, Property{Name: "desnz:" + f.fuel, From: from.unit, To: to.unit, Value: value, Source: desnzSource})
			}
		}
	}
	return all
}
