package factors_test

import (
	"strings"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

func TestSupplyChainFactorsSayWhatTheyArePer(t *testing.T) {
	for version, want := range map[string]struct {
		value       string
		prices      int32
		year        int32
		gases       int
		attribution string
	}{
		"1.2": {"1.326", 2021, 2019, 16, "10.23719/1528686"},
		"1.3": {"0.532", 2022, 2022, 18, "10.23719/1531143"},
	} {
		im := supplyChain(t, version)
		f := byCode(t, im, "111110", "USD")
		if f.Value.String() != want.value || *f.PriceYear != want.prices || *f.Year != want.year || len(f.Gases) != want.gases {
			t.Errorf("%s: value %s, prices of %d, year %d, %d gases; want %+v", version, f.Value, *f.PriceYear, *f.Year, len(f.Gases), want)
		}
		if f.Name != "Soybean Farming" || f.Region != "US" || *f.PriceBasis != store.PricePurchaser || f.LifeCycleBoundary == nil {
			t.Errorf("%s: name %q, region %s, basis %v, boundary %v", version, f.Name, f.Region, f.PriceBasis, f.LifeCycleBoundary)
		}
		if im.Dataset.Version != version || im.Dataset.Source != factors.EPASupplyChain || !strings.Contains(im.Dataset.Attribution, want.attribution) {
			t.Errorf("dataset is %s %s, attribution %q", im.Dataset.Source, im.Dataset.Version, im.Dataset.Attribution)
		}
		if len(im.LeftOut) != 0 {
			t.Errorf("%s left out %v", version, im.LeftOut)
		}
	}
}

// The value is the published one with margins, which is not always the sum of its rounded parts, or the published one without them.
func TestSupplyChainValuesAreThePublishedOnes(t *testing.T) {
	for kind, column := range map[string]string{factors.EPASupplyChain: "Supply Chain Emission Factors with Margins", factors.EPAWithoutMargins: "Supply Chain Emission Factors without Margins"} {
		for version, year := range map[string]string{"1.2": "usd2021", "1.3": "usd2022"} {
			im := dataset(t, kind, "epa-supply-chain/v"+version+"_naics6_co2e_"+year+".csv", "epa-supply-chain/v"+version+"_naics6_bygas_"+year+".csv.gz")
			header, rows := records(t, shared(t, "epa-supply-chain/v"+version+"_naics6_co2e_"+year+".csv"))
			if len(rows) != len(im.Factors) || im.Dataset.Source != kind {
				t.Fatalf("%s %s: %d rows, %d factors of %s", kind, version, len(rows), len(im.Factors), im.Dataset.Source)
			}
			for i, row := range rows {
				if want := row[header[column]]; im.Factors[i].Value.Canonical() != want || im.Factors[i].Code != row[0] {
					t.Errorf("%s %s: factor %d is %s with %s; the file has %s with %s", kind, version, i, im.Factors[i].Code, im.Factors[i].Value, row[0], want)
				}
			}
			for _, f := range im.Factors {
				if without := strings.Contains(*f.LifeCycleBoundary, "without the margins"); without != (kind == factors.EPAWithoutMargins) {
					t.Fatalf("%s: the boundary is %q", kind, *f.LifeCycleBoundary)
				}
			}
		}
	}
}

func TestSupplyChainHasNoElectricity(t *testing.T) {
	for _, f := range supplyChain(t, "1.3").Factors {
		if strings.HasPrefix(f.Code, "2211") {
			t.Errorf("there is a factor %s %s", f.Code, f.Name)
		}
	}
}

func TestAFolderWithBothVersionsGivesBothAndIsNotOne(t *testing.T) {
	folder := shared(t, "epa-supply-chain")
	all, err := factors.ReadDatasets(factors.EPASupplyChain, folder)
	if err != nil || len(all) != 2 || all[0].Dataset.Version != "1.2" || all[1].Dataset.Version != "1.3" {
		t.Fatalf("the folder gave %d datasets, %v; want 1.2 and 1.3", len(all), err)
	}
	_, err = factors.ReadDataset(factors.EPASupplyChain, folder)
	wantFault(t, err, fault.BadUserInput, "2 versions")
}

const (
	totals = `"2017 NAICS Code","2017 NAICS Title","GHG","Unit","Supply Chain Emission Factors with Margins"` + "\n"
	total1 = `111110,"Soybean Farming","All GHGs","kg CO2e/2022 USD, purchaser price",0.532` + "\n"
	gas1   = `111110,"Soybean Farming","Methane","kg/2022 USD, purchaser price","4.82e-04"` + "\n"
)

func TestMalformedSupplyChainFilesNameTheLine(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"a value that is text":      {map[string]string{"a.csv": totals + strings.Replace(total1, "0.532", "n/a", 1)}, []string{"a.csv, line 2", `"n/a" is not a number`, "Nothing was imported"}},
		"a value that is missing":   {map[string]string{"a.csv": totals + strings.Replace(total1, "0.532", "", 1)}, []string{"line 2", "missing"}},
		"a code twice":              {map[string]string{"a.csv": totals + total1 + total1}, []string{"line 3", "111110 stands twice"}},
		"a unit of another kind":    {map[string]string{"a.csv": totals + strings.Replace(total1, "kg CO2e/2022 USD", "kg CO2e/2022 EUR", 1)}, []string{"line 2", "EUR"}},
		"an unknown release":        {map[string]string{"a.csv": totals + strings.Replace(total1, "2022 USD", "2018 USD", 1)}, []string{"line 2", "2018", `"csv"`}},
		"two years in one file":     {map[string]string{"a.csv": totals + total1 + strings.Replace(total1, "2022 USD", "2021 USD", 1)}, []string{"line 3", "each has a file"}},
		"gases among totals":        {map[string]string{"a.csv": totals + total1 + gas1}, []string{"line 3", "each has a file"}},
		"gases without totals":      {map[string]string{"a.csv": totals + gas1}, []string{"only the gases", "CO2e"}},
		"a gas twice":               {map[string]string{"a.csv": totals + total1, "b.csv": totals + gas1 + gas1}, []string{"CH4", "111110", "twice"}},
		"the totals twice":          {map[string]string{"a.csv": totals + total1, "b.csv": totals + total1}, []string{"b.csv, line 2", "given twice"}},
		"another file":              {map[string]string{"a.csv": "a,b\n1,2\n"}, []string{"no column", "a,b"}},
		"a header alone":            {map[string]string{"a.csv": totals}, []string{"nothing below"}},
		"a line that is cut":        {map[string]string{"a.csv": totals + "111110,Soy\n"}, []string{"a.csv, line 2", "2 fields"}},
		"a folder without a table":  {map[string]string{"a.txt": totals}, []string{"no .csv"}},
		"a workbook called a table": {map[string]string{"a.csv": "PK\x03\x04rest"}, []string{"workbook"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := factors.ReadDataset(factors.EPASupplyChain, written(t, tc.files))
			wantFault(t, err, fault.BadUserInput, tc.want...)
		})
	}
}

func TestAGasOfACodeWithoutATotalIsCounted(t *testing.T) {
	dir := written(t, map[string]string{"a.csv": totals + total1, "b.csv": totals + gas1 + strings.Replace(gas1, "111110", "999999", 1)})
	im, err := factors.ReadDataset(factors.EPASupplyChain, dir)
	if err != nil || im.LeftOut["gas of a code that has no CO2e"] != 1 || len(im.Factors[0].Gases) != 1 {
		t.Errorf("left out %v, %v; want the one gas counted", im.LeftOut, err)
	}
}

// wantFault checks a fault's code and that its message has all the texts.
func wantFault(t testing.TB, err error, code fault.Code, texts ...string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("error is %v; want %s", err, code)
	}
	for _, text := range texts {
		if !strings.Contains(fault.Of(err).Message, text) {
			t.Errorf("message is %q; want %q in it", fault.Of(err).Message, text)
		}
	}
}
