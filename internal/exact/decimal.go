// Package exact holds the numbers, days and instants that lose nothing on their way between JSON, Go and SQL.
package exact

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"carbongraph/internal/fault"
)

// Precision is the number of significant digits that Context keeps: those of IEEE 754 decimal128,
// so that anyone can repeat a calculation with the decimals of their own language.
const Precision = 34

// maxExponent bounds the size of a number read from outside: 1e40 written out is harmless, 1e400000000 is not.
const maxExponent = 40

// context is how inexact operations (division alone, in practice) round: 34 digits, half to even.
// wide is the same with room for any number of the other written out in full: rounding to places must not fail on a large one.
var (
	context = rounding(Precision)
	wide    = rounding(2 * 6144)
)

func rounding(digits uint32) *apd.Context {
	return &apd.Context{
		Precision: digits, MaxExponent: 6144, MinExponent: -6143, Rounding: apd.RoundHalfEven,
		Traps: apd.DefaultTraps &^ (apd.Inexact | apd.Rounded),
	}
}

// Decimal is an exact decimal number. The zero value is 0. It is immutable: operations return a new one.
type Decimal struct{ d apd.Decimal }

// ParseDecimal reads plain or scientific notation. More than 34 digits, places beyond the 40th on either side
// of the point, NaN and infinities are BAD_USER_INPUT.
func ParseDecimal(s string) (Decimal, error) {
	if s == "" || len(s) > 80 || strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && !strings.ContainsRune("+-.eE", r) }) {
		return Decimal{}, fault.New(fault.BadUserInput, "%.80q is not a decimal number; write it like \"12.340\".", s)
	}
	d, _, err := apd.NewFromString(s)
	if err != nil || d.Form != apd.Finite {
		return Decimal{}, fault.New(fault.BadUserInput, "%.80q is not a decimal number; write it like \"12.340\".", s)
	}
	r := plainZero(*d)
	if r.NumDigits() > Precision {
		r.Reduce(&r) // zeros at the end are no digits to lose: what String writes can be read
	}
	if r.NumDigits() > Precision || r.NumDigits()+int64(r.Exponent) > maxExponent+1 || r.Exponent < -maxExponent {
		return Decimal{}, fault.New(fault.BadUserInput, "%.80q is out of range: at most 34 digits, between 1e-40 and 1e40.", s)
	}
	return Decimal{r}, nil
}

// plainZero turns −0 into 0 and 0e5 into 0, which would print as 000000. Other numbers pass.
func plainZero(d apd.Decimal) apd.Decimal {
	if d.IsZero() {
		d.Negative = false
		d.Exponent = min(d.Exponent, 0)
	}
	return d
}

// MustDecimal is ParseDecimal for constants of the program; it panics on what is no number.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// NewDecimal returns coefficient × 10^exponent.
func NewDecimal(coefficient int64, exponent int32) Decimal {
	return Decimal{plainZero(*apd.New(coefficient, exponent))}
}

// String writes plain notation, never an exponent, with the zeros that were given.
func (x Decimal) String() string { return x.d.Text('f') }

// Append adds what String writes to b.
func (x Decimal) Append(b []byte) []byte { return x.d.Append(b, 'f') }

