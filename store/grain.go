package store

import (
	"time"

	"carbongraph/internal/exact"
)

// parts are what emissions are grouped or narrowed by, as far as emission_sums can tell them apart.
type parts uint

const (
	partSupplier parts = 1 << iota
	partYear
	partMonth
	partCategory
	partMethod
	partDataset
	partOther // what no grain has
)

// grain is one of the keys by which emission_sums keeps the same sums: each has a row for each combination of its parts that emissions have.
type grain struct {
	number string
	parts  parts
}

// The grains, those with the fewest rows first. A finer one, with suppliers and months, would have a row for every fourth emission and more, and answer
// hardly faster than the emissions do: docs/decisions/0013-sums.md.
var (
	byKind              = grain{"1", partYear | partMonth | partCategory | partMethod | partDataset}
	bySupplierAlone     = grain{"2", partSupplier}
	bySupplierAndByYear = grain{"3", partSupplier | partYear | partCategory | partMethod | partDataset}

	grains = []grain{byKind, bySupplierAlone, bySupplierAndByYear}
)

// noUUID stands in emission_sums for no supplier, or for a part that the grain does not have.
const noUUID = "'00000000-0000-0000-0000-000000000000'"

// sumKeys are the columns that a row of emission_sums is found by, beside organization and grain.
const sumKeys = "supplier_id, period, category_number, method, dataset_id"

// of gives the grain's key of sums by month, supplier, category, method and dataset: the columns of sumKeys in their order.
func (g grain) of(d dialect) []string {
	pick := func(part parts, column, none, kind string) string {
		if g.parts&part != 0 {
			return column
		}
		return "CAST(" + none + " AS " + kind + ")"
	}
	words := d.words()
	period := pick(partYear, d.firstDay("month", ByYear), "'0001-01-01'", words["date"])
	if g.parts&partMonth != 0 {
		period = "month"
	}
	return []string{pick(partSupplier, "supplier_id", noUUID, words["uuid"]), period, pick(partCategory, "category_number", "0", words["int"]),
		pick(partMethod, "method", "''", "text"), pick(partDataset, "dataset_id", noUUID, words["uuid"])}
}

// coarsest finds the grain that can tell the parts apart in the fewest rows; false where none can.
func coarsest(needed parts) (grain, bool) {
	for _, g := range grains {
		if needed&^g.parts == 0 {
			return g, true
		}
	}
	return grain{}, false
}

// parts are what has to be told apart for the dimension.
func (d FootprintDimension) parts() parts {
	switch d {
	case ByCategory:
		return partCategory
	case BySupplier:
		return partSupplier
	case ByYear:
		return partYear
	case ByMonth, ByQuarter:
		return partMonth
	case ByMethod:
		return partMethod
	case ByDataset:
		return partDataset
	}
	return partOther
}

// parts are what has to be told apart for a canonical filter.
func (f EmissionFilter) parts() (p parts) {
	for part, asked := range map[parts]bool{
		partSupplier: f.SupplierIds != nil,
		partCategory: f.Categories != nil,
		partMethod:   f.Methods != nil,
		partDataset:  f.DatasetIds != nil,
		partOther:    f.Countries != nil || f.FactorIds != nil || f.RunID != nil || f.IncludeSuperseded != nil,
	} {
		if asked {
			p |= part
		}
	}
	if f.OccurredFrom != nil {
		p |= edge(*f.OccurredFrom)
	}
	if f.OccurredTo != nil {
		p |= edge(f.OccurredTo.AddDays(1))
	}
	return p
}

// edge tells what begins on a day.
func edge(d exact.Date) parts {
	switch {
	case d.Time().Day() != 1:
		return partOther
	case d.Month() != time.January:
		return partMonth
	}
	return partYear
}
