package match

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/store"
)

// Index finds factors by the words of their names, and by the phrases that ledgers use for them. It is safe for concurrent use.
type Index struct {
	*tables
	of       string // the datasets that its factors are of, where a shelf made it
	entries  []entry
	postings map[string][]int32 // the entries whose name has a word
	byWord   map[string][]int32 // the phrases that have a word
	targets  [][]target         // of each synonym
	vocabulary
	tilts      map[string]int64
	meanLength int64 // of names, in hundredths of a word
}

// entry is a factor as it is matched.
type entry struct {
	factor *store.EmissionFactor
	words  []string
	name   string // folded, to be found as a whole
	weight int64  // of all its words
	unit   calc.Dimension
}

// target is a factor that a synonym means.
type target struct {
	entry int32
	rank  int // which of the synonym's meanings
	share int64
}

// New makes an index of factors. Give it the factors to choose among, and no superseded ones: it does not prefer one release to another.
func New(factors []*store.EmissionFactor) *Index {
	x := &Index{tables: newTables(), postings: map[string][]int32{}, byWord: map[string][]int32{}, tilts: tilts()}
	for _, f := range factors {
		e := entry{factor: f, name: fold(f.Name)}
		if u, err := calc.ParseUnit(f.Unit); err == nil {
			e.unit = u.Dimension
		}
		for _, w := range x.read(f.Name) {
			e.words = append(e.words, w.text)
		}
		x.entries = append(x.entries, e)
	}
	slices.SortFunc(x.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.factor.Code, b.factor.Code), cmp.Compare(a.factor.Region, b.factor.Region), cmp.Compare(a.factor.Unit, b.factor.Unit),
			cmp.Compare(a.factor.ID.String(), b.factor.ID.String()))
	})
	x.post()
	x.aim()
	x.learn()
	return x
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func (x *Index) post() {
	words := 0
	for i, e := range x.entries {
		for _, w := range e.words {
			x.postings[w] = append(x.postings[w], int32(i))
		}
		words += len(e.words)
	}
	x.meanLength = int64(words) * 100 / int64(max(1, len(x.entries)))
	for i, e := range x.entries {
		for _, w := range e.words {
			x.entries[i].weight += x.weight(w)
		}
	}
}

// weight is how much a word tells, in thousandths: the rarer among the names, the more. A weak word counts for a tenth.
func (x *Index) weight(w string) int64 {
	n, in := float64(len(x.entries)), float64(len(x.postings[w]))
	weight := int64(math.Round(1000 * math.Log(1+(n-in+0.5)/(in+0.5))))
	if x.weak[w] {
		weight /= 10
	}
	return weight
}

// aim finds the factors that each synonym means: those of that name, else those whose name has all its words.
func (x *Index) aim() {
	byName := map[string][]int32{}
	for i, e := range x.entries {
		byName[e.name] = append(byName[e.name], int32(i))
	}
	x.targets = make([][]target, len(x.synonyms))
	meant := map[string][]target{}
	for i, s := range x.synonyms {
		for rank, meaning := range s.meanings {
			found, ok := meant[meaning]
			if !ok {
				found = x.means(meaning, byName)
				meant[meaning] = found
			}
			for _, t := range found {
				t.rank = rank
				x.targets[i] = append(x.targets[i], t)
			}
		}
		for _, w := range s.phrase {
			x.byWord[w] = append(x.byWord[w], int32(i))
		}
	}
}

func (x *Index) means(meaning string, byName map[string][]int32) (out []target) {
	if named := byName[fold(meaning)]; named != nil {
		for _, i := range named {
			out = append(out, target{entry: i, share: 100})
		}
		return out
	}
	for _, i := range x.withAll(x.read(meaning)) {
		out = append(out, target{entry: i, share: 95})
	}
	return out
}

// withAll gives the entries whose names have all of the words.
func (x *Index) withAll(words []word) (out []int32) {
	for n, w := range words {
		if n == 0 {
			out = slices.Clone(x.postings[w.text])
			continue
		}
		out = slices.DeleteFunc(out, func(i int32) bool {
			_, there := slices.BinarySearch(x.postings[w.text], i)
			return !there
		})
	}
	return out
}
