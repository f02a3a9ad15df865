//go:build ignore

// Pack makes the built-in files from the originals: go run internal/factors/builtin/pack.go FOLDER, from the root of the repository.
// FOLDER has the folders epa-supply-chain, desnz-2025, gwp and fx-inflation. The same input gives the same bytes.
package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/language"

	"carbongraph/internal/factors"
)

const (
	out       = "internal/factors/builtin"
	firstYear = "2000" // of exchange rates and prices: no ledger is older, and the euro begins in 1999
)

type entry struct {
	Kind    string   `json:"kind"`
	Source  string   `json:"source"`
	Version string   `json:"version"`
	Factors int      `json:"factors"`
	Digest  string   `json:"digest"`
	Files   []string `json:"files"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run internal/factors/builtin/pack.go FOLDER")
		os.Exit(2)
	}
	if err := pack(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pack(from string) error {
	for name, rows := range map[string]func(string) ([][]string, error){
		"gwp.csv.gz":            potentials,
		"exchange-rates.csv.gz": rates,
		"inflation.csv.gz":      inflation,
	} {
		table, err := rows(from)
		if err != nil {
			return err
		}
		if err := writeTable(name, table); err != nil {
			return err
		}
	}
	var manifest []entry
	for _, d := range []struct {
		kind  string
		files []string
	}{
		{factors.EPASupplyChain, []string{"epa-supply-chain/v1.2_naics6_co2e_usd2021.csv", "epa-supply-chain/v1.2_naics6_bygas_usd2021.csv.gz"}},
		{factors.EPASupplyChain, []string{"epa-supply-chain/v1.3_naics6_co2e_usd2022.csv", "epa-supply-chain/v1.3_naics6_bygas_usd2022.csv.gz"}},
		{factors.DESNZ, []string{"desnz-2025/uk_ghg_conversion_factors_2025_scope3_flat.csv"}},
	} {
		e, err := dataset(from, d.kind, d.files)
		if err != nil {
			return err
		}
		manifest = append(manifest, e)
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "manifest.json"), append(text, '\n'), 0o644)
}

// dataset copies the files of a dataset, compressed anew, and describes it.
func dataset(from, kind string, files []string) (entry, error) {
	var paths, names []string
	for _, f := range files {
		path := filepath.Join(from, f)
		text, err := content(path)
		if err != nil {
			return entry{}, err
		}
		name := strings.TrimSuffix(filepath.Base(f), ".gz") + ".gz"
		if err := write(name, text); err != nil {
			return entry{}, err
		}
		paths, names = append(paths, path), append(names, name)
	}
	im, err := factors.ReadDataset(kind, paths...)
	if err != nil {
		return entry{}, err
	}
	return entry{kind, im.Dataset.Source, im.Dataset.Version, len(im.Factors), im.Dataset.Digest, names}, nil
}

// potentials keeps the three sets over 100 years, and adds CO2, which the original leaves out because it is 1.
func potentials(from string) ([][]string, error) {
	rows, err := read(filepath.Join(from, "gwp/globalwarmingpotentials.csv"))
	if err != nil {
		return nil, err
	}
	c, err := places(rows[0], "Species", "AR4GWP100", "AR5GWP100", "AR6GWP100")
	if err != nil {
		return nil, err
	}
	table := [][]string{{"gas", "AR4", "AR5", "AR6"}, {"CO2", "1", "1", "1"}}
	for _, r := range rows[1:] {
		table = append(table, []string{r[c[0]], r[c[1]], r[c[2]], r[c[3]]})
	}
	return table, nil
}

// currencies are the currencies of the countries that the Federal Reserve publishes rates of.
var currencies = map[string]string{
	"Australia": "AUD", "Austria": "ATS", "Belgium": "BEF", "Brazil": "BRL", "Canada": "CAD", "China": "CNY", "Denmark": "DKK", "Euro": "EUR",
	"Finland": "FIM", "France": "FRF", "Germany": "DEM", "Greece": "GRD", "Hong Kong": "HKD", "India": "INR", "Ireland": "IEP", "Italy": "ITL",
	"Japan": "JPY", "Malaysia": "MYR", "Mexico": "MXN", "Netherlands": "NLG", "New Zealand": "NZD", "Norway": "NOK", "Portugal": "PTE",
	"Singapore": "SGD", "South Africa": "ZAR", "South Korea": "KRW", "Spain": "ESP", "Sri Lanka": "LKR", "Sweden": "SEK", "Switzerland": "CHF",
	"Taiwan": "TWD", "Thailand": "THB", "United Kingdom": "GBP",
}

// currency gives the currency of a month. Venezuela's rates are those of the bolívar fuerte to August 2018, restated before 2008,
// and of the bolívar soberano from then on.
func currency(country, month string) string {
	if country != "Venezuela" {
		return currencies[country]
	}
	if month <= "2018-08" {
		return "VEF"
	}
	return "VES"
}

func rates(from string) ([][]string, error) {
	rows, err := read(filepath.Join(from, "fx-inflation/fx_monthly_units_per_usd.csv"))
	if err != nil {
		return nil, err
	}
	c, err := places(rows[0], "Date", "Country", "Exchange rate")
	if err != nil {
		return nil, err
	}
	var table [][]string
	for _, r := range rows[1:] {
		month := r[c[0]][:7]
		if month < firstYear {
			continue
		}
		code := currency(r[c[1]], month)
		if code == "" {
			return nil, fmt.Errorf("%s has no currency here", r[c[1]])
		}
		table = append(table, []string{code, month, r[c[2]]})
	}
	return sorted(table, "currency", "month", "perUSD"), nil
}

// inflation keeps countries. Of the groups of countries it keeps the euro area, whose code is XC.
func inflation(from string) ([][]string, error) {
	rows, err := read(filepath.Join(from, "fx-inflation/inflation_cpi_annual_pct.csv"))
	if err != nil {
		return nil, err
	}
	c, err := places(rows[0], "iso3", "year", "pct")
	if err != nil {
		return nil, err
	}
	var table [][]string
	for _, r := range rows[1:] {
		if country := alpha2(r[c[0]]); country != "" && r[c[1]] >= firstYear {
			table = append(table, []string{country, r[c[1]], r[c[2]]})
		}
	}
	return sorted(table, "country", "year", "percent"), nil
}

func alpha2(iso3 string) string {
	switch iso3 {
	case "EMU":
		return "XC"
	case "XKX":
		return "XK"
	}
	region, err := language.ParseRegion(iso3)
	if err != nil || region.ISO3() != iso3 || !region.IsCountry() {
		return ""
	}
	return region.String()
}

func sorted(table [][]string, header ...string) [][]string {
	slices.SortFunc(table, slices.Compare)
	return append([][]string{header}, table...)
}

func places(header []string, names ...string) ([]int, error) {
	var out []int
	for _, name := range names {
		i := slices.Index(header, name)
		if i < 0 {
			return nil, fmt.Errorf("no column %q", name)
		}
		out = append(out, i)
	}
	return out, nil
}

func read(path string) ([][]string, error) {
	text, err := content(path)
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(bytes.NewReader(text))
	in.Comment = '#'
	return in.ReadAll()
}

func content(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return text, err
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func writeTable(name string, table [][]string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(table); err != nil {
		return err
	}
	return write(name, b.Bytes())
}

func write(name string, text []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, name), b.Bytes(), 0o644)
}
