package calc_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
)

// published reads a CSV file of the real data, keyed by the header; gz too. The test is skipped where the data is absent.
func published(t testing.TB, path string) []map[string]string {
	t.Helper()
	root := os.Getenv("SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Skipf("%s is absent; set SHARED_DATA", path)
	}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		var plain bytes.Buffer
		if _, err := plain.ReadFrom(z); err != nil {
			t.Fatal(err)
		}
		raw = plain.Bytes()
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]map[string]string, 0, len(rows))
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, name := range rows[0] {
			named[name] = row[i]
		}
		out = append(out, named)
	}
	return out
}

// realOptions are the real rates, consumer prices and potentials.
func realOptions(t testing.TB) calc.Options {
	t.Helper()
	var o calc.Options
	currency := map[string]string{"United Kingdom": "GBP", "Euro": "EUR", "Canada": "CAD", "Japan": "JPY"}
	for _, r := range published(t, "fx-inflation/fx_monthly_units_per_usd.csv") {
		if c := currency[r["Country"]]; c != "" {
			year, _ := strconv.Atoi(r["Date"][:4])
			month, _ := strconv.Atoi(r["Date"][5:7])
			o.Rates = append(o.Rates, calc.Rate{Currency: c, Year: year, Month: month, PerUSD: m(r["Exchange rate"])})
		}
	}
	country := map[string]string{"GBR": "GB", "USA": "US", "EMU": "XC", "CAN": "CA", "JPN": "JP"}
	for _, r := range published(t, "fx-inflation/inflation_cpi_annual_pct.csv") {
		if c := country[r["iso3"]]; c != "" {
			year, _ := strconv.Atoi(r["year"])
			o.Inflation = append(o.Inflation, calc.Inflation{Country: c, Series: "CPI", Year: year, Percent: m(r["pct"])})
		}
	}
	for _, r := range published(t, "gwp/globalwarmingpotentials.csv") {
		for _, set := range []string{"AR4", "AR5", "AR6"} {
			if v := r[set+"GWP100"]; v != "" {
				o.GWP = append(o.GWP, calc.GWP{Set: set, Gas: r["Species"], Value: m(v), Source: "IPCC " + set})
			}
		}
	}
	return o
}

// TestGasesTimesGWPGiveThePublishedTotals is the proof that gases, potentials and sets are joined rightly:
// EPA's release 1.2 reproduces by AR4 alone, 1.3 by AR5 alone.
func TestGasesTimesGWPGiveThePublishedTotals(t *testing.T) {
	e := engine(t, realOptions(t))
	const with = "Supply Chain Emission Factors with Margins"
	for _, v := range []struct{ total, gases, key, set, other string }{
		{"epa-supply-chain/v1.2_naics6_co2e_usd2021.csv", "epa-supply-chain/v1.2_naics6_bygas_usd2021.csv.gz", "NAICS Code 2017", "AR4", "AR5"},
		{"epa-supply-chain/v1.3_naics6_co2e_usd2022.csv", "epa-supply-chain/v1.3_naics6_bygas_usd2022.csv.gz", "2017 NAICS Code", "AR5", "AR4"},
	} {
		factors := map[string]*calc.Factor{}
		for _, r := range published(t, v.gases) {
			code := r[v.key]
			if factors[code] == nil {
				factors[code] = &calc.Factor{Code: code, Unit: "USD", GwpSet: v.set}
			}
			factors[code].Gases = append(factors[code].Gases, calc.Gas{Gas: r["GHG"], Amount: m(r[with]), CO2eBasis: strings.Contains(r["GHG"], "unspecified")})
		}
		var errors, otherErrors []float64
		for _, r := range published(t, v.total) {
			f, total := factors[r[v.key]], m(r[with])
			sum, ok := e.Value(f, v.set)
			if !ok {
				t.Fatalf("%s: its gases have no value by %s", f.Code, v.set)
			}
			errors = append(errors, off(sum, total))
			if !f.Gases[0].CO2eBasis { // by the other set, CO2e that stands as it is has to be called mass
				g := *f
				g.GwpSet = v.other
				if sum, ok := e.Value(&g, v.other); ok {
					otherErrors = append(otherErrors, off(sum, total))
				}
			}
		}
		slices.Sort(errors)
		slices.Sort(otherErrors)
		median, worst, other := errors[len(errors)/2], errors[len(errors)-1], otherErrors[len(otherErrors)/2]
		t.Logf("%s: %d factors by %s, median error %.2f %%, worst %.1f %%; by %s median %.2f %%", v.total, len(errors), v.set, 100*median, 100*worst, v.other, 100*other)
		if len(errors) != 1016 || median > 0.002 || worst > 0.032 {
			t.Errorf("%s: %d factors, median error %.4f, worst %.4f; want 1016, 0.002, 0.032 at most", v.total, len(errors), median, worst)
		}
		if other < 2*median {
			t.Errorf("%s reproduces by %s as well (%.4f): the sets are mixed up", v.total, v.other, other)
		}
	}
}

func off(got, want exact.Decimal) float64 {
	d := got.Sub(want).Float64() / want.Float64()
	return max(d, -d)
}

// TestTheOrderOfDeflatingAndConverting repeats the worked example of the money guide: £1,000 of 2024 in dollars of 2022.
func TestTheOrderOfDeflatingAndConverting(t *testing.T) {
	e := engine(t, realOptions(t))
	spend := func(deflateFirst bool) (sum exact.Decimal) {
		for month := 1; month <= 12; month++ {
			r, err := emissions(e, calc.Line{Money: amount("1000", "GBP"), OccurredOn: exact.NewDate(2024, time.Month(month), 5)}, perDollar("1"), calc.Settings{DeflateFirst: deflateFirst})
			if err != nil {
				t.Fatal(err)
			}
			repeat(t, r.Steps)
			sum = sum.Add(r.CO2e.Decimal())
		}
		return sum.Quo(m("12"))
	}
	if got := spend(true).Round(0).String(); got != "1118" {
		t.Errorf("deflate, then convert: %s USD, want 1118", got)
	}
	if got := spend(false).Round(0).String(); got != "1192" {
		t.Errorf("convert, then deflate: %s USD, want 1192", got)
	}
}

func TestEveryUnitOfTheDataSetsIsKnown(t *testing.T) {
	units := map[string]bool{}
	for _, r := range published(t, "desnz-2025/uk_ghg_conversion_factors_2025_scope3_flat.csv") {
		units[r["UOM"]] = true
	}
	for _, r := range published(t, "oefdb-2022-05/OpenEmissionFactorsDB_2022-05-12.csv.gz") {
		units[r["activity_unit"]] = true
	}
	for _, r := range published(t, "epa-ghg-hub-2024/stationary-combustion.csv") {
		if _, per, ok := strings.Cut(r["CO2 Factor Unit"], " per "); ok {
			units["per "+per] = true
		}
	}
	for _, r := range published(t, "epa-ghg-hub-2024/mobile-combustion-co2.csv") {
		units[r["Unit"]] = true
	}
	for _, path := range []string{"epa-ghg-hub-2024/scope-3-category-6-business-travel-and-category-7-employee-commuting.csv",
		"epa-ghg-hub-2024/scope-3-category-4-upstream-transportation-and-distribution-and-category-9-downstream-transportation-and-distribution.csv"} {
		for _, r := range published(t, path) {
			units[r["Units"]] = true
		}
	}
	if len(units) < 40 {
		t.Fatalf("only %d units were read", len(units))
	}
	for u := range units {
		if _, err := calc.ParseUnit(u); err != nil {
			t.Errorf("%q: %v", u, err)
		}
	}
}
