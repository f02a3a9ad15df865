package formula

import (
	"math"
	"math/big"
	"math/bits"
	"strings"

	"carbongraph/internal/exact"
)

// Compiled is a formula made ready for many amounts. It is immutable and safe for concurrent use.
type Compiled struct {
	formula        *Formula
	co2e, biogenic product
}

// product is what an amount is multiplied by on its way to a step that rounds to the milligram. With the amount in millionths
// of its unit and the mass in millionths of a kilogram, mass = amount × product, rounded.
//
// Replay rounds each step to 34 digits, so its result is not the exact one. Which of them is nearer to the truth does not matter: the
// digits that are shown have to be those that the steps give. There are two quick ways to them.
//
// short: every operand and every product of the first operands has 15 digits at most. An amount has 19, so no step of Replay
// loses a digit, and integers give the same, ties included.
//
// long: the product is kept as a binary mantissa of 128 bits. It is off by less than 2^−127 of itself; Replay, whose at most 50 steps
// are off by 5×10^−34 each, by less than 2^−104. A mass of the ledger is below 2^63 mg, so the two results lie less than 2^−41 mg apart. Where
// the fraction of the quick one is farther than 2^−36 mg from one half, both round to the same milligram; nearer, Replay decides.
type product struct {
	way      way
	negative bool
	step     int    // that rounds
	hi, lo   uint64 // short: lo × 10^−shift; long: (hi·2^64 + lo) × 2^−shift
	shift    int
}

type way uint8

const (
	zero   way = iota // the mass is 0, whatever the amount
	short             //
	long              //
	replay            // the steps are no plain product of the amount
)

// Compile makes the formula ready.
func (f *Formula) Compile() *Compiled {
	c := &Compiled{formula: f, co2e: f.product(f.CO2e)}
	if f.Biogenic != None {
		c.biogenic = f.product(f.Biogenic)
	}
	return c
}

// Mass gives what an amount emits: the very milligrams that Replay ends with. It is not ok where one of the two masses
// is more than the ledger holds.
func (c *Compiled) Mass(amount exact.Micros) (co2e, biogenic exact.Milligrams, ok bool) {
	co2e, ok = c.of(&c.co2e, amount)
	if !ok || c.biogenic.way == zero {
		return co2e, 0, ok
	}
	biogenic, ok = c.of(&c.biogenic, amount)
	return co2e, biogenic, ok
}

func (c *Compiled) of(p *product, amount exact.Micros) (exact.Milligrams, bool) {
	size, negative := uint64(amount), p.negative
	if amount < 0 {
		size, negative = -size, !negative
	}
	var mass uint64
	fits, certain := true, true
	switch p.way {
	case zero:
		return 0, true
	case short:
		mass, fits = p.exactly(size)
	case long:
		mass, fits, certain = p.nearly(size)
	case replay:
		certain = false
	}
	if !certain {
		input := c.formula.Steps[p.step].Of
		x := Plain(amount)
		if input >= 0 {
			x = c.formula.at(input, x)
		} else if input == Given {
			x = *c.formula.Steps[p.step].Input
		}
		mg, ok := x.Scaled(milligrams)
		return exact.Milligrams(mg), ok
	}
	switch {
	case !fits:
		return 0, false
	case mass <= math.MaxInt64 && !negative:
		return exact.Milligrams(mass), true
	case mass <= -math.MinInt64 && negative:
		return exact.Milligrams(-mass), true
	}
	return 0, false
}

// exactly multiplies by a short product.
func (p *product) exactly(amount uint64) (mass uint64, fits bool) {
	hi, lo := bits.Mul64(amount, p.lo)
	digits := p.shift
	switch {
	case digits > 34:
		return 0, true // 2^63 × 10^15 is less than half of 10^35
	case hi == 0 && lo == 0:
		return 0, true
	case digits < -19 || digits <= 0 && hi != 0:
		return 0, false
	case digits <= 0:
		hi, lo = bits.Mul64(lo, powers[-digits])
		return lo, hi == 0
	}
	lost := uint64(0)
	if digits > 19 {
		hi, lo, lost = divide(hi, lo, powers[19])
		digits -= 19
	}
	by := powers[digits]
	hi, lo, rest := divide(hi, lo, by)
	half := by / 2 // a power of ten is even
	if rest > half || rest == half && (lost != 0 || lo&1 == 1) {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
	}
	return lo, hi == 0
}

func divide(hi, lo, by uint64) (qhi, qlo, rest uint64) {
	qhi, rest = hi/by, hi%by
	qlo, rest = bits.Div64(rest, lo, by)
	return qhi, qlo, rest
}

