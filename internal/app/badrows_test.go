package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// badRows are what a file may hold beside good rows, and what is told of each; one of which nothing is told is kept without an emission.
var badRows = []struct{ name, row, says string }{
	{"malformed date", "B1,,x,2024-02-30,1,tonne,,,acme-labs,STEEL-1", "2024-02-30"},
	{"future date", "B2,,x,2999-01-01,1,tonne,,,acme-labs,STEEL-1", "future"},
	{"text where a number stands", "B3,,x,2024-01-01,ten,tonne,,,acme-labs,STEEL-1", "ten"},
	{"text where money stands", "B4,,x,2024-01-01,,,lots,USD,,", "lots"},
	{"empty external id", ",,x,2024-01-01,1,tonne,,,acme-labs,STEEL-1", "externalId"},
	{"external id that was there before", "G0,,x,2024-01-01,1,tonne,,,acme-labs,STEEL-1", "second time"},
	{"factor that does not exist", "B7,,x,2024-01-01,1,tonne,,,acme-labs,STEEL-9", "STEEL-9"},
	{"neither quantity nor money", "B8,,x,2024-01-01,,,,,acme-labs,STEEL-1", "neither"},
	{"currency of another form", "B9,,x,2024-01-01,,,1,dollars,,", "dollars"},
	{"a cell too few", "B10,,x,2024-01-01", "4 fields"},
	{"unknown unit", "K1,,x,2024-01-01,1,furlong,,,acme-labs,STEEL-1", ""},
	{"unit of another dimension", "K2,,x,2024-01-01,1,kWh,,,acme-labs,STEEL-1", ""},
	{"currency without a rate", "K3,,x,2024-01-01,,,1,XTS,acme-labs,SPEND-1", ""},
	{"no factor", "K4,,x,2024-01-01,,,1,USD,,", ""},
}

// A row that is bad comes back with its line and the reason, or is kept without an emission; the good rows around it are all there.
func TestBadRowsOfAFile(t *testing.T) {
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		r := newRefusing(t, env)
		lines := []string{"externalId,supplierExternalId,description,occurredOn,quantity,unit,amount,currency,factorSource,factorCode"}
		good := func() {
			lines = append(lines, fmt.Sprintf("G%d,S1,x,2024-01-01,2,t,,,acme-labs,STEEL-1", len(lines)-1))
		}
		failed := map[int]string{}
		good()
		for _, b := range badRows {
			lines = append(lines, b.row)
			if b.says != "" {
				failed[len(lines)] = b.says
			}
			good()
		}
		folder := t.TempDir()
		file := write(t, folder, "rows.csv", []byte(strings.Join(lines, "\n")+"\n"))
		code, out, errs := run(t, env, "import", file, "--org", "Acme", "--json")
		var sum struct{ Rows, Created, Failed, Calculated int }
		if err := json.Unmarshal([]byte(out), &sum); err != nil || code != 3 {
			t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
		}
		goods, kept := len(badRows)+1, len(badRows)-len(failed)
		if sum.Rows != goods+len(badRows) || sum.Created != goods+kept || sum.Calculated != goods || sum.Failed != len(failed) {
			t.Errorf("%+v; want %d good, %d kept, %d failed", sum, goods, kept, len(failed))
		}
		told, err := os.ReadFile(filepath.Join(folder, "rows.failed.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows := strings.Split(strings.TrimSpace(string(told)), "\n")[1:]
		if len(rows) != len(failed) {
			t.Errorf("%d rows came back, want %d:\n%s", len(rows), len(failed), told)
		}
		for _, row := range rows {
			line := 0
			for _, field := range strings.Split(row, ",")[10:] { // after the ten of the file
				if n, err := strconv.Atoi(field); err == nil {
					line = n
					break
				}
			}
			if says, ok := failed[line]; !ok || !strings.Contains(row, says) {
				t.Errorf("line %d: %s; want it to tell of %q", line, row, says)
			}
			delete(failed, line)
		}
		if len(failed) > 0 {
			t.Errorf("not told: %v", failed)
		}
		got := r.ask(t, r.key, `{activities(filter:{calculated:false}, orderBy:{field:CREATED_AT,direction:ASC}){nodes{externalId emission{id} calculationError{code}}} suppliers(filter:{externalIds:["S1"]}){nodes{footprint{co2e activityCount}}}}`)
		for _, want := range []string{`"K1","emission":null,"calculationError":{"code":"UNKNOWN_UNIT"}`, `"K2","emission":null,"calculationError":{"code":"UNIT_MISMATCH"}`,
			`"K3","emission":null,"calculationError":{"code":"NO_EXCHANGE_RATE"}`, `"K4","emission":null,"calculationError":{"code":"NO_FACTOR"}`,
			fmt.Sprintf(`"footprint":{"co2e":"%d","activityCount":%d}`, goods*3780, goods)} {
			if !strings.Contains(got.text, want) {
				t.Errorf("the ledger lacks %s: %s", want, got.text)
			}
		}
	})
}

// A gzip that breaks off: what came before is kept, the error says so in one line, and the whole file brings the rest without repeating anything.
func TestATruncatedFileIsGoneOnWith(t *testing.T) {
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		r := newRefusing(t, env)
		const rows = 6_000
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		fmt.Fprintln(z, "externalId,description,occurredOn,amount,currency")
		for i := range rows {
			fmt.Fprintf(z, "A%d,x,2024-01-01,%d,USD\n", i, i)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		cut := write(t, t.TempDir(), "spend.csv.gz", zipped.Bytes()[:zipped.Len()/2])
		code, out, errs := run(t, env, "import", cut, "--org", "Acme", "--json")
		told := regexp.MustCompile(`(\d+) rows were read before the error and are kept`).FindStringSubmatch(errs)
		if code != 1 || out != "" || told == nil || strings.Count(errs, "error: ") != 1 || !strings.Contains(errs, "spend.csv.gz") {
			t.Fatalf("exit %d, printed %q, told %q", code, out, errs)
		}
		kept, _ := strconv.Atoi(told[1])
		if kept == 0 || kept >= rows {
			t.Fatalf("%d rows kept: the file was not cut where it matters", kept)
		}
		r.holds(t, kept)
		whole := write(t, t.TempDir(), "spend.csv.gz", zipped.Bytes())
		code, out, errs = run(t, env, "import", whole, "--org", "Acme", "--json")
		var sum struct{ Rows, Created, Updated, Unchanged, Failed int }
		if err := json.Unmarshal([]byte(out), &sum); err != nil || code != 0 || sum.Created != rows-kept || sum.Unchanged != kept || sum.Updated+sum.Failed != 0 {
			t.Errorf("exit %d: %+v %s; want %d created and %d unchanged", code, sum, errs, rows-kept, kept)
		}
		r.holds(t, rows)
	})
}
