package exact_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

func TestFormatScaled(t *testing.T) {
	for name, tc := range map[string]struct {
		n      int64
		places int
		want   string
	}{
		"zero":                         {0, 6, "0"},
		"a millionth":                  {1, 6, "0.000001"},
		"zeros at the end are dropped": {1500000, 6, "1.5"},
		"a whole number has no point":  {-2000000, 6, "-2"},
		"a point within":               {-1234567, 6, "-1.234567"},
		"no places":                    {120, 0, "120"},
		"the largest":                  {math.MaxInt64, 6, "9223372036854.775807"},
		"the smallest":                 {math.MinInt64, 6, "-9223372036854.775808"},
		"more places than digits":      {math.MinInt64, 25, "-0.0000009223372036854775808"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exact.FormatScaled(tc.n, tc.places); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if got := string(exact.AppendScaled([]byte("x="), tc.n, tc.places)); got != "x="+tc.want {
				t.Errorf("appended %s, want x=%s", got, tc.want)
			}
		})
	}
}

func TestScaledTextIsTheDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		if got, want := exact.Micros(n).String(), exact.Micros(n).Decimal().Canonical(); got != want {
			t.Fatalf("%d millionths are written %s, and %s as a decimal", n, got, want)
		}
		if back, ok := exact.Milligrams(n).Decimal().ScaledExactly(6); !ok || back != n {
			t.Fatalf("%d mg come back as %d, %t", n, back, ok)
		}
	})
}

func TestScaledIsItsDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mass := exact.Milligrams(rapid.Int64().Draw(t, "mass"))
		got := mass.In(rapid.SampledFrom([]exact.MassUnit{exact.MG, exact.G, exact.KG, exact.T, "LB"}).Draw(t, "unit"))
		if want := got.Decimal().Canonical(); got.String() != want || string(got.Append([]byte("x="))) != "x="+want {
			t.Fatalf("%d mg are written %s and appended %s, and %s as a decimal", mass, got, got.Append(nil), want)
		}
		if back, ok := exact.ScaledOf(got.Decimal()); !ok || back.String() != got.String() {
			t.Fatalf("%s comes back as %s, %t", got, back, ok)
		}
	})
}

func TestScaledOf(t *testing.T) {
	for name, tc := range map[string]struct {
		in, want string // nothing is wanted of what does not fit
	}{
		"zeros at the end do not count":  {"1." + strings.Repeat("0", 30), "1"},
		"an exponent is written out":     {"12e3", "12000"},
		"the smallest":                   {"-9.223372036854775808", "-9.223372036854775808"},
		"one below the smallest":         {"-9.223372036854775809", ""},
		"a number too large for 64 bits": {"1e30", ""},
		"zero":                           {"0.000", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := exact.ScaledOf(exact.MustDecimal(tc.in)); ok != (tc.want != "") || ok && got.String() != tc.want {
				t.Errorf("%s = %s, %t; want %q", tc.in, got, ok, tc.want)
			}
		})
	}
}

func TestAppendCanonicalIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := anyDecimal().Draw(t, "x")
		for _, x := range []exact.Decimal{x, x.Neg(), x.Mul(x), x.MulTo(x, 80), x.Round(3), exact.NewDecimal(7, 60)} {
			if got, want := string(x.AppendCanonical([]byte("1.0"))), "1.0"+x.Canonical(); got != want {
				t.Fatalf("appended %s, want %s", got, want)
			}
		}
	})
}

func TestParseDate(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		code fault.Code
	}{
		"a day":                     {in: "2024-02-29"},
		"a day that does not exist": {in: "2023-02-29", code: fault.BadUserInput},
		"a day before 1900":         {in: "1899-12-31", code: fault.BadUserInput},
		"a day with a time":         {in: "2024-01-01 00:00:00", code: fault.BadUserInput},
		"a month of one digit":      {in: "2024-1-01", code: fault.BadUserInput},
		"a day in another order":    {in: "31/01/2024", code: fault.BadUserInput},
		"a year of five digits":     {in: "12024-01-01", code: fault.BadUserInput},
		"nothing":                   {in: "", code: fault.BadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := exact.ParseDate(tc.in)
			if code := fault.CodeOf(err); code != tc.code || err == nil && d.String() != tc.in {
				t.Errorf("ParseDate = %s, code %q; want code %q", d, code, tc.code)
			}
		})
	}
}

func TestDatesSurviveSQLAndJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := exact.NewDate(rapid.IntRange(1900, 9998).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"))
		row, err := d.Value()
		if err != nil {
			t.Fatal(err)
		}
		zone := time.FixedZone("far", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
		for _, src := range []any{row, []byte(d.String()), d.String() + "T00:00:00Z", time.Date(d.Year(), d.Month(), d.Time().Day(), 0, 0, 0, 0, zone)} {
			var back exact.Date
			if err := back.Scan(src); err != nil || back != d {
				t.Fatalf("%v is read as %s, %v; want %s", src, back, err, d)
			}
		}
		text, err := json.Marshal(d)
		var back exact.Date
		if err != nil || json.Unmarshal(text, &back) != nil || back != d {
			t.Fatalf("JSON %s is read as %s; want %s", text, back, d)
		}
		if next := d.AddDays(1); !next.After(d) || d.After(d) || exact.DateOf(next.Time().Add(-time.Nanosecond)) != d {
			t.Fatalf("%s is not the day after %s", next, d)
		}
	})
}

func TestScanOfWhatIsNoDayOrInstant(t *testing.T) {
	var d exact.Date
	var i exact.Instant
	for _, src := range []any{"yesterday", []byte("2024"), 3, 1.5} {
		if d.Scan(src) == nil {
			t.Errorf("%v was read as the day %s", src, d)
		}
		if i.Scan(src) == nil {
			t.Errorf("%v was read as the instant %s", src, i)
		}
	}
	if err := d.Scan(nil); err != nil || !d.IsZero() {
		t.Errorf("null day = %s, %v; want none", d, err)
	}
	if err := i.Scan(nil); err != nil || !i.IsZero() {
		t.Errorf("null instant = %s, %v; want none", i, err)
	}
	if v, err := d.Value(); v != nil || err != nil {
		t.Errorf("no day is written %v, %v; want null", v, err)
	}
	if v, err := i.Value(); v != nil || err != nil {
		t.Errorf("no instant is written %v, %v; want null", v, err)
	}
	if json.Unmarshal([]byte(`20240101`), &d) == nil {
		t.Error("a JSON number was read as a day")
	}
}

func TestParseInstant(t *testing.T) {
	for name, tc := range map[string]struct {
		in, want string
		code     fault.Code
	}{
		"UTC":                                {in: "2026-01-31T12:00:00Z", want: "2026-01-31T12:00:00.000000Z"},
		"an offset":                          {in: "2026-01-31T00:30:00+01:00", want: "2026-01-30T23:30:00.000000Z"},
		"nanoseconds are cut":                {in: "2026-01-31T12:00:00.123456789Z", want: "2026-01-31T12:00:00.123456Z"},
		"an offset that leaves year 9999":    {in: "9999-12-31T23:59:59-01:00", code: fault.BadUserInput},
		"an offset that leads before year 1": {in: "0001-01-01T00:00:00+01:00", code: fault.BadUserInput},
		"a day":                              {in: "2026-01-31", code: fault.BadUserInput},
		"nothing":                            {in: "", code: fault.BadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := exact.ParseInstant(tc.in)
			if code := fault.CodeOf(err); code != tc.code || err == nil && i.String() != tc.want {
				t.Errorf("ParseInstant = %s, code %q; want %q, code %q", i, code, tc.want, tc.code)
			}
		})
	}
}

func TestTextsOfInstantsSortAsTheInstantsDo(t *testing.T) {
	instant := rapid.Custom(func(t *rapid.T) exact.Instant {
		return exact.InstantOf(time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")))
	})
	rapid.Check(t, func(t *rapid.T) {
		x, y := instant.Draw(t, "x"), instant.Draw(t, "y")
		if (x.String() < y.String()) != x.Time().Before(y.Time()) {
			t.Fatalf("%s and %s sort otherwise as texts", x, y)
		}
		for _, src := range []any{x.String(), []byte(x.String()), x.Time(), x.Time().Format("2006-01-02 15:04:05.999999-07")} {
			var back exact.Instant
			if err := back.Scan(src); err != nil || back != x {
				t.Fatalf("%v is read as %s, %v; want %s", src, back, err, x)
			}
		}
		if text, err := json.Marshal(x); err != nil || string(text) != `"`+x.String()+`"` {
			t.Fatalf("JSON %s, %v; want %s", text, err, x)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2024-02-29", "1900-01-01", "9999-12-31", "0000-00-00", "2024-1-1", "2024-01-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := exact.ParseDate(s)
		if (err == nil) != (d.String() == s && d.Year() >= 1900) {
			t.Fatalf("%q is read as %s, %v", s, d, err)
		}
	})
}
