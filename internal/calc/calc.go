// Package calc tells how much: from a line of the ledger and an emission factor to a mass of CO2e and the steps that lead there.
//
// It is pure: no database, no clock, no files. The same input gives the same digits on every machine, and every step
// that it reports can be repeated by hand with 34 decimal digits, half to even.
package calc

import "carbongraph/internal/exact"

// Amount is so much of a unit: a symbol that ParseUnit knows, or an ISO 4217 currency for money.
type Amount struct {
	Value exact.Decimal
	Unit  string
}

// Line is what a calculation needs of a line of the ledger.
type Line struct {
	Quantity, Money *Amount
	OccurredOn      exact.Date
}

// Gas is one gas of a factor, in kilograms per unit.
type Gas struct {
	Gas    string
	Amount exact.Decimal
	// CO2eBasis marks an amount that is CO2e already: it is never multiplied by a GWP again.
	CO2eBasis bool
}

// Factor is kilograms of CO2e per unit of an activity.
type Factor struct {
	Source, Version, Code, Name, Region string
	Unit                                string // "kWh", "tonne.km", "USD"
	PriceYear                           int    // 0 where the unit is no money
	PriceBasis                          string
	Value                               *exact.Decimal // by GwpSet; nil where none was published
	Biogenic                            *exact.Decimal // kilograms of biogenic CO2 per unit; it stands outside Value
	GwpSet                              string
	Gases                               []Gas
}

// Settings are the choices of an organization.
type Settings struct {
	GwpSet       string // empty takes each dataset's own
	DeflateFirst bool   // deflate, then convert; otherwise convert, then deflate
	Currency     string
}

// Operators of a step.
const (
	Multiply = "multiply"
	Divide   = "divide"
	Round    = "round" // half to even, to a multiple of the operand
)

// Step is one operation: Output is Input, Operator, Operand.
type Step struct {
	Step       string // quantity, unit, deflate, convert, gwp, factor or round
	Input      *exact.Decimal
	InputUnit  string
	Operator   string
	Operand    *exact.Decimal
	Output     exact.Decimal
	OutputUnit string
	Source     string // series, dataset and version, in words
	FromFactor bool   // the operand is the factor's
}

// GasAmount is one gas of a result, in kilograms.
type GasAmount struct {
	Gas  string
	Mass *exact.Decimal // nil where the factor states CO2e alone
	CO2e exact.Decimal
}

// The methods that calculations use, in the GHG Protocol's words.
const (
	AverageData = "AVERAGE_DATA"
	SpendBased  = "SPEND_BASED"
)

// Result is what a line emits.
type Result struct {
	CO2e, Biogenic exact.Milligrams
	// Gases splits CO2e as far as the factor states gases: masses to 10^−12 kg, CO2e to the milligram,
	// from 18 digits of the amount.
	// It is information beside the total, which comes from the factor's value: published factors are rounded
	// otherwise than their gases. A gas without a GWP in GwpSet is left out rather than counted as zero.
	Gases  []GasAmount
	Steps  []Step // from the ledger's line to CO2e, which is the last output
	Method string // AverageData or SpendBased
	GwpSet string // the set that was used, which is not the organization's where the factor's gases are not known
}
