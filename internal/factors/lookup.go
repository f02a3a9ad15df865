package factors

import (
	"context"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Rules looks the factors of the file up and gives its mappings. A factor that does not exist is a NO_FACTOR fault that names the code, the dataset
// and the line of the file.
func (m *MappingFile) Rules(ctx context.Context, st *store.Store, newID func() store.ID) ([]*store.FactorMapping, error) {
	found := newLookup(st)
	for _, r := range m.rules {
		if r.factor != nil {
			found.want(*r.factor)
		}
	}
	if err := found.load(ctx); err != nil {
		return nil, err
	}
	var out []*store.FactorMapping
	for _, r := range m.rules {
		mapping := store.FactorMapping{CategoryNumber: r.category, DecidedBy: store.ByRule, Confidence: exact.NewDecimal(1, 0), Reviewed: true}
		if r.factor != nil {
			id, err := found.one(*r.factor)
			if err != nil {
				return nil, fault.New(fault.CodeOf(err), "Mapping file, line %d: %s", r.line, fault.Of(err).Message)
			}
			mapping.FactorID = &id
		} else {
			mapping.Exclude, mapping.Reason = true, &r.exclude
		}
		for key := range r.keys() {
			one := mapping
			one.ID = newID()
			one.AccountCode, one.Description, one.Country = orNil(key.accountCode), orNil(key.description), orNil(key.country)
			out = append(out, &one)
		}
	}
	return out, nil
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// lookup finds many factors by what a person writes of them, in a few statements.
type lookup struct {
	store    *store.Store
	datasets []*store.FactorDataset
	wanted   map[factorRef]bool
	byCode   map[datasetCode][]*store.EmissionFactor
}

type datasetCode struct {
	dataset store.ID
	code    string
}

func newLookup(st *store.Store) *lookup {
	return &lookup{store: st, wanted: map[factorRef]bool{}, byCode: map[datasetCode][]*store.EmissionFactor{}}
}

func (l *lookup) want(f factorRef) { l.wanted[f] = true }

// codesAtOnce bounds the codes of one statement.
const codesAtOnce = 400

func (l *lookup) load(ctx context.Context) error {
	var err error
	if l.datasets, err = l.store.Datasets(ctx); err != nil {
		return err
	}
	codes := map[store.ID][]string{}
	for f := range l.wanted {
		if d := l.dataset(f); d != nil && !slices.Contains(codes[d.ID], f.code) {
			codes[d.ID] = append(codes[d.ID], f.code)
		}
	}
	for id, list := range codes {
		slices.Sort(list)
		for part := range slices.Chunk(list, codesAtOnce) {
			if err := l.loadCodes(ctx, id, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lookup) loadCodes(ctx context.Context, dataset store.ID, codes []string) error {
	filter := &store.EmissionFactorFilter{DatasetIds: []store.GlobalID{store.Global(store.KindFactorDataset, dataset)}, Codes: codes}
	page := store.Page{First: new(int32(store.MaxPage))}
	for {
		c, err := l.store.Factors(ctx, filter, store.EmissionFactorOrder{Field: store.FactorsByCode, Direction: store.Asc}, page)
		if err != nil {
			return err
		}
		for _, f := range c.Nodes {
			key := datasetCode{dataset, f.Code}
			l.byCode[key] = append(l.byCode[key], f)
		}
		if !c.PageInfo.HasNextPage {
			return nil
		}
		page.After = c.PageInfo.EndCursor
	}
}

// dataset gives the release that is meant; nil where there is none. The newest is the one that no other supersedes.
func (l *lookup) dataset(f factorRef) *store.FactorDataset {
	var newest *store.FactorDataset
	for _, d := range l.datasets {
		if d.Source != f.source {
			continue
		}
		if d.Version == f.version {
			return d
		}
		superseded := slices.ContainsFunc(l.datasets, func(later *store.FactorDataset) bool {
			return later.SupersedesID != nil && *later.SupersedesID == d.ID
		})
		if !superseded {
			newest = d
		}
	}
	if f.version != "" {
		return nil
	}
	return newest
}

// one gives the single factor that is meant.
func (l *lookup) one(f factorRef) (store.ID, error) {
	d := l.dataset(f)
	if d == nil {
		return store.ID{}, fault.New(fault.NoFactor, "There is no dataset %s; import it first, or name one of: %s.", strings.TrimSpace(f.source+" "+f.version), l.names())
	}
	var fit []*store.EmissionFactor
	for _, c := range l.byCode[datasetCode{d.ID, f.code}] {
		if (f.region == "" || c.Region == f.region) && (f.unit == "" || c.Unit == f.unit) {
			fit = append(fit, c)
		}
	}
	switch len(fit) {
	case 0:
		return store.ID{}, fault.New(fault.NoFactor, "%s %s has no factor with code %q%s; check the code.", d.Source, d.Version, f.code, f.narrowed())
	case 1:
		return fit[0].ID, nil
	}
	return store.ID{}, fault.New(fault.NoFactor, "%s %s has %d factors with code %q%s, among them %s per %s and %s per %s; add a region or a unit.",
		d.Source, d.Version, len(fit), f.code, f.narrowed(), fit[0].Region, fit[0].Unit, fit[1].Region, fit[1].Unit)
}

func (f factorRef) narrowed() string {
	s := ""
	if f.region != "" {
		s += " in region " + f.region
	}
	if f.unit != "" {
		s += " per " + f.unit
	}
	return s
}

func (l *lookup) names() string {
	var out []string
	for _, d := range l.datasets {
		out = append(out, d.Source+" "+d.Version)
	}
	if out == nil {
		return "none is stored yet"
	}
	return strings.Join(out, ", ")
}