// Canonical writes plain notation without trailing zeros: equal numbers, equal text.
func (x Decimal) Canonical() string {
	s := x.String()
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Sign is −1, 0 or 1.
func (x Decimal) Sign() int { return x.d.Sign() }

// Cmp compares by value: 1.0 equals 1.00.
func (x Decimal) Cmp(y Decimal) int { return x.d.Cmp(&y.d) }

// Add returns x + y, rounded to 34 digits.
func (x Decimal) Add(y Decimal) Decimal {
	var r apd.Decimal
	_, err := context.Add(&r, &x.d, &y.d)
	return result(r, err)
}

// Sub returns x − y, rounded to 34 digits.
func (x Decimal) Sub(y Decimal) Decimal {
	var r apd.Decimal
	_, err := context.Sub(&r, &x.d, &y.d)
	return result(r, err)
}

// Mul returns x × y, rounded to 34 digits.
func (x Decimal) Mul(y Decimal) Decimal {
	var r apd.Decimal
	_, err := context.Mul(&r, &x.d, &y.d)
	return result(r, err)
}

// Quo returns x ÷ y, rounded to 34 digits. Division by zero panics: callers check first.
// A quotient that ends is written as short as it is: 1 ÷ 4 is 0.25, not 0.25 and 32 zeros.
func (x Decimal) Quo(y Decimal) Decimal {
	var r apd.Decimal
	cond, err := context.Quo(&r, &x.d, &y.d)
	if err != nil || cond.Inexact() {
		return result(r, err)
	}
	r.Reduce(&r)
	return result(r, nil)
}

// result takes what an operation gave. Inputs are bounded by ParseDecimal, so an error is a division by zero.
func result(r apd.Decimal, err error) Decimal {
	if err != nil {
		panic("exact: " + err.Error())
	}
	return Decimal{plainZero(r)}
}

// Neg returns −x.
func (x Decimal) Neg() Decimal {
	var r apd.Decimal
	r.Neg(&x.d)
	return Decimal{r}
}

// Round rounds half to even to so many places after the point.
func (x Decimal) Round(places int32) Decimal {
	var r apd.Decimal
	_, err := wide.Quantize(&r, &x.d, -places)
	return result(r, err)
}

// Significant rounds half to even to so many digits, counted from the first that is not zero. A number of fewer digits stays as it is.
func (x Decimal) Significant(digits int32) Decimal {
	surplus := int32(x.d.NumDigits()) - digits
	if surplus <= 0 {
		return x
	}
	r := x.Round(-x.d.Exponent - surplus)
	if int32(r.d.NumDigits()) > digits { // 9.99 became 10.0: one digit more than asked for, and it is a zero
		return r.Round(-r.d.Exponent - 1)
	}
	return r
}

// Scaled returns the number × 10^places as an integer, rounded half to even; false where it does not fit 64 bits.
func (x Decimal) Scaled(places int32) (int64, bool) {
	if x.d.NumDigits()+int64(x.d.Exponent)+int64(places) > 20 && !x.d.IsZero() {
		return 0, false // too large by far: no need to write it out
	}
	r := x.Round(places)
	if !r.d.Coeff.IsUint64() {
		return 0, false
	}
	switch n := r.d.Coeff.Uint64(); {
	case n <= math.MaxInt64 && !r.d.Negative:
		return int64(n), true
	case n <= -math.MinInt64 && r.d.Negative:
		return int64(-n), true
	}
	return 0, false
}

// ScaledExactly is Scaled for input that must not be rounded: it is false also where digits would be lost.
func (x Decimal) ScaledExactly(places int32) (int64, bool) {
	n, ok := x.Scaled(places)
	if !ok || NewDecimal(n, -places).Cmp(x) != 0 {
		return 0, false
	}
	return n, true
}

// Float64 gives the nearest binary number: for sort keys and statistics, never for a figure that is shown.
func (x Decimal) Float64() float64 {
	f, err := x.d.Float64()
	if err != nil {
		return 0
	}
	return f
}

// Value writes the number for SQL as canonical text.
func (x Decimal) Value() (driver.Value, error) { return x.Canonical(), nil }

// Scan reads the number from SQL.
func (x *Decimal) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return x.parse(v)
	case []byte:
		return x.parse(string(v))
	case int64:
		*x = NewDecimal(v, 0)
		return nil
	}
	return fmt.Errorf("exact: cannot read a decimal from %T", src)
}

func (x *Decimal) parse(s string) error {
	d, _, err := apd.NewFromString(s)
	if err != nil {
		return fmt.Errorf("exact: %w", err)
	}
	if d.Form != apd.Finite {
		return fmt.Errorf("exact: %q is not a finite number", s)
	}
	*x = Decimal{plainZero(*d)}
	return nil
}

// MarshalJSON writes a JSON string, so that no client reads it as a binary float.
func (x Decimal) MarshalJSON() ([]byte, error) { return json.Marshal(x.String()) }

// UnmarshalJSON reads a JSON string or number.
func (x *Decimal) UnmarshalJSON(b []byte) error {
	d, err := ParseDecimal(strings.Trim(string(b), `"`))
	*x = d
	return err
}
