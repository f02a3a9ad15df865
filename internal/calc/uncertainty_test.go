package calc_test

import (
	"math"
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

func TestTheIntervalOfALine(t *testing.T) {
	e := engine(t, options())
	for name, tc := range map[string]struct {
		value     string
		factor    string // percent; empty where none is stated
		activity  exact.Micros
		low, high string
	}{
		"nobody states one":                {"100", "", 0, "", ""},
		"the factor alone":                 {"100", "25", 0, "80", "125"},
		"the amount alone":                 {"100", "", 25_000_000, "80", "125"},
		"both, by the sum of squares":      {"100", "20", 10_000_000, "81.405215", "122.842252"},   // exp √(ln² 1.2 + ln² 1.1) = 1.22842252…
		"equal ones are √2 as wide":        {"100", "100", 100_000_000, "37.521423", "266.514414"}, // 2^√2 = 2.66514414…
		"a factor that is certain":         {"100", "0", 0, "100", "100"},
		"a credit note":                    {"-100", "25", 0, "-125", "-80"},
		"nothing is certain to be nothing": {"0", "25", 0, "0", "0"},
		"rounded to the milligram":         {"0.000001", "50", 0, "0.000001", "0.000002"},
	} {
		t.Run(name, func(t *testing.T) {
			f := perUnit("1", "kg")
			if tc.factor != "" {
				f.UncertaintyPercent = ptr(tc.factor)
			}
			r, err := emissions(e, calc.Line{Quantity: amount(tc.value, "kg"), OccurredOn: day(2024, 1), Uncertainty: tc.activity}, f, calc.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if !r.HasInterval {
				if tc.low != "" || r.Low != 0 || r.High != 0 {
					t.Errorf("no interval; want %s to %s", tc.low, tc.high)
				}
				return
			}
			if low, high := r.Low.Decimal().Canonical(), r.High.Decimal().Canonical(); low != tc.low || high != tc.high {
				t.Errorf("%s to %s; want %s to %s", low, high, tc.low, tc.high)
			}
		})
	}
}

func TestIntervalsThatCannotBe(t *testing.T) {
	e := engine(t, options())
	for name, tc := range map[string]struct {
		value, factor string
		activity      exact.Micros
	}{
		"a negative uncertainty of the factor": {"1", "-1", 0},
		"a negative uncertainty of the amount": {"1", "", -1},
		"an end beyond the ledger":             {"9000000000000", "10", 0},
		"an uncertainty beyond any number":     {"1", "1e40", 9e18},
	} {
		f := perUnit("1", "kg")
		if tc.factor != "" {
			f.UncertaintyPercent = ptr(tc.factor)
		}
		_, err := emissions(e, calc.Line{Quantity: amount(tc.value, "kg"), OccurredOn: day(2024, 1), Uncertainty: tc.activity}, f, calc.Settings{})
		if fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("%s: %v; want BAD_USER_INPUT", name, err)
		}
	}
}

// TestDrawsAgreeWithTheInterval takes as many draws as the doc comment says are needed for 2 percent.
func TestDrawsAgreeWithTheInterval(t *testing.T) {
	for _, tc := range []struct {
		draws    int
		percents []float64
	}{
		{10_000, []float64{1}}, {10_000, []float64{5}}, {10_000, []float64{20}}, {10_000, []float64{20, 10}}, {10_000, []float64{50}}, {10_000, []float64{60}}, {10_000, []float64{30, 30, 30}},
		{20_000, []float64{100}}, {50_000, []float64{200}}, {50_000, []float64{100, 100}},
	} {
		sum := 0.0
		for _, p := range tc.percents {
			sum += math.Pow(math.Log1p(p/100), 2)
		}
		high := math.Exp(math.Sqrt(sum))
		mean := math.Exp(sum / (2 * 1.96 * 1.96))
		for seed := range uint64(20) {
			s := calc.Simulate(seed, tc.draws, 250, tc.percents...)
			for what, pair := range map[string][2]float64{"low": {s.Low, 250 / high}, "high": {s.High, 250 * high}, "mean": {s.Mean, 250 * mean}} {
				if off := math.Abs(pair[0]/pair[1] - 1); off > 0.02 {
					t.Errorf("%v percent, seed %d, %d draws: %s %g, want %g: %.1f %% off", tc.percents, seed, tc.draws, what, pair[0], pair[1], 100*off)
				}
			}
		}
	}
}

func TestTheSameSeedDrawsTheSame(t *testing.T) {
	a, b, c := calc.Simulate(7, 1000, 100, 20), calc.Simulate(7, 1000, 100, 20), calc.Simulate(8, 1000, 100, 20)
	if a != b || a == c {
		t.Errorf("seed 7 gives %+v and %+v, seed 8 %+v", a, b, c)
	}
	if s := calc.Simulate(1, 1000, -100, 20); s.Low >= s.Mean || s.Mean >= s.High || s.High >= 0 {
		t.Errorf("a credit of 100 kg lies in %+v; want three negative numbers, the lowest first", s)
	}
	if s := calc.Simulate(1, 0, 100); s != (calc.Simulation{Mean: 100, Low: 100, High: 100}) {
		t.Errorf("what is certain, drawn no times, is %+v", s)
	}
}
