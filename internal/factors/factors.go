// Package factors finds the best factor for an activity, and tells why: it reads datasets of emission factors, ships some of them together with
// exchange rates, prices and warming potentials, and maps what a ledger writes to the factor it means.
package factors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// The kinds of dataset that can be read. All but OwnCSV are also the source that their datasets get.
const (
	EPASupplyChain    = "epa-supply-chain"
	EPAWithoutMargins = store.EPAWithoutMargins // the same tables, for who accounts for trade and transport apart
	DESNZ             = "desnz"
	OEFDB             = "oefdb"
	EPAHub            = "epa-ghg-hub"
	OwnCSV            = "csv"
)

// Kinds lists the kinds of dataset that can be read.
func Kinds() []string {
	return []string{EPASupplyChain, EPAWithoutMargins, DESNZ, OEFDB, EPAHub, OwnCSV}
}

// Import is a dataset as its files give it. Ids are zero until Stamp gives them.
type Import struct {
	Dataset *store.FactorDataset
	Factors []*store.EmissionFactor
	LeftOut map[string]int // what was read and is not in Factors: why, and how often
}

// ReadDatasets reads files, or folders of them, that hold one or more datasets of a kind, oldest first. A file that is not what the kind says
// is a BAD_USER_INPUT fault that names the line and what to do.
func ReadDatasets(kind string, paths ...string) ([]*Import, error) {
	read := readerOf(kind)
	if read == nil {
		return nil, fault.New(fault.BadUserInput, "%.40q is no kind of dataset; known are %s.", kind, strings.Join(Kinds(), ", "))
	}
	files, err := filesAt(paths)
	if err != nil {
		return nil, err
	}
	return readAll(read, files)
}

// ReadDataset is ReadDatasets where there is to be one.
func ReadDataset(kind string, paths ...string) (*Import, error) {
	all, err := ReadDatasets(kind, paths...)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, fault.New(fault.BadUserInput, "There are %d versions of %s here (%s and %s); give the files of one.",
			len(all), kind, all[0].Dataset.Version, all[1].Dataset.Version)
	}
	return all[0], nil
}

type reader func([]file) ([]*Import, error)

func readerOf(kind string) reader {
	switch kind {
	case EPASupplyChain:
		return withMargins.read
	case EPAWithoutMargins:
		return withoutMargins.read
	case DESNZ:
		return single(readDESNZ)
	case OEFDB:
		return single(readOEFDB)
	case EPAHub:
		return readHub
	case OwnCSV:
		return single(readOwn)
	}
	return nil
}

// single makes a reader of one file into one that refuses more.
func single(read func(*table) (*Import, error)) reader {
	return func(files []file) ([]*Import, error) {
		if len(files) != 1 {
			return nil, fault.New(fault.BadUserInput, "This kind of dataset is one file, but %d were given (%s, %s, …); name the one.", len(files), files[0].name, files[1].name)
		}
		t, err := files[0].table()
		if err != nil {
			return nil, err
		}
		defer t.close()
		im, err := read(t)
		if err != nil {
			return nil, err
		}
		im.Dataset.Digest = digestOf(t)
		return []*Import{im}, nil
	}
}

func readAll(read reader, files []file) ([]*Import, error) {
	all, err := read(files)
	if err != nil {
		return nil, err
	}
	e, err := warmingEngine()
	if err != nil {
		return nil, err
	}
	for _, im := range all {
		if err := im.finish(e); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// finish checks what every dataset has to be, and values the gases by each GWP set.
func (im *Import) finish(e *calc.Engine) error {
	if len(im.Factors) == 0 {
		return fault.New(fault.BadUserInput, "%s %s has no factors: its file has a header and nothing below it.", im.Dataset.Source, im.Dataset.Version)
	}
	im.Dataset.FactorCount = int32(len(im.Factors))
	type key struct{ code, region, unit string }
	seen := make(map[key]bool, len(im.Factors))
	for _, f := range im.Factors {
		k := key{f.Code, f.Region, f.Unit}
		if seen[k] {
			return fault.New(fault.BadUserInput, "%s %s has the factor %s (%s, per %s) twice; a code, a region and a unit are to name one.",
				im.Dataset.Source, im.Dataset.Version, f.Code, f.Region, f.Unit)
		}
		seen[k] = true
		fillValues(e, im.Dataset, f)
	}
	return nil
}

// Stamp gives the dataset and its factors their ids, and the dataset its instant.
func (im *Import) Stamp(newID func() store.ID, now exact.Instant) {
	im.Dataset.ID, im.Dataset.ImportedAt = newID(), now
	for _, f := range im.Factors {
		f.ID, f.DatasetID = newID(), im.Dataset.ID
	}
}

// Put stamps the import and stores it; created is false where the same content was stored before.
func (im *Import) Put(ctx context.Context, st *store.Store) (stored *store.FactorDataset, created bool, err error) {
	im.Stamp(st.NewID, st.Now())
	return st.PutDataset(ctx, im.Dataset, im.Factors)
}

// Reasons says in words what LeftOut counts, in order.
func (im *Import) Reasons() []string {
	var out []string
	for _, why := range slices.Sorted(maps.Keys(im.LeftOut)) {
		out = append(out, fmt.Sprintf("%d × %s", im.LeftOut[why], why))
	}
	return out
}

func (im *Import) leaveOut(why string, n int) {
	if n == 0 {
		return
	}
	if im.LeftOut == nil {
		im.LeftOut = map[string]int{}
	}
	im.LeftOut[why] += n
}
