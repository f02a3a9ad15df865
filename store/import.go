package store

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"carbongraph/internal/fault"
)

var factorColumns = []string{"id", "dataset_id", "code", "name", "name_key", "region", "unit", "value", "value_ar4", "value_ar5", "value_ar6", "value_key",
	"biogenic_co2", "price_year", "price_basis", "life_cycle_boundary", "year", "valid_from", "valid_to", "uncertainty_percent",
	"supplier_share", "verified", "conversion_property", "supplier_name", "category_number", "gases"}

// PutDataset stores a dataset with all its factors, whole or not at all. A dataset with the same source and version and the same digest is left as it is
// (the stored one comes back, created false); another digest is a CONFLICT. Versions of a source supersede each other in their own order, in
// whatever order they come in. Ids, the time and the count are filled in.
func (s *Store) PutDataset(ctx context.Context, d *FactorDataset, factors []*EmissionFactor) (stored *FactorDataset, created bool, err error) {
	gases := make([]string, len(factors))
	for i, f := range factors {
		if gases[i], err = factorGasesText(f.Gases); err != nil {
			return nil, false, err
		}
	}
	err = s.transact(ctx, "put dataset", ID{}, func(ctx context.Context, tx *transaction) error {
		stored, created = nil, false
		if err := s.lockReferences(ctx, tx); err != nil { // versions that come in together find each other
			return err
		}
		there, before, after, err := neighbours(ctx, tx, d)
		if err != nil {
			return err
		}
		if there != nil {
			if there.Digest != d.Digest {
				return fault.New(fault.Conflict, "%s %s is here already with other content. Factors are never changed in place: give this file a version of its own.",
					d.Source, d.Version)
			}
			stored = there.dataset()
			return nil
		}
		s.completeDataset(d, factors, before)
		row := datasetRow{ID: d.ID, Source: d.Source, Version: d.Version, Name: d.Name, Licence: d.Licence, Attribution: d.Attribution, GwpSet: d.GwpSet,
			FactorCount: d.FactorCount, ImportedAt: d.ImportedAt, SupersedesID: d.SupersedesID, Digest: d.Digest}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		if after != nil {
			if _, err := tx.NewUpdate().Model((*datasetRow)(nil)).Set("supersedes_id = ?", d.ID).Where("id = ?", after.ID).Exec(ctx); err != nil {
				return err
			}
		}
		stored, created = row.dataset(), true
		return tx.insert(ctx, "emission_factors", factorColumns, len(factors), func(i int) []any { return factorValues(factors[i], gases[i]) })
	})
	if err != nil {
		return nil, false, err
	}
	if created {
		s.held.drop()
	}
	return stored, created, nil
}

// neighbours finds the dataset of the same source and version, and those of the versions next to it.
func neighbours(ctx context.Context, tx *transaction, d *FactorDataset) (there, before, after *datasetRow, err error) {
	var rows []*datasetRow
	if err := tx.NewSelect().Model(&rows).Where("source = ?", d.Source).Scan(ctx); err != nil {
		return nil, nil, nil, err
	}
	for _, r := range rows {
		switch c := compareVersions(r.Version, d.Version); {
		case r.Version == d.Version:
			there = r
		case c < 0 && (before == nil || compareVersions(r.Version, before.Version) > 0):
			before = r
		case c > 0 && (after == nil || compareVersions(r.Version, after.Version) < 0):
			after = r
		}
	}
	return there, before, after, nil
}

func (s *Store) completeDataset(d *FactorDataset, factors []*EmissionFactor, before *datasetRow) {
	if d.ID.IsZero() {
		d.ID = s.newID()
	}
	if d.ImportedAt.IsZero() {
		d.ImportedAt = s.Now()
	}
	d.SupersedesID = nil
	if before != nil {
		d.SupersedesID = &before.ID
	}
	d.FactorCount = int32(len(factors))
	for _, f := range factors {
		f.DatasetID = d.ID
		if f.ID.IsZero() {
			f.ID = s.newID()
		}
	}
}

func factorGasesText(gases []FactorGas) (string, error) {
	if len(gases) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(gases)
	return string(text), err
}

// factorValues gives the values of factorColumns.
func factorValues(f *EmissionFactor, gases string) []any {
	var sortKey *float64
	if f.Value != nil {
		x := f.Value.Float64()
		sortKey = &x
	}
	return []any{f.ID, f.DatasetID, f.Code, f.Name, fold(f.Name), f.Region, f.Unit, f.Value, f.ValueAR4, f.ValueAR5, f.ValueAR6, sortKey,
		f.BiogenicCO2, f.PriceYear, (*string)(f.PriceBasis), f.LifeCycleBoundary, f.Year, f.ValidFrom, f.ValidTo, f.UncertaintyPercent,
		f.SupplierShare, f.Verified, f.ConversionProperty, f.SupplierName, f.CategoryNumber, gases}
}

// compareVersions orders versions as people do: runs of digits count as numbers, so that 1.10 comes after 1.9.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, restA := leading(a)
		y, restB := leading(b)
		m, errA := strconv.ParseUint(x, 10, 64)
		n, errB := strconv.ParseUint(y, 10, 64)
		c := cmp.Compare(x, y)
		if errA == nil && errB == nil {
			c = cmp.Compare(m, n)
		}
		if c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// leading cuts off the run of digits, or of anything else, that a text begins with.
func leading(s string) (run, rest string) {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	first := digit(rune(s[0]))
	end := strings.IndexFunc(s, func(r rune) bool { return digit(r) != first })
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}
