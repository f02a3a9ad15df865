package calc

import (
	"strconv"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

const co2e = "kg CO2e"

var milligram = exact.NewDecimal(1, -6)

// Emissions gives what a line emits by a factor. Its faults are those that a line can carry:
// UNKNOWN_UNIT, UNIT_MISMATCH, NO_FACTOR (the factor has neither a value nor biogenic CO2), NO_EXCHANGE_RATE, and BAD_USER_INPUT
// for a line without an amount or a mass that is too large for the ledger.
func (e *Engine) Emissions(l Line, f *Factor, s Settings) (*Result, error) {
	if f == nil {
		return nil, fault.New(fault.NoFactor, "No factor fits this line.")
	}
	if l.Quantity == nil && l.Money == nil {
		return nil, fault.New(fault.BadUserInput, "The line has neither a quantity nor money.")
	}
	per, set, recomputed, err := e.choose(f, s.GwpSet)
	if err != nil {
		return nil, err
	}
	c := &calculation{engine: e, line: l, factor: f, settings: s, steps: make([]Step, 0, 6)}
	r := &Result{Method: AverageData, GwpSet: set}
	if IsCurrency(f.Unit) {
		r.Method = SpendBased
		err = c.money()
	} else {
		err = c.quantity()
	}
	if err != nil {
		return nil, err
	}
	if err := c.apply(r, per, recomputed); err != nil {
		return nil, err
	}
	r.Gases = c.gases(set)
	r.Steps = c.steps
	return r, nil
}

// choose takes the value by the organization's set where there is one, otherwise by the dataset's own.
func (e *Engine) choose(f *Factor, set string) (per exact.Decimal, used string, recomputed bool, err error) {
	if set == "" || set == f.GwpSet {
		set = f.GwpSet
		if f.Value != nil {
			return *f.Value, set, false, nil
		}
	}
	if v, ok := e.fromGases(f, set); ok {
		return v, set, true, nil
	}
	if f.Value != nil {
		return *f.Value, f.GwpSet, false, nil
	}
	if v, ok := e.fromGases(f, f.GwpSet); ok {
		return v, f.GwpSet, true, nil
	}
	if f.biogenicAlone() {
		return per, f.GwpSet, false, nil
	}
	return per, "", false, fault.New(fault.NoFactor, "The factor %s %s %s has no value: its source publishes none.", f.Source, f.Version, f.Code)
}

// calculation is the state of one line on its way. The amount is the last output.
type calculation struct {
	engine   *Engine
	line     Line
	factor   *Factor
	settings Settings
	steps    []Step
	amount   exact.Decimal
	unit     string
}

func (c *calculation) add(s Step) {
	c.steps = append(c.steps, s)
	c.amount, c.unit = s.Output, s.OutputUnit
}

// last points at the amount where it stands in the steps, so that the next step shares it.
func (c *calculation) last() *exact.Decimal { return &c.steps[len(c.steps)-1].Output }

// begin records the amount as the ledger has it, in our spelling of its unit.
func (c *calculation) begin(a *Amount, unit string) {
	c.add(Step{Step: "quantity", Input: &a.Value, InputUnit: a.Unit, Operator: Multiply, Operand: &one, Output: a.Value, OutputUnit: unit, Source: "the ledger's line"})
}

// quantity brings the line's quantity into the factor's unit.
func (c *calculation) quantity() error {
	to := spellings.find(c.factor.Unit)
	if to == nil {
		return fault.New(fault.UnknownUnit, "The factor %s %s is per %.40q, a unit that is unknown; choose another factor.", c.factor.Source, c.factor.Code, c.factor.Unit)
	}
	if c.line.Quantity == nil {
		return fault.New(fault.UnitMismatch, "The line has money in %.10s alone; the factor is per %s (%s). Give a quantity, or choose a factor per currency.",
			c.line.Money.Unit, to.Symbol, to.Dimension).At("quantity")
	}
	q := c.line.Quantity
	from := spellings.find(q.Unit)
	if from == nil && !IsCurrency(q.Unit) {
		return unknownUnit(q.Unit).At("quantity", "unit")
	}
	if from == nil {
		return mismatch(q.Unit, Money, to.Symbol, to.Dimension)
	}
	if from.Dimension != to.Dimension {
		return mismatch(q.Unit, from.Dimension, to.Symbol, to.Dimension)
	}
	c.begin(q, from.Symbol)
	way := c.engine.conversions[unitPair{from, to}]
	for i := range way {
		r := &way[i]
		s := Step{Step: "unit", Input: c.last(), InputUnit: c.unit, Operator: r.operator, Operand: &r.operand, OutputUnit: r.unit, Source: "table of units"}
		if r.operator == Multiply {
			s.Output = c.amount.Mul(r.operand)
		} else {
			s.Output = c.amount.Quo(r.operand)
		}
		c.add(s)
	}
	return nil
}

func mismatch(line string, of Dimension, factor string, by Dimension) error {
	return fault.New(fault.UnitMismatch, "The line is in %.40s (%s); the factor is per %s (%s). Give the amount in %s or another unit of %s, or choose another factor.",
		line, of, factor, by, factor, by).At("quantity", "unit")
}

// money brings the line's money into the factor's currency and price year, in the organization's order.
func (c *calculation) money() error {
	f, m := c.factor, c.line.Money
	if m == nil {
		return fault.New(fault.UnitMismatch, "The line has a quantity in %.40s alone; the factor is per %s (money). Give money, or choose a factor per unit.",
			c.line.Quantity.Unit, f.Unit).At("money")
	}
	c.begin(m, m.Unit)
	year := c.line.OccurredOn.Year()
	if !c.settings.DeflateFirst || f.PriceYear == 0 {
		if err := c.convert(0); err != nil {
			return err
		}
		return c.deflate(year)
	}
	if err := c.deflate(year); err != nil {
		return err
	}
	return c.convert(f.PriceYear)
}

func (c *calculation) deflate(year int) error {
	if c.factor.PriceYear == 0 || c.factor.PriceYear == year {
		return nil
	}
	s, err := c.engine.deflate(c.last(), c.unit, year, c.factor.PriceYear)
	if err != nil {
		return fault.Of(err).At("money")
	}
	c.add(s)
	return nil
}

// convert converts at the average of a year, or at the rate of the line's month where the year is 0.
func (c *calculation) convert(year int) error {
	if c.unit == c.factor.Unit {
		return nil
	}
	s, err := c.engine.convertAt(c.last(), c.unit, c.factor.Unit, c.line.OccurredOn, year)
	if err != nil {
		return fault.Of(err).At("money")
	}
	c.add(s)
	return nil
}

// apply multiplies the amount by the factor and rounds, once. Biogenic CO2 goes before, so that the last output is CO2e.
func (c *calculation) apply(r *Result, per exact.Decimal, recomputed bool) error {
	f, at := c.factor, c.last()
	source := f.describe()
	if f.Biogenic != nil && f.Biogenic.Sign() != 0 {
		mg, err := c.finish(at, f.Biogenic, "kg biogenic CO2", source+", biogenic CO2")
		if err != nil {
			return err
		}
		r.Biogenic = mg
	}
	switch {
	case recomputed:
		c.recompute(r.GwpSet)
		source += ", sum of its gases by " + r.GwpSet
	case f.biogenicAlone():
		source += ", biogenic CO2 alone: nothing of it counts as CO2e"
	case f.GwpSet != "":
		source += ", published by " + f.GwpSet
	}
	var err error
	r.CO2e, err = c.finish(at, &per, co2e, source)
	return err
}

// finish adds the steps factor and round, from the amount at hand.
func (c *calculation) finish(amount, per *exact.Decimal, unit, source string) (exact.Milligrams, error) {
	c.steps = append(c.steps, Step{Step: "factor", Input: amount, InputUnit: c.unit, Operator: Multiply, Operand: per,
		Output: amount.Mul(*per), OutputUnit: unit, Source: source, FromFactor: true})
	exactly := c.last()
	mg, ok := exactly.Scaled(6)
	if !ok {
		return 0, fault.New(fault.BadUserInput, "The line gives %.1e %s, more than the ledger can hold; check its amount and unit.", exactly.Float64(), unit)
	}
	c.steps = append(c.steps, Step{Step: "round", Input: exactly, InputUnit: unit, Operator: Round, Operand: &milligram,
		Output: exact.Milligrams(mg).Decimal(), OutputUnit: unit, Source: "to the milligram, half to even"})
	return exact.Milligrams(mg), nil
}

// recompute shows each gas of the factor times its potential; the factor step multiplies by their sum.
func (c *calculation) recompute(set string) {
	for i := range c.factor.Gases {
		g := &c.factor.Gases[i]
		p, ok := c.engine.weight(g, c.factor.GwpSet, set)
		if !ok || g.Amount.Sign() == 0 {
			continue
		}
		c.steps = append(c.steps, Step{Step: "gwp", Input: &g.Amount, InputUnit: "kg " + g.Gas + " per " + c.unit, Operator: Multiply, Operand: &p.value,
			Output: g.Amount.Mul(p.value), OutputUnit: co2e + " per " + c.unit, Source: p.source})
	}
}

// gases splits the result by gas. Zero amounts say nothing and are left out.
func (c *calculation) gases(set string) []GasAmount {
	if len(c.factor.Gases) == 0 {
		return nil
	}
	amount := c.amount.Significant(18) // beyond what is shown of any gas, and quick to multiply
	list := make([]GasAmount, 0, len(c.factor.Gases))
	masses := make([]exact.Decimal, len(c.factor.Gases))
	for i := range c.factor.Gases {
		g := &c.factor.Gases[i]
		if g.Amount.Sign() == 0 {
			continue
		}
		if g.CO2eBasis {
			list = append(list, GasAmount{Gas: g.Gas, CO2e: amount.MulTo(g.Amount, 6)})
			continue
		}
		p, ok := c.engine.potential(set, g.Gas)
		if !ok {
			continue
		}
		masses[i] = amount.MulTo(g.Amount, 12)
		list = append(list, GasAmount{Gas: g.Gas, Mass: &masses[i], CO2e: amount.MulTo(g.Amount.Mul(p.value), 6)})
	}
	return list
}

// biogenicAlone tells of factors outside the scopes: their zero CO2e is a statement of the source, not a gap.
func (f *Factor) biogenicAlone() bool {
	return f.Value == nil && f.Biogenic != nil && len(f.Gases) == 0
}

// describe names the factor in words: dataset, version, code, name, region, and the prices that it is per.
func (f *Factor) describe() string {
	s := f.Source + " " + f.Version + ": " + f.Code
	if f.Name != "" {
		s += " " + f.Name
	}
	if f.Region != "" {
		s += ", " + f.Region
	}
	if f.PriceYear != 0 {
		s += ", per " + f.Unit + " of " + strconv.Itoa(f.PriceYear)
	} else if IsCurrency(f.Unit) {
		s += ", per " + f.Unit + " of a year that is not stated, so prices are not adjusted"
	}
	if f.PriceBasis != "" {
		s += " in " + strings.ToLower(f.PriceBasis) + " prices"
	}
	return s
}
