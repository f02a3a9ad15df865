package factors_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

const (
	ownHeader = "source,version,gwpSet,code,name,region,unit,value,gas:CH4,co2e:SF6,biogenicCo2,priceYear,priceBasis,boundary,year,validFrom,validTo,uncertaintyPercent,category,title,licence,attribution,supplierShare,verified,conversionProperty\n"
	ownRow    = "acme-labs,2026,AR5,STEEL-1,\"Steel, hot rolled\",GB,tonne,1890,2,3.5,12,,,cradle to gate,2025,2025-01-01,2026-12-31,15,1,Acme factors,internal,Acme,0.4,true,epa:propane\n"
)

func own(t *testing.T, text string) (*factors.Import, error) {
	t.Helper()
	return factors.ReadDataset(factors.OwnCSV, filepath.Join(written(t, map[string]string{"own.csv": text}), "own.csv"))
}

func TestAnOrganizationsOwnFileSaysEverything(t *testing.T) {
	im, err := own(t, ownHeader+ownRow+"acme-labs,2026,AR5,HOSTING,Hosting,DE,EUR,0.21,,,,2024,PURCHASER,,,,,,,Acme factors,internal,Acme,,,\n"+
		"acme-labs,2026,AR5,DRAFT,Draft,DE,kg,1,,,,,,,,,,,,Acme factors,internal,Acme,0,false,\n")
	if err != nil {
		t.Fatal(err)
	}
	d, steel, hosting, draft := im.Dataset, im.Factors[0], im.Factors[1], im.Factors[2]
	if d.Source != "acme-labs" || d.Version != "2026" || d.GwpSet != store.AR5 || d.Name != "Acme factors" || d.Licence != "internal" || d.Attribution != "Acme" || d.FactorCount != 3 {
		t.Errorf("dataset is %+v", d)
	}
	if steel.Name != "Steel, hot rolled" || steel.Value.String() != "1890" || text(steel.BiogenicCO2) != "12" || *steel.LifeCycleBoundary != "cradle to gate" || *steel.Year != 2025 ||
		text(steel.ValidFrom) != "2025-01-01" || text(steel.ValidTo) != "2026-12-31" || text(steel.UncertaintyPercent) != "15" || *steel.CategoryNumber != 1 {
		t.Errorf("factor is %+v", steel)
	}
	if len(steel.Gases) != 2 || steel.Gases[0].Basis != store.BasisMass || steel.Gases[1].Basis != store.BasisCO2e || steel.Gases[1].Gas != "SF6" {
		t.Errorf("gases are %v", steel.Gases)
	}
	if text(steel.SupplierShare) != "0.4" || !*steel.Verified || *steel.ConversionProperty != "epa:propane" {
		t.Errorf("factor states %+v", steel)
	}
	if hosting.SupplierShare != nil || hosting.Verified != nil || hosting.ConversionProperty != nil {
		t.Errorf("a factor that states nothing states %+v", hosting)
	}
	if text(draft.SupplierShare) != "0" || *draft.Verified || draft.ConversionProperty != nil {
		t.Errorf("a draft states %+v", draft)
	}
	if *hosting.PriceYear != 2024 || *hosting.PriceBasis != store.PricePurchaser || hosting.Unit != "EUR" || hosting.CategoryNumber != nil {
		t.Errorf("money factor is %+v", hosting)
	}
}

func TestAFactorNamesItsSupplier(t *testing.T) {
	im, err := own(t, "source,version,gwpSet,code,name,region,unit,value,supplierShare,supplier\nacme,1,AR5,A,a,GB,kg,1,1,Quill & Co\nacme,1,AR5,B,b,GB,kg,1,,\n")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := im.Factors[0].SupplierName, im.Factors[1].SupplierName; a == nil || *a != "Quill & Co" || b != nil {
		t.Errorf("suppliers are %v and %v; want Quill & Co and none", a, b)
	}
}

func TestGasesWithoutAValueAreValued(t *testing.T) {
	im, err := own(t, "source,version,gwpSet,code,name,region,unit,value,gas:CO2,gas:Methane\nacme,1,AR6,A,a,GB,kg,,1,0.1\n")
	if err != nil {
		t.Fatal(err)
	}
	f := im.Factors[0]
	if text(f.ValueAR4) != "3.5" || text(f.ValueAR5) != "3.8" || text(f.ValueAR6) != "3.79" || text(f.Value) != "3.79" {
		t.Errorf("1 kg CO2 and 0.1 kg CH4 are %s, %s, %s, own %s; want 3.5, 3.8, 3.79 and the last", text(f.ValueAR4), text(f.ValueAR5), text(f.ValueAR6), text(f.Value))
	}
}

