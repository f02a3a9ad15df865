package exact

import "strconv"

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
	var scratch [40]byte
	digits := strconv.AppendUint(scratch[:0], u, 10)
	if len(digits) <= places {
		buf = append(buf, '0')
	} else {
		buf = append(buf, digits[:len(digits)-places]...)
		digits = digits[len(digits)-places:]
	}
	if u == 0 || places == 0 {
		return buf
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
