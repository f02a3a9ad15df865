package scalar_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"

	"carbongraph/graph/scalar"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

func written(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

// reader reads one scalar and writes it again.
func reader[T any](read func(any) (T, error), write func(T) graphql.Marshaler) func(any) (string, error) {
	return func(v any) (string, error) {
		x, err := read(v)
		if err != nil {
			return "", err
		}
		return written(write(x)), nil
	}
}

var readers = map[string]func(any) (string, error){
	"ID":           reader(scalar.UnmarshalID, scalar.MarshalID),
	"Decimal":      reader(scalar.UnmarshalDecimal, scalar.MarshalDecimal),
	"Micros":       reader(scalar.UnmarshalMicros, scalar.MarshalMicros),
	"Scaled":       reader(scalar.UnmarshalScaled, scalar.MarshalScaled),
	"Date":         reader(scalar.UnmarshalDate, scalar.MarshalDate),
	"DateTime":     reader(scalar.UnmarshalDateTime, scalar.MarshalDateTime),
	"CountryCode":  reader(scalar.UnmarshalCountryCode, scalar.MarshalCountryCode),
	"CurrencyCode": reader(scalar.UnmarshalCurrencyCode, scalar.MarshalCurrencyCode),
}

func TestScalars(t *testing.T) {
	id := store.CategoryID(7).String()
	for _, tc := range []struct {
		scalar string
		in     any
		want   string // empty: BAD_USER_INPUT
	}{
		{"ID", id, `"` + id + `"`}, {"ID", "", ""}, {"ID", id + "A", ""}, {"ID", id[:22], ""}, {"ID", "Supplier:1", ""}, {"ID", int64(7), ""}, {"ID", nil, ""},
		{"Decimal", "12.340", `"12.34"`}, {"Decimal", "-0.5", `"-0.5"`}, {"Decimal", "1e3", `"1000"`}, {"Decimal", int64(5), `"5"`}, {"Decimal", 5, `"5"`},
		{"Decimal", json.Number("5"), `"5"`}, {"Decimal", json.Number("5.5"), ""}, {"Decimal", json.Number("1e2"), ""}, {"Decimal", 5.5, ""}, {"Decimal", "many", ""},
		{"Decimal", "", ""}, {"Decimal", "NaN", ""}, {"Decimal", "1e99", ""}, {"Decimal", true, ""}, {"Decimal", nil, ""}, {"Decimal", []any{"1"}, ""},
		{"Micros", "12.340000", `"12.34"`}, {"Micros", "0.0000001", ""}, {"Micros", "10000000000000", ""}, {"Micros", "x", ""}, {"Micros", "-9223372036854.775808", `"-9223372036854.775808"`},
		{"Scaled", "12.3400", `"12.34"`}, {"Scaled", int64(-5), `"-5"`}, {"Scaled", "0.000000001", `"0.000000001"`}, {"Scaled", "1e20", ""}, {"Scaled", "x", ""},
		{"Date", "2024-02-29", `"2024-02-29"`}, {"Date", "2025-02-29", ""}, {"Date", "2025-1-1", ""}, {"Date", "1899-12-31", ""}, {"Date", int64(2025), ""},
		{"DateTime", "2026-01-31T12:00:00Z", `"2026-01-31T12:00:00.000000Z"`}, {"DateTime", "2026-01-31T12:00:00.1234567+02:00", `"2026-01-31T10:00:00.123456Z"`},
		{"DateTime", "2026-01-31", ""}, {"DateTime", int64(0), ""},
		{"CountryCode", "GB", `"GB"`}, {"CountryCode", "gb", ""}, {"CountryCode", "GBR", ""}, {"CountryCode", "Ü", ""}, {"CountryCode", int64(1), ""},
		{"CurrencyCode", "EUR", `"EUR"`}, {"CurrencyCode", "EU", ""}, {"CurrencyCode", "€", ""}, {"CurrencyCode", nil, ""},
	} {
		t.Run(fmt.Sprintf("%s %v", tc.scalar, tc.in), func(t *testing.T) {
			got, err := readers[tc.scalar](tc.in)
			if tc.want == "" {
				if fault.CodeOf(err) != fault.BadUserInput {
					t.Errorf("%v as %s = %s, %v; want %s", tc.in, tc.scalar, got, err, fault.BadUserInput)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("%v as %s = %s, %v; want %s", tc.in, tc.scalar, got, err, tc.want)
			}
		})
	}
}

// Whatever is written can be read again, and is then the same.
func TestScalarsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := exact.Micros(rapid.Int64().Draw(t, "micros"))
		var text string
		if err := json.Unmarshal([]byte(written(scalar.MarshalMicros(micros))), &text); err != nil {
			t.Fatal(err)
		}
		if got, err := scalar.UnmarshalMicros(text); err != nil || got != micros {
			t.Fatalf("%d written as %q is read as %d, %v", micros, text, got, err)
		}
		id := store.Global(store.Kind(rapid.IntRange(1, 9).Draw(t, "kind")), store.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "row")))
		if err := json.Unmarshal([]byte(written(scalar.MarshalID(id))), &text); err != nil {
			t.Fatal(err)
		}
		if got, err := scalar.UnmarshalID(text); err != nil || got != id {
			t.Fatalf("%#v written as %q is read as %#v, %v", id, text, got, err)
		}
	})
}

// FuzzScalars: no text makes a scalar panic, and what is read is written as valid JSON.
func FuzzScalars(f *testing.F) {
	for _, s := range []string{"", "1", "-0", "1e40", "2025-01-01", "2026-01-31T12:00:00Z", "GB", "EUR", store.CategoryID(1).String(), "\x00", "\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, read := range readers {
			got, err := read(s)
			if err == nil && !json.Valid([]byte(got)) {
				t.Errorf("%s %q is written as %s, which is no JSON", name, s, got)
			}
			if err != nil && fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("%s %q: %v, want %s", name, s, err, fault.BadUserInput)
			}
		}
	})
}
