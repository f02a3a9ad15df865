package match_test

import (
	"encoding/binary"
	"encoding/csv"
	"hash/fnv"
	"os"
	"slices"
	"strings"
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
	heldOut                           bool
}

func truths(t testing.TB) []truth {
	t.Helper()
	f, err := os.Open("testdata/truth.csv")
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
			categories: strings.Fields(r[6]), heldOut: isHeldOut(r[2])})
	}
	return out
}

// isHeldOut parts the truth in halves that no order of the file and no later row can change.
func isHeldOut(description string) bool {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(strings.Join(strings.Fields(description), " "))))
	return h.Sum32()%2 == 1
}

// builtin gives the built-in factors of a source and version.
func builtin(t testing.TB, source, version string) []*store.EmissionFactor {
	t.Helper()
	var last uint32
	newID := func() (id store.ID) {
		last++
		binary.BigEndian.PutUint32(id[:], last)
		return id
	}
	all, err := factors.Builtin(newID, exact.Instant{})
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
	seen, halves := map[string]bool{}, map[bool]int{}
	for _, row := range truths(t) {
		key := strings.ToLower(strings.Join(strings.Fields(row.description), " "))
		if seen[key] {
			t.Errorf("%q stands twice", row.description)
		}
		seen[key] = true
		halves[row.heldOut]++
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
	t.Logf("%d in the tuning half, %d held out", halves[false], halves[true])
	if len(seen) < 150 || halves[true] < len(seen)/3 || halves[false] < len(seen)/3 {
		t.Errorf("%d account types, %d and %d in the halves; want 150 or more, in halves", len(seen), halves[false], halves[true])
	}
}
