package estimate

import (
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Input is an amount, and the factor to calculate it with, as a client gives them.
type Input struct {
	FactorID   *store.GlobalID // one of the two
	FactorKey  *FactorKeyInput
	Quantity   *store.QuantityInput // one of the two
	Money      *store.MoneyInput
	OccurredOn *exact.Date   // needed with Money
	GwpSet     *store.GwpSet // nil: the organization's
}

// FactorKeyInput is a factor's key as a client gives it.
type FactorKeyInput struct {
	Source, Code          string
	Region, Unit, Version *string // nil and empty: any
}

// checked is an input that was looked at. Its fault's path begins at the input.
type checked struct {
	factor store.ID     // known, or found by the key
	key    *factors.Key // nil where the factor is named by its id
	line   calc.Line
	gwpSet string
	wrong  *fault.Fault
}

// check finds what is wrong with an input by itself: the first of its parts that is.
func check(in *Input) checked {
	c := checked{line: calc.Line{Match: calc.Named}}
	if in.GwpSet != nil {
		c.gwpSet = string(*in.GwpSet)
	}
	if in.OccurredOn != nil {
		c.line.OccurredOn = *in.OccurredOn
	}
	c.named(in)
	switch {
	case (in.Quantity == nil) == (in.Money == nil):
		c.bad("Give one of quantity and money, and not both.")
	case in.Quantity != nil && strings.TrimSpace(in.Quantity.Unit) == "":
		c.bad("The quantity has no unit; write one such as kWh, kg or tonne.km.", "quantity", "unit")
	case in.Quantity != nil:
		c.line.Quantity = calc.Amount{Value: c.micros(in.Quantity.Value, "quantity", "value"), Unit: in.Quantity.Unit}
	case in.OccurredOn == nil:
		c.bad("Money needs occurredOn: the day decides which exchange rate and which year's prices count.", "occurredOn")
	default:
		c.line.Money = calc.Amount{Value: c.micros(in.Money.Amount, "money", "amount"), Unit: in.Money.Currency}
	}
	if c.wrong != nil {
		c.key = nil // it is not looked up
	}
	return c
}

// named takes the factor by whichever of its names is given.
func (c *checked) named(in *Input) {
	switch id, key := in.FactorID, in.FactorKey; {
	case (id == nil) == (key == nil):
		c.bad("Name the factor by one of factorId and factorKey, and not by both.")
	case id != nil && id.Kind != store.KindEmissionFactor:
		c.wrong = unknownFactor()
	case id != nil:
		c.factor = id.Row
	default:
		c.key = &factors.Key{Source: key.Source, Version: given(key.Version), Code: key.Code, Region: given(key.Region), Unit: given(key.Unit)}
	}
}

func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func unknownFactor() *fault.Fault {
	return fault.New(fault.NotFound, "There is no emission factor with this id.").At("factorId")
}

// micros takes a number that millionths hold without loss.
func (c *checked) micros(d exact.Decimal, path ...string) exact.Micros {
	n, ok := d.ScaledExactly(6)
	if !ok {
		c.bad("A number here has at most six decimals and lies within 9,223,372,036,854 of zero.", path...)
	}
	return exact.Micros(n)
}

func (c *checked) bad(message string, path ...string) {
	if c.wrong == nil {
		c.wrong = fault.New(fault.BadUserInput, "%s", message).At(path...)
	}
}
