package exact_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

func TestParseDecimal(t *testing.T) {
	for name, tc := range map[string]struct {
		in, want, canonical string
		code                fault.Code
	}{
		"zeros that were given are kept":                   {in: "12.340", want: "12.340", canonical: "12.34"},
		"scientific notation is written out":               {in: "4.04e-01", want: "0.404", canonical: "0.404"},
		"a large exponent is written out":                  {in: "-1.5E3", want: "-1500", canonical: "-1500"},
		"minus zero is zero":                               {in: "-0.00", want: "0.00", canonical: "0"},
		"zero with an exponent is one zero":                {in: "0e5", want: "0", canonical: "0"},
		"34 digits fit":                                    {in: "1234567890123456789012345678901234", want: "1234567890123456789012345678901234", canonical: "1234567890123456789012345678901234"},
		"35 digits are refused":                            {in: "12345678901234567890123456789012345", code: fault.BadUserInput},
		"zeros at the end do not count as digits":          {in: "1" + strings.Repeat("0", 40), want: "1" + strings.Repeat("0", 40), canonical: "1" + strings.Repeat("0", 40)},
		"an exponent of 41 is refused":                     {in: "1e41", code: fault.BadUserInput},
		"a number that would fill the memory is refused":   {in: "1e400000000", code: fault.BadUserInput},
		"NaN is refused":                                   {in: "NaN", code: fault.BadUserInput},
		"infinity is refused":                              {in: "-inf", code: fault.BadUserInput},
		"nothing is refused":                               {in: "", code: fault.BadUserInput},
		"blanks are refused":                               {in: " 1", code: fault.BadUserInput},
		"a thousands separator is refused":                 {in: "1,234.5", code: fault.BadUserInput},
		"two points are refused":                           {in: "1.2.3", code: fault.BadUserInput},
		"a sign alone is refused":                          {in: "-", code: fault.BadUserInput},
		"hexadecimal digits are refused":                   {in: "0x1F", code: fault.BadUserInput},
		"Arabic digits are refused":                        {in: "١٢", code: fault.BadUserInput},
		"a text that is too long is refused and cut short": {in: strings.Repeat("9", 5000), code: fault.BadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := exact.ParseDecimal(tc.in)
			if code := fault.CodeOf(err); code != tc.code {
				t.Fatalf("code = %q, want %q", code, tc.code)
			}
			if err != nil {
				if n := len(fault.Of(err).Message); n > 200 {
					t.Errorf("message has %d bytes; it must not repeat the whole input", n)
				}
				return
			}
			if got.String() != tc.want || got.Canonical() != tc.canonical {
				t.Errorf("text = %q, canonical %q; want %q, %q", got, got.Canonical(), tc.want, tc.canonical)
			}
		})
	}
}

func TestArithmetic(t *testing.T) {
	m := exact.MustDecimal
	for name, tc := range map[string]struct {
		got  exact.Decimal
		want string
	}{
		"a quotient that ends is short":                {m("1").Quo(m("4")), "0.25"},
		"a whole quotient has no point":                {m("100").Quo(m("0.1")), "1000"},
		"a quotient that does not end has 34 digits":   {m("1").Quo(m("3")), "0.3333333333333333333333333333333333"},
		"a quotient rounds half to even at its end":    {m("2").Quo(m("3")), "0.6666666666666666666666666666666667"},
		"minus one times zero is zero":                 {m("-1").Mul(m("0")), "0"},
		"zero by a negative number is zero":            {m("0").Quo(m("-3")), "0"},
		"the negative of zero is zero":                 {m("0").Neg(), "0"},
		"a product keeps its zeros":                    {m("2.50").Mul(m("4")), "10.00"},
		"a tenth and two tenths are three tenths":      {m("0.1").Add(m("0.2")), "0.3"},
		"a difference of equals is zero":               {m("-1.5").Sub(m("-1.5")), "0.0"},
		"half rounds to even below":                    {m("0.0000005").Round(6), "0.000000"},
		"half rounds to even above":                    {m("0.0000015").Round(6), "0.000002"},
		"more than half rounds up":                     {m("0.00000050000001").Round(6), "0.000001"},
		"minus a half rounds to zero without a sign":   {m("-0.5").Round(0), "0"},
		"rounding may reach a new digit":               {m("0.96").Round(1), "1.0"},
		"rounding to tens":                             {m("6").Round(-1), "10"},
		"rounding to tens may leave nothing":           {m("0.96").Round(-1), "0"},
		"twelve digits of a third":                     {m("1").Quo(m("3")).Significant(12), "0.333333333333"},
		"significant digits start after leading zeros": {m("0.0012345").Significant(2), "0.0012"},
		"significant digits of a large number":         {m("-123456").Significant(3), "-123000"},
		"significant digits that roll over":            {m("9.996").Significant(3), "10.0"},
		"fewer digits than asked for stay":             {m("1.5").Significant(12), "1.5"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.got.String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestDivisionByZeroPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic; a wrong number would have gone on")
		}
	}()
	exact.MustDecimal("1").Quo(exact.MustDecimal("0.00"))
}

