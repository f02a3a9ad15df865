// Package scalar tells how the contract's scalars read and write. What cannot be read is BAD_USER_INPUT.
package scalar

import (
	"encoding/json"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// MarshalID writes a global id.
func MarshalID(id store.GlobalID) graphql.Marshaler { return plain(id.String()) }

// UnmarshalID reads a global id.
func UnmarshalID(v any) (store.GlobalID, error) {
	s, err := text("ID", v)
	if err != nil {
		return store.GlobalID{}, err
	}
	return store.ParseGlobalID(s)
}

// MarshalDecimal writes the number without trailing zeros, so that equal numbers are equal text.
func MarshalDecimal(d exact.Decimal) graphql.Marshaler { return plain(d.Canonical()) }

// UnmarshalDecimal reads a string or an integer. A JSON number with a point is refused: some client's binary float wrote it.
func UnmarshalDecimal(v any) (exact.Decimal, error) {
	switch v := v.(type) {
	case int64:
		return exact.NewDecimal(v, 0), nil
	case int:
		return exact.NewDecimal(int64(v), 0), nil
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return exact.ParseDecimal(v.String())
		}
		return exact.Decimal{}, fault.New(fault.BadUserInput, "%.80s is not exact; write a Decimal as a string like \"12.340\".", v)
	}
	s, err := text("Decimal", v)
	if err != nil {
		return exact.Decimal{}, err
	}
	return exact.ParseDecimal(s)
}

// MarshalMicros writes an amount in whole units.
func MarshalMicros(m exact.Micros) graphql.Marshaler { return plain(m.String()) }

// UnmarshalMicros reads an amount; more than six digits after the point are refused.
func UnmarshalMicros(v any) (exact.Micros, error) {
	d, err := UnmarshalDecimal(v)
	if err != nil {
		return 0, err
	}
	n, ok := d.ScaledExactly(6)
	if !ok {
		return 0, fault.New(fault.BadUserInput, "%s is out of range: at most six digits after the point and twelve before it.", d)
	}
	return exact.Micros(n), nil
}

// MarshalScaled writes the number without trailing zeros.
func MarshalScaled(s exact.Scaled) graphql.Marshaler { return plain(s.String()) }

// UnmarshalScaled reads a number whose digits make an integer of 64 bits.
func UnmarshalScaled(v any) (exact.Scaled, error) {
	d, err := UnmarshalDecimal(v)
	if err != nil {
		return exact.Scaled{}, err
	}
	s, ok := exact.ScaledOf(d)
	if !ok {
		return exact.Scaled{}, fault.New(fault.BadUserInput, "%s is out of range: at most 18 digits.", d)
	}
	return s, nil
}

// MarshalDate writes a day.
func MarshalDate(d exact.Date) graphql.Marshaler { return plain(d.String()) }

// UnmarshalDate reads a day.
func UnmarshalDate(v any) (exact.Date, error) {
	s, err := text("Date", v)
	if err != nil {
		return exact.Date{}, err
	}
	return exact.ParseDate(s)
}

// MarshalDateTime writes an instant.
func MarshalDateTime(i exact.Instant) graphql.Marshaler { return plain(i.String()) }

// UnmarshalDateTime reads an instant.
func UnmarshalDateTime(v any) (exact.Instant, error) {
	s, err := text("DateTime", v)
	if err != nil {
		return exact.Instant{}, err
	}
	return exact.ParseInstant(s)
}

// MarshalCountryCode writes a country.
func MarshalCountryCode(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalCountryCode reads a country: its form is checked, not whether it is in use, because ledgers hold codes that came and went.
func UnmarshalCountryCode(v any) (string, error) {
	return capitals("CountryCode", "a country code; write two capital letters like \"GB\"", 2, v)
}

// MarshalCurrencyCode writes a currency.
func MarshalCurrencyCode(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalCurrencyCode reads a currency by its form; whether there is a rate for it shows when one is needed.
func UnmarshalCurrencyCode(v any) (string, error) {
	return capitals("CurrencyCode", "a currency code; write three capital letters like \"EUR\"", 3, v)
}

func capitals(scalar, what string, length int, v any) (string, error) {
	s, err := text(scalar, v)
	if err != nil {
		return "", err
	}
	ok := len(s) == length
	for i := range len(s) {
		ok = ok && s[i] >= 'A' && s[i] <= 'Z'
	}
	if !ok {
		return "", fault.New(fault.BadUserInput, "%.40q is not %s.", s, what)
	}
	return s, nil
}

func text(scalar string, v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fault.New(fault.BadUserInput, "%.80s is not a %s; write it as a string.", show(v), scalar)
	}
	return s, nil
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "the value"
	}
	return string(b)
}

// plain is text that needs no escaping.
type plain string

// MarshalGQL writes the text as a JSON string.
func (p plain) MarshalGQL(w io.Writer) {
	var scratch [64]byte
	_, _ = w.Write(append(append(append(scratch[:0], '"'), p...), '"')) // into a buffer: it cannot fail
}
