package factors_test

import (
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"carbongraph/internal/factors"
	"carbongraph/store"
)

const (
	desnzFile = "desnz-2025/uk_ghg_conversion_factors_2025_scope3_flat.csv"
	oefdbFile = "oefdb-2022-05/OpenEmissionFactorsDB_2022-05-12.csv.gz"
)

// shared gives the path of a real data file, and skips the test where the data is not there.
func shared(t testing.TB, path string) string {
	t.Helper()
	root := os.Getenv("SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	path = filepath.Join(root, path)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SHARED_DATA is not set and %s is not there: the real data is needed", path)
	}
	return path
}

// records reads a real file with nothing but the standard library's parser: what readers are compared with.
func records(t testing.TB, path string) (header map[string]int, rows [][]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	in := csv.NewReader(r)
	in.Comment = '#'
	all, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header = map[string]int{}
	for i, name := range all[0] {
		header[strings.TrimPrefix(name, "\ufeff")] = i
	}
	return header, all[1:]
}

// dataset reads a real dataset.
func dataset(t testing.TB, kind string, paths ...string) *factors.Import {
	t.Helper()
	for i, p := range paths {
		paths[i] = shared(t, p)
	}
	im, err := factors.ReadDataset(kind, paths...)
	if err != nil {
		t.Fatalf("read %s: %v", kind, err)
	}
	return im
}

func supplyChain(t testing.TB, version string) *factors.Import {
	t.Helper()
	year := map[string]string{"1.2": "usd2021", "1.3": "usd2022"}[version]
	return dataset(t, factors.EPASupplyChain, "epa-supply-chain/v"+version+"_naics6_co2e_"+year+".csv", "epa-supply-chain/v"+version+"_naics6_bygas_"+year+".csv.gz")
}

// byCode finds a factor; unit and region may be empty where the code alone tells.
func byCode(t testing.TB, im *factors.Import, code, unit string) *store.EmissionFactor {
	t.Helper()
	for _, f := range im.Factors {
		if f.Code == code && (unit == "" || f.Unit == unit) {
			return f
		}
	}
	t.Fatalf("%s %s has no factor %s per %q", im.Dataset.Source, im.Dataset.Version, code, unit)
	return nil
}

// written puts files in a folder that goes with the test, and gives the folder.
func written(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
