package scalar

import (
	"encoding/base64"
	"strconv"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// This file writes each scalar once more, to the end of a buffer: the bytes of the Marshal function of the same name, gqlgen's where there is none
// here, without the heap and without a Marshaler for every value.

// AppendNull adds null.
func AppendNull(b []byte) []byte { return append(b, "null"...) }

// AppendBoolean adds true or false.
func AppendBoolean(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// AppendInt adds a number.
func AppendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendInt32 adds a number.
func AppendInt32(b []byte, n int32) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendString adds a text. What is no UTF-8 stays as it is, as with gqlgen.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			b = appendEscape(append(b, s[start:i]...), c)
			start = i + 1
		}
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\t':
		return append(b, `\t`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// AppendID adds a global id.
func AppendID(b []byte, id store.GlobalID) []byte {
	var raw [1 + len(id.Row)]byte
	raw[0] = byte(id.Kind)
	copy(raw[1:], id.Row[:])
	return append(base64.RawURLEncoding.AppendEncode(append(b, '"'), raw[:]), '"')
}

// AppendDecimal adds a number without trailing zeros.
func AppendDecimal(b []byte, d exact.Decimal) []byte {
	return append(d.AppendCanonical(append(b, '"')), '"')
}

// AppendMicros adds an amount in whole units.
func AppendMicros(b []byte, m exact.Micros) []byte {
	return append(exact.AppendScaled(append(b, '"'), int64(m), 6), '"')
}

// AppendScaled adds a number without trailing zeros.
func AppendScaled(b []byte, s exact.Scaled) []byte { return append(s.Append(append(b, '"')), '"') }

// AppendDate adds a day.
func AppendDate(b []byte, d exact.Date) []byte {
	return append(appendDay(append(b, '"'), d.Time()), '"')
}

// AppendDateTime adds an instant.
func AppendDateTime(b []byte, i exact.Instant) []byte {
	t := i.Time()
	hour, minute, second := t.Clock()
	b = appendDay(append(b, '"'), t)
	b = appendDigits(append(b, 'T'), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	b = appendDigits(append(b, '.'), t.Nanosecond()/1000, 6)
	return append(b, 'Z', '"')
}

// appendDay writes the day digit by digit: package time reads its layout anew for each value.
func appendDay(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, time.DateOnly)
	}
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	return appendDigits(append(b, '-'), day, 2)
}

// appendDigits writes a number with zeros before it. It has at most six digits, and as many as are asked for or fewer.
func appendDigits(b []byte, n, digits int) []byte {
	var scratch [6]byte
	for i := digits - 1; i >= 0; i-- {
		scratch[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, scratch[:digits]...)
}

// AppendCountryCode adds a country.
func AppendCountryCode(b []byte, s string) []byte { return AppendString(b, s) }

// AppendCurrencyCode adds a currency.
func AppendCurrencyCode(b []byte, s string) []byte { return AppendString(b, s) }
