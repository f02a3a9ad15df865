package ingest_test

import (
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

const minimal = "columns: { externalId: Id, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }\n"

func TestAColumnsFileThatCannotBeMeantIsRefused(t *testing.T) {
	with := func(line string) string {
		return "columns:\n  externalId: Id\n  description: What\n  occurredOn: Day\n  amount: Sum\n" + line + "\nconstants: { currency: GBP }\n"
	}
	for name, tc := range map[string]struct{ yaml, says string }{
		"nothing":                           {"", "empty"},
		"no YAML":                           {"columns: [", "not YAML"},
		"a list":                            {"- a", "line 1: here stands a mapping"},
		"an unknown key":                    {"colums: {}", `line 1: "colums" is not known here`},
		"an unknown field":                  {with("  suplierName: Name"), `line 6: "suplierName" is not a field`},
		"a key twice":                       {with("  amount: Other"), `line 6: "amount" stands twice`},
		"column and constant":               {with("  currency: Cur"), "currency is given twice"},
		"no external id":                    {"columns: { description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }", "where externalId comes from"},
		"amount without currency":           {"columns: { externalId: Id, description: What, occurredOn: Day, amount: Sum }", "neither amount with currency"},
		"an unknown option":                 {with("  unit: { from: U, trim: true }"), `"trim" is not known for unit`},
		"round on a text":                   {with("  unit: { from: U, round: true }"), `"round" is not known for unit`},
		"values on a number":                {with("  quantity: { from: Q, values: { a: 1 } }"), `"values" is not known for quantity`},
		"hash beyond the external id":       {with("  supplierExternalId: { template: \"{A}\", hash: true }"), `"hash" is not known`},
		"neither column nor template":       {with("  unit: { optional: true }"), `either "from" or "template"`},
		"column and template":               {with("  unit: { from: U, template: \"{A}\" }"), `either "from" or "template"`},
		"a template without a column":       {with("  unit: { template: \"kg\" }"), "names no column"},
		"a brace that is not closed":        {with("  unit: { template: \"{A\" }"), "not closed"},
		"a brace that is not open":          {with("  unit: { template: \"A}\" }"), "not open"},
		"a width that is none":              {with("  unit: { template: \"{A:x}\" }"), "how many characters"},
		"an empty spelling":                 {with("  unit: [U, \"\"]"), "line 6: a text is empty"},
		"a mapping for a spelling":          {with("  unit: [U, {a: b}]"), "here stands one value"},
		"yes for true":                      {with("  unit: { from: U, optional: maybe }"), "true or false"},
		"a date format without a day":       {"columns: { externalId: Id, description: What, occurredOn: { from: Day, formats: MM/YYYY }, amount: Sum }\nconstants: { currency: GBP }", "is not a date format"},
		"a date format of another language": {"columns: { externalId: Id, description: What, occurredOn: { from: Day, formats: \"%d/%m/%Y\" }, amount: Sum }\nconstants: { currency: GBP }", "is not a date format"},
		"a constant date that is none":      {"columns: { externalId: Id, description: What, amount: Sum }\nconstants: { currency: GBP, occurredOn: 2024-13-01 }", "not a date"},
		"a constant category that is none":  {"columns: { externalId: Id, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP, category: travel }", "number of a category"},
		"a fallback amount that is none":    {"columns: { externalId: Id, description: What, occurredOn: Day, amount: { from: Sum, otherwise: none } }\nconstants: { currency: GBP }", "amount"},
		"an empty constant":                 {with("") + "  unit: \"\"", ""},
		"an alias":                          {"columns: &a { externalId: Id }\nconstants: *a", "mapping"},
		"a format that is none":             {"file: { format: ODS }\n" + minimal, `line 1: "ODS" is no format; known are CSV NDJSON PARQUET XLSX`},
		"an encoding that is not read":      {"file: { encoding: latin1 }\n" + minimal, `line 1: "latin1" is no encoding that is read`},
		"a delimiter of two characters":     {"file:\n  delimiter: \"||\"\n" + minimal, `line 2: "||" cannot stand between fields`},
		"a quotation mark as delimiter":     {"file: { delimiter: '\"' }\n" + minimal, "cannot stand between fields"},
		"an unknown key of the file":        {"file: { header: 3 }\n" + minimal, `line 1: "header" is not known for the file`},
		"a sheet without a name":            {"file: { sheet: }\n" + minimal, `"sheet" needs a value`},
		"a notation that is none":           {with("  quantity: { from: Q, numbers: german }"), `line 6: "german" is no notation of numbers`},
		"a notation of a text":              {with("  unit: { from: U, numbers: \"1,234.56\" }"), `"numbers" is not known for unit`},
		"a whole data file":                 {strings.Repeat("a,b,c\n", 200_000), "is it the data?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ingest.ParseColumns(strings.NewReader(tc.yaml))
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q", err, tc.says)
			}
		})
	}
}

