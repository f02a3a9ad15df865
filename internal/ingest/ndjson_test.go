package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

func TestObjectsAreReadFlatAndInTheShapeOfTheAPI(t *testing.T) {
	file := `{"externalId":"a1","description":"Steel","occurredOn":"2024-01-31","amount":12.50,"currency":"GBP"}

{"externalId":"a2","description":"Gas","occurredOn":"2024-02-01","quantity":{"value":"1.234","unit":"kWh"},"tags":["x",{"y":1}]}
{"externalId":"a3","description":"Fahrt \u00fc \ud83c\udf0d","occurredOn":"2024-02-02","money":{"amount":1234567.123456,"currency":"EUR"},"quantity":null}
{"externalId":4,"description":true,"occurredOn":"2024-02-03","amount":-1.5e3,"currency":"EUR","Amount ":null}
`
	file = strings.Replace(file, `,"Amount ":null`, "", 1)
	all := mustOpen(t, file, "l.ndjson", nil)
	var got []string
	for _, r := range all.rows {
		got = append(got, fmt.Sprintf("%d %s|%s|%s|%s %s|%s %s", r.Line, r.ExternalID, r.Description, r.OccurredOn, r.Amount, r.Currency, r.Quantity, r.Unit))
	}
	want := []string{"1 a1|Steel|2024-01-31|12.5 GBP|0 ", "3 a2|Gas|2024-02-01|0 |1.234 kWh", "4 a3|Fahrt ü 🌍|2024-02-02|1234567.123456 EUR|0 ", "5 4|true|2024-02-03|-1500 EUR|0 "}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || len(all.bad) != 0 {
		t.Errorf("rows:\n%s\nerrors %v; want\n%s", strings.Join(got, "\n"), all.bad, strings.Join(want, "\n"))
	}
	if all.Format() != ingest.NDJSON || strings.Join(all.Header(), "|") != "externalId|description|occurredOn|amount|currency|quantity|unit|tags" || strings.Join(all.Ignored(), "|") != "tags" {
		t.Errorf("format %s, header %q, ignored %q", all.Format(), all.Header(), all.Ignored())
	}
}

func TestNumbersInObjectsKeepTheirDigits(t *testing.T) {
	c := columns(t, "columns: { externalId: id, description: what.is, occurredOn: day, amount: { from: sum, numbers: \"1.234,56\" } }\nconstants: { currency: GBP }")
	line := `{"id":%d,"what":{"is":"Steel"},"day":"2024-01-31","sum":%s}` + "\n"
	all := mustOpen(t, fmt.Sprintf(line, 1, "1.234")+fmt.Sprintf(line, 2, `"1.234"`)+fmt.Sprintf(line, 3, `"1.234,5"`)+fmt.Sprintf(line, 4, `9007199254740993.1`)+fmt.Sprintf(line, 5, "0.1234567"), "l.json", c)
	var got []string
	for _, r := range all.rows {
		got = append(got, r.Amount.String()+" "+r.Record[3])
	}
	if strings.Join(got, "|") != "1.234 1,234|1234 1.234|1234.5 1.234,5" {
		t.Errorf("amounts = %q; want a number of JSON to be what it is, and texts to be read as declared", got)
	}
	if len(all.bad) != 2 || !strings.Contains(all.bad[0].Message, "out of range") || !strings.Contains(all.bad[1].Message, "six decimals") {
		t.Errorf("errors %v", all.bad)
	}
}

func TestALineThatIsNoObjectFailsAlone(t *testing.T) {
	good := `{"externalId":"a1","description":"Steel","occurredOn":"2024-01-31","amount":1,"currency":"GBP"}` + "\n"
	for name, tc := range map[string]struct{ line, says string }{
		"prose":                       {"hello", "no brace"},
		"a number":                    {"12", "no brace"},
		"a list":                      {"[1]", "no brace"},
		"cut off":                     {`{"externalId":"b","descr`, "ends before its closing brace"},
		"cut off after a colon":       {`{"externalId":`, "ends before its closing brace"},
		"two in a line":               {`{"externalId":"b"}{"externalId":"c"}`, "after the closing brace"},
		"a key twice":                 {`{"externalId":"b","externalId":"c"}`, `"externalId" stands twice`},
		"a key in both shapes":        {`{"externalId":"b","amount":1,"money":{"amount":2}}`, `"amount" stands twice`},
		"single quotes":               {`{'externalId':'b'}`, "invalid character"},
		"a bare minus":                {`{"amount":-}`, "invalid character"},
		"another coding":              {"{\"externalId\":\"b\",\"description\":\"St\xfchle\"}", "not text in UTF-8"},
		"a zero":                      {`{"externalId":"b\u0000"}`, "zero byte"},
		"half a character":            {`{"externalId":"b\ud800"}`, "half a character"},
		"too deep":                    {strings.Repeat(`{"a":`, 10) + "1" + strings.Repeat("}", 10), "deep"},
		"a line of two megabytes":     {`{"externalId":"` + strings.Repeat("b", 2<<20) + `"}`, "more than 1048576 bytes"},
		"a needed key that is late":   {`{"externalId":"b","description":"Steel","occurredOn":"2024-01-31","quantity":{"value":1,"unit":"kg"}}`, `the key "quantity" stands in none of the first lines`},
		"nested lists without an end": {`{"tags":` + strings.Repeat("[", 20_000) + "}", "depth"},
	} {
		t.Run(name, func(t *testing.T) {
			all := mustOpen(t, strings.Repeat(good, 3000)+tc.line+"\n"+good, "l.ndjson", nil)
			if len(all.rows) != 3001 || len(all.bad) != 1 {
				t.Fatalf("%d rows, errors %v; want 3001 and one", len(all.rows), all.bad)
			}
			e := all.bad[0]
			if e.Line != 3001 || e.Code != fault.BadUserInput || !strings.Contains(e.Message, tc.says) || len(e.Record) == 0 || e.Record[0] == "" {
				t.Errorf("error = %+.300v; want line 3001 saying %q with what stands there", e, tc.says)
			}
		})
	}
}

func TestKeysThatComeLateAreToldAsIgnored(t *testing.T) {
	line := `{"externalId":"a%d","description":"Steel","occurredOn":"2024-01-31","amount":1,"currency":"GBP"%s}` + "\n"
	var file strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&file, line, i, "")
	}
	fmt.Fprintf(&file, line, 5000, `,"colour":"red","unit":null`)
	all := mustOpen(t, file.String(), "l.ndjson", nil)
	if len(all.rows) != 5001 || len(all.bad) != 0 || strings.Join(all.Ignored(), "|") != "colour|unit" {
		t.Errorf("%d rows, errors %v, ignored %q", len(all.rows), all.bad, all.Ignored())
	}
}