func TestMalformedOwnFilesNameTheLine(t *testing.T) {
	replace := func(was, is string) string { return ownHeader + strings.Replace(ownRow, was, is, 1) }
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"a column that nobody knows":     {strings.Replace(ownHeader, "boundary", "boundry", 1) + ownRow, []string{`"boundry" is unknown`, "boundary"}},
		"a column twice":                 {strings.Replace(ownHeader, "licence", "title", 1) + ownRow, []string{`"title"`, "twice"}},
		"a column that is missing":       {strings.Replace(ownHeader, "region", "area", 1) + ownRow, []string{`no column "region"`}},
		"a public source":                {replace("acme-labs", "desnz"), []string{"line 2", "public dataset"}},
		"a source with blanks":           {replace("acme-labs", "Acme Labs"), []string{"line 2", "small letters"}},
		"a set that does not exist":      {replace("AR5", "AR7"), []string{"line 2", `"AR7"`}},
		"no version":                     {replace("2026,AR5", ",AR5"), []string{"line 2", "version"}},
		"a unit that nobody knows":       {replace("tonne", "firkin"), []string{"line 2", `"firkin"`}},
		"a code that is missing":         {replace("STEEL-1", ""), []string{"line 2", "code"}},
		"a value that is text":           {replace("1890", "lots"), []string{"line 2", `"lots"`}},
		"a gas below zero":               {replace("1890,2", "1890,-2"), []string{"line 2", "negative"}},
		"biogenic CO2 that is text":      {replace("3.5,12", "3.5,x"), []string{"line 2", "biogenicCo2"}},
		"a category of 16":               {replace("15,1,Acme", "15,16,Acme"), []string{"line 2", "1 to 15"}},
		"a year of the Romans":           {replace("gate,2025", "gate,25"), []string{"line 2", "year"}},
		"a price year that is text":      {replace("12,,", "12,soon,"), []string{"line 2", "priceYear"}},
		"an uncertainty that is text":    {replace("31,15", "31,±15"), []string{"line 2", "uncertaintyPercent"}},
		"a date in another order":        {replace("2025-01-01", "01/01/2025"), []string{"line 2", "YYYY-MM-DD"}},
		"a price basis that is none":     {replace("12,,,", "12,2024,RETAIL,"), []string{"line 2", "RETAIL"}},
		"a share that is text":           {replace("0.4,true", "some,true"), []string{"line 2", "supplierShare", `"some"`}},
		"a share of more than all":       {replace("0.4,true", "1.01,true"), []string{"line 2", "supplierShare", "between 0 and 1"}},
		"a share below zero":             {replace("0.4,true", "-0.1,true"), []string{"line 2", "supplierShare", "between 0 and 1"}},
		"verified with a yes":            {replace("0.4,true", "0.4,yes"), []string{"line 2", "verified", "true nor false"}},
		"a property that nobody knows":   {replace("epa:propane", "propain"), []string{"line 2", "conversionProperty", `write "desnz:propane" or "epa:propane"`}},
		"a property of money":            {strings.Replace(replace("tonne", "EUR"), "0.4", "1", 1), []string{"line 2", "conversionProperty", "no currency"}},
		"neither a value nor a gas":      {"source,version,gwpSet,code,name,region,unit,value\nacme,1,AR5,A,a,GB,kg,\n", []string{"line 2", "value"}},
		"two datasets in a file":         {ownHeader + ownRow + strings.Replace(ownRow, "2026", "2027", 1), []string{"line 3", "one dataset"}},
		"the same factor twice":          {ownHeader + ownRow + ownRow, []string{"STEEL-1", "twice"}},
		"nothing but a header":           {ownHeader, []string{"header and nothing below"}},
		"nothing at all":                 {"", []string{"empty"}},
		"a name that is no text in UTF8": {ownHeader + strings.Replace(ownRow, "Steel", "St\xe9el", 1), []string{"line 2", "UTF-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := own(t, tc.text)
			wantFault(t, err, fault.BadUserInput, tc.want...)
		})
	}
}

func TestWhatCannotBeOpenedIsSaid(t *testing.T) {
	file := filepath.Join(written(t, map[string]string{"a.csv": ownHeader + ownRow, "b.csv": ownHeader + ownRow}), "a.csv")
	locked := written(t, map[string]string{"a.csv": ownHeader + ownRow})
	for name, tc := range map[string]struct {
		kind  string
		paths []string
		want  string
	}{
		"a kind that does not exist": {"ecoinvent", []string{file}, "known are epa-supply-chain, epa-supply-chain-without-margins, desnz, oefdb, epa-ghg-hub, csv"},
		"a file that is not there":   {factors.OwnCSV, []string{filepath.Join(locked, "none.csv")}, "There is no file"},
		"no file":                    {factors.OwnCSV, nil, "No file was given"},
		"two files where one is due": {factors.OwnCSV, []string{filepath.Dir(file)}, "one file, but 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := factors.ReadDataset(tc.kind, tc.paths...)
			wantFault(t, err, fault.BadUserInput, tc.want)
		})
	}
	t.Run("a file that may not be read", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("root may read every file")
		}
		if err := os.Chmod(filepath.Join(locked, "a.csv"), 0); err != nil {
			t.Fatal(err)
		}
		_, err := factors.ReadDataset(factors.OwnCSV, locked)
		wantFault(t, err, fault.BadUserInput, "cannot be opened")
	})
}
