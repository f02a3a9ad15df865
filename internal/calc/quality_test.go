package calc_test

import (
	"testing"

	"carbongraph/internal/calc"
)

func TestQualityOfALine(t *testing.T) {
	e := engine(t, options())
	average := func(change func(*calc.Factor)) *calc.Factor {
		f := fuel() // value and gases that account for it; of 2025 by its version
		f.Region, f.Version = "GB", "2025"
		change(f)
		return f
	}
	for name, tc := range map[string]struct {
		country string
		year    int
		match   calc.Match
		factor  *calc.Factor
		want    calc.Quality
		score   string
	}{
		"the supplier's own, verified, of the same year and place": {"GB", 2025, calc.Named, average(func(f *calc.Factor) {
			f.SupplierShare, f.Verified, f.Boundary, f.Biogenic = m("1"), true, "cradle to gate", ptr("0.1")
		}), calc.Quality{Technology: 1, Time: 1, Geography: 1, Completeness: 1, Reliability: 1}, "1.0"},
		"the supplier's own as it says": {"GB", 2025, calc.Unmatched, average(func(f *calc.Factor) { f.SupplierShare = m("1") }), calc.Quality{Technology: 1, Time: 1, Geography: 1, Completeness: 3, Reliability: 2}, "1.6"},
		"half the supplier's own":       {"GB", 2025, calc.ByRule, average(func(f *calc.Factor) { f.SupplierShare = m("0.5") }), calc.Quality{Technology: 2, Time: 1, Geography: 1, Completeness: 3, Reliability: 3}, "2.0"},
		"a public average, named":       {"GB", 2025, calc.Named, average(func(f *calc.Factor) { f.Verified = true }), calc.Quality{Technology: 2, Time: 1, Geography: 1, Completeness: 3, Reliability: 2}, "1.8"},
		"an average by a rule":          {"GB", 2025, calc.ByRule, average(func(*calc.Factor) {}), calc.Quality{Technology: 3, Time: 1, Geography: 1, Completeness: 3, Reliability: 3}, "2.2"},
		"an average by its text":        {"GB", 2025, calc.MatchOfText(0.8), average(func(*calc.Factor) {}), calc.Quality{Technology: 4, Time: 1, Geography: 1, Completeness: 3, Reliability: 3}, "2.4"},
		"an average by likeness":        {"GB", 2025, calc.MatchOfText(0.79), average(func(*calc.Factor) {}), calc.Quality{Technology: 5, Time: 1, Geography: 1, Completeness: 3, Reliability: 5}, "3.0"},
		"a proxy from nobody knows where": {"", 2025, calc.Proxy, average(func(f *calc.Factor) { f.Gases, f.Version, f.Region = nil, "v1", "" }),
			calc.Quality{Technology: 5, Time: 5, Geography: 5, Completeness: 4, Reliability: 5}, "4.8"},
		"gases alone":                     {"GB", 2025, calc.Named, average(func(f *calc.Factor) { f.Value = nil }), calc.Quality{Technology: 2, Time: 1, Geography: 1, Completeness: 4, Reliability: 3}, "2.2"},
		"gases that are but a part":       {"GB", 2025, calc.Named, average(func(f *calc.Factor) { f.Gases = f.Gases[1:] }), calc.Quality{Technology: 2, Time: 1, Geography: 1, Completeness: 4, Reliability: 3}, "2.2"},
		"two years later":                 {"GB", 2027, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 1, Geography: 1, Completeness: 3, Reliability: 3}, "2.0"},
		"three years earlier":             {"GB", 2022, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 2, Geography: 1, Completeness: 3, Reliability: 3}, "2.2"},
		"six years later":                 {"GB", 2031, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 3, Geography: 1, Completeness: 3, Reliability: 3}, "2.4"},
		"ten years later":                 {"GB", 2035, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 4, Geography: 1, Completeness: 3, Reliability: 3}, "2.6"},
		"fifteen years later":             {"GB", 2040, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 5, Geography: 1, Completeness: 3, Reliability: 3}, "2.8"},
		"its own year before its version": {"GB", 2025, calc.Named, average(func(f *calc.Factor) { f.Year = 2021 }), calc.Quality{Technology: 2, Time: 2, Geography: 1, Completeness: 3, Reliability: 3}, "2.2"},
		"never worse than five":           {"GB", 2025, calc.Named, average(func(f *calc.Factor) { f.Year, f.ValidTo = 1990, day(1999, 1) }), calc.Quality{Technology: 2, Time: 5, Geography: 1, Completeness: 3, Reliability: 3}, "2.8"},
		"a region of several countries":   {"FR", 2025, calc.Named, average(func(f *calc.Factor) { f.Region = "EU" }), calc.Quality{Technology: 2, Time: 1, Geography: 2, Completeness: 3, Reliability: 3}, "2.2"},
		"a part of the country":           {"US", 2025, calc.Named, average(func(f *calc.Factor) { f.Region = "US-CAMX" }), calc.Quality{Technology: 2, Time: 1, Geography: 3, Completeness: 3, Reliability: 3}, "2.4"},
		"the world":                       {"BR", 2025, calc.Named, average(func(f *calc.Factor) { f.Region = "GLOBAL" }), calc.Quality{Technology: 2, Time: 1, Geography: 3, Completeness: 3, Reliability: 3}, "2.4"},
		"a similar country":               {"DE", 2025, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 1, Geography: 3, Completeness: 3, Reliability: 3}, "2.4"},
		"an industrial country":           {"GB", 2025, calc.Named, average(func(f *calc.Factor) { f.Region = "US" }), calc.Quality{Technology: 2, Time: 1, Geography: 4, Completeness: 3, Reliability: 3}, "2.6"},
		"another country":                 {"BR", 2025, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 1, Geography: 5, Completeness: 3, Reliability: 3}, "2.8"},
		"no country":                      {"", 2025, calc.Named, average(func(*calc.Factor) {}), calc.Quality{Technology: 2, Time: 1, Geography: 5, Completeness: 3, Reliability: 3}, "2.8"},
	} {
		t.Run(name, func(t *testing.T) {
			line := calc.Line{Quantity: amount("1", "US gallon"), OccurredOn: day(tc.year, 3), Country: tc.country, Match: tc.match}
			r, err := emissions(e, line, tc.factor, calc.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Quality != tc.want || r.Quality.Score().String() != tc.score {
				t.Errorf("%+v, score %s; want %+v, %s", r.Quality, r.Quality.Score(), tc.want, tc.score)
			}
		})
	}
}

// Spend is rated for what it is, whoever published the factor; its year is that of its prices where no other is stated.
func TestQualityOfSpend(t *testing.T) {
	f := perDollar("0.5")
	f.Verified = true
	r, err := emissions(engine(t, options()), calc.Line{Money: amount("1", "USD"), OccurredOn: day(2024, 3), Country: "US", Match: calc.ByRule}, f, calc.Settings{})
	if want := (calc.Quality{Technology: 3, Time: 1, Geography: 1, Completeness: 4, Reliability: 4}); err != nil || r.Quality != want {
		t.Errorf("%+v, %v; want %+v", r, err, want)
	}
}
