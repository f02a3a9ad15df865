package factors_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func builtin(t testing.TB) []*factors.Import {
	t.Helper()
	var last byte
	all, err := factors.Builtin(func() store.ID { last++; return store.ID{0: last, 15: 1} }, exact.Instant{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBuiltInDatasetsCarryTheirLicenceAndAreWhatTheManifestSays(t *testing.T) {
	text, err := os.ReadFile("builtin/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct {
		Source, Version, Digest string
		Factors                 int
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	all := builtin(t)
	if len(all) != 3 || len(manifest) != len(all) {
		t.Fatalf("%d datasets, %d in the manifest; want 3", len(all), len(manifest))
	}
	for i, im := range all {
		d, m := im.Dataset, manifest[i]
		if d.Source != m.Source || d.Version != m.Version || d.Digest != m.Digest || int(d.FactorCount) != m.Factors || len(im.Factors) != m.Factors {
			t.Errorf("dataset is %s %s %s with %d; the manifest says %+v: run builtin/pack.go", d.Source, d.Version, d.Digest, len(im.Factors), m)
		}
		if d.Licence == "" || d.Attribution == "" || d.Name == "" || d.ID.IsZero() || im.Factors[0].ID.IsZero() || im.Factors[0].DatasetID != d.ID {
			t.Errorf("%s %s lacks a name, a licence, an attribution or an id: %+v", d.Source, d.Version, d)
		}
	}
}

func TestBuiltInUnitsAreKnown(t *testing.T) {
	for _, im := range builtin(t) {
		for _, f := range im.Factors {
			if _, err := calc.ParseUnit(f.Unit); err != nil && !calc.IsCurrency(f.Unit) {
				t.Errorf("%s %s is per %q: %v", im.Dataset.Source, f.Code, f.Unit, err)
			}
		}
	}
}

func TestUnitsOfOtherDatasetsAreKnown(t *testing.T) {
	for _, im := range []*factors.Import{hub(t), dataset(t, factors.OEFDB, oefdbFile)} {
		for _, f := range im.Factors {
			if _, err := calc.ParseUnit(f.Unit); err != nil && !calc.IsCurrency(f.Unit) {
				t.Errorf("%s %s is per %q: %v", im.Dataset.Source, f.Code, f.Unit, err)
			}
		}
	}
}

func TestBuiltInFilesEqualTheirOriginals(t *testing.T) {
	for name, original := range map[string]string{
		"v1.2_naics6_co2e_usd2021.csv.gz":                   "epa-supply-chain/v1.2_naics6_co2e_usd2021.csv",
		"v1.2_naics6_bygas_usd2021.csv.gz":                  "epa-supply-chain/v1.2_naics6_bygas_usd2021.csv.gz",
		"v1.3_naics6_co2e_usd2022.csv.gz":                   "epa-supply-chain/v1.3_naics6_co2e_usd2022.csv",
		"v1.3_naics6_bygas_usd2022.csv.gz":                  "epa-supply-chain/v1.3_naics6_bygas_usd2022.csv.gz",
		"uk_ghg_conversion_factors_2025_scope3_flat.csv.gz": desnzFile,
	} {
		if !bytes.Equal(unpacked(t, filepath.Join("builtin", name)), unpacked(t, shared(t, original))) {
			t.Errorf("%s differs from %s: run builtin/pack.go", name, original)
		}
	}
}

func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return text
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBuiltInPotentialsEqualTheOriginal(t *testing.T) {
	header, rows := records(t, shared(t, "gwp/globalwarmingpotentials.csv"))
	_, got := records(t, "builtin/gwp.csv.gz")
	want := [][]string{{"CO2", "1", "1", "1"}}
	for _, row := range rows {
		want = append(want, []string{row[0], row[header["AR4GWP100"]], row[header["AR5GWP100"]], row[header["AR6GWP100"]]})
	}
	if len(rows) != 105 {
		t.Errorf("the original has %d gases; want 105", len(rows))
	}
	compareRows(t, got, want)
}

// The values are those of the IPCC's tables, and of the GHG Protocol's list of 2024.
func TestBuiltInPotentialsOfMethane(t *testing.T) {
	e, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	for gas, want := range map[string][3]string{
		"CH4":                  {"25", "28", "27.9"},
		"CH4 (fossil)":         {"25", "30", "29.8"},
		"Fossil methane":       {"25", "30", "29.8"},
		"CH4 (non-fossil)":     {"25", "28", "27"},
		"Methane (non-fossil)": {"25", "28", "27"},
		"Biogenic methane":     {"25", "28", "27"},
	} {
		for i, set := range []string{"AR4", "AR5", "AR6"} {
			f := &calc.Factor{Unit: "kg", Gases: []calc.Gas{{Gas: gas, Amount: exact.NewDecimal(1, 0)}}}
			if v, ok := e.Value(f, set); !ok || v.Canonical() != want[i] {
				t.Errorf("%s by %s: %s, %t; want %s", gas, set, v, ok, want[i])
			}
		}
	}
}

func TestBuiltInRatesEqualTheOriginal(t *testing.T) {
	_, rows := records(t, shared(t, "fx-inflation/fx_monthly_units_per_usd.csv"))
	_, got := records(t, "builtin/exchange-rates.csv.gz")
	currencies := map[string]map[string]bool{}
	have := map[[2]string]string{}
	for _, row := range got {
		have[[2]string{row[1], row[2]}] += " " + row[0]
	}
	since := 0
	for _, row := range rows {
		if row[0] < "2000" {
			continue
		}
		since++
		found := have[[2]string{row[0][:7], row[2]}]
		if found == "" {
			t.Fatalf("the rate of %s in %s is missing", row[1], row[0])
		}
		if currencies[row[1]] == nil {
			currencies[row[1]] = map[string]bool{}
		}
		for _, c := range strings.Fields(found) {
			currencies[row[1]][c] = true
		}
	}
	if since != len(got) || len(rows) != 17237 {
		t.Errorf("%d rates since 2000 of %d rows, %d built in; want all of 17,237 since 2000", since, len(rows), len(got))
	}
	for country, code := range map[string]string{"United Kingdom": "GBP", "Euro": "EUR", "Japan": "JPY", "Switzerland": "CHF"} {
		if !currencies[country][code] {
			t.Errorf("%s has %v; want %s among them", country, currencies[country], code)
		}
	}
}

func TestBuiltInInflationEqualsTheOriginal(t *testing.T) {
	header, rows := records(t, shared(t, "fx-inflation/inflation_cpi_annual_pct.csv"))
	_, got := records(t, "builtin/inflation.csv.gz")
	have := map[[2]string]string{}
	for _, row := range got {
		have[[2]string{row[0], row[1]}] = row[2]
	}
	codes := map[string]string{"GBR": "GB", "USA": "US", "DEU": "DE", "EMU": "XC", "XKX": "XK", "CHE": "CH"}
	checked := 0
	for _, row := range rows {
		code, year := codes[row[header["iso3"]]], row[header["year"]]
		if code == "" || year < "2000" {
			continue
		}
		checked++
		if have[[2]string{code, year}] != row[header["pct"]] {
			t.Errorf("%s in %s is %q; the original has %s", code, year, have[[2]string{code, year}], row[header["pct"]])
		}
	}
	if checked < 140 {
		t.Errorf("only %d values were compared", checked)
	}
	for key := range have {
		if key[0] == "ZJ" || key[0] == "1W" || len(key[0]) != 2 {
			t.Errorf("%s is a group of countries", key[0])
		}
	}
}

func compareRows(t *testing.T, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows; want %d", len(got), len(want))
	}
	for i := range want {
		if strings.Join(got[i], ",") != strings.Join(want[i], ",") {
			t.Errorf("row %d is %q; want %q", i, got[i], want[i])
		}
	}
}

// £1,000 of 2024 by a factor per dollar of 2022 needs all three series at once.
func TestTheEngineConvertsDeflatesAndWarms(t *testing.T) {
	engine, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	im := builtin(t)[1]
	f := factors.Calc(byCode(t, im, "334111", "USD"), im.Dataset)
	line := calc.Line{Money: calc.Amount{Value: 1_000_000_000, Unit: "GBP"}, OccurredOn: exact.NewDate(2024, 6, 15)}
	first, err := engine.Calculator(calc.Settings{GwpSet: "AR5", DeflateFirst: true}).Calculate(&line, f)
	if err != nil {
		t.Fatal(err)
	}
	second, err := engine.Calculator(calc.Settings{GwpSet: "AR5"}).Calculate(&line, f)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := float64(second.CO2e) / float64(first.CO2e); ratio < 1.05 || ratio > 1.08 {
		t.Errorf("the orders differ by %.4f; want about 6.6 %%", ratio)
	}
}

func TestInstallStoresWhatIsMissingOnce(t *testing.T) {
	storetest.Each(t, "install", func(t *testing.T, st *store.Store) {
		for run, want := range []int{3, 0} {
			if n, err := factors.Install(t.Context(), st); err != nil || n != want {
				t.Fatalf("run %d installed %d, %v; want %d", run+1, n, err, want)
			}
		}
		datasets, err := st.Datasets(t.Context())
		if err != nil || len(datasets) != 3 {
			t.Fatalf("%d datasets, %v; want 3", len(datasets), err)
		}
		for _, d := range datasets {
			if (d.Version == "1.3") != (d.SupersedesID != nil) {
				t.Errorf("%s %s supersedes %v; only 1.3 has one before it", d.Source, d.Version, d.SupersedesID)
			}
		}
	})
}

// Without margins the EPA's factors are a dataset of their own, of which a line takes the same steps to less.
func TestInstallWithoutMargins(t *testing.T) {
	storetest.Each(t, "without margins", func(t *testing.T, st *store.Store) {
		for run, want := range []int{2, 0} {
			if n, err := factors.InstallWithoutMargins(t.Context(), st); err != nil || n != want {
				t.Fatalf("run %d installed %d, %v; want %d", run+1, n, err, want)
			}
		}
		if n, err := factors.Install(t.Context(), st); err != nil || n != 3 {
			t.Fatalf("the usual ones beside: %d, %v", n, err)
		}
		engine, err := factors.Engine()
		if err != nil {
			t.Fatal(err)
		}
		datasets, err := st.Datasets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, d := range datasets {
			if d.Version != "1.3" {
				continue
			}
			rows, err := st.DatasetFactors(t.Context(), d.ID)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(rows, func(f *store.EmissionFactor) bool { return f.Code == "111110" })
			line := calc.Line{Money: calc.Amount{Value: 1_000_000_000, Unit: "USD"}, OccurredOn: exact.NewDate(2022, 6, 15)}
			r, err := engine.Calculator(calc.Settings{GwpSet: "AR5"}).Calculate(&line, factors.Calc(rows[i], d))
			if err != nil {
				t.Fatal(err)
			}
			got[d.Source] = r.CO2e.Decimal().Canonical()
		}
		if got[factors.EPASupplyChain] != "532" || got[factors.EPAWithoutMargins] != "488" {
			t.Errorf("1,000 USD of soybeans: %v kg; want 532 with margins and 488 without", got)
		}
	})
}

func TestTheSameReleaseInAnotherFileIsStoredOnce(t *testing.T) {
	st := storetest.SQLite(t)
	row := "acme,1,AR5,A,a,GB,kg,1\n"
	header := "source,version,gwpSet,code,name,region,unit,value\n"
	for i, tc := range []struct {
		text    string
		created bool
	}{{header + row, true}, {strings.ReplaceAll("\ufeff"+header+row, "\n", "\r\n"), false}, {header + strings.ReplaceAll(row, "a,GB", `"a",GB`), false}} {
		im, err := own(t, tc.text)
		if err != nil {
			t.Fatal(err)
		}
		if _, created, err := im.Put(t.Context(), st); err != nil || created != tc.created {
			t.Errorf("import %d: created %t, %v; want %t", i+1, created, err, tc.created)
		}
	}
	im, err := own(t, header+strings.Replace(row, ",1\n", ",2\n", 1))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = im.Put(t.Context(), st)
	wantFault(t, err, "CONFLICT", "acme")
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		builtin(b)
	}
}

func BenchmarkEngine(b *testing.B) {
	for b.Loop() {
		if _, err := factors.Engine(); err != nil {
			b.Fatal(err)
		}
	}
}
