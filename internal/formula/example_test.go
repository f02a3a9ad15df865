package formula_test

import (
	"fmt"

	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

// A formula is kept once; the steps of any line of its kind come from it and the amount.
func Example() {
	f := &formula.Formula{Steps: []formula.Step{
		{Step: "quantity", Of: formula.Amount, InputUnit: "MWh", Operator: formula.Multiply, Operand: exact.MustDecimal("1"), OutputUnit: "MWh", Source: "the ledger's line"},
		{Step: "unit", Of: 0, InputUnit: "MWh", Operator: formula.Multiply, Operand: exact.MustDecimal("1000"), OutputUnit: "kWh", Source: "table of units"},
		{Step: "factor", Of: 1, InputUnit: "kWh", Operator: formula.Multiply, Operand: exact.MustDecimal("0.177"), OutputUnit: "kg CO2e", Source: "UK electricity", FromFactor: true},
		{Step: "round", Of: 2, InputUnit: "kg CO2e", Operator: formula.Round, Operand: exact.MustDecimal("0.000001"), OutputUnit: "kg CO2e", Source: "to the milligram"},
	}, Converted: 1, Biogenic: formula.None, CO2e: 3}
	co2e, _, _ := f.Compile().Mass(12_500_000)
	fmt.Println(co2e.Decimal().Canonical(), "kg CO2e")
	for i, v := range f.Replay(exact.MustDecimal("12.5")) {
		s := f.Steps[i]
		fmt.Println(s.Step+":", v.Input, s.Operator, s.Operand, "=", v.Output, s.OutputUnit)
	}
	// Output:
	// 2212.5 kg CO2e
	// quantity: 12.5 multiply 1 = 12.5 MWh
	// unit: 12.5 multiply 1000 = 12500.0 kWh
	// factor: 12500.0 multiply 0.177 = 2212.5000 kg CO2e
	// round: 2212.5000 round 0.000001 = 2212.500000 kg CO2e
}
