package scalar_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"

	"carbongraph/graph/scalar"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// pair is a value of a scalar, written both ways.
type pair struct {
	append  func(b []byte) []byte
	marshal graphql.Marshaler
}

// both draws values of one Go type.
func both[T any](values *rapid.Generator[T], add func([]byte, T) []byte, marshal func(T) graphql.Marshaler) *rapid.Generator[pair] {
	return rapid.Custom(func(t *rapid.T) pair {
		v := values.Draw(t, "value")
		return pair{func(b []byte) []byte { return add(b, v) }, marshal(v)}
	})
}

var (
	texts = rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.SampledFrom([]rune("a\"\\/\t\n\r\b\f\x00\x1f\x7f\u2028\u2029é€😀<>&"))),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }),
	)
	ids = rapid.Custom(func(t *rapid.T) store.GlobalID {
		return store.Global(store.Kind(rapid.Byte().Draw(t, "kind")), store.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "row")))
	})
	decimals = rapid.OneOf(
		rapid.Map(rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,14})?(e-?[0-9])?`), exact.MustDecimal),
		rapid.Map(rapid.StringMatching(`-?[1-9]e-?[1-3][0-9]`), exact.MustDecimal),
	)
	masses = rapid.Custom(func(t *rapid.T) exact.Scaled {
		return exact.Milligrams(rapid.Int64().Draw(t, "mass")).In(rapid.SampledFrom([]exact.MassUnit{exact.MG, exact.G, exact.KG, exact.T}).Draw(t, "unit"))
	})
	times = rapid.Custom(func(t *rapid.T) time.Time {
		return time.Date(rapid.IntRange(-20000, 20000).Draw(t, "year"), 1, rapid.IntRange(1, 366).Draw(t, "day"), 0, 0, rapid.IntRange(0, 86399).Draw(t, "second"),
			rapid.IntRange(0, 999999999).Draw(t, "nanosecond"), time.UTC)
	})
)

var pairs = map[string]*rapid.Generator[pair]{
	"Boolean":      both(rapid.Bool(), scalar.AppendBoolean, graphql.MarshalBoolean),
	"Int":          both(rapid.Int(), scalar.AppendInt, graphql.MarshalInt),
	"Int32":        both(rapid.Int32(), scalar.AppendInt32, graphql.MarshalInt32),
	"String":       both(texts, scalar.AppendString, graphql.MarshalString),
	"ID":           both(ids, scalar.AppendID, scalar.MarshalID),
	"Decimal":      both(decimals, scalar.AppendDecimal, scalar.MarshalDecimal),
	"Micros":       both(rapid.Map(rapid.Int64(), func(n int64) exact.Micros { return exact.Micros(n) }), scalar.AppendMicros, scalar.MarshalMicros),
	"Scaled":       both(masses, scalar.AppendScaled, scalar.MarshalScaled),
	"Date":         both(rapid.Map(times, exact.DateOf), scalar.AppendDate, scalar.MarshalDate),
	"DateTime":     both(rapid.Map(times, exact.InstantOf), scalar.AppendDateTime, scalar.MarshalDateTime),
	"CountryCode":  both(texts, scalar.AppendCountryCode, scalar.MarshalCountryCode),
	"CurrencyCode": both(texts, scalar.AppendCurrencyCode, scalar.MarshalCurrencyCode),
}

func TestWhatIsAppendedIsWhatIsMarshalled(t *testing.T) {
	for name, values := range pairs {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			p := values.Draw(t, "pair")
			if got, want := string(p.append([]byte("["))), "["+written(p.marshal); got != want {
				t.Fatalf("appended %s, want %s", got, want)
			}
		}))
	}
	if got, want := string(scalar.AppendNull(nil)), written(graphql.Null); got != want {
		t.Errorf("appended %s, want %s", got, want)
	}
}

var samples = map[string]pair{
	"Boolean":         sample(true, scalar.AppendBoolean, graphql.MarshalBoolean),
	"Int":             sample(-1234567, scalar.AppendInt, graphql.MarshalInt),
	"Int32":           sample(1234567, scalar.AppendInt32, graphql.MarshalInt32),
	"String":          sample("Hot rolled steel coil, 3 mm, delivered", scalar.AppendString, graphql.MarshalString),
	"escaped String":  sample("Pipe 3\" \\ 4\"\tlined\x01", scalar.AppendString, graphql.MarshalString),
	"ID":              sample(store.CategoryID(7), scalar.AppendID, scalar.MarshalID),
	"Decimal":         sample(exact.MustDecimal("12345.67890100"), scalar.AppendDecimal, scalar.MarshalDecimal),
	"long Decimal":    sample(exact.MustDecimal("-1234567890123456789.000000000001234"), scalar.AppendDecimal, scalar.MarshalDecimal),
	"large Decimal":   sample(exact.MustDecimal("1e40"), scalar.AppendDecimal, scalar.MarshalDecimal),
	"Micros":          sample(exact.Micros(-1234567890), scalar.AppendMicros, scalar.MarshalMicros),
	"Scaled":          sample(exact.Milligrams(1234567890).In(exact.T), scalar.AppendScaled, scalar.MarshalScaled),
	"Date":            sample(exact.NewDate(2025, 6, 30), scalar.AppendDate, scalar.MarshalDate),
	"DateTime":        sample(exact.InstantOf(time.Date(2025, 6, 30, 12, 34, 56, 789, time.UTC)), scalar.AppendDateTime, scalar.MarshalDateTime),
	"CountryCode":     sample("GB", scalar.AppendCountryCode, scalar.MarshalCountryCode),
	"CurrencyCode":    sample("EUR", scalar.AppendCurrencyCode, scalar.MarshalCurrencyCode),
	"nothing, a null": {scalar.AppendNull, graphql.Null},
}

func sample[T any](v T, add func([]byte, T) []byte, marshal func(T) graphql.Marshaler) pair {
	return pair{func(b []byte) []byte { return add(b, v) }, graphql.WriterFunc(func(w io.Writer) { marshal(v).MarshalGQL(w) })}
}

func TestAppendTakesNoHeap(t *testing.T) {
	buf := make([]byte, 0, 256)
	for name, s := range samples {
		if got := testing.AllocsPerRun(100, func() { buf = s.append(buf[:0]) }); got != 0 {
			t.Errorf("%s: %v allocations, want none", name, got)
		}
	}
}

func BenchmarkScalars(b *testing.B) {
	for name, s := range samples {
		b.Run(name+"/append", func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 256)
			for b.Loop() {
				buf = s.append(buf[:0])
			}
		})
		b.Run(name+"/marshal", func(b *testing.B) {
			b.ReportAllocs()
			var buf bytes.Buffer
			for b.Loop() {
				buf.Reset()
				s.marshal.MarshalGQL(&buf)
			}
		})
	}
}