func TestMustDecimalPanicsOnWhatIsNoNumber(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	exact.MustDecimal("twelve")
}

func TestScaled(t *testing.T) {
	huge := exact.MustDecimal("9e40")
	for range 4 {
		huge = huge.Mul(huge) // about 1e656
	}
	for name, tc := range map[string]struct {
		in      exact.Decimal
		want    int64
		fits    bool
		exactly bool
	}{
		"the largest":                        {exact.MustDecimal("9223372036854.775807"), 9223372036854775807, true, true},
		"one more than the largest":          {exact.MustDecimal("9223372036854.775808"), 0, false, false},
		"the smallest":                       {exact.MustDecimal("-9223372036854.775808"), -9223372036854775808, true, true},
		"one less than the smallest":         {exact.MustDecimal("-9223372036854.775809"), 0, false, false},
		"a number far too large":             {huge, 0, false, false},
		"digits that are lost":               {exact.MustDecimal("0.0000015"), 2, true, false},
		"zeros that are lost lose nothing":   {exact.MustDecimal("1.50000000000"), 1500000, true, true},
		"a whole number with an exponent":    {exact.MustDecimal("12e3"), 12000000000, true, true},
		"rounding up past the largest":       {exact.MustDecimal("9223372036854.7758075"), 0, false, false},
		"rounding to even below the largest": {exact.MustDecimal("9223372036854.7758065"), 9223372036854775806, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			if n, ok := tc.in.Scaled(6); n != tc.want || ok != tc.fits {
				t.Errorf("Scaled = %d, %t; want %d, %t", n, ok, tc.want, tc.fits)
			}
			if _, ok := tc.in.ScaledExactly(6); ok != tc.exactly {
				t.Errorf("ScaledExactly = %t, want %t", ok, tc.exactly)
			}
		})
	}
}

func TestDecimalInSQLAndJSON(t *testing.T) {
	for name, tc := range map[string]struct {
		src  any
		want string
		ok   bool
	}{
		"text":                   {"12.50", "12.50", true},
		"bytes":                  {[]byte("-3"), "-3", true},
		"an integer of SQLite":   {int64(7), "7", true},
		"minus zero":             {"-0", "0", true},
		"NaN of Postgres":        {"NaN", "", false},
		"text that is no number": {"abc", "", false},
		"a binary float":         {1.5, "", false},
		"null":                   {nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			var d exact.Decimal
			if err := d.Scan(tc.src); (err == nil) != tc.ok || tc.ok && d.String() != tc.want {
				t.Errorf("Scan = %s, %v; want %q", d, err, tc.want)
			}
		})
	}
	var d exact.Decimal
	for _, in := range []string{`"0.1"`, `0.1`, `1e-1`} {
		if err := json.Unmarshal([]byte(in), &d); err != nil || d.String() != "0.1" {
			t.Errorf("JSON %s = %s, %v; want 0.1", in, d, err)
		}
	}
	if err := json.Unmarshal([]byte(`"\"1\""`), &d); err == nil {
		t.Error("a quoted text within a text was read as a number")
	}
}

