package factors_test

import (
	"math"
	"slices"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

// The EPA publishes gases and totals apart. Only with the right set of warming potentials do the first add up to the second.
func TestSupplyChainGasesAddUpToThePublishedTotals(t *testing.T) {
	engine, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		version, set string
		median, most float64
	}{
		{"1.2", "AR4", 0.002, 0.032},
		{"1.3", "AR5", 0.0015, 0.012},
	} {
		t.Run(tc.version+" by "+tc.set, func(t *testing.T) {
			im := supplyChain(t, tc.version)
			if string(im.Dataset.GwpSet) != tc.set || len(im.Factors) != 1016 {
				t.Fatalf("dataset is by %s with %d factors; want %s with 1016", im.Dataset.GwpSet, len(im.Factors), tc.set)
			}
			median, most := errorsBy(t, im, func(f *store.EmissionFactor) exact.Decimal {
				c := factors.Calc(f, im.Dataset)
				c.Value = nil // so that the gases alone give the value
				v, ok := engine.Value(c, tc.set)
				if !ok {
					t.Fatalf("the gases of %s have no value by %s", f.Code, tc.set)
				}
				return v
			})
			if median > tc.median || most > tc.most {
				t.Errorf("error of the sums: median %.4f, most %.4f; want at most %.4f and %.4f", median, most, tc.median, tc.most)
			}
		})
	}
}

// The set matters: the other one misses the totals by far more than rounding.
func TestSupplyChainGasesDoNotAddUpByAnotherSet(t *testing.T) {
	engine, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	im := supplyChain(t, "1.2")
	median, _ := errorsBy(t, im, func(f *store.EmissionFactor) exact.Decimal {
		c := factors.Calc(f, im.Dataset)
		c.Value, c.GwpSet = nil, "AR5"
		v, _ := engine.Value(c, "AR5")
		return v
	})
	if median < 0.003 {
		t.Errorf("version 1.2 by AR5 has a median error of %.4f; so small that the oracle would not tell the sets apart", median)
	}
}

// Were "HFCs and PFCs, unspecified" a mass in 1.2, as its unit says, any plausible potential would spoil the totals.
func TestTheUnspecifiedGasIsCO2eInBothVersions(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		im := supplyChain(t, version)
		for _, f := range im.Factors {
			i := slices.IndexFunc(f.Gases, func(g store.FactorGas) bool { return g.Gas == "HFCs and PFCs, unspecified" })
			if i < 0 || f.Gases[i].Basis != store.BasisCO2e {
				t.Fatalf("%s %s: the unspecified gas is at %d, basis not CO2E", version, f.Code, i)
			}
			for j, g := range f.Gases {
				if j != i && g.Basis != store.BasisMass {
					t.Fatalf("%s %s: %s is by %s; want MASS", version, f.Code, g.Gas, g.Basis)
				}
			}
		}
	}
	im := supplyChain(t, "1.2")
	engine, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	asMass, _ := errorsBy(t, im, func(f *store.EmissionFactor) exact.Decimal {
		c := factors.Calc(f, im.Dataset)
		c.Value = nil
		v, _ := engine.Value(c, "AR4")
		for _, g := range f.Gases {
			if g.Basis == store.BasisCO2e {
				v = v.Add(g.Amount.Mul(exact.NewDecimal(5000, 0)))
			}
		}
		return v
	})
	if asMass < 0.004 {
		t.Errorf("with the unspecified gas as mass × 5000 the median error is %.4f; the totals would not tell", asMass)
	}
}

// errorsBy compares what a func gives for each factor with its published value.
func errorsBy(t *testing.T, im *factors.Import, value func(*store.EmissionFactor) exact.Decimal) (median, most float64) {
	t.Helper()
	var all []float64
	for _, f := range im.Factors {
		all = append(all, math.Abs(value(f).Float64()/f.Value.Float64()-1))
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)-1]
}

func TestUKGasesAddUpToTheirTotals(t *testing.T) {
	im := dataset(t, factors.DESNZ, desnzFile)
	complete := 0
	for _, f := range im.Factors {
		if f.Value == nil || len(f.Gases) == 0 {
			continue
		}
		complete++
		if len(f.Gases) != 3 {
			t.Errorf("%s has %d gases; want 3", f.Code, len(f.Gases))
		}
		sum := exact.Decimal{}
		for _, g := range f.Gases {
			if g.Basis != store.BasisCO2e {
				t.Errorf("%s: %s is by %s; the UK's gases are CO2e already", f.Code, g.Gas, g.Basis)
			}
			sum = sum.Add(g.Amount)
		}
		// Each part is rounded to five digits after the point, so that three of them may be off by a few of the last.
		off := sum.Sub(*f.Value).Float64()
		if math.Abs(off) > 2.1e-5 && math.Abs(off) > 1e-4*f.Value.Float64() {
			t.Errorf("%s: gases add up to %s, the total is %s", f.Code, sum, f.Value)
		}
	}
	if complete != 796 {
		t.Errorf("%d factors have a total and all gases; want 796", complete)
	}
}