// tolerance is 2^−36 in units of 2^−64.
const (
	half      = 1 << 63
	tolerance = 1 << 28
)

// nearly multiplies by a long product; it is certain where the fraction is not about one half.
func (p *product) nearly(amount uint64) (mass uint64, fits, certain bool) {
	if amount == 0 || p.shift > 192 {
		return 0, true, true // less than 2^191 ÷ 2^193
	}
	if p.shift < 64 {
		return 0, false, true // 2^127 at least, over 2^63
	}
	carry, low := bits.Mul64(amount, p.lo)
	top, mid := bits.Mul64(amount, p.hi)
	mid, carry = bits.Add64(mid, carry, 0)
	top += carry
	var fraction uint64
	if right := uint(p.shift - 64); right < 64 {
		if top>>right != 0 {
			return 0, false, true
		}
		mass, fraction = mid>>right|top<<(64-right), low>>right|mid<<(64-right)
	} else {
		right -= 64
		mass, fraction = top>>right, mid>>right|top<<(64-right)
	}
	if fraction-(half-tolerance) <= 2*tolerance {
		return 0, true, false
	}
	if fraction >= half {
		if mass++; mass == 0 {
			return 0, false, true
		}
	}
	return mass, true, true
}

// product works out what an amount is multiplied by on its way to a step.
func (f *Formula) product(step int) product {
	p := product{step: step}
	chain, plain := f.chain(f.Steps[step].Of)
	if !plain {
		p.way = replay
		return p
	}
	if x, ok := shortProduct(chain); ok {
		n, places := parts(x)
		if n.Sign() == 0 {
			return p
		}
		p.way, p.negative, p.lo, p.shift = short, n.Sign() < 0, n.Abs(n).Uint64(), places
		return p
	}
	above, below := big.NewInt(1), big.NewInt(1)
	for _, s := range chain {
		n, places := parts(s.Operand)
		num, den := above, below
		if s.Operator == Divide {
			num, den = below, above
		}
		if places < 0 {
			n.Mul(n, tens(-places))
		}
		num.Mul(num, n)
		den.Mul(den, tens(max(places, 0)))
	}
	if above.Sign() == 0 {
		return p
	}
	p.way, p.negative = long, above.Sign() != below.Sign()
	p.hi, p.lo, p.shift = mantissa(above.Abs(above), below.Abs(below))
	return p
}

// chain lists the multiplications and divisions that lead from the amount to a step; it is not plain where something else is among them.
func (f *Formula) chain(step int) (steps []*Step, plain bool) {
	for step >= 0 {
		s := &f.Steps[step]
		if s.Operator == Round {
			return nil, false
		}
		steps = append(steps, s)
		step = s.Of
	}
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return steps, step == Amount
}

const shortDigits = 15

// shortProduct multiplies and divides as far as no more than 15 digits are needed.
func shortProduct(chain []*Step) (exact.Decimal, bool) {
	x := exact.NewDecimal(1, 0)
	for _, s := range chain {
		before := x
		if !isShort(s.Operand) {
			return x, false
		}
		if s.Operator == Multiply {
			x = x.Mul(s.Operand)
		} else if x = x.Quo(s.Operand); isShort(x) && x.Mul(s.Operand).Cmp(before) != 0 {
			return x, false
		}
		if !isShort(x) {
			return x, false
		}
	}
	return x, true
}

func isShort(x exact.Decimal) bool { return x.Significant(shortDigits).Cmp(x) == 0 }

// parts gives a number as an integer without zeros at its end and the places after its point, fewer than none for 1000.
func parts(x exact.Decimal) (*big.Int, int) {
	whole, fraction, _ := strings.Cut(x.Canonical(), ".")
	digits := whole + fraction
	short := strings.TrimRight(digits, "0")
	n, ok := new(big.Int).SetString(short, 10)
	if !ok {
		return new(big.Int), 0 // 0, which is nothing but zeros
	}
	return n, len(fraction) - len(digits) + len(short)
}

func tens(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// mantissa gives above ÷ below as 128 bits, the first of them 1, times 2^−shift. What is below the last bit is cut off.
func mantissa(above, below *big.Int) (hi, lo uint64, shift int) {
	shift = 128 - above.BitLen() + below.BitLen()
	q := new(big.Int)
	if shift >= 0 {
		q.Quo(q.Lsh(above, uint(shift)), below)
	} else {
		q.Quo(above, new(big.Int).Lsh(below, uint(-shift)))
	}
	if q.BitLen() > 128 {
		q.Rsh(q, 1)
		shift--
	}
	lo = new(big.Int).And(q, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	return q.Rsh(q, 64).Uint64(), lo, shift
}

// powers are those of ten that fit 64 bits.
var powers = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}
