package calc

import (
	"strconv"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

const co2e = "kg CO2e"

// FromLine is the source of the step that takes the amount as it was given.
const FromLine = "the ledger's line"

var milligram = exact.NewDecimal(1, -6)

// Formula makes what a line shares with all others of its kind: whatever the amount, the steps are the same. Its faults are those that
// a line can carry: UNKNOWN_UNIT, UNIT_MISMATCH, NO_FACTOR (there is none, it has neither a value nor biogenic CO2, or it does not hold for the day),
// NO_EXCHANGE_RATE, and BAD_USER_INPUT for a line without an amount.
func (e *Engine) Formula(l *Line, f *Factor, s Settings) (*Made, error) {
	if f == nil {
		return nil, fault.New(fault.NoFactor, "No factor fits this line.")
	}
	if l.Quantity.Unit == "" && l.Money.Unit == "" {
		return nil, fault.New(fault.BadUserInput, "The line has neither a quantity nor money.")
	}
	if f.SupplierShare.Sign() < 0 || f.SupplierShare.Cmp(one) > 0 {
		return nil, fault.New(fault.NoFactor, "The factor %s rests to %s on the supplier's data; that must lie between 0 and 1.", f.name(), f.SupplierShare)
	}
	when := f.holds(l.OccurredOn)
	if s.StrictValidity && when != within {
		return nil, f.outside(when)
	}
	per, set, recomputed, err := e.choose(f, s.GwpSet)
	if err != nil {
		return nil, err
	}
	m := &Made{Engine: EngineVersion, Method: methodOf(f), GwpSet: set, Negative: per.Sign() < 0 || f.Biogenic != nil && f.Biogenic.Sign() < 0}
	b := &builder{engine: e, line: l, factor: f, settings: s, formula: formula.Formula{Biogenic: formula.None}, last: formula.Amount}
	if IsCurrency(f.Unit) {
		err = b.money()
	} else {
		err = b.quantity()
	}
	if err != nil {
		return nil, err
	}
	b.apply(m, per, recomputed)
	b.gases(set)
	m.Quality = e.qualityOf(l, f, m.Method, when)
	if err := m.interval(f.UncertaintyPercent, l.Uncertainty); err != nil {
		return nil, err
	}
	if err := m.settle(&b.formula, f); err != nil {
		return nil, err
	}
	return m, nil
}

// settle keeps the formula as its text says it: what is replayed here and what is replayed from a store are the same digits.
func (m *Made) settle(made *formula.Formula, f *Factor) error {
	text := made.Text()
	parsed, err := formula.Parse(text)
	if err != nil {
		return fault.Wrap(err, fault.NoFactor, "The factor %s cannot be calculated with: it has too many gases, or numbers out of range.", f.name())
	}
	m.Formula, m.Text, m.ID, m.compiled = parsed, text, formula.IDOf(text), parsed.Compile()
	return nil
}

func methodOf(f *Factor) string {
	switch {
	case f.SupplierShare.Cmp(one) == 0:
		return SupplierSpecific
	case f.SupplierShare.Sign() > 0:
		return Hybrid
	case IsCurrency(f.Unit):
		return SpendBased
	}
	return AverageData
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
	return per, "", false, fault.New(fault.NoFactor, "The factor %s has no value: its source publishes none.", f.name())
}

// builder puts a formula together. last is the step that the amount has come to, unit what it is counted in there.
type builder struct {
	engine   *Engine
	line     *Line
	factor   *Factor
	settings Settings
	formula  formula.Formula
	last     int
	unit     string
}

// add goes on from the last step.
func (b *builder) add(s formula.Step) {
	s.Of = b.last
	b.last, b.unit = b.append(s), s.OutputUnit
}

func (b *builder) append(s formula.Step) int {
	b.formula.Steps = append(b.formula.Steps, s)
	return len(b.formula.Steps) - 1
}

// begin takes the amount as the ledger has it, in our spelling of its unit.
func (b *builder) begin(written, unit string) {
	b.add(formula.Step{Step: "quantity", InputUnit: written, Operator: formula.Multiply, Operand: one, OutputUnit: unit, Source: FromLine})
}

// quantity brings the line's quantity into the factor's unit.
func (b *builder) quantity() error {
	e, written := b.engine, b.line.Quantity.Unit
	to := e.find(b.factor.Unit)
	if to == nil {
		return fault.New(fault.UnknownUnit, "The factor %s %s is per %.40q, a unit that is unknown; choose another factor.", b.factor.Source, b.factor.Code, b.factor.Unit)
	}
	if written == "" {
		return fault.New(fault.UnitMismatch, "The line has money in %.10s alone; the factor is per %s (%s). Give a quantity, or choose a factor per currency.",
			b.line.Money.Unit, to.Symbol, to.Dimension).At("quantity")
	}
	from := e.find(written)
	if from == nil && !IsCurrency(written) {
		return unknownUnit(written).At("quantity", "unit")
	}
	if from == nil {
		return mismatch(written, Money, to.Symbol, to.Dimension)
	}
	var by *property
	if from.Dimension != to.Dimension {
		name := b.line.Property
		if name == "" {
			name = b.factor.Property
		}
		var err error
		if by, err = e.across(name, written, from, to); err != nil {
			return err
		}
	}
	b.begin(written, from.Symbol)
	if by != nil {
		b.convertUnit(from, by.from)
		b.add(by.step())
		from = by.to
	}
	b.convertUnit(from, to)
	return nil
}

func (b *builder) convertUnit(from, to *Unit) {
	for _, r := range conversion(from, to) {
		b.add(formula.Step{Step: "unit", InputUnit: b.unit, Operator: r.operator, Operand: r.operand, OutputUnit: r.unit, Source: "table of units"})
	}
}

func mismatch(line string, of Dimension, factor string, by Dimension) error {
	return fault.New(fault.UnitMismatch, "The line is in %.40s (%s); the factor is per %s (%s). Give the amount in %s or another unit of %s, or choose another factor.",
		line, of, factor, by, factor, by).At("quantity", "unit")
}

// money brings the line's money into the factor's currency and price year, in the organization's order.
func (b *builder) money() error {
	f, currency := b.factor, b.line.Money.Unit
	if currency == "" {
		return fault.New(fault.UnitMismatch, "The line has a quantity in %.40s alone; the factor is per %s (money). Give money, or choose a factor per unit.",
			b.line.Quantity.Unit, f.Unit).At("money")
	}
	b.begin(currency, currency)
	year := b.line.OccurredOn.Year()
	if !b.settings.DeflateFirst || f.PriceYear == 0 {
		if err := b.convert(0); err != nil {
			return err
		}
		return b.deflate(year)
	}
	if err := b.deflate(year); err != nil {
		return err
	}
	return b.convert(f.PriceYear)
}

func (b *builder) deflate(year int) error {
	if b.factor.PriceYear == 0 || b.factor.PriceYear == year {
		return nil
	}
	s, err := b.engine.deflate(b.unit, year, b.factor.PriceYear)
	if err != nil {
		return fault.Of(err).At("money")
	}
	b.add(s)
	return nil
}

// convert converts at the average of a year, or at the rate of the line's month where the year is 0.
func (b *builder) convert(year int) error {
	if b.unit == b.factor.Unit {
		return nil
	}
	s, err := b.engine.convertAt(b.unit, b.factor.Unit, b.line.OccurredOn, year)
	if err != nil {
		return fault.Of(err).At("money")
	}
	b.add(s)
	return nil
}

// apply multiplies the amount by the factor and rounds, once. Biogenic CO2 goes before, so that the last output is CO2e.
func (b *builder) apply(m *Made, per exact.Decimal, recomputed bool) {
	f := b.factor
	b.formula.Converted = b.last
	source := f.describe()
	if f.Biogenic != nil && f.Biogenic.Sign() != 0 {
		b.formula.Biogenic = b.finish(*f.Biogenic, "kg biogenic CO2", source+", biogenic CO2")
	}
	switch {
	case recomputed:
		b.recompute(m.GwpSet)
		source += ", sum of its gases by " + m.GwpSet
	case f.biogenicAlone():
		source += ", biogenic CO2 alone: nothing of it counts as CO2e"
	case f.GwpSet != "":
		source += ", published by " + f.GwpSet
	}
	b.formula.CO2e = b.finish(per, co2e, source)
}

// finish adds the steps factor and round to the converted amount, and gives the second.
func (b *builder) finish(per exact.Decimal, unit, source string) int {
	if per.Sign() < 0 {
		source += ", negative in its source: a removal or a credit"
	}
	at := b.append(formula.Step{Step: "factor", Of: b.last, InputUnit: b.unit, Operator: formula.Multiply, Operand: per, OutputUnit: unit, Source: source, FromFactor: true})
	return b.append(formula.Step{Step: "round", Of: at, InputUnit: unit, Operator: formula.Round, Operand: milligram, OutputUnit: unit, Source: "to the milligram, half to even"})
}

// recompute shows each gas of the factor times its potential; the factor step multiplies by their sum.
func (b *builder) recompute(set string) {
	for i := range b.factor.Gases {
		g := &b.factor.Gases[i]
		p, ok := b.engine.weight(g, b.factor.GwpSet, set)
		if !ok || g.Amount.Sign() == 0 {
			continue
		}
		b.append(formula.Step{Step: "gwp", Of: formula.Given, Input: &g.Amount, InputUnit: "kg " + g.Gas + " per " + b.unit, Operator: formula.Multiply, Operand: p.value,
			OutputUnit: co2e + " per " + b.unit, Source: p.source})
	}
}

// gases splits the result by gas. Zero amounts say nothing and are left out.
func (b *builder) gases(set string) {
	for i := range b.factor.Gases {
		g := &b.factor.Gases[i]
		if g.Amount.Sign() == 0 {
			continue
		}
		if g.CO2eBasis {
			b.formula.Gases = append(b.formula.Gases, formula.Gas{Gas: g.Gas, CO2e: g.Amount})
			continue
		}
		if p, ok := b.engine.potential(set, g.Gas); ok {
			b.formula.Gases = append(b.formula.Gases, formula.Gas{Gas: g.Gas, Mass: &g.Amount, CO2e: g.Amount.Mul(p.value)})
		}
	}
}

// biogenicAlone tells of factors outside the scopes: their zero CO2e is a statement of the source, not a gap.
func (f *Factor) biogenicAlone() bool {
	return f.Value == nil && f.Biogenic != nil && len(f.Gases) == 0
}

func (f *Factor) name() string { return f.Source + " " + f.Version + " " + f.Code }

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
	if f.SupplierShare.Sign() > 0 {
		s += ", " + f.SupplierShare.Mul(hundred).Canonical() + " % of the supplier's own data"
	}
	return s
}

var hundred = exact.NewDecimal(100, 0)
