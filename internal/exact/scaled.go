package exact

import (
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// Micros is an amount of money or a quantity in millionths: an integer, so that sums are exact and independent of order.
type Micros int64

// Milligrams is a mass of CO2e (or CO2) in milligrams, exact for the same reason.
type Milligrams int64

// Decimal gives the amount in whole units.
func (m Micros) Decimal() Decimal { return NewDecimal(int64(m), -6) }

// Decimal gives the mass in kilograms.
func (m Milligrams) Decimal() Decimal { return NewDecimal(int64(m), -6) }

// String writes the amount in whole units, without trailing zeros.
func (m Micros) String() string { return FormatScaled(int64(m), 6) }

// FormatScaled writes n × 10^−places in plain notation without trailing zeros.
func FormatScaled(n int64, places int) string { return string(AppendScaled(nil, n, places)) }

// AppendScaled is FormatScaled into a buffer.
func AppendScaled(buf []byte, n int64, places int) []byte {
	u := uint64(n)
	if n < 0 {
		buf = append(buf, '-')
		u = -u
	}
	var scratch [20]byte
	return appendPoint(buf, strconv.AppendUint(scratch[:0], u, 10), places)
}

// appendPoint writes digits with so many of them after the point, without the zeros at the end of those.
func appendPoint(buf, digits []byte, places int) []byte {
	if places == 0 {
		return append(buf, digits...)
	}
	if len(digits) <= places {
		buf = append(buf, '0')
	} else {
		buf = append(buf, digits[:len(digits)-places]...)
		digits = digits[len(digits)-places:]
	}
	end := len(digits)
	for end > 0 && digits[end-1] == '0' {
		end--
	}
	if end == 0 {
		return buf
	}
	buf = append(buf, '.')
	for range places - len(digits) {
		buf = append(buf, '0')
	}
	return append(buf, digits[:end]...)
}

// AppendCanonical adds what Canonical writes to b. The numbers that ParseDecimal reads take no heap.
func (x Decimal) AppendCanonical(b []byte) []byte {
	if x.d.Negative {
		b = append(b, '-')
	}
	var scratch [2 * Precision]byte
	digits := appendInteger(scratch[:0], &x.d.Coeff)
	for range x.d.Exponent { // none where there are places
		digits = append(digits, '0')
	}
	return appendPoint(b, digits, int(max(-x.d.Exponent, 0)))
}

// appendInteger writes a number that is not negative. Apd takes the heap for one of more than 64 bits: up to 34 digits are written in two halves.
func appendInteger(b []byte, n *apd.BigInt) []byte {
	if n.IsUint64() {
		return strconv.AppendUint(b, n.Uint64(), 10)
	}
	var high, low, half apd.BigInt
	high.QuoRem(n, half.SetUint64(powers[19]), &low)
	if !high.IsUint64() {
		return n.Append(b, 10)
	}
	b = strconv.AppendUint(b, high.Uint64(), 10)
	for digits := len(powers) - 1; digits > 1 && low.Uint64() < powers[digits-1]; digits-- {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, low.Uint64(), 10)
}

// Scaled is an integer whose decimal point is shifted to the left: exact, and quicker to write than a Decimal. The zero value is 0.
type Scaled struct {
	n      int64
	places int32
}

// ScaledOf gives the number as an integer and its places; false where the integer takes more than 64 bits.
func ScaledOf(d Decimal) (Scaled, bool) {
	var r apd.Decimal
	r.Reduce(&d.d)
	places := max(-r.Exponent, 0)
	n, ok := d.ScaledExactly(places)
	return Scaled{n, places}, ok
}

// Decimal gives the number to calculate with.
func (s Scaled) Decimal() Decimal { return NewDecimal(s.n, -s.places) }

// String writes the number in plain notation, without trailing zeros.
func (s Scaled) String() string { return FormatScaled(s.n, int(s.places)) }

// Append adds what String writes to b.
func (s Scaled) Append(b []byte) []byte { return AppendScaled(b, s.n, int(s.places)) }
