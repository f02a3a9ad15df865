package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carbongraph/internal/factors"
)

func TestMappingsAreProposed(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "payments.csv")
	text := "externalId,description,accountCode,occurredOn,amount,currency,country\n" +
		"1,Office cleaning,4203,2025-01-01,10.5,GBP,GB\n2,office  CLEANING,4203,2025-01-02,1,GBP,GB\n3,\"Rates \"\"A\"\" <b>: #1\",,2025-01-03,5,GBP,GB\n" +
		"4,Zzyzx,9,2025-01-03,5,GBP,GB\n5,Taxi *,9,2025-01-03,5,GBP,GB\n6,Taxi,9,2025-13-03,5,GBP,GB\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, nil, "migrate", "up", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := run(t, nil, "mappings", "propose", file, "--data-dir", dir); code != 1 || out != "" || !strings.Contains(errs, "factors builtin") {
		t.Errorf("without factors: %d %s%s", code, out, errs)
	}
	if code, _, errs := run(t, nil, "factors", "builtin", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, _, errs := run(t, nil, "mappings", "propose", file, "--confidence", "2", "--data-dir", dir); code != 2 || !strings.Contains(errs, "--confidence") {
		t.Errorf("a confidence that is none: %d %s", code, errs)
	}
	code, out, errs := run(t, nil, "mappings", "propose", file, "--data-dir", dir)
	if code != 0 || !strings.Contains(errs, "1 accounts mapped, 1 excluded, 2 left out") || !strings.Contains(errs, "1 rows of") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"# 2 lines, 11.50 GBP · confidence 0.91 · 'office cleaning' in the text means", `{ accountCode: "4203", description: "Office cleaning", country: "GB" }`,
		`code: "561720"`, "category: 1", `description: "Rates \"A\" <b>: #1"`, `# 1 lines, 5.00 GBP: "Zzyzx", account code "9". No word`, "cannot tell its star"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if _, err := factors.ReadMapping(strings.NewReader(out)); err != nil {
		t.Errorf("what is proposed is no mapping file: %v\n%s", err, out)
	}
	proposed := filepath.Join(dir, "mapping.yml")
	if err := os.WriteFile(proposed, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, nil, "org", "create", "--name", "Acme", "--currency", "GBP", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := run(t, nil, "import", file, "--org", "Acme", "--mapping", proposed, "--dry-run", "--data-dir", dir); code != 3 || !strings.Contains(out, "2 calculated · 1 excluded") {
		t.Errorf("imported with it: %d %s%s", code, out, errs)
	}
}
