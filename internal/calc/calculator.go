package calc

import (
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// Calculator calculates by the settings of one organization. It remembers what lines of a kind share, and what is wrong with them,
// so that the next line of the kind costs a look-up and a multiplication. It is safe for concurrent use.
type Calculator struct {
	engine   *Engine
	settings Settings
	kinds    *memory[kind, *Made]
	spends   *memory[exchangeOf, *formula.Compiled]
}

// kind is all that a formula, its quality and its faults depend on, but for what is the calculator's. The amount alone is missing.
type kind struct {
	factor      *Factor // the pointer: what it points at does not change, and is not given away while it is remembered
	unit        string  // of the amount that the factor is per, or of the other one where that is missing
	missing     bool
	period      int32 // the month where its exchange rate counts, else the year
	when        validity
	match       Match
	country     string
	property    string
	uncertainty exact.Micros
}

// exchangeOf is what the conversion of money depends on.
type exchangeOf struct {
	from, into string
	month      int32
}

// remembered is how many kinds each half of a calculator's memory holds: a year of a ledger has some hundreds of factors and units, times
// twelve months where it is converted by the month. A kind takes 5 kB or so with 18 gases, 2 kB without.
const remembered = 4096

// Calculator makes a calculator for a ledger.
func (e *Engine) Calculator(s Settings) *Calculator { return e.CalculatorOf(s, remembered) }

// CalculatorOf makes a calculator that remembers at most twice so many kinds.
func (e *Engine) CalculatorOf(s Settings, kinds int) *Calculator {
	return &Calculator{engine: e, settings: s, kinds: newMemory[kind, *Made](kinds), spends: newMemory[exchangeOf, *formula.Compiled](kinds)}
}

// Calculate gives what a line emits by a factor. Its faults are those of Engine.Formula, and BAD_USER_INPUT for a mass that is too large for the ledger.
func (c *Calculator) Calculate(l *Line, f *Factor) (Result, error) {
	if f == nil || l.Quantity.Unit == "" && l.Money.Unit == "" {
		_, err := c.engine.Formula(l, f, c.settings)
		return Result{}, err
	}
	k, amount := c.kindOf(l, f)
	made, known := c.kinds.get(&k)
	if !known {
		made.value, made.err = c.engine.Formula(l, f, c.settings)
		if len(k.unit)+len(k.property)+len(k.country) <= 4*maxSpelling { // what is longer is no unit, and would fill the memory
			c.kinds.put(k, made)
		}
	}
	if made.err != nil {
		return Result{}, made.err
	}
	return made.value.Emit(amount)
}

func (c *Calculator) kindOf(l *Line, f *Factor) (kind, exact.Micros) {
	k := kind{factor: f, period: int32(l.OccurredOn.Year()), when: f.holds(l.OccurredOn), match: l.Match, country: l.Country, uncertainty: l.Uncertainty}
	if !IsCurrency(f.Unit) {
		k.unit, k.property = l.Quantity.Unit, l.Property
		if k.unit == "" {
			k.unit, k.missing = l.Money.Unit, true
		}
		return k, l.Quantity.Value
	}
	k.unit = l.Money.Unit
	if k.unit == "" {
		k.unit, k.missing = l.Quantity.Unit, true
	}
	if k.unit != f.Unit && (!c.settings.DeflateFirst || f.PriceYear == 0) {
		k.period = int32(monthOf(l.OccurredOn.Year(), int(l.OccurredOn.Month())))
	}
	return k, l.Money.Value
}

// Emit gives what an amount of the kind emits, or BAD_USER_INPUT where that is more than the ledger holds.
func (m *Made) Emit(amount exact.Micros) (Result, error) {
	r := Result{Made: m, Amount: amount}
	var ok bool
	if r.CO2e, r.Biogenic, ok = m.compiled.Mass(amount); !ok {
		return Result{}, m.tooLarge(amount)
	}
	if m.HasInterval {
		if r.Low, r.High, ok = m.ends(r.CO2e); !ok {
			return Result{}, fault.New(fault.BadUserInput, "The upper end of the line's interval is more than the ledger can hold; check its amount, unit and uncertainty.")
		}
	}
	return r, nil
}

func (m *Made) tooLarge(amount exact.Micros) error {
	values := m.Formula.Replay(formula.Plain(amount))
	at := m.Formula.CO2e
	if _, ok := values[at].Output.Scaled(6); ok {
		at = m.Formula.Biogenic
	}
	return fault.New(fault.BadUserInput, "The line gives %.1e %s, more than the ledger can hold; check its amount and unit.",
		values[at].Input.Float64(), m.Formula.Steps[at].OutputUnit)
}

// Convert gives money in another currency at the rate of the day's month, rounded half to even to the millionth. A currency or month
// without a rate is NO_EXCHANGE_RATE, never 1.
func (c *Calculator) Convert(money Amount, on exact.Date, into string) (exact.Micros, error) {
	if money.Unit == into {
		return money.Value, nil
	}
	k := exchangeOf{money.Unit, into, int32(monthOf(on.Year(), int(on.Month())))}
	by, known := c.spends.get(&k)
	if !known {
		by.value, by.err = c.engine.exchangeBy(money.Unit, into, on)
		if len(money.Unit)+len(into) <= maxSpelling {
			c.spends.put(k, by)
		}
	}
	if by.err != nil {
		return 0, by.err
	}
	n, _, ok := by.value.Mass(money.Value) // a millionth of money, as of a kilogram
	if !ok {
		return 0, fault.New(fault.BadUserInput, "The amount is too large in %s.", into)
	}
	return exact.Micros(n), nil
}

func (e *Engine) exchangeBy(from, into string, on exact.Date) (*formula.Compiled, error) {
	s, err := e.convertAt(from, into, on, 0)
	if err != nil {
		return nil, err
	}
	s.Of = formula.Amount
	f := &formula.Formula{Steps: []formula.Step{s, {Step: "round", Of: 0, Operator: formula.Round, Operand: milligram}}, Biogenic: formula.None, CO2e: 1}
	return f.Compile(), nil
}
