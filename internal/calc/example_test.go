package calc_test

import (
	"fmt"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

// A payment of 2024 becomes dollars of 2022, and these become CO2e.
func ExampleCalculator_Calculate() {
	engine, err := calc.New(calc.Options{
		Rates: []calc.Rate{{Currency: "GBP", Year: 2022, Month: 6, PerUSD: exact.MustDecimal("0.8")}},
		Inflation: []calc.Inflation{
			{Country: "GB", Series: "CPI", Year: 2023, Percent: exact.MustDecimal("7")},
			{Country: "GB", Series: "CPI", Year: 2024, Percent: exact.MustDecimal("3")},
		},
	})
	if err != nil {
		panic(err)
	}
	perDollar := exact.MustDecimal("0.122")
	factor := &calc.Factor{Source: "epa-supply-chain", Version: "1.3", Code: "541511", Region: "US", Unit: "USD", PriceYear: 2022, Value: &perDollar, GwpSet: "AR5"}
	line := calc.Line{Money: calc.Amount{Value: 1_102_100_000, Unit: "GBP"}, OccurredOn: exact.NewDate(2024, 3, 1)}

	r, err := engine.Calculator(calc.Settings{GwpSet: "AR6", DeflateFirst: true}).Calculate(&line, factor)
	if err != nil {
		panic(err)
	}
	for i, v := range r.Formula.Replay(formula.Plain(r.Amount)) {
		s := r.Formula.Steps[i]
		fmt.Printf("%-8s %s %s %s %s = %s %s\n", s.Step, v.Input, s.InputUnit, s.Operator, s.Operand, v.Output.Canonical(), s.OutputUnit)
	}
	fmt.Println(r.CO2e, "mg by", r.Method, r.GwpSet)
	// Output:
	// quantity 1102.1 GBP multiply 1 = 1102.1 GBP
	// deflate  1102.1 GBP divide 1.1021 = 1000 GBP
	// convert  1000 GBP divide 0.8 = 1250 USD
	// factor   1250 USD multiply 0.122 = 152.5 kg CO2e
	// round    152.50 kg CO2e round 0.000001 = 152.5 kg CO2e
	// 152500000 mg by SPEND_BASED AR5
}