func TestAColumnsFileReadsAnyLayout(t *testing.T) {
	const header = "Ref,Part,What,Day,Sum,Kind,Cap\n"
	for name, tc := range map[string]struct {
		yaml, file, name string
		want             string // external id, description, day, amount, category, of the only row
		says             string // or what the row's error says
	}{
		"first spelling that the header has": {
			"columns: { externalId: [Key, ref], description: [Text, WHAT], occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,", "l.csv", "7|Steel|2024-01-31|5|0", ""},
		"template with a width": {
			"columns: { externalId: { template: \"{Ref}/{Day:7}-{part}\" }, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,", "l.csv", "7/2024-01-1|Steel|2024-01-31|5|0", ""},
		"template with an empty part is no key": {
			"columns: { externalId: { template: \"{Ref}/{Part}\" }, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }",
			"7,,Steel,2024-01-31,5,x,", "l.csv", "|Steel|2024-01-31|5|0", ""},
		"template hashed": {
			"columns: { externalId: { template: \"{Ref}/{Part}\", hash: true }, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,", "l.csv", "d3d2f5798ea0625e5aadfd88a48abffb|Steel|2024-01-31|5|0", ""},
		"other notations of days": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, formats: [\"YYYY-MM-DD hh:mm:ss\", D/M/YY, \"DD MMM YYYY\"] }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,5/1/24,5,x,", "l.csv", "7|Steel|2024-01-05|5|0", ""},
		"time of day is dropped": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, formats: [\"YYYY-MM-DD hh:mm:ss\"] }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31 23:59:59,5,x,", "l.csv", "7|Steel|2024-01-31|5|0", ""},
		"values are translated, whatever their case": {
			"columns: { externalId: Ref, description: What, occurredOn: Day, amount: Sum, category: { from: Cap, values: { Capital: 2, Revenue: null } } }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,CAPITAL ", "l.csv", "7|Steel|2024-01-31|5|2", ""},
		"a value that means nothing": {
			"columns: { externalId: Ref, description: What, occurredOn: Day, amount: Sum, category: { from: Cap, values: { Capital: 2, Revenue: null } } }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,Revenue", "l.csv", "7|Steel|2024-01-31|5|0", ""},
		"a value that nobody listed": {
			"columns: { externalId: Ref, description: What, occurredOn: Day, amount: Sum, category: { from: Cap, values: { Capital: 2, Revenue: null } } }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,Both", "l.csv", "", "none of the values"},
		"float artefact, rounded as stated": {
			"columns: { externalId: Ref, description: What, occurredOn: Day, amount: { from: Sum, round: true } }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,896.3999999999999,x,", "l.csv", "7|Steel|2024-01-31|896.4|0", ""},
		"half goes to even": {
			"columns: { externalId: Ref, description: What, occurredOn: Day, amount: { from: Sum, round: true } }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,-1.0000025,x,", "l.csv", "7|Steel|2024-01-31|-1.000002|0", ""},
		"blank text and fallback": {
			"columns: { externalId: Ref, description: { from: Kind, blank: [n/a], otherwise: Unknown }, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,N/A,", "l.csv", "7|Unknown|2024-01-31|5|0", ""},
		"a day from the quarter of the name": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, blank: [\"00:00:00\"], otherwise: fileName }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,00:00:00,5,x,", "/data/2011/oxford_2014-q2.csv.gz", "7|Steel|2014-05-15|5|0", ""},
		"a day from the month of the name": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, otherwise: fileName }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,,5,x,", `C:\ledgers\2011\spend_2014-11.csv`, "7|Steel|2014-11-15|5|0", ""},
		"a name that tells no day": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, otherwise: fileName }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,,5,x,", "spend.csv", "", "tells none"},
		"a malformed day is not a missing one": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, otherwise: 2014-05-15 }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,soon,5,x,", "l.csv", "", `"soon" is not a date`},
		"a missing day takes the stated one": {
			"columns: { externalId: Ref, description: What, occurredOn: { from: Day, otherwise: 2014-05-15 }, amount: Sum }\nconstants: { currency: GBP }",
			"7,1,Steel,,5,x,", "l.csv", "7|Steel|2014-05-15|5|0", ""},
		"a constant day": {
			"columns: { externalId: Ref, description: What, amount: Sum }\nconstants: { currency: GBP, occurredOn: 2014-05-16, category: 3 }",
			"7,1,Steel,,5,x,", "l.csv", "7|Steel|2014-05-16|5|3", ""},
		"an optional column that is not there": {
			"columns: { externalId: Ref, description: What, occurredOn: Day, amount: Sum, category: { from: Kategorie, optional: true } }\nconstants: { currency: GBP }",
			"7,1,Steel,2024-01-31,5,x,", "l.csv", "7|Steel|2024-01-31|5|0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rows, bad, err := read(t, header+tc.file+"\n", tc.name, columns(t, tc.yaml))
			if err != nil || len(rows)+len(bad) != 1 {
				t.Fatalf("rows %v, errors %v, %v", rows, bad, err)
			}
			if len(bad) == 1 {
				if tc.says == "" || !strings.Contains(bad[0].Message, tc.says) {
					t.Errorf("error = %v; want %q", bad[0], tc.says)
				}
				return
			}
			r := rows[0]
			got := strings.Join([]string{r.ExternalID, r.Description, r.OccurredOn.String(), r.Amount.String(), string('0' + rune(r.Category))}, "|")
			if got != tc.want {
				t.Errorf("row = %s; want %s", got, tc.want)
			}
		})
	}
}