// anyDecimal draws numbers of every length and size that ParseDecimal takes.
func anyDecimal() *rapid.Generator[exact.Decimal] {
	return rapid.Custom(func(t *rapid.T) exact.Decimal {
		text := rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,14})?(e-?[0-9])?`).Draw(t, "decimal")
		return exact.MustDecimal(text)
	})
}

func rat(d exact.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		panic("not a number: " + d.String())
	}
	return r
}

func TestDecimalLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := anyDecimal().Draw(t, "x"), anyDecimal().Draw(t, "y")
		if back, err := exact.ParseDecimal(x.String()); err != nil || back.Cmp(x) != 0 {
			t.Fatalf("%s is read back as %s, %v", x, back, err)
		}
		if got := string(x.Append([]byte("x = "))); got != "x = "+x.String() {
			t.Fatalf("appended: %q, want %q after the equals sign", got, x)
		}
		if (x.Canonical() == y.Canonical()) != (x.Cmp(y) == 0) {
			t.Fatalf("%s and %s: equal text and equal number disagree", x, y)
		}
		if x.Cmp(y) != rat(x).Cmp(rat(y)) || x.Sign() != rat(x).Sign() {
			t.Fatalf("%s against %s: order %d, sign %d", x, y, x.Cmp(y), x.Sign())
		}
		if x.Add(y).Cmp(y.Add(x)) != 0 || x.Mul(y).Cmp(y.Mul(x)) != 0 {
			t.Fatalf("%s and %s do not commute", x, y)
		}
		if x.Neg().Mul(y).Cmp(x.Mul(y).Neg()) != 0 || x.Neg().Neg().Cmp(x) != 0 {
			t.Fatalf("sign of %s × %s", x, y)
		}
		if x.Sub(y).Cmp(x.Add(y.Neg())) != 0 {
			t.Fatalf("%s − %s", x, y)
		}
		if !near(x.Mul(y), new(big.Rat).Mul(rat(x), rat(y))) {
			t.Fatalf("%s × %s = %s", x, y, x.Mul(y))
		}
		if y.Sign() != 0 && !near(x.Quo(y), new(big.Rat).Quo(rat(x), rat(y))) {
			t.Fatalf("%s ÷ %s = %s", x, y, x.Quo(y))
		}
	})
}

// near tells whether got is want within half a unit of the 34th digit.
func near(got exact.Decimal, want *big.Rat) bool {
	diff := new(big.Rat).Sub(rat(got), want)
	bound := new(big.Rat).Mul(new(big.Rat).Abs(want), big.NewRat(1, 1))
	bound.Quo(bound, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(33), nil)))
	return diff.Abs(diff).Cmp(bound.Quo(bound, big.NewRat(2, 1))) <= 0
}

// halfEven rounds by whole-number arithmetic of package big alone.
func halfEven(x *big.Rat, places int) *big.Int {
	scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)))
	floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Euclidean: rounds down, the denominator is positive
	switch rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor)); rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		floor.Add(floor, big.NewInt(1))
	case 0:
		if floor.Bit(0) == 1 {
			floor.Add(floor, big.NewInt(1))
		}
	}
	return floor
}

func TestRoundingIsHalfToEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, places := anyDecimal().Draw(t, "x"), rapid.IntRange(0, 12).Draw(t, "places")
		if rapid.Bool().Draw(t, "on the half") {
			x = exact.NewDecimal(rapid.Int64Range(-1e12, 1e12).Draw(t, "n")*10+5, int32(-places-1))
		}
		want := halfEven(rat(x), places)
		if got := x.Round(int32(places)); rat(got).Cmp(new(big.Rat).Quo(new(big.Rat).SetInt(want), new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)))) != 0 {
			t.Fatalf("%s to %d places = %s, want %s units", x, places, got, want)
		}
		n, ok := x.Scaled(int32(places))
		if ok != want.IsInt64() || ok && n != want.Int64() {
			t.Fatalf("%s scaled by %d places = %d, %t; want %s", x, places, n, ok, want)
		}
		if _, ok := x.ScaledExactly(int32(places)); ok != (want.IsInt64() && x.Round(int32(places)).Cmp(x) == 0) {
			t.Fatalf("%s scaled exactly by %d places: %t", x, places, ok)
		}
	})
}

func TestMulToRoundsTheProductOnce(t *testing.T) {
	long := rapid.Custom(func(t *rapid.T) exact.Decimal {
		return exact.NewDecimal(rapid.Int64().Draw(t, "n"), rapid.Int32Range(-25, 6).Draw(t, "e"))
	})
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.IntRange(0, 14).Draw(t, "places")
		x, y := rapid.OneOf(anyDecimal(), long).Draw(t, "x"), rapid.OneOf(anyDecimal(), long).Draw(t, "y")
		if rapid.Bool().Draw(t, "on the half") {
			x = exact.NewDecimal(rapid.Int64Range(-1e9, 1e9).Draw(t, "n")*10+5, int32(-places-1))
			y = exact.NewDecimal(rapid.Int64Range(1, 3).Draw(t, "times"), 0)
		}
		got := x.MulTo(y, int32(places))
		want := new(big.Rat).SetFrac(halfEven(new(big.Rat).Mul(rat(x), rat(y)), places), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
		if rat(got).Cmp(want) != 0 {
			t.Fatalf("%s × %s to %d places = %s, want %s", x, y, places, got, want.FloatString(places))
		}
		if _, fraction, _ := strings.Cut(got.String(), "."); len(fraction) > places || strings.HasPrefix(got.Canonical(), "-0") && got.Sign() == 0 {
			t.Fatalf("%s × %s to %d places is written %s", x, y, places, got)
		}
	})
	for name, tc := range map[string]struct{ x, y, want string }{
		"the largest factors":                      {"9223372036854775807", "9223372036854775807", "85070591730234615847396907784232501249"},
		"a half that is lost below 19 more digits": {"0.00000050000000000000000", "1.0000000000000001", "0.000001"},
		"a half of 25 digits below":                {"0.5000000000000", "0.000001000000000000", "0"},
		"nothing at all":                           {"0.0", "-5", "0"},
		"fewer places stay":                        {"2.5", "2", "5"},
		"one unit above the largest of 64 bits":    {"18446744073709.551615", "1.00000000000001", "18446744073709.736082"},
		"the largest of 64 bits, rounded up":       {"1844674407370955161.55", "0.00001", "18446744073709.551616"},
	} {
		if got := exact.MustDecimal(tc.x).MulTo(exact.MustDecimal(tc.y), 6); got.Canonical() != tc.want {
			t.Errorf("%s: %s × %s = %s, want %s", name, tc.x, tc.y, got, tc.want)
		}
	}
}

func TestSignificantKeepsItsDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, digits := anyDecimal().Draw(t, "x"), rapid.Int32Range(1, 34).Draw(t, "digits")
		got := x.Significant(digits)
		text := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(got.Canonical()), "0")
		if n := len(strings.TrimRight(text, "0")); n > int(digits) {
			t.Fatalf("%s to %d digits = %s, which has %d", x, digits, got, n)
		}
		bound := new(big.Rat).Mul(new(big.Rat).Abs(rat(x)), new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits-1)), nil)))
		diff := new(big.Rat).Sub(rat(x), rat(got))
		if diff.Abs(diff).Cmp(bound.Quo(bound, big.NewRat(2, 1))) > 0 {
			t.Fatalf("%s to %d digits = %s: too far away", x, digits, got)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0.0", "12.340", "1e40", "9.99e-40", "0e99", ".5", "5.", "+1", "1e", "--1", "1e400000000", "00000000000000000000000000000000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := exact.ParseDecimal(s)
		if err != nil {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Fatalf("%q: code %q", s, fault.CodeOf(err))
			}
			return
		}
		text := x.String()
		if back, err := exact.ParseDecimal(text); err != nil || back.String() != text {
			t.Fatalf("%q is written %q and read back as %q, %v", s, text, back, err)
		}
		if strings.ContainsAny(text, "eE") || text == "" || len(text) > 130 {
			t.Fatalf("%q is written %q", s, text)
		}
		x.Mul(x).Mul(x).Scaled(6)
	})
}
