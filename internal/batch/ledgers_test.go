//go:build !race

package batch_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// TestRealLedgersAreCalculated imports whole ledgers without writing, and measures by amount how much of what is a purchase has an emission.
// Under the race detector 300,000 lines take many minutes; the same code runs under it on smaller files. make test runs this one without it.
func TestRealLedgersAreCalculated(t *testing.T) {
	for name, tc := range map[string]struct {
		folder, example, files string
		rows, failed, assumed  int
		atLeast                string
	}{
		"Devon 2022":                       {"spend-devon", "devon", "*2022*", 129851, 0, 0, "0.84"},
		"Devon 2023":                       {"spend-devon", "devon", "*2023*", 133264, 0, 0, "0.84"},
		"Oxford, ten quarters and layouts": {"spend-oxford", "oxford", "*", 37802, 3, 3836, "0.80"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names, _ := filepath.Glob(filepath.Join(shared(t, tc.folder), tc.files+".csv.gz"))
			st, tenant := council(t)
			mapping, err := factors.ReadMapping(strings.NewReader(example(t, tc.example+"/mapping.yml")))
			if err != nil {
				t.Fatal(err)
			}
			var failures bytes.Buffer
			var files []batch.File
			for _, name := range names {
				f, err := os.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				files = append(files, batch.File{Name: name, Content: f, Failures: &failures})
			}
			s, err := newImporter(t, st).Files(t.Context(), tenant, files, batch.FileOptions{
				Columns: columns(t, example(t, tc.example+"/columns.yml")), Mapping: mapping, DryRun: true})
			if err != nil {
				t.Fatal(err)
			}
			if s.Rows != tc.rows || s.Failed != tc.failed || s.DatesAssumed != tc.assumed || s.Created != tc.rows-tc.failed {
				t.Errorf("summary %+v; want %d rows, %d failed, %d assumed dates\n%s", s, tc.rows, tc.failed, tc.assumed, failures.String())
			}
			m := s.Money[0]
			share := m.Calculated.Quo(m.Calculated.Add(m.Uncalculated)).Round(4)
			t.Logf("%s: calculated %s, excluded %s, left %s: share %s in %.1f s", name, m.Calculated, m.Excluded, m.Uncalculated, share, s.Seconds)
			if share.Cmp(exact.MustDecimal(tc.atLeast)) < 0 {
				t.Errorf("share calculated = %s; want at least %s", share, tc.atLeast)
			}
		})
	}
}

// council is an organization in GBP with the factors that come with the program.
func council(t testing.TB) (*store.Store, *store.Tenant) {
	t.Helper()
	st := storetest.SQLite(t)
	if _, err := factors.Install(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	o := store.Organization{Name: "Council", Currency: "GBP", GwpSet: store.AR5, MoneyOrder: store.DeflateThenConvert}
	if err := st.CreateOrganization(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	return st, st.Tenant(o.ID)
}

// shared is a folder of real data; the test is skipped where it is not there.
func shared(t testing.TB, folder string) string {
	t.Helper()
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real ledger %s is not here; set SHARED_DATA to the folder that holds it", folder)
	}
	return dir
}

func example(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRealLedgersMoveToAnotherRelease calculates a whole ledger by one release of the EPA's factors and then by the next, and holds what the run says of the change against
// an independent sum: by every dimension, groups and causes add up to the milligram.
func TestRealLedgersMoveToAnotherRelease(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "spend-devon"), "*2022*.csv.gz"))
	st, tenant := council(t)
	earlier := strings.Replace(example(t, "devon/mapping.yml"), `version: "1.3"`, `version: "1.2"`, 1)
	mapping, err := factors.ReadMapping(strings.NewReader(earlier))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := &world{Importer: newImporter(t, st), store: st, tenant: tenant}
	began := time.Now()
	s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: files[0], Content: f}}, batch.FileOptions{Columns: columns(t, example(t, "devon/columns.yml")), Mapping: mapping})
	if err != nil || s.Rows != 129851 {
		t.Fatalf("%+v, %v", s, err)
	}
	imported := time.Since(began)
	datasets, err := st.Datasets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	release := map[string]*store.FactorDataset{}
	for _, d := range datasets {
		if d.Source == factors.EPASupplyChain {
			release[d.Version] = d
		}
	}
	before := w.totals(t, nil)
	began = time.Now()
	b := w.recalculate(t, batch.Recalculation{Reason: "EPA v1.3", Datasets: []store.ID{release["1.3"].ID}})
	after := w.totals(t, nil)
	t.Logf("imported in %.1f s, calculated anew in %.1f s: %s t became %s t over %d emissions", imported.Seconds(), time.Since(began).Seconds(),
		before.CO2e.In(exact.T), after.CO2e.In(exact.T), after.EmissionCount)
	if b.Status != store.RunSucceeded && b.Status != store.RunPartial || b.Processed != 129851 || after.EmissionCount != before.EmissionCount {
		t.Errorf("batch %+v, totals %+v, were %+v", b, after, before)
	}
	moved := w.differences(t, *b.RunID, store.ByDataset, after.CO2e-before.CO2e)
	from, to := moved[release["1.2"].GlobalID().String()], moved[release["1.3"].GlobalID().String()]
	if from == nil || to == nil || from.Before != before.CO2e || from.After != 0 || to.After != after.CO2e || to.Causes.Version != to.Change() {
		t.Errorf("from %+v to %+v; the ledger went from %d to %d", from, to, before.CO2e, after.CO2e)
	}
	// What lines emit by the later release is what an import by it gives.
	again, err := factors.ReadMapping(strings.NewReader(example(t, "devon/mapping.yml")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	s, err = w.Files(t.Context(), w.tenant, []batch.File{{Name: files[0], Content: f}}, batch.FileOptions{Columns: columns(t, example(t, "devon/columns.yml")), Mapping: again})
	if err != nil || s.Unchanged != 129851 {
		t.Errorf("imported by the later release: %+v, %v; want every line unchanged", s, err)
	}
}
