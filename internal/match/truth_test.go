package match_test

import (
	"encoding/binary"
	"encoding/csv"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

// truth is one row of testdata/truth.csv.
type truth struct {
	description, accountCode, country string
	verdict                           string
	codes, categories                 []string
	half                              string // tuning, held out, or unseen
}

// The parts of the truth. What is unseen comes from a ledger whose words nobody had read when the tables were written.
const (
	tuning  = "tuning half"
	heldOut = "held-out half"
	unseen  = "unseen ledger"
)

func truths(t testing.TB) []truth {
	t.Helper()
	return append(readTruth(t, "testdata/truth.csv", halfOf), readTruth(t, "testdata/unseen.csv", func(string) string { return unseen })...)
}

func readTruth(t testing.TB, name string, half func(description string) string) []truth {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []truth
	for _, r := range rows[1:] {
		out = append(out, truth{description: r[2], accountCode: r[1], country: r[3], verdict: r[4], codes: strings.Fields(r[5]),
			categories: strings.Fields(r[6]), half: half(r[2])})
	}
	return out
}

// halfOf parts the truth in halves that no order of the file and no later row can change.
func halfOf(description string) string {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(strings.Join(strings.Fields(description), " "))))
	if h.Sum32()%2 == 1 {
		return heldOut
	}
	return tuning
}

var allBuiltin = sync.OnceValues(func() ([]*factors.Import, error) {
	var last uint32
	newID := func() (id store.ID) {
		last++
		binary.BigEndian.PutUint32(id[:], last)
		return id
	}
	return factors.Builtin(newID, exact.Instant{})
})

// builtin gives the built-in factors of a source and version.
func builtin(t testing.TB, source, version string) []*store.EmissionFactor {
	t.Helper()
	all, err := allBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range all {
		if im.Dataset.Source == source && im.Dataset.Version == version {
			return im.Factors
		}
	}
	t.Fatalf("%s %s is not built in", source, version)
	return nil
}

func TestTheTruthIsWellFormed(t *testing.T) {
	codes := map[string]bool{}
	for _, f := range builtin(t, factors.EPASupplyChain, "1.3") {
		codes[f.Code] = true
	}
	seen, halves := map[string]bool{}, map[string]int{}
	for _, row := range truths(t) {
		key := strings.ToLower(strings.Join(strings.Fields(row.description), " "))
		if seen[key] {
			t.Errorf("%q stands twice", row.description)
		}
		seen[key] = true
		halves[row.half]++
		if !slices.Contains([]string{"factor", "exclude", "none"}, row.verdict) {
			t.Errorf("%q has the verdict %q", row.description, row.verdict)
		}
		if (row.verdict == "factor") != (len(row.codes) > 0) || (row.verdict == "factor") != (len(row.categories) > 0) {
			t.Errorf("%q: a factor's row has codes and categories, and no other has", row.description)
		}
		for _, c := range row.codes {
			if !codes[c] {
				t.Errorf("%q names %s, which the EPA does not have", row.description, c)
			}
		}
	}
	if t.Logf("%v", halves); halves[tuning]+halves[heldOut] < 150 || halves[heldOut] < halves[tuning]/2 || halves[unseen] < 50 {
		t.Errorf("account types: %v; want 150 or more in halves, and 50 unseen", halves)
	}
}
