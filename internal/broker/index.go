package broker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

const (
	// checkEvery is how old the index may be beside a server that writes datasets.
	checkEvery = time.Second
	// maxIndexed bounds the memory: with about 300 bytes for each, 75 MB.
	maxIndexed = 250_000
	// readTime bounds the reading of all factors.
	readTime = time.Minute
)

// Factor is what an index knows of a stored factor.
type Factor struct {
	ID                       store.ID
	Source, Version          string // of its dataset
	Code, Name, Region, Unit string
	ValidFrom, ValidTo       *exact.Date
	Superseded               bool   // its dataset has a newer version
	Supplier                 string // whose own product it is of; empty where it is of anybody's
	dimension                calc.Dimension
}

// Index finds stored factors by what names them. It holds all of them in memory, and reads those of a dataset that came since. It is safe for concurrent use.
type Index struct {
	store   *store.Store
	reading singleflight.Group
	last    atomic.Pointer[indexed]
}

// indexed is the stored factors at one moment.
type indexed struct {
	edition  string
	checked  time.Time
	datasets map[store.ID]*dataset
	byID     map[store.ID]*Factor
	byRef    map[reference]*Factor
	byName   map[string][]*Factor // folded; of datasets that nothing supersedes, and that names can mean
	byCode   map[string][]*Factor
	ofOwn    map[string][]*Factor // by the supplier's name, folded; none of these stands in byName and byCode
}

type dataset struct {
	row     *store.FactorDataset
	factors []*Factor
}

// reference is what names one factor: its dataset's source and version, and code, region and unit in it.
type reference struct{ source, version, code, region, unit string }

// NewIndex makes an index. It reads nothing before it is asked.
func NewIndex(st *store.Store) *Index { return &Index{store: st} }

// Edition is a digest of which datasets are stored, the same on every server over one database: for Options.Edition. A state that was left does not come back,
// since datasets are added and never removed.
func (x *Index) Edition(ctx context.Context) (string, error) {
	in, err := x.now(ctx)
	if err != nil {
		return "", err
	}
	return in.edition, nil
}

// now gives the factors of now, at most a second old. Who waits for a reading and leaves does not end it for the others.
func (x *Index) now(ctx context.Context) (*indexed, error) {
	if in := x.last.Load(); in != nil && time.Since(in.checked) < checkEvery {
		return in, nil
	}
	read := x.reading.DoChan("", func() (any, error) {
		reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTime)
		defer cancel()
		return x.refresh(reading)
	})
	if err := ctx.Err(); err != nil { // who has left gets nothing, even if it is there by now
		return nil, err
	}
	select {
	case r := <-read:
		if r.Err != nil {
			return nil, &Failure{Status: Failed, Detail: "the stored factors cannot be read", Retry: true, Cause: r.Err}
		}
		return r.Val.(*indexed), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refresh reads the datasets, which are few, and the factors of those that were not there before: a factor never changes.
func (x *Index) refresh(ctx context.Context) (*indexed, error) {
	rows, err := x.store.Datasets(ctx)
	if err != nil {
		return nil, err
	}
	was := x.last.Load()
	if was == nil {
		was = &indexed{}
	}
	if was.same(rows) {
		is := *was
		is.checked = time.Now()
		x.last.Store(&is)
		return &is, nil
	}
	is := &indexed{edition: editionOf(rows), checked: time.Now(), datasets: make(map[store.ID]*dataset, len(rows)), byID: map[store.ID]*Factor{},
		byRef: map[reference]*Factor{}, byName: map[string][]*Factor{}, byCode: map[string][]*Factor{}, ofOwn: map[string][]*Factor{}}
	superseded, count := map[store.ID]bool{}, 0
	for _, r := range rows {
		count += int(r.FactorCount)
		if r.SupersedesID != nil {
			superseded[*r.SupersedesID] = true
		}
	}
	if count > maxIndexed {
		return nil, fmt.Errorf("%d factors are stored, more than the %d that an index holds", count, maxIndexed)
	}
	for _, r := range rows {
		d := was.datasets[r.ID]
		if d == nil {
			if d, err = x.read(ctx, r); err != nil {
				return nil, err
			}
		}
		is.add(r, d.factors, superseded[r.ID])
	}
	x.last.Store(is)
	return is, nil
}

// editionOf is a digest of all that the factors hang on. Ids are of one database, so two that share a Redis share nothing else.
func editionOf(rows []*store.FactorDataset) string {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b *store.FactorDataset) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	var b []byte
	for _, r := range rows {
		b = append(b, r.ID[:]...)
		b = text(text(text(b, r.Source), r.Version), r.Digest)
		if r.SupersedesID != nil {
			b = text(b, string(r.SupersedesID[:]))
		} else {
			b = text(b, "")
		}
	}
	sum := sha256.Sum256(b)
	return string(sum[:])
}

