package store

import (
	"context"

	"carbongraph/internal/exact"
)

var datasetRelation = newRelation("factor_datasets", "d", nil,
	idColumn("d.id", "ID GlobalID", func(d *FactorDataset) *ID { return &d.ID }),
	textColumn("d.source", "Source", func(d *FactorDataset) *string { return &d.Source }),
	textColumn("d.version", "Version", func(d *FactorDataset) *string { return &d.Version }),
	textColumn("d.name", "Name", func(d *FactorDataset) *string { return &d.Name }),
	textColumn("d.licence", "Licence", func(d *FactorDataset) *string { return &d.Licence }),
	textColumn("d.attribution", "Attribution", func(d *FactorDataset) *string { return &d.Attribution }),
	textColumn("d.gwp_set", "GwpSet", func(d *FactorDataset) *GwpSet { return &d.GwpSet }),
	intColumn("d.factor_count", "FactorCount", func(d *FactorDataset) *int32 { return &d.FactorCount }),
	instantColumn("d.imported_at", "ImportedAt", func(d *FactorDataset) *exact.Instant { return &d.ImportedAt }),
	maybeID("d.supersedes_id", "SupersedesID", func(d *FactorDataset) **ID { return &d.SupersedesID }),
	textColumn("d.digest", "Digest", func(d *FactorDataset) *string { return &d.Digest }),
)

func datasets() *relation[FactorDataset] { return datasetRelation }

// Datasets gives all factor datasets, by source and then in the order in which they were imported.
func (s *Store) Datasets(ctx context.Context) ([]*FactorDataset, error) {
	return s.AllDatasets(0).All(ctx)
}

// AllDatasets is the read behind Datasets.
func (s *Store) AllDatasets(some Columns) *Select[FactorDataset] {
	return all(s, s.statement(), datasets(), "d.source, d.imported_at, d.id", some)
}

// DatasetsByID gives the datasets with these ids, in any order.
func (s *Store) DatasetsByID(ctx context.Context, ids []ID) ([]*FactorDataset, error) {
	return s.DatasetsWith(ids, 0).All(ctx)
}

// DatasetsWith is the read behind DatasetsByID.
func (s *Store) DatasetsWith(ids []ID, some Columns) *Select[FactorDataset] {
	return byID(s, s.statement(), datasets(), ids, some)
}

// PredecessorsOf is the read of the dataset that each of these supersedes, for each that supersedes one. Each row hangs on the dataset that supersedes it. It asks the
// database even of a dataset that is held in memory: what it supersedes is the one thing about a dataset that changes.
func (s *Store) PredecessorsOf(ids []ID, some Columns) *Select[FactorDataset] {
	return ledTo(s, datasets(), ids, some, "factor_datasets AS o JOIN factor_datasets AS d ON d.id = o.supersedes_id", "o.id")
}
