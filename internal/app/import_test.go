package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carbongraph/internal/app"
)

// factorsFile is a dataset of one's own, so that nothing here leans on what others publish.
const factorsFile = `source,version,gwpSet,code,name,region,unit,value
acme-labs,2026,AR6,STEEL-1,Steel,GB,tonne,1890
`

const activitiesFile = `externalId,supplierExternalId,supplierName,description,occurredOn,quantity,unit,factorSource,factorCode
A1,S1,Alum,Steel plates,2024-03-01,2.5,tonne,acme-labs,STEEL-1
A2,S1,Alum,Steel rods,2024-03-02,100,kg,acme-labs,STEEL-1
A3,S1,Alum,Steel by the mile,2024-03-02,100,km,acme-labs,STEEL-1
A4,S1,Alum,Steel of no day,2024-13-02,1,kg,acme-labs,STEEL-1
A5,S1,Alum,Steel in words,2024-03-02,ten,kg,acme-labs,STEEL-1
A1,S1,Alum,Steel again,2024-03-02,1,kg,acme-labs,STEEL-1
`

func write(t *testing.T, dir, name string, text []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// stocked is a ledger with the dataset of one's own.
func stocked(t *testing.T) (dir, key string) {
	t.Helper()
	dir, keys := ledger(t, "Acme")
	file := write(t, t.TempDir(), "own.csv", []byte(factorsFile))
	for i, want := range []string{`"created":true`, `"created":false`} { // the second time it is there
		code, out, errs := run(t, nil, "factors", "import", "--dataset", "csv", file, "--data-dir", dir, "--json")
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("factors import, time %d: %d %s %s", i+1, code, out, errs)
		}
	}
	if _, out, _ := run(t, nil, "factors", "list", "--data-dir", dir); !strings.Contains(out, "acme-labs\t2026") {
		t.Fatalf("factors list: %s", out)
	}
	return dir, keys[0]
}