func (x *Index) read(ctx context.Context, row *store.FactorDataset) (*dataset, error) {
	rows, err := x.store.DatasetFactors(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	d := &dataset{row: row, factors: make([]*Factor, len(rows))}
	for i, f := range rows {
		d.factors[i] = &Factor{ID: f.ID, Source: row.Source, Version: row.Version, Code: f.Code, Name: f.Name, Region: f.Region, Unit: f.Unit,
			ValidFrom: f.ValidFrom, ValidTo: f.ValidTo, dimension: dimensionOf(f.Unit)}
		if f.SupplierName != nil {
			d.factors[i].Supplier = *f.SupplierName
		}
	}
	return d, nil
}

func (in *indexed) same(rows []*store.FactorDataset) bool {
	if in.datasets == nil || len(in.datasets) != len(rows) {
		return false
	}
	for _, r := range rows {
		d := in.datasets[r.ID]
		if d == nil || (d.row.SupersedesID == nil) != (r.SupersedesID == nil) || r.SupersedesID != nil && *r.SupersedesID != *d.row.SupersedesID {
			return false
		}
	}
	return true
}

// add takes a dataset in. Where it is superseded now and was not before, its factors become other values: those before may be in use.
func (in *indexed) add(row *store.FactorDataset, factors []*Factor, superseded bool) {
	if len(factors) > 0 && factors[0].Superseded != superseded {
		factors = slices.Clone(factors)
		for i := range factors {
			f := *factors[i]
			f.Superseded = superseded
			factors[i] = &f
		}
	}
	in.datasets[row.ID] = &dataset{row, factors}
	for _, f := range factors {
		in.byID[f.ID] = f
		in.byRef[reference{f.Source, f.Version, f.Code, f.Region, f.Unit}] = f
		switch {
		case superseded, row.NamedOnly():
		case f.Supplier != "":
			in.ofOwn[fold(f.Supplier)] = append(in.ofOwn[fold(f.Supplier)], f)
		default:
			in.byName[fold(f.Name)] = append(in.byName[fold(f.Name)], f)
			in.byCode[fold(f.Code)] = append(in.byCode[fold(f.Code)], f)
		}
	}
}

// fits tells whether a line can be calculated with the factor: its unit converts, and it is not of another supplier's product. A line whose unit nobody knows yet
// fits all.
func (f *Factor) fits(q Question) bool {
	return (q.Unit == "" || f.dimension == dimensionOf(q.Unit)) && (f.Supplier == "" || fold(f.Supplier) == fold(q.SupplierName))
}

// inTime tells whether the factor is for the year of the line, or for any. A factor of another year can stand in.
func (f *Factor) inTime(q Question) bool {
	year := q.On.Year()
	return q.On.IsZero() || (f.ValidFrom == nil || f.ValidFrom.Year() <= year) && (f.ValidTo == nil || year <= f.ValidTo.Year())
}

// dimensionOf gives what a unit measures. One that is unknown measures what nothing else does.
func dimensionOf(unit string) calc.Dimension {
	u, err := calc.ParseUnit(unit)
	if err != nil {
		return calc.Dimension("of the unit " + unit)
	}
	return u.Dimension
}

// fold makes texts alike that differ in case and in runs of spaces alone.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
