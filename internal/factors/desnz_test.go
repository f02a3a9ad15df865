package factors_test

import (
	"strings"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

func TestTheUKFileGivesOneFactorForEachGroupOfRows(t *testing.T) {
	im := dataset(t, factors.DESNZ, desnzFile)
	header, rows := records(t, shared(t, desnzFile))
	groups, blanks, gasBlanks := map[string]bool{}, 0, 0
	for _, row := range rows {
		id := row[header["ID"]]
		groups[id[:strings.LastIndex(id, "_")]] = true
		if row[header["GHG Conversion Factor 2025"]] != "" {
			continue
		}
		blanks++
		if !strings.HasSuffix(id, "_1") && row[header["Scope"]] == "Scope 3" {
			gasBlanks++
		}
	}
	if len(rows) != 5289 || blanks != 1143 {
		t.Fatalf("the file has %d rows and %d blanks; want 5,289 and 1,143", len(rows), blanks)
	}
	unvalued := 0
	for _, f := range im.Factors {
		if f.Value == nil && f.BiogenicCO2 == nil {
			unvalued++
		}
	}
	if len(im.Factors) != len(groups) || im.LeftOut["gas without a published amount"] != gasBlanks || unvalued != blanks-gasBlanks {
		t.Errorf("%d factors, %d without a value, left out %v; want %d, %d, %d gases", len(im.Factors), unvalued, im.LeftOut, len(groups), blanks-gasBlanks, gasBlanks)
	}
	if im.Dataset.Version != "2025" || im.Dataset.GwpSet != store.AR5 || !strings.Contains(im.Dataset.Attribution, "Open Government Licence v3.0") {
		t.Errorf("dataset is %+v", im.Dataset)
	}
}

func TestUKFactors(t *testing.T) {
	im := dataset(t, factors.DESNZ, desnzFile)
	for code, want := range map[string]struct{ name, region, unit, value, biogenic string }{
		"13_402_4000_5":  {"Transmission and distribution / T&D- UK electricity / Electricity: UK / kWh", "GB", "kWh", "0.01853", ""},
		"12_902_1048_15": {"WTT- bioenergy / WTT- biogas / Landfill gas", "GB", "tonnes", "0", ""},
		"19_505_5133_15": {"Material use / Plastic / Plastics: HDPE (incl. forming) / Re-used", "GB", "tonnes", "", ""},
		"27_320_3226_14": {"Freighting goods / Cargo ship / General cargo / 5000–9999 dwt 100+ TEU", "GB", "tonne.km", "0.01772", ""},
		"29_600_4033_13": {"Hotel stay / Netherlands", "NL", "Room per night", "14.8", ""},
		"99_105_1048_15": {"Outside of scopes / Biogas / Landfill gas", "GB", "tonnes", "", "679.98674"},
	} {
		f := byCode(t, im, code, "")
		if f.Name != want.name || f.Region != want.region || f.Unit != want.unit || text(f.Value) != want.value || text(f.BiogenicCO2) != want.biogenic {
			t.Errorf("%s is %q, %s, per %s, value %q, biogenic %q; want %+v", code, f.Name, f.Region, f.Unit, text(f.Value), text(f.BiogenicCO2), want)
		}
	}
}

func text[T interface{ String() string }](v *T) string {
	if v == nil {
		return ""
	}
	return (*v).String()
}

func TestUKDashesAreRepaired(t *testing.T) {
	dashes := 0
	for _, f := range dataset(t, factors.DESNZ, desnzFile).Factors {
		if strings.Contains(f.Name, "\uFFFD") {
			t.Errorf("%s has a sign that was lost: %q", f.Code, f.Name)
		}
		if strings.Contains(f.Name, "–") {
			dashes++
		}
	}
	if dashes == 0 {
		t.Error("no name has an en dash; want those of the ships' sizes")
	}
}

func TestRowsOutsideOfScopesAreBiogenicAndNoCO2e(t *testing.T) {
	count := 0
	for _, f := range dataset(t, factors.DESNZ, desnzFile).Factors {
		if !strings.HasPrefix(f.Name, "Outside of scopes") {
			if f.BiogenicCO2 != nil {
				t.Errorf("%s is within the scopes and has biogenic CO2", f.Code)
			}
			continue
		}
		count++
		if f.Value != nil || f.ValueAR5 != nil || len(f.Gases) != 0 || f.CategoryNumber != nil {
			t.Errorf("%s has a value, a gas or a category; want biogenic CO2 alone", f.Code)
		}
	}
	if count != 58 {
		t.Errorf("%d factors are outside of scopes; want 58", count)
	}
}

func TestUKFactorsImplyTheirCategoryWhereTheFirstLevelSaysSo(t *testing.T) {
	want := map[string]int32{
		"Material use": 1, "Water supply": 1, "WTT- fuels": 3, "WTT- bioenergy": 3, "WTT- UK electricity": 3, "WTT- heat and steam": 3,
		"WTT- pass vehs & travel- land": 3, "WTT- delivery vehs & freight": 3, "Transmission and distribution": 3, "UK electricity T&D for EVs": 3,
		"Freighting goods": 4, "Waste disposal": 5, "Water treatment": 5, "Business travel- air": 6, "Business travel- land": 6, "Business travel- sea": 6,
		"WTT- business travel- air": 6, "WTT- business travel- sea": 6, "Hotel stay": 6, "Homeworking": 7,
		"Managed assets- electricity": 0, "Managed assets- vehicles": 0, "Outside of scopes": 0,
	}
	for _, f := range dataset(t, factors.DESNZ, desnzFile).Factors {
		level1, _, _ := strings.Cut(f.Name, " / ")
		number, known := want[level1]
		if !known {
			t.Fatalf("%s has a first level that no category was thought of for: %q", f.Code, level1)
		}
		if number == 0 && f.CategoryNumber != nil || number != 0 && (f.CategoryNumber == nil || *f.CategoryNumber != number) {
			t.Errorf("%s (%s) implies category %v; want %d", f.Code, level1, f.CategoryNumber, number)
		}
	}
}

const (
	flatHeader = "ID,Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,GHG/Unit,GHG Conversion Factor 2025\n"
	flatTotal  = "11_1_1_5_1,Scope 3,WTT- fuels,Gas,Butane,,,kWh,kg CO2e,0.5\n"
	flatCO2    = "11_1_1_5_2,Scope 3,WTT- fuels,Gas,Butane,,,kWh,kg CO2e of CO2 per unit,0.4\n"
)

func TestMalformedUKFilesNameTheLine(t *testing.T) {
	for name, tc := range map[string]struct {
		rows string
		want []string
	}{
		"an id twice":                {flatTotal + flatTotal, []string{"line 3", "stands twice"}},
		"an id without its part":     {strings.Replace(flatTotal, "_5_1", "_5_9", 1), []string{"line 2", "_1, _2, _3 or _4"}},
		"a gas under another's id":   {strings.Replace(flatCO2, "of CO2", "of CH4", 1), []string{"line 2", "kg CO2e of CH4 per unit", "kg CO2e of CO2 per unit"}},
		"a group of two units":       {flatTotal + strings.Replace(flatCO2, "kWh", "GJ", 1), []string{"line 3", "differ in unit"}},
		"a text for a number":        {strings.Replace(flatTotal, "0.5", "half", 1), []string{"line 2", `"half" is not a number`}},
		"a number below zero":        {strings.Replace(flatTotal, "0.5", "-0.5", 1), []string{"line 2", "negative"}},
		"a hotel in no country":      {"29_1_1_1_1,Scope 3,Hotel stay,Hotel stay,Atlantis,,,Room per night,kg CO2e,1\n", []string{"line 2", `"Atlantis"`}},
		"a unit that is missing":     {strings.Replace(flatTotal, "kWh", "", 1), []string{"line 2", "UOM", "missing"}},
		"nothing below the header":   {"", []string{"no factors"}},
		"a quotation mark left open": {`11_1_1_5_1,"Scope 3` + "\n" + flatTotal, []string{"line 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := factors.ReadDataset(factors.DESNZ, written(t, map[string]string{"flat.csv": flatHeader + tc.rows}))
			wantFault(t, err, fault.BadUserInput, tc.want...)
		})
	}
	t.Run("the file of another year", func(t *testing.T) {
		_, err := factors.ReadDataset(factors.DESNZ, written(t, map[string]string{"flat.csv": strings.Replace(flatHeader, "2025", "2023", 1) + flatTotal}))
		wantFault(t, err, fault.BadUserInput, "GHG Conversion Factor 2025")
	})
}
