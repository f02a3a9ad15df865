package factors_test

import (
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

func TestTheOpenDBGivesEveryRowAsAFactor(t *testing.T) {
	im := dataset(t, factors.OEFDB, oefdbFile)
	if len(im.Factors) != 6181 || len(im.LeftOut) != 0 {
		t.Errorf("%d factors, left out %v; want 6,181 and nothing", len(im.Factors), im.LeftOut)
	}
	if im.Dataset.Version != "2022-05-12" || !strings.Contains(im.Dataset.Licence, "CC BY-SA 4.0") {
		t.Errorf("dataset is %s under %q", im.Dataset.Version, im.Dataset.Licence)
	}
}

// Each row is compared with the file: what is published is kept, what is empty or "not-supplied" is not there, gases have the basis of their source.
func TestOpenDBValuesAndGasesAreThoseOfTheFile(t *testing.T) {
	im := dataset(t, factors.OEFDB, oefdbFile)
	header, rows := records(t, shared(t, oefdbFile))
	given := func(row []string, column string) string {
		if s := strings.TrimSpace(row[header[column]]); s != "not-supplied" {
			return s
		}
		return ""
	}
	number := func(row []string, column string) string {
		s := given(row, column)
		if s == "" {
			return ""
		}
		return exact.MustDecimal(s).String() // 7.10E-06 is 0.00000710
	}
	ar5, ar4, neither, beis := 0, 0, 0, 0
	for i, row := range rows {
		f := im.Factors[i]
		five, four := number(row, "kgCO2e-AR5"), number(row, "kgCO2e-AR4")
		if five != "" {
			ar5++
		}
		if four != "" {
			ar4++
		}
		published := five
		if five == "" {
			published = four
		}
		switch {
		case published == "":
			neither++
		case text(f.Value) != published:
			t.Errorf("row %d: value %s; the file has %s", i+2, text(f.Value), published)
		case five != "" && text(f.ValueAR5) != five || four != "" && text(f.ValueAR4) != four:
			t.Errorf("row %d: by AR5 %s, by AR4 %s; the file has %q and %q", i+2, text(f.ValueAR5), text(f.ValueAR4), five, four)
		}
		outside := given(row, "scope") == "Outside of scopes"
		for _, gas := range []string{"CO2", "CH4", "N2O"} {
			at := slices.IndexFunc(f.Gases, func(g store.FactorGas) bool { return g.Gas == gas })
			amount := number(row, "kg"+gas)
			if outside {
				if gas == "CO2" && (text(f.BiogenicCO2) != amount || f.Value != nil) {
					t.Errorf("row %d: biogenic %s, value %s; want %s and none", i+2, text(f.BiogenicCO2), text(f.Value), amount)
				}
				continue
			}
			if (at >= 0) != (amount != "") || at >= 0 && f.Gases[at].Amount.String() != amount {
				t.Errorf("row %d: %s stands at %d; the file has %q", i+2, gas, at, amount)
				continue
			}
			if want := map[bool]store.GasBasis{true: store.BasisCO2e, false: store.BasisMass}[given(row, "source") == "BEIS"]; at >= 0 && f.Gases[at].Basis != want {
				t.Errorf("row %d: %s is by %s; want %s", i+2, gas, f.Gases[at].Basis, want)
			}
		}
		if given(row, "source") == "BEIS" && len(f.Gases) == 3 {
			beis++
		}
		if text(f.UncertaintyPercent) != number(row, "uncertainty") || f.Region != given(row, "region") {
			t.Errorf("row %d: uncertainty %s, region %s", i+2, text(f.UncertaintyPercent), f.Region)
		}
	}
	if ar5 != 1471 || ar4 != 5123 || neither != 884 {
		t.Errorf("the file has %d by AR5, %d by AR4, %d by neither; want 1,471, 5,123, 884", ar5, ar4, neither)
	}
	if beis == 0 {
		t.Error("no British row has three gases")
	}
}

// 215 groups of rows share what the source calls their key; with the unit and the year of release no two are the same.
func TestOpenDBCodesTellRowsApart(t *testing.T) {
	im := dataset(t, factors.OEFDB, oefdbFile)
	releases := map[string]bool{}
	for _, f := range im.Factors {
		if strings.HasPrefix(f.Code, "electricity-energy_source_grid_mix:ADEME:fuel_upstream-fuel_combustion-transport_and_delivery:") && f.Region == "FR" {
			releases[f.Code] = true
		}
	}
	if len(releases) != 13 {
		t.Errorf("the French grid mix has %d codes; want one for each of its 13 releases", len(releases))
	}
}

func TestOpenDBFactorsCarryTheSetOfTheirValue(t *testing.T) {
	im := dataset(t, factors.OEFDB, oefdbFile)
	epa := byCode(t, im, "agriculture_forestry_support-type_agriculture_forestry_support:EPA:cradle_to_shelf:2020", "USD")
	if got := factors.Calc(epa, im.Dataset); got.GwpSet != "AR4" || got.Value.String() != "0.444" || got.PriceYear != 0 || got.PriceBasis != "PURCHASER" {
		t.Errorf("a factor with AR4 alone goes as %+v", got)
	}
	uranium := byCode(t, im, "mined_materials-type_uranium_thorium_ores:EXIOBASE:unknown:2019-2021", "EUR")
	got := factors.Calc(uranium, im.Dataset)
	if got.GwpSet != "AR5" || got.PriceYear != 2019 || uranium.LifeCycleBoundary != nil {
		t.Errorf("a factor with both goes as %+v, boundary %v", got, uranium.LifeCycleBoundary)
	}
	if text(uranium.ValidFrom) != "2019-01-01" || text(uranium.ValidTo) != "2021-12-31" {
		t.Errorf("valid from %s to %s; want the years 2019-2021", text(uranium.ValidFrom), text(uranium.ValidTo))
	}
}

func TestMalformedOpenDBFilesNameTheLine(t *testing.T) {
	header := "activity_id,name,activity_unit,kgCO2e-AR5,kgCO2e-AR4,kgCO2,kgCH4,kgN2O,kgCO2e-OtherGHGs-AR5,kgCO2e-OtherGHGs-AR4,uncertainty,scope," +
		"lca_activity,source,year_released,years_valid,years_calculated_from,region\n"
	row := "steel,Steel,kg,1.5,not-supplied,,,,,,10,3,cradle_to_gate,ADEME,2020,2020-2021,,FR\n"
	for name, tc := range map[string]struct {
		rows string
		want []string
	}{
		"a row twice":         {row + row, []string{"steel:ADEME:cradle_to_gate:2020-2021", "twice"}},
		"a text for a number": {strings.Replace(row, "1.5", "much", 1), []string{"line 2", "kgCO2e-AR5", `"much"`}},
		"years that run back": {strings.Replace(row, "2020-2021", "2021-2020", 1), []string{"line 2", "years_valid"}},
		"a year that is none": {strings.Replace(row, "ADEME,2020", "ADEME,MMXX", 1), []string{"line 2", "year_released"}},
		"a row without a key": {strings.Replace(row, "steel,", ",", 1), []string{"line 2", "activity_id", "missing"}},
		"no unit":             {strings.Replace(row, ",kg,", ",,", 1), []string{"line 2", "activity_unit"}},
		"no source":           {strings.Replace(row, "ADEME", "", 1), []string{"line 2", "source"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := factors.ReadDataset(factors.OEFDB, written(t, map[string]string{"db.csv": header + tc.rows}))
			wantFault(t, err, fault.BadUserInput, tc.want...)
		})
	}
	t.Run("gases of other kinds are CO2e by the set of the value", func(t *testing.T) {
		im, err := factors.ReadDataset(factors.OEFDB, written(t, map[string]string{"db_2023-01-02.csv": header +
			"cooling,Cooling,kg,not-supplied,2,,,,1,0.75,,1,unknown,GHG Protocol,2020,2020,,US\n"}))
		if err != nil {
			t.Fatal(err)
		}
		want := store.FactorGas{Gas: "other", Basis: store.BasisCO2e}
		if g := im.Factors[0].Gases; len(g) != 1 || g[0].Gas != want.Gas || g[0].Basis != want.Basis || g[0].Amount.String() != "0.75" || im.Dataset.Version != "2023-01-02" {
			t.Errorf("gases are %v of version %s; want 0.75 kg CO2e by AR4", g, im.Dataset.Version)
		}
	})
}
