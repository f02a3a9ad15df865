package factors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Key names a factor as people write it: by the keys of its dataset. An empty version means the newest; an empty region or unit means the only one.
type Key struct {
	Source, Version, Code, Region, Unit string
}

// Lookup is factors that were looked up by their keys.
type Lookup struct {
	datasets []*store.FactorDataset
	byCode   map[datasetCode][]*store.EmissionFactor
}

type datasetCode struct {
	dataset store.ID
	code    string
}

// codesAtOnce bounds the codes of one statement.
const codesAtOnce = 400

// Look looks many factors up, in a few statements, among the datasets that are stored.
func Look(ctx context.Context, st *store.Store, datasets []*store.FactorDataset, keys []Key) (*Lookup, error) {
	l := &Lookup{datasets: datasets}
	codes := map[store.ID]map[string]bool{}
	for _, k := range keys {
		if d := l.dataset(k); d != nil {
			if codes[d.ID] == nil {
				codes[d.ID] = map[string]bool{}
			}
			codes[d.ID][k.Code] = true
		}
	}
	var err error
	l.byCode, err = byCode(ctx, st, codes)
	return l, err
}

// byCode reads the factors of these codes, by dataset.
func byCode(ctx context.Context, st *store.Store, codes map[store.ID]map[string]bool) (map[datasetCode][]*store.EmissionFactor, error) {
	found := map[datasetCode][]*store.EmissionFactor{}
	for dataset, set := range codes {
		for part := range slices.Chunk(slices.Sorted(maps.Keys(set)), codesAtOnce) {
			rows, err := st.FactorsByCode(ctx, dataset, part)
			if err != nil {
				return nil, err
			}
			for _, f := range rows {
				key := datasetCode{dataset, f.Code}
				found[key] = append(found[key], f)
			}
		}
	}
	return found, nil
}

// dataset gives the release that is meant; nil where there is none. The newest is the one that no other supersedes.
func (l *Lookup) dataset(k Key) *store.FactorDataset {
	var newest *store.FactorDataset
	for _, d := range l.datasets {
		if d.Source != k.Source {
			continue
		}
		if d.Version == k.Version {
			return d
		}
		superseded := slices.ContainsFunc(l.datasets, func(later *store.FactorDataset) bool {
			return later.SupersedesID != nil && *later.SupersedesID == d.ID
		})
		if !superseded {
			newest = d
		}
	}
	if k.Version != "" {
		return nil
	}
	return newest
}

// One gives the single factor that a key means, of those that were looked up; NO_FACTOR, with what to do, where it means none or several.
func (l *Lookup) One(k Key) (store.ID, error) {
	d := l.dataset(k)
	if d == nil {
		return store.ID{}, fault.New(fault.NoFactor, "There is no dataset %.80s; import it first, or name one of: %s.", strings.TrimSpace(k.Source+" "+k.Version), l.names())
	}
	var fit []*store.EmissionFactor
	for _, c := range l.byCode[datasetCode{d.ID, k.Code}] {
		if (k.Region == "" || c.Region == k.Region) && (k.Unit == "" || c.Unit == k.Unit) {
			fit = append(fit, c)
		}
	}
	slices.SortFunc(fit, func(a, b *store.EmissionFactor) int { return slices.Compare(a.ID[:], b.ID[:]) })
	switch len(fit) {
	case 0:
		return store.ID{}, fault.New(fault.NoFactor, "%s %s has no factor with code %.80q%s; check the code.", d.Source, d.Version, k.Code, k.narrowed())
	case 1:
		return fit[0].ID, nil
	}
	return store.ID{}, fault.New(fault.NoFactor, "%s %s has %d factors with code %.80q%s, among them %s per %s and %s per %s; add a region or a unit.",
		d.Source, d.Version, len(fit), k.Code, k.narrowed(), fit[0].Region, fit[0].Unit, fit[1].Region, fit[1].Unit)
}

func (k Key) narrowed() string {
	s := ""
	if k.Region != "" {
		s += fmt.Sprintf(" in region %.40s", k.Region)
	}
	if k.Unit != "" {
		s += fmt.Sprintf(" per %.40s", k.Unit)
	}
	return s
}

// mostNames is how many datasets a fault lists.
const mostNames = 20

func (l *Lookup) names() string {
	var out []string
	for _, d := range l.datasets[:min(mostNames, len(l.datasets))] {
		out = append(out, d.Source+" "+d.Version)
	}
	if out == nil {
		return "none is stored yet"
	}
	s := strings.Join(out, ", ")
	if more := len(l.datasets) - mostNames; more > 0 {
		s += fmt.Sprintf(", and %d more", more)
	}
	return s
}
