package ingest_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/ingest"
)

// shared is a folder of real data; the test is skipped where it is not there.
func shared(t *testing.T, folder string) string {
	t.Helper()
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("%s is not here; set SHARED_DATA to the folder of real data", folder)
	}
	return dir
}

func TestRealLedgersAreReadWhole(t *testing.T) {
	for name, tc := range map[string]struct {
		folder, columns, files string
		rows, errors, assumed  int
		sum                    string
		errorLines             []int
	}{
		"Devon 2022":          {"spend-devon", "devon", "*2022*", 129851, 0, 0, "902.6", nil},
		"Devon 2023":          {"spend-devon", "devon", "*2023*", 133264, 0, 0, "924.3", nil},
		"Oxford, ten layouts": {"spend-oxford", "oxford", "*", 0, 1, 3836, "133.8", []int{3861}},
	} {
		t.Run(name, func(t *testing.T) {
			files, _ := filepath.Glob(filepath.Join(shared(t, tc.folder), tc.files+".csv.gz"))
			f, err := os.Open(filepath.Join("..", "..", "docs", "examples", tc.columns, "columns.yml"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			columns, err := ingest.ParseColumns(f)
			if err != nil {
				t.Fatal(err)
			}
			var sum exact.Micros
			rows, bad, assumed := 0, 0, 0
			ids := map[string]int{}
			for _, file := range files {
				f, err := os.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				r, err := ingest.Open(f, file, columns)
				if err != nil {
					t.Fatal(err)
				}
				for {
					row, err := r.Next()
					if err == io.EOF {
						break
					}
					if re := (*ingest.RowError)(nil); errors.As(err, &re) {
						bad++
						t.Log(filepath.Base(file), err, re.Record)
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					rows++
					ids[row.ExternalID]++
					sum += row.Amount
					if row.DateAssumed {
						assumed++
					}
				}
			}
			t.Log(rows, bad, assumed, sum, len(ids))
		})
	}
}