func TestAMissingColumnIsNamedWithWhatTheHeaderHas(t *testing.T) {
	_, err := ingest.Open(strings.NewReader("Ref,What,Day\n"), "l.csv", ingest.Options{Columns: columns(t, minimal)})
	if fault.CodeOf(err) != fault.BadUserInput {
		t.Fatalf("err = %v", err)
	}
	for _, want := range []string{"externalId", `"Id"`, `"Ref"`, "columns file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

func TestColumnsThatNothingIsTakenFromAreTold(t *testing.T) {
	r, err := ingest.Open(strings.NewReader("Id,What,Day,Sum,VAT,Notes\n"), "l.csv", ingest.Options{Columns: columns(t, minimal)})
	if err != nil || strings.Join(r.Ignored(), "|") != "VAT|Notes" {
		t.Errorf("ignored = %q, %v; want VAT and Notes", r.Ignored(), err)
	}
}

func FuzzParseColumns(f *testing.F) {
	f.Add(minimal)
	f.Add("file: { format: csv, delimiter: ;, encoding: utf-8, sheet: x }\ncolumns: { externalId: Id, description: What, occurredOn: Day, amount: { from: Sum, numbers: \"1.234,56\", round: true } }\nconstants: { currency: GBP }")
	f.Add("columns:\n  externalId: { template: \"{A}/{B:3}\", hash: true }\n  occurredOn: { from: [D], formats: [DD/MM/YYYY], blank: [x], otherwise: fileName }\n")
	f.Fuzz(func(t *testing.T, yaml string) {
		c, err := ingest.ParseColumns(strings.NewReader(yaml))
		if err != nil {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("err = %v; want BAD_USER_INPUT", err)
			}
			return
		}
		read(t, "Id,What,Day,Sum,A,B,D\n1,x,2024-01-01,5,a,b,01/02/2024\n", "l-2024-q1.csv", c)
	})
}

func TestWhatALineStatesOfItselfComesFromColumns(t *testing.T) {
	const yaml = "columns: { externalId: Ref, description: What, occurredOn: Day, quantity: Sum, conversionProperty: { from: Fuel, values: { Gas: \"epa:natural-gas\", Other: null } }, uncertaintyPercent: { from: Error, round: true, blank: [n/a] } }\nconstants: { unit: scf }"
	rows, bad, err := read(t, "Ref,What,Day,Sum,Fuel,Error\n1,Gas,2024-01-31,5,gas,12.50000004\n2,Gas,2024-01-31,5,Other,N/A\n3,Gas,2024-01-31,5,gas,±5\n4,Gas,2024-01-31,5,wood,5\n", "l.csv", columns(t, yaml))
	if err != nil || len(rows) != 2 || len(bad) != 2 {
		t.Fatalf("rows %v, errors %v, %v; want two of each", rows, bad, err)
	}
	if r := rows[0]; r.ConversionProperty != "epa:natural-gas" || !r.HasUncertainty || r.UncertaintyPercent != 12_500_000 {
		t.Errorf("row %+v", r)
	}
	if r := rows[1]; r.ConversionProperty != "" || r.HasUncertainty || r.UncertaintyPercent != 0 {
		t.Errorf("a row that states nothing is %+v", r)
	}
	if bad[0].Field != "uncertaintyPercent" || bad[1].Field != "conversionProperty" {
		t.Errorf("errors %v; want them to name their fields", bad)
	}
	wrong := strings.Replace(strings.Replace(yaml, ", uncertaintyPercent: { from: Error, round: true, blank: [n/a] }", "", 1), "unit: scf", "unit: scf, uncertaintyPercent: much", 1)
	if _, err := ingest.ParseColumns(strings.NewReader(wrong)); err == nil || !strings.Contains(err.Error(), "uncertaintyPercent") {
		t.Errorf("a constant that is no number: %v", err)
	}
}
