// Package exact holds the numbers, days and instants that lose nothing on their way between JSON, Go and SQL.
package exact

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"carbongraph/internal/fault"
)

// Precision is the number of significant digits that Context keeps: those of IEEE 754 decimal128,
// so that anyone can repeat a calculation with the decimals of their own language.
const Precision = 34

// maxExponent bounds the size of a number read from outside: 1e40 written out is harmless, 1e400000000 is not.
const maxExponent = 40

// Context is how inexact operations (division alone, in practice) round: 34 digits, half to even.
var context = apd.Context{
	Precision: Precision, MaxExponent: 6144, MinExponent: -6143, Rounding: apd.RoundHalfEven,
	Traps: apd.DefaultTraps &^ (apd.Inexact | apd.Rounded),
}

// Decimal is an exact decimal number. The zero value is 0. It is immutable: operations return a new one.
type Decimal struct{ d apd.Decimal }

// ParseDecimal reads plain or scientific notation. More than 34 digits, exponents beyond ±40, NaN and infinities are BAD_USER_INPUT.
func ParseDecimal(s string) (Decimal, error) {
	if s == "" || len(s) > 80 || strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && !strings.ContainsRune("+-.eE", r) }) {
		return Decimal{}, fault.New(fault.BadUserInput, "%.80q is not a decimal number; write it like \"12.340\".", s)
	}
	d, _, err := apd.NewFromString(s)
	if err != nil || d.Form != apd.Finite {
		return Decimal{}, fault.New(fault.BadUserInput, "%.80q is not a decimal number; write it like \"12.340\".", s)
	}
	if d.NumDigits() > Precision || d.Exponent > maxExponent || d.Exponent < -maxExponent {
		return Decimal{}, fault.New(fault.BadUserInput, "%.80q is out of range: at most 34 digits, between 1e-40 and 1e40.", s)
	}
	if d.IsZero() {
		d.Negative = false
	}
	return Decimal{*d}, nil
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
	return Decimal{*apd.New(coefficient, exponent)}
}

// String writes plain notation, never an exponent, with the zeros that were given.
func (x Decimal) String() string { return x.d.Text('f') }

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
func (x Decimal) Add(y Decimal) Decimal { return x.op(y, context.Add) }

// Sub returns x − y, rounded to 34 digits.
func (x Decimal) Sub(y Decimal) Decimal { return x.op(y, context.Sub) }

// Mul returns x × y, rounded to 34 digits.
func (x Decimal) Mul(y Decimal) Decimal { return x.op(y, context.Mul) }

// Quo returns x ÷ y, rounded to 34 digits. Division by zero panics: callers check first.
func (x Decimal) Quo(y Decimal) Decimal { return x.op(y, context.Quo) }

func (x Decimal) op(y Decimal, f func(r, a, b *apd.Decimal) (apd.Condition, error)) Decimal {
	var r apd.Decimal
	if _, err := f(&r, &x.d, &y.d); err != nil {
		panic(fmt.Sprintf("exact: %v", err)) // inputs are bounded by ParseDecimal: only a division by zero comes here
	}
	return Decimal{r}
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
	wide := context
	wide.Precision = 200
	if _, err := wide.Quantize(&r, &x.d, -places); err != nil {
		panic(fmt.Sprintf("exact: %v", err))
	}
	if r.IsZero() {
		r.Negative = false
	}
	return Decimal{r}
}

// Scaled returns the number × 10^places as an integer, rounded half to even; false where it does not fit 64 bits.
func (x Decimal) Scaled(places int32) (int64, bool) {
	r := x.Round(places)
	r.d.Exponent += places
	n, err := r.d.Int64()
	return n, err == nil
}

// ScaledExactly is Scaled for input that must not be rounded: it is false also where digits would be lost.
func (x Decimal) ScaledExactly(places int32) (int64, bool) {
	if x.Round(places).Cmp(x) != 0 {
		return 0, false
	}
	return x.Scaled(places)
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
	*x = Decimal{*d}
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
