package ingest_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// archive makes a zip archive of names and contents.
func archive(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(parts[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// workbook makes a workbook of one sheet from the XML of its rows. Style 1 shows days.
func workbook(t testing.TB, rows string, texts ...string) string {
	t.Helper()
	var shared strings.Builder
	for _, s := range texts {
		shared.WriteString("<si><t>" + s + "</t></si>")
	}
	return archive(t,
		"xl/workbook.xml", `<workbook><sheets><sheet name="Hidden" state="hidden" r:id="r4"/><sheet name="Ledger" r:id="r1"/><sheet name="Other" r:id="r4"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://x/styles" Target="/xl/styles.xml"/>`+
			`<Relationship Id="r3" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r4" Type="http://x/worksheet" Target="worksheets/sheet2.xml"/></Relationships>`,
		"xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="#,##0.00&quot;d&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>`,
		"xl/sharedStrings.xml", "<sst>"+shared.String()+"</sst>",
		"xl/worksheets/sheet1.xml", "<worksheet><sheetData>"+rows+"</sheetData></worksheet>",
		"xl/worksheets/sheet2.xml", `<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>Elsewhere</t></is></c></row></sheetData></worksheet>`)
}

const xlsxHeader = `<row r="1"><c r="A1" t="inlineStr"><is><t>Id</t></is></c><c r="B1" t="inlineStr"><is><t>What</t></is></c><c r="C1" t="inlineStr"><is><t>Day</t></is></c><c r="D1" t="inlineStr"><is><t>Sum</t></is></c></row>`

// xlsxRow is a row whose first cells are right, with the XML of its sum.
func xlsxRow(n int, sum string) string {
	return fmt.Sprintf(`<row r="%d"><c r="A%[1]d" t="inlineStr"><is><t>a%[1]d</t></is></c><c r="B%[1]d" t="inlineStr"><is><t>Steel</t></is></c><c r="C%[1]d" s="1"><v>45322</v></c>%s</row>`, n, sum)
}

func TestAWorkbookOfAnotherProgramIsRead(t *testing.T) {
	// Written by excelize: a sheet before the one that is meant, a header in the third row, an empty row, styles, rich text.
	f, err := os.Open(filepath.Join("testdata", "payments.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := columns(t, "file: { format: XLSX, sheet: payments 2024 }\ncolumns: { externalId: Id, description: What, occurredOn: { from: Day, formats: [DD/MM/YYYY] }, amount: { from: Sum, round: true, numbers: \"1.234,56\" } }\nconstants: { currency: GBP }")
	all, err := open(t, f, "payments.xlsx", ingest.Options{Columns: c})
	if err != nil || len(all.bad) != 0 {
		t.Fatalf("%v, %v", all, err)
	}
	var got []string
	for _, r := range all.rows {
		got = append(got, fmt.Sprintf("%d %s|%s|%s|%s|%q", r.Line, r.ExternalID, r.Description, r.OccurredOn, r.Amount, r.Record))
	}
	want := []string{
		`4 a1|Steel <& bolts>|2024-01-31|1234.5|["a1" "Steel <& bolts>" "2024-01-31" "1234,5" "true"]`,
		`5 12|Nuts and bolts|2024-02-29|896.4|["12" "Nuts and bolts" "2024-02-29 14:05:00" "896,399999999999" ""]`,
		`7 a3|=cmd|' /c calc'!A1|1900-01-05|-0.125|["a3" "=cmd|' /c calc'!A1" "1900-01-05" "-0,125" ""]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all.Format() != ingest.XLSX || strings.Join(all.Ignored(), "|") != "Paid" || all.BytesRead() == 0 {
		t.Errorf("format %s, ignored %q, %d bytes read", all.Format(), all.Ignored(), all.BytesRead())
	}
}

func TestCellsAreReadAsTheyAreMeant(t *testing.T) {
	for name, tc := range map[string]struct{ cell, want, says string }{
		"a number":                       {`<c r="D2"><v>1234.5</v></c>`, "1234.5", ""},
		"a number with a point only":     {`<c r="D2"><v>1.234</v></c>`, "1.234", ""},
		"a number in seventeen digits":   {`<c r="D2"><v>1.1000000000000001</v></c>`, "1.1", ""},
		"a number with an exponent":      {`<c r="D2"><v>1.5E-3</v></c>`, "0.0015", ""},
		"a number that looks like a day": {`<c r="D2" s="2"><v>45322</v></c>`, "45322", ""},
		"a formula's last value":         {`<c r="D2"><f>1+1</f><v>2</v></c>`, "2", ""},
		"a formula's text":               {`<c r="D2" t="str"><f>A1</f><v>7</v></c>`, "7", ""},
		"a shared text":                  {`<c r="D2" t="s"><v>0</v></c>`, "42", ""},
		"a text in runs":                 {`<c r="D2" t="inlineStr"><is><r><t>4</t></r><rPh><t>shi</t></rPh><r><t>2</t></r></is></c>`, "42", ""},
		"no reference":                   {`<c><v>5</v></c>`, "5", ""},
		"an error":                       {`<c r="D2" t="e"><v>#REF!</v></c>`, "", "The cell D2 holds the error #REF!"},
		"a formula without a value":      {`<c r="D2"><f>1+1</f></c>`, "", "never calculated"},
		"a text that is not there":       {`<c r="D2" t="s"><v>-1</v></c>`, "", "a text that the workbook does not have"},
		"a day that is none":             {`<c r="D2" s="1"><v>60</v></c>`, "", "shown as a day"},
		"a cell beyond the header":       {`<c r="D2"><v>1</v></c><c r="F2"><v>1</v></c>`, "", "6 cells, the header 4"},
		"an ambiguous text":              {`<c r="D2" t="inlineStr"><is><t>1.234</t></is></c>`, "", "1.234 or 1234"},
	} {
		t.Run(name, func(t *testing.T) {
			all := mustOpen(t, workbook(t, xlsxHeader+xlsxRow(2, tc.cell)+xlsxRow(3, `<c r="D3"><v>3</v></c>`), "42"), "l.xlsx", columns(t, minimal))
			if tc.says != "" {
				if len(all.bad) != 1 || len(all.rows) != 1 || !strings.Contains(all.bad[0].Message, tc.says) || all.bad[0].Line != 2 || len(all.bad[0].Record) < 4 {
					t.Errorf("rows %v, errors %v; want row 2 to fail and to say %q", all.rows, all.bad, tc.says)
				}
				return
			}
			if len(all.rows) != 2 || all.rows[0].Amount.String() != tc.want || all.rows[0].OccurredOn.String() != "2024-01-31" {
				t.Errorf("rows %v, errors %v; want %s", all.rows, all.bad, tc.want)
			}
		})
	}
}

func TestDaysOfTheOtherEpochAreRead(t *testing.T) {
	parts := []string{
		"xl/workbook.xml", `<workbook><workbookPr date1904="1"/><sheets><sheet name="L" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="t/worksheet" Target="s.xml"/><Relationship Id="r2" Type="t/styles" Target="styles.xml"/></Relationships>`,
		"xl/styles.xml", `<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
		"xl/s.xml", `<x:worksheet><x:sheetData>` + xlsxHeader + xlsxRow(2, `<c r="D2"><v>1</v></c>`) + `</x:sheetData></x:worksheet>`,
	}
	all := mustOpen(t, archive(t, parts...), "l.xlsx", columns(t, minimal))
	if len(all.rows) != 1 || all.rows[0].OccurredOn.String() != "2028-02-01" {
		t.Errorf("rows %v, errors %v; want 1 February 2028, 1462 days later than by the other epoch", all.rows, all.bad)
	}
}

func TestABrokenWorkbookIsRefused(t *testing.T) {
	good := workbook(t, xlsxHeader+xlsxRow(2, `<c r="D2"><v>1</v></c>`))
	for name, tc := range map[string]struct{ file, says string }{
		"cut off":                   {good[:len(good)/2], "cut off"},
		"a sheet that is cut off":   {archive(t, cut(xlsxHeader+xlsxRow(2, ""))...), "damaged"},
		"texts that are cut off":    {archive(t, withTexts(cut(xlsxHeader+"</sheetData>"), "<sst><si><t>a</t></si>")...), "damaged"},
		"no sheet with cells":       {archive(t, "xl/workbook.xml", "<workbook/>", "xl/_rels/workbook.xml.rels", "<Relationships/>"), "no sheet with cells"},
		"no list of parts":          {archive(t, "xl/workbook.xml", "<workbook/>"), "damaged"},
		"XML that does not close":   {archive(t, "xl/workbook.xml", "<workbook><sheets></workbook>", "xl/_rels/workbook.xml.rels", ""), "damaged"},
		"an empty sheet":            {workbook(t, ""), "sheet is empty"},
		"a cell far to the right":   {workbook(t, xlsxHeader+`<row r="2"><c r="ZZZZZ2"><v>1</v></c></row>`), "damaged"},
		"one cell of many megabyte": {workbook(t, xlsxHeader+`<row r="2"><c r="A2" t="inlineStr"><is><t>`+strings.Repeat("x", 9<<20)+`</t></is></c></row>`), "save it as CSV"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, strings.NewReader(tc.file), "l.xlsx", ingest.Options{Columns: columns(t, minimal)})
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q", err, tc.says)
			}
		})
	}
}

// cut are the parts of a workbook whose sheet ends after the given rows.
func cut(rows string) []string {
	return []string{"xl/workbook.xml", `<workbook><sheets><sheet name="L" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="t/worksheet" Target="s.xml"/></Relationships>`,
		"xl/s.xml", "<worksheet><sheetData>" + rows}
}

// withTexts adds the list of shared texts to the parts of a workbook.
func withTexts(parts []string, texts string) []string {
	parts[3] = strings.Replace(parts[3], "</Relationships>", `<Relationship Id="r3" Type="t/sharedStrings" Target="texts.xml"/></Relationships>`, 1)
	return append(parts, "xl/texts.xml", texts)
}

func TestASheetIsFoundByItsName(t *testing.T) {
	file := workbook(t, xlsxHeader)
	with := func(sheet string) error {
		_, err := open(t, strings.NewReader(file), "l.xlsx", ingest.Options{Columns: columns(t, "file: { sheet: "+sheet+" }\n"+minimal)})
		return err
	}
	if err := with("ledger"); err != nil {
		t.Error(err)
	}
	if err := with("Other"); err == nil || !strings.Contains(err.Error(), "Elsewhere") {
		t.Errorf("the other sheet: %v; want its header to be told", err)
	}
	if err := with("Payments"); err == nil || !strings.Contains(err.Error(), `it has "Ledger", "Other", "Hidden"`) {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

func TestAMillionEmptyRowsArePassedOver(t *testing.T) {
	large(t)
	var rows strings.Builder
	rows.WriteString(xlsxHeader)
	for i := range 1_000_000 {
		rows.WriteString(`<row r="` + strconv.Itoa(i+2) + `"/>`)
	}
	all := mustOpen(t, workbook(t, rows.String()+xlsxRow(1_000_002, `<c r="D2"><v>1</v></c>`)), "l.xlsx", columns(t, minimal))
	if len(all.rows) != 1 || all.rows[0].Line != 1_000_002 {
		t.Errorf("rows %v, errors %v; want the last one", all.rows, all.bad)
	}
}
