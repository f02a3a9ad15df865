package factors_test

import (
	"os"
	"strings"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

func hub(t testing.TB) *factors.Import { return dataset(t, factors.EPAHub, "epa-ghg-hub-2024") }

// Nothing of the 704 rows is lost: each becomes a factor or more, or is counted with the reason.
func TestTheHubsRowsAreAllAccountedFor(t *testing.T) {
	im := hub(t)
	counts := map[string]int{}
	for _, f := range im.Factors {
		table, _, _ := strings.Cut(f.Code, ":")
		counts[table]++
	}
	want := map[string]int{
		"stationary-combustion": 2*63 - 5, "mobile-combustion-co2": 10, "on-road": 208 + 212, "non-road": 40, "electricity": 2 * 28, "steam-and-heat": 1,
		"freight": 7, "waste": 61*6 - 183, "travel": 12,
	}
	for table, n := range want {
		if counts[table] != n {
			t.Errorf("%s has %d factors; want %d", table, counts[table], n)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("tables are %v", counts)
	}
	for why, n := range map[string]int{
		"fuel without a factor per short ton":                                         5,
		"treatment that does not apply to a material":                                 183,
		"warming potential of a gas, which is no factor of an activity":               32,
		"warming potential of a refrigerant blend, which is no factor of an activity": 30,
	} {
		if im.LeftOut[why] != n {
			t.Errorf("left out %d × %q; want %d", im.LeftOut[why], why, n)
		}
	}
	if r := im.Reasons(); len(r) != 4 || r[0] != "5 × fuel without a factor per short ton" || im.Dataset.Version != "2024" {
		t.Errorf("reasons are %q, version %s", im.Reasons(), im.Dataset.Version)
	}
}

func TestTheHubsUnitsBecomeKilograms(t *testing.T) {
	im := hub(t)
	for _, tc := range []struct{ code, region, unit, name, gases, biogenic, value string }{
		// 1052.114 lb of CO2, 0.088 of CH4 and 0.012 of N2O per MWh, at 0.45359237 kg a pound.
		{"electricity:total-output", "US-AKGD", "MWh", "Electricity / ASCC Alaska Grid / total output", "CO2 477.23088277018 CH4 0.03991612856 N2O 0.00544310844", "", ""},
		{"electricity:non-baseload", "US", "MWh", "Electricity / US Average / non-baseload", "CO2 637.44333659314 CH4 0.04853438359 N2O 0.00680388555", "", ""},
		// The unit of CH4 per mmBtu is blank in the file.
		{"stationary-combustion:natural-gas-natural-gas", "US", "mmBtu", "Combustion / Natural Gas / Natural Gas", "CO2 53.06 CH4 0.001 N2O 0.0001", "", "53.1145"},
		{"stationary-combustion:natural-gas-natural-gas", "US", "scf", "Combustion / Natural Gas / Natural Gas", "CO2 0.05444 CH4 0.00000103 N2O 0.0000001", "", ""},
		{"stationary-combustion:biomass-fuels-liquid-ethanol-100", "US", "gallon", "Combustion / Biomass Fuels - Liquid / Ethanol (100%)", "CH4 0.00009 N2O 0.00001", "5.75", "0.00517"},
		{"mobile-combustion-co2:ethanol-100", "US", "gallon", "Mobile combustion / Ethanol (100%)", "", "5.75", ""},
		{"mobile-combustion-co2:diesel-fuel", "US", "gallon", "Mobile combustion / Diesel Fuel (CO2 only)", "CO2 10.21", "", "10.21"},
		{"on-road:gasoline-passenger-cars-1973", "US", "vehicle-mile", "On-road vehicle / Gasoline Passenger Cars / 1973 (CH4 and N2O only)", "CH4 0.0001696 N2O 0.0000197", "", ""},
		{"steam-and-heat:steam-and-heat", "US", "mmBtu", "Steam and Heat", "CO2 66.33 CH4 0.00125 N2O 0.000125", "", ""},
		{"waste:ldpe-combusted", "US", "short ton", "Waste / LDPE / Combusted", "", "", "2800"},
		{"waste:beef-anaerobically-digested-dry-digestate-with-curing", "US", "short ton", "Waste / Beef / Anaerobically Digested (Dry Digestate with Curing)", "", "", "140"},
		{"waste:beef-anaerobically-digested-wet-digestate-with-curing", "US", "short ton", "Waste / Beef / Anaerobically Digested (Wet Digestate with Curing)", "", "", "110"},
		// Footnote letters are gone, also the one that sticks to its word.
		{"freight:passenger-car", "US", "vehicle-mile", "Freight / Passenger Car", "CO2 0.17515256410803692 CH4 0.000005141464699844529 N2O 0.000003440577635619231", "", ""},
		{"freight:medium-and-heavy-duty-truck", "US", "ton-mile", "Freight / Medium- and Heavy-Duty Truck", "CO2 0.16804260183413908 CH4 0.000001471682563530259 N2O 0.000004664956050435538", "", ""},
		{"travel:bus", "US", "passenger-mile", "Travel / Bus", "CO2 0.07070758752734074 CH4 0 N2O 0.0000021260644223811396", "", ""},
	} {
		f := find(im, tc.code, tc.region, tc.unit)
		if f == nil {
			t.Errorf("there is no %s of %s per %s", tc.code, tc.region, tc.unit)
			continue
		}
		var gases []string
		for _, g := range f.Gases {
			if g.Basis != store.BasisMass {
				t.Errorf("%s: %s is by %s; want MASS", tc.code, g.Gas, g.Basis)
			}
			gases = append(gases, g.Gas, g.Amount.Canonical())
		}
		biogenic := ""
		if f.BiogenicCO2 != nil {
			biogenic = f.BiogenicCO2.Canonical()
		}
		if f.Name != tc.name || strings.Join(gases, " ") != tc.gases || biogenic != tc.biogenic {
			t.Errorf("%s per %s is %q, gases %q, biogenic %q; want %q, %q, %q", tc.code, tc.unit, f.Name, strings.Join(gases, " "), biogenic, tc.name, tc.gases, tc.biogenic)
		}
		if tc.value != "" && (f.Value == nil || f.Value.Canonical() != tc.value) {
			t.Errorf("%s per %s has the value %v; want %s by AR5", tc.code, tc.unit, f.Value, tc.value)
		}
	}
}

func find(im *factors.Import, code, region, unit string) *store.EmissionFactor {
	for _, f := range im.Factors {
		if f.Code == code && f.Region == region && f.Unit == unit {
			return f
		}
	}
	return nil
}

func TestMalformedHubTablesNameTheLine(t *testing.T) {
	const steam = "Category,CO2 Factor (kg CO2 / mmBtu),CH4 Factor (g CH4 / mmBtu),N2O Factor (g N2O / mmBtu),Year\n"
	const fuel = "Fuel Category,Fuel Type,CO2 Factor Energy,CO2 Factor Energy Unit,CH4 Factor Energy,CH4 Factor Energy Unit,N2O Factor Energy,N2O Factor Energy Unit," +
		"CO2 Factor,CO2 Factor Unit,CH4 Factor,CH4 Factor Unit,N2O Factor,N2O Factor Unit,Year\n"
	const gas = "Industrial Designation or Common Name,Chemical Formula,100-Year GWP,Year\n"
	for name, tc := range map[string]struct {
		file, text string
		want       []string
	}{
		"a text for a number":         {"steam.csv", steam + "Steam,hot,1,1,2024\n", []string{"steam.csv, line 2", `"hot"`}},
		"a number below zero":         {"steam.csv", steam + "Steam,-1,1,1,2024\n", []string{"line 2", "negative"}},
		"rows of two years":           {"steam.csv", steam + "Steam,1,1,1,2024\nHeat,1,1,1,2025\n", []string{"line 3", "2025", "2024"}},
		"a unit of another kind":      {"fuel.csv", fuel + "Coal,Coke,1,kg CO2 per mmBtu,1,,1,g N2O per therm,,,,,,,2024\n", []string{"line 2", "g N2O per therm"}},
		"units that differ":           {"fuel.csv", fuel + "Coal,Coke,1,kg CO2 per mmBtu,1,,1,g N2O per gallon,,,,,,,2024\n", []string{"line 2", "gallon"}},
		"potentials of another set":   {"gwp.csv", gas + "Methane,CH4,25,2024\n", []string{"line 2", "25", "28 of AR5"}},
		"a table that nobody knows":   {"other.csv", "a,b,Year\n1,2,2024\n", []string{"other.csv", "none of the hub's tables"}},
		"potentials and nothing else": {"gwp.csv", gas + "Methane,CH4,28,2024\n", []string{"no factors"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := factors.ReadDataset(factors.EPAHub, written(t, map[string]string{tc.file: tc.text}))
			wantFault(t, err, fault.BadUserInput, tc.want...)
		})
	}
	t.Run("two tables share a header, so that the name decides", func(t *testing.T) {
		path := shared(t, "epa-ghg-hub-2024/scope-3-category-6-business-travel-and-category-7-employee-commuting.csv")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = factors.ReadDataset(factors.EPAHub, written(t, map[string]string{"table.csv": string(text)}))
		wantFault(t, err, fault.BadUserInput, "another name")
	})
}
