package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/ingest"
)

// amountOf reads one amount out of a tab-separated ledger, by the options that its source has beside the column.
func amountOf(t testing.TB, text, options string) (exact.Micros, error) {
	t.Helper()
	c := columns(t, "file: { delimiter: \"\\t\" }\ncolumns: { externalId: Id, description: What, occurredOn: Day, amount: { from: Sum"+options+" } }\nconstants: { currency: GBP }")
	all := mustOpen(t, "Id\tWhat\tDay\tSum\na\tSteel\t2024-01-31\t"+text+"\n", "l.csv", c)
	if len(all.bad) > 0 {
		return 0, all.bad[0]
	}
	return all.rows[0].Amount, nil
}

func TestNumbersAreReadWhereTheyHaveOneReading(t *testing.T) {
	for text, want := range map[string]string{
		"504": "504", "-3": "-3", "12.50": "12.5", "0.125": "0.125", "1234.567": "1234.567", "1,234.56": "1234.56", "1.234,56": "1234.56", "1,234,567": "1234567",
		"1.234.567": "1234567", "1 234,56": "1234.56", "1\u00a0234\u00a0567.5": "1234567.5", "1\u202f234,5": "1234.5", "1'234.50": "1234.5", "1\u2019234,50": "1234.5",
		"12,5": "12.5", "0,125": "0.125", "(12.00)": "-12", "(1.234,50)": "-1234.5", "12.00-": "-12", "\u221212.5": "-12.5", "- 12": "-12", "+7": "7", "1e3": "1000", "1 234": "1234",
	} {
		if got, err := amountOf(t, text, ""); err != nil || got.String() != want {
			t.Errorf("%q = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestNumbersWithTwoReadingsShowBoth(t *testing.T) {
	for text, says := range map[string]string{
		"1,234": `1234 or 1.234`, "1.234": `1.234 or 1234`, "-12,345": `-12345 or -12.345`, "(1.234)": "-1.234 or -1234", "896.3999999999999": "round: true", "12.1234567": "round: true",
		"£12.00": "not a decimal number", "12 EUR": "not a decimal number", "12%": "not a decimal number", "1,23,456": "not a decimal number", "1.234,567.8": "not a decimal number", "--5": "not a decimal number",
		"(-5)": "not a decimal number", "5--": "not a decimal number", "1,234.567,8": "not a decimal number", "1 234'567": "not a decimal number", "１２": "not a decimal number", ".": "not a decimal number",
	} {
		_, err := amountOf(t, text, "")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want an error that says %q", text, err, says)
		}
		if strings.Contains(says, " or ") && (err == nil || !strings.Contains(err.Error(), `numbers: "1,234.56"`) || !strings.Contains(err.Error(), `numbers: "1.234,56"`)) {
			t.Errorf("%q: %v; want it to say how to declare each", text, err)
		}
	}
}

func TestADeclaredNotationIsHeld(t *testing.T) {
	for _, tc := range []struct{ notation, text, want string }{
		{"1,234.56", "1,234", "1234"}, {"1,234.56", "1.234", "1.234"}, {"1.234,56", "1.234", "1234"}, {"1.234,56", "1,234", "1.234"}, {"1 234,56", "1,234", "1.234"},
		{"1'234.56", "1.234", "1.234"}, {"1.234,56", "(1.234,5)", "-1234.5"}, {"1,234.56", "12345678.5", "12345678.5"},
		{"1,234.56", "1.234,5", ""}, {"1.234,56", "1.5", ""}, {"1.234,56", "1234.567", ""}, {"1 234,56", "1.5", ""}, {"1'234.56", "1,234", ""}, {"1,234.56", "12,34", ""},
	} {
		got, err := amountOf(t, tc.text, fmt.Sprintf(", numbers: %q", tc.notation))
		if tc.want == "" {
			if err == nil || !strings.Contains(err.Error(), "not a number written like "+tc.notation) {
				t.Errorf("%q by %s = %s, %v; want an error that names the notation", tc.text, tc.notation, got, err)
			}
			continue
		}
		if err != nil || got.String() != tc.want {
			t.Errorf("%q by %s = %s, %v; want %s", tc.text, tc.notation, got, err, tc.want)
		}
	}
}

func TestAFileOfOursHasDecimalPoints(t *testing.T) {
	all := mustOpen(t, plainHeader+"a,S,2024-01-31,1.234,GBP\nb,S,2024-01-31,\"1,234\",GBP\nc,S,2024-01-31,\"1,234.5\",GBP\n", "l.csv", nil)
	if len(all.rows) != 2 || all.rows[0].Amount.String() != "1.234" || all.rows[1].Amount.String() != "1234.5" || len(all.bad) != 1 {
		t.Errorf("rows %v, errors %v; want 1.234 and 1234.5, and one that can be two numbers", all.rows, all.bad)
	}
}

func TestNoNotationGivesAnotherNumber(t *testing.T) {
	separators := map[string][2]string{"1,234.56": {",", "."}, "1.234,56": {".", ","}, "1 234,56": {" ", ","}, "1'234.56": {"'", "."}, "1 234.56": {" ", "."}, "1'234,56": {"'", ","}}
	rapid.Check(t, func(rt *rapid.T) {
		want := exact.Micros(rapid.Int64Range(-9_000_000_000_000_000, 9_000_000_000_000_000).Draw(rt, "micros"))
		switch rapid.SampledFrom([]string{"any", "thousandths", "thousands"}).Draw(rt, "kind") { // the last two are where notations are mistaken for each other
		case "thousandths":
			want = exact.Micros(rapid.Int64Range(-999_999, 999_999).Draw(rt, "thousandths")) * 1000
		case "thousands":
			want = exact.Micros(rapid.Int64Range(-999_999, 999_999).Draw(rt, "whole")) * 1_000_000
		}
		notation := rapid.SampledFrom([]string{"1,234.56", "1.234,56", "1 234,56", "1'234.56", "1 234.56", "1'234,56"}).Draw(rt, "notation")
		text := spelled(want, separators[notation], rapid.Bool().Draw(rt, "grouped"), rapid.IntRange(0, 2).Draw(rt, "sign"))
		if got, err := amountOf(t, text, fmt.Sprintf(", numbers: %q", notation)); err != nil || got != want {
			rt.Fatalf("%q by %s = %s, %v; want %s", text, notation, got, err, want)
		}
		if got, err := amountOf(t, text, ""); err == nil && got != want {
			rt.Fatalf("%q undeclared = %s; want %s, or an error", text, got, want)
		}
	})
}

// spelled writes a number with the separators of a notation: what stands between groups, and the decimal sign.
func spelled(m exact.Micros, separators [2]string, grouped bool, sign int) string {
	whole, decimals, _ := strings.Cut(strings.TrimPrefix(m.String(), "-"), ".")
	if grouped {
		var groups []string
		for len(whole) > 3 {
			groups = append([]string{whole[len(whole)-3:]}, groups...)
			whole = whole[:len(whole)-3]
		}
		whole = strings.Join(append([]string{whole}, groups...), separators[0])
	}
	if decimals != "" {
		whole += separators[1] + decimals
	}
	if m >= 0 {
		return whole
	}
	return [...]string{"-" + whole, "(" + whole + ")", whole + "-"}[sign]
}

func TestDaysWithTwoReadingsShowBoth(t *testing.T) {
	for _, tc := range []struct {
		text, formats string
		want          string // the day, or what the error says, parted by stars
	}{
		{"2024-01-31", "", "2024-01-31"}, {"2024-01-31 14:05:00", "", "2024-01-31"}, {"2024-01-31T23:59:59Z", "", "2024-01-31"}, {"2024-01-31T00:30:00+02:00", "", "2024-01-31"},
		{"03/04/2024", "", "it can be 3 April 2024 by DD/MM/YYYY or 4 March 2024 by MM/DD/YYYY*formats: [DD/MM/YYYY]"},
		{"31/01/2024", "", "it is 31 January 2024 by DD/MM/YYYY*formats: [DD/MM/YYYY]"},
		{"1/31/2024", "", "it is 31 January 2024 by M/D/YYYY*formats: [M/D/YYYY]"},
		{"31.01.24", "", "it is 31 January 2024 by DD.MM.YY"}, {"31 Jan 2024", "", "by DD MMM YYYY"}, {"31/01/2024 14:05", "", "formats: [DD/MM/YYYY hh:mm]"}, {"20240131", "", "formats: [YYYYMMDD]"},
		{"soon", "", `"soon" is not a date written as YYYY-MM-DD.`},
		{"03/04/2024", "DD/MM/YYYY", "2024-04-03"}, {"03/04/2024", "MM/DD/YYYY", "2024-03-04"}, {"2024-04-03", "DD/MM/YYYY", "2024-04-03"},
		{"2024-04-03", "YYYY-DD-MM", "2024-03-04"}, {"2024-01-31", "YYYY-DD-MM", "not a date written as YYYY-DD-MM"}, {"01/31/2024", "DD/MM/YYYY", "it is 31 January 2024 by MM/DD/YYYY"},
	} {
		source := "Day"
		if tc.formats != "" {
			source = "{ from: Day, formats: [" + tc.formats + "] }"
		}
		all := mustOpen(t, "Id,What,Day,Sum\na,Steel,"+tc.text+",1\n", "l.csv", columns(t, "columns: { externalId: Id, description: What, occurredOn: "+source+", amount: Sum }\nconstants: { currency: GBP }"))
		got := ""
		if len(all.rows) == 1 {
			got = all.rows[0].OccurredOn.String()
		} else {
			got = all.bad[0].Message
		}
		for _, want := range strings.Split(tc.want, "*") {
			if !strings.Contains(got, want) {
				t.Errorf("%s by %q: %s; want %s", tc.text, tc.formats, got, want)
			}
		}
	}
}

func TestColumnsKeepTheTextThatTheyWereReadFrom(t *testing.T) {
	text := "# ours\n" + minimal
	c := columns(t, text)
	if c.Text() != text {
		t.Errorf("text = %q; want %q", c.Text(), text)
	}
	if _, err := ingest.ParseColumns(strings.NewReader(c.Text())); err != nil {
		t.Error(err)
	}
}
