package factors

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"carbongraph/internal/fault"
)

// Whatever the bytes, a reader gives a dataset whose factors each have a key of their own, or a fault that a user can act on.
func fuzzReader(f *testing.F, kind, name string, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	e, err := warmingEngine()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		files := []file{{name, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }}}
		all, err := readerOf(kind)(files)
		for _, im := range all {
			if err == nil {
				err = im.finish(e)
			}
		}
		if err != nil {
			if code := fault.CodeOf(err); code != fault.BadUserInput || !strings.HasSuffix(fault.Of(err).Message, ".") {
				t.Fatalf("fault is %s %q", code, fault.Of(err).Message)
			}
			return
		}
		seen := map[[3]string]bool{}
		for _, f := range all[0].Factors {
			key := [3]string{f.Code, f.Region, f.Unit}
			if seen[key] || f.Code == "" || f.Unit == "" {
				t.Fatalf("factor %q stands twice, or lacks its code or unit", key)
			}
			seen[key] = true
		}
		if len(all[0].Dataset.Digest) != 64 || int(all[0].Dataset.FactorCount) != len(all[0].Factors) {
			t.Fatalf("digest %q of %d factors", all[0].Dataset.Digest, all[0].Dataset.FactorCount)
		}
	})
}

func FuzzSupplyChain(f *testing.F) {
	fuzzReader(f, EPASupplyChain, "a.csv", "2017 NAICS Code,2017 NAICS Title,GHG,Unit,Supply Chain Emission Factors with Margins\n"+
		"111110,Soy,All GHGs,\"kg CO2e/2022 USD, purchaser price\",5.3e-1\n")
}

func FuzzDESNZ(f *testing.F) {
	fuzzReader(f, DESNZ, "a.csv", "ID,Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,GHG/Unit,GHG Conversion Factor 2025\n"+
		"11_1_1_5_1,Scope 3,WTT- fuels,Gas,Butane,,,kWh,kg CO2e,0.5\n11_1_1_5_2,Scope 3,WTT- fuels,Gas,Butane,,,kWh,kg CO2e of CO2 per unit,\n")
}

func FuzzOEFDB(f *testing.F) {
	fuzzReader(f, OEFDB, "a.csv", strings.Join(oefdbColumns, ",")+"\nsteel,Steel,kg,1.5,not-supplied,,,,,,10,3,cradle_to_gate,ADEME,2020,2020-2021,,FR\n")
}

func FuzzHub(f *testing.F) {
	fuzzReader(f, EPAHub, "category-4-category-6.csv",
		"Category,CO2 Factor (kg CO2 / mmBtu),CH4 Factor (g CH4 / mmBtu),N2O Factor (g N2O / mmBtu),Year\nSteam,1,2,3,2024\n",
		"Material,Recycled (Metric Tons CO2e / Short Ton Material),Year\nGlass,0.05,2024\n",
		"Vehicle Type,CO2 Factor (kg CO2 / unit),CH4 Factor (g CH4 / unit),N2O Factor (g N2O / unit),Units,Year\nPassenger Car A,1,2,3,vehicle-mile,2024\n",
		"Fuel Type,kg CO2 per unit,Unit,Year\nDiesel,1,gallon,2024\n")
}

func FuzzOwn(f *testing.F) {
	fuzzReader(f, OwnCSV, "a.csv", "source,version,gwpSet,code,name,region,unit,value,gas:CH4,co2e:SF6\nacme,1,AR5,A,a,GB,kg,1,2,3\n")
}

func FuzzReadMapping(f *testing.F) {
	f.Add("factors: {source: a}\nrules:\n  - {match: {accountCode: [a, b], country: gb}, factor: {code: x}, category: 3}\n  - {match: {description: a*}, exclude: tax}\n")
	f.Add("a: &a {b: *a}")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ReadMapping(strings.NewReader(text))
		if err != nil {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Fatalf("fault is %v", err)
			}
			return
		}
		for _, r := range m.rules {
			if (r.factor == nil) == (r.exclude == "") {
				t.Fatalf("rule in line %d has both or neither of factor and exclude", r.line)
			}
		}
	})
}
