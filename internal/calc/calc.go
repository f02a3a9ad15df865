// Package calc tells how much: from a line of the ledger and an emission factor to a mass of CO2e and the steps that lead there.
//
// It is pure: no database, no clock, no files. The same input gives the same digits on every machine, and every step
// that it reports can be repeated by hand with 34 decimal digits, half to even. docs/calculation.md tells an auditor how a figure comes about.
package calc

import (
	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

// EngineVersion names the rules of this package. It changes when the same line, factor, tables and settings give another figure or other steps.
const EngineVersion = "2"

// Amount is so much of a unit: a symbol that the engine knows, or an ISO 4217 currency for money. The zero Amount says that there is none.
type Amount struct {
	Value exact.Micros
	Unit  string
}

// Line is what a calculation needs of a line of the ledger. Where it has money and a quantity, the factor's unit decides which of them counts.
type Line struct {
	Quantity, Money Amount
	OccurredOn      exact.Date
	Country         string // ISO 3166 alpha-2; empty where it is not known
	// Property names the density or heat content that may lead from the quantity's dimension to the factor's; empty allows none but the factor's.
	Property string
	Match    Match // how the factor was chosen
	// Uncertainty is half the width of the amount's 95 % interval, in percent of it; 0 where it is not stated.
	Uncertainty exact.Micros
}

// Gas is one gas of a factor, in kilograms per unit.
type Gas struct {
	Gas    string
	Amount exact.Decimal
	// CO2eBasis marks an amount that is CO2e already: it is never multiplied by a GWP again.
	CO2eBasis bool
}

// Factor is kilograms of CO2e per unit of an activity. It is not changed once something was calculated with it.
type Factor struct {
	Source, Version, Code, Name, Region string
	Unit                                string         // "kWh", "tonne.km", "USD"
	PriceYear                           int            // 0 where the unit is no money
	PriceBasis                          string         // PURCHASER with the margins of trade and transport, BASIC without; empty where the unit is no money or it is not stated
	Value                               *exact.Decimal // by GwpSet; nil where none was published
	Biogenic                            *exact.Decimal // kilograms of biogenic CO2 per unit; it stands outside Value
	GwpSet                              string
	Gases                               []Gas

	// SupplierShare is the part of the value, 0 to 1, that rests on the supplier's own data: 1 is a factor of the supplier's, 0 an average,
	// and what lies between is a factor that the supplier's data made up in part and averages for the rest.
	SupplierShare exact.Decimal
	// Verified tells that somebody else than who made the factor checked it, or that a public body published it.
	Verified           bool
	Boundary           string     // of the life cycle; empty where it is not stated
	Year               int        // of the data; 0 where it is not known
	ValidFrom, ValidTo exact.Date // zero where the factor holds without an end
	UncertaintyPercent *exact.Decimal
	Property           string // the density or heat content that may lead to its unit from another dimension
}

// Settings are the choices of an organization.
type Settings struct {
	GwpSet         string // empty takes each dataset's own
	DeflateFirst   bool   // deflate, then convert; otherwise convert, then deflate
	StrictValidity bool   // refuse a factor for a day that it does not hold for
}

// The methods that calculations use, in the GHG Protocol's words. The factor decides: one of the supplier's own data makes
// a calculation supplier-specific, in part hybrid; any other is an average, spend-based where it is per money.
const (
	AverageData      = "AVERAGE_DATA"
	SpendBased       = "SPEND_BASED"
	SupplierSpecific = "SUPPLIER_SPECIFIC"
	Hybrid           = "HYBRID"
)

// Made is what lines of one kind share. It is immutable.
type Made struct {
	// Formula leads from the amount to CO2e and splits it as far as the factor states gases. A gas without a GWP in GwpSet is left out
	// rather than counted as zero.
	Formula *formula.Formula
	ID      [16]byte // the formula's
	Text    string   // the formula's
	Engine  string   // EngineVersion
	Method  string
	GwpSet  string // the set that was used, which is not the organization's where the factor's gases are not known
	Quality Quality
	// Negative tells that the factor takes CO2e away: a removal, or the credit of a treatment.
	Negative bool
	// LowRatio and HighRatio are what CO2e is multiplied by for the ends of its 95 % interval, where HasInterval.
	LowRatio, HighRatio exact.Decimal
	HasInterval         bool

	compiled *formula.Compiled
}

// Result is what a line emits.
type Result struct {
	*Made
	Amount         exact.Micros // the one of the line's two that counted
	CO2e, Biogenic exact.Milligrams
	Low, High      exact.Milligrams // the ends of the 95 % interval, where HasInterval
}