func TestImport(t *testing.T) {
	dir, _ := stocked(t)
	folder := t.TempDir()
	file := write(t, folder, "spend.csv", []byte(activitiesFile))
	failed := filepath.Join(folder, "spend.failed.csv")
	importing := func(args ...string) (int, map[string]any, string) {
		code, out, errs := run(t, nil, append([]string{"import", "--org", "Acme", "--data-dir", dir, "--json"}, args...)...)
		sum := map[string]any{}
		if out != "" {
			if err := json.Unmarshal([]byte(out), &sum); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		return code, sum, errs
	}
	counts := func(sum map[string]any, want map[string]float64) {
		t.Helper()
		for name, n := range want {
			if sum[name] != n {
				t.Errorf("%s = %v; want %v", name, sum[name], n)
			}
		}
	}

	code, sum, errs := importing("--dry-run", file)
	if code != app.ExitPartly {
		t.Errorf("a dry run with failures: exit %d %s", code, errs)
	}
	counts(sum, map[string]float64{"rows": 6, "created": 3, "failed": 3})
	if !strings.Contains(errs, "spend.failed.csv") {
		t.Errorf("a dry run does not tell where the rows that fail are: %q", errs)
	}
	dry, err := os.ReadFile(failed)
	if err != nil {
		t.Fatal(err)
	}

	code, sum, errs = importing(file)
	if code != app.ExitPartly || !strings.Contains(errs, "spend.failed.csv") {
		t.Errorf("exit %d, told %q", code, errs)
	}
	counts(sum, map[string]float64{"rows": 6, "created": 3, "updated": 0, "unchanged": 0, "failed": 3, "calculated": 2, "excluded": 0})
	for _, key := range []string{"batchId", "seconds"} {
		if sum[key] == nil || sum[key] == "" {
			t.Errorf("the summary has no %s: %v", key, sum)
		}
	}
	text, err := os.ReadFile(failed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, dry) {
		t.Errorf("the failures are %s; in the dry run they were %s", text, dry)
	}
	for _, says := range []string{"A4", "2024-13-02", "A5", "ten", "A1"} {
		if !strings.Contains(string(text), says) {
			t.Errorf("the failures lack %q: %s", says, text)
		}
	}

	if code, sum, _ = importing(file); code != app.ExitPartly {
		t.Errorf("a second time: exit %d", code)
	}
	counts(sum, map[string]float64{"created": 0, "unchanged": 3, "failed": 3})

	good := write(t, folder, "good.csv", []byte(strings.Join(strings.SplitAfter(activitiesFile, "\n")[:3], "")))
	if code, _, errs = importing(good); code != app.ExitDone || errs != "" {
		t.Errorf("without failures: exit %d %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(folder, "good.failed.csv")); err == nil {
		t.Error("a file for failures that never were")
	}
}

func TestFilesThatCannotBeImported(t *testing.T) {
	dir, _ := stocked(t)
	folder := t.TempDir()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(strings.Repeat(activitiesFile, 200)))
	z.Close()
	for name, tc := range map[string]struct {
		file string
		text []byte
		more []string
		says string
	}{
		"a file that is not there":   {"nowhere.csv", nil, nil, "nowhere.csv cannot be read"},
		"a folder":                   {"", nil, nil, "is a folder"},
		"a picture":                  {"a.png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), nil, "a.png"},
		"a table of something else":  {"other.csv", []byte("colour,size\nred,1\n"), nil, "other.csv"},
		"a truncated gzip":           {"cut.csv.gz", zipped.Bytes()[:zipped.Len()/2], nil, "cut.csv.gz"},
		"nothing":                    {"empty.csv", []byte{}, nil, "empty.csv"},
		"columns that are not there": {"x.csv", []byte(activitiesFile), []string{"--columns", "nowhere.yml"}, "nowhere.yml is neither a file nor the name"},
		"a mapping that is none":     {"y.csv", []byte(activitiesFile), []string{"--mapping", write(t, folder, "bad.yml", []byte("- : ["))}, "bad.yml"},
		"an unknown organization":    {"z.csv", []byte(activitiesFile), []string{"--org", "Nobody"}, "Nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(folder, tc.file)
			if tc.text != nil {
				write(t, folder, tc.file, tc.text)
			}
			args := append([]string{"import", file, "--data-dir", dir}, tc.more...)
			if !strings.Contains(strings.Join(tc.more, " "), "--org") {
				args = append(args, "--org", "Acme")
			}
			code, out, errs := run(t, nil, args...)
			if code != app.ExitFailed || out != "" || !strings.Contains(errs, tc.says) || strings.Count(errs, "error: ") != 1 {
				t.Errorf("exit %d, printed %q, told %q; want %q", code, out, errs, tc.says)
			}
		})
	}
}

func TestFactorsThatCannotBeImported(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	for name, tc := range map[string]struct{ kind, text, says string }{
		"another file":              {"desnz", "a,b\n1,2\n", "x.csv"},
		"the same release, changed": {"csv", strings.Replace(factorsFile, "1890", "1891", 1), "2026"},
	} {
		t.Run(name, func(t *testing.T) {
			first := write(t, folder, "own.csv", []byte(factorsFile))
			run(t, nil, "factors", "import", "--dataset", "csv", first, "--data-dir", dir)
			file := write(t, folder, "x.csv", []byte(tc.text))
			code, out, errs := run(t, nil, "factors", "import", "--dataset", tc.kind, file, "--data-dir", dir)
			if code != app.ExitFailed || out != "" || !strings.Contains(errs, tc.says) || strings.Count(errs, "\n") != 1 {
				t.Errorf("exit %d, printed %q, told %q; want %q", code, out, errs, tc.says)
			}
		})
	}
}

func TestSeedIsTheSameTwice(t *testing.T) {
	dir, _ := ledger(t, "Acme", "Bolt")
	totals := func(org string) string {
		code, out, errs := run(t, nil, "seed", "--org", org, "--suppliers", "30", "--activities", "400", "--seed", "7", "--data-dir", dir)
		if code != 0 {
			t.Fatal(errs)
		}
		_, counts, _ := strings.Cut(out, ": ")
		return counts
	}
	a := totals("Acme")
	if b := totals("Bolt"); a != b || !strings.Contains(a, "400 created") {
		t.Errorf("%s\n%s", a, b)
	}
	if again := totals("Acme"); !strings.Contains(again, "400 unchanged") {
		t.Errorf("a second time: %s", again)
	}
	if code, _, _ := run(t, nil, "seed", "--org", "Acme", "--suppliers", "0", "--data-dir", dir); code != app.ExitWrongUse {
		t.Errorf("no suppliers: exit %d", code)
	}
}

func TestImportTellsThatThereAreNoRows(t *testing.T) {
	dir, _ := stocked(t)
	file := write(t, t.TempDir(), "spend.csv", []byte("externalId,description,occurredOn,amount,currency\n"))
	code, _, errs := run(t, nil, "import", "--org", "Acme", "--data-dir", dir, file)
	if code != 0 || !strings.Contains(errs, "no rows under the header of spend.csv") {
		t.Errorf("a header alone: exit %d, told %q", code, errs)
	}
}
