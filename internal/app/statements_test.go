package app_test

import (
	"encoding/json"
	"testing"
)

// What a factor's file and an organization's choice say reaches the ledger by the command line alone.
func TestAStrictOrganizationRefusesFactorsOfAnotherTime(t *testing.T) {
	dir := t.TempDir()
	for name, flags := range map[string][]string{"Lenient": nil, "Strict": {"--strict-validity"}} {
		if code, _, errs := run(t, nil, append([]string{"org", "create", "--name", name, "--currency", "GBP", "--data-dir", dir}, flags...)...); code != 0 {
			t.Fatal(errs)
		}
	}
	own := write(t, dir, "own.csv", []byte("source,version,gwpSet,code,name,region,unit,value,supplierShare,validTo\nacme-labs,2020,AR5,STEEL,Steel,GB,kg,2,1,2020-12-31\n"))
	if code, _, errs := run(t, nil, "factors", "import", "--dataset", "csv", own, "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	lines := write(t, dir, "lines.csv", []byte("externalId,description,occurredOn,quantity,unit,country,factorSource,factorCode,uncertaintyPercent\n"+
		"A,Steel,2020-06-01,1,kg,GB,acme-labs,STEEL,10\nB,Steel,2021-06-01,1,kg,GB,acme-labs,STEEL,10\n"))
	for name, want := range map[string]int{"Lenient": 2, "Strict": 1} {
		code, out, errs := run(t, nil, "import", lines, "--org", name, "--data-dir", dir, "--json")
		var s struct{ Created, Calculated int }
		if err := json.Unmarshal([]byte(out), &s); err != nil || code != 0 || s.Created != 2 || s.Calculated != want {
			t.Errorf("%s: exit %d, %v, %s%s; want %d of 2 calculated", name, code, err, out, errs, want)
		}
	}
}
