package store

import "context"

func datasets() relation[FactorDataset] {
	return relation[FactorDataset]{
		table: "factor_datasets", alias: "d",
		columns: "d.id, d.source, d.version, d.name, d.licence, d.attribution, d.gwp_set, d.factor_count, d.imported_at, d.supersedes_id, d.digest",
		row: func(scan scanner) (*FactorDataset, error) {
			d := new(FactorDataset)
			return d, scan(&d.ID, &d.Source, &d.Version, &d.Name, &d.Licence, &d.Attribution, &d.GwpSet, &d.FactorCount, &d.ImportedAt, &d.SupersedesID, &d.Digest)
		},
	}
}

// Datasets gives all factor datasets, by source and then in the order in which they were imported.
func (s *Store) Datasets(ctx context.Context) ([]*FactorDataset, error) {
	return all(ctx, s, s.statement(), datasets(), "d.source, d.imported_at, d.id")
}

// DatasetsByID gives the datasets with these ids, in any order.
func (s *Store) DatasetsByID(ctx context.Context, ids []ID) ([]*FactorDataset, error) {
	return byID(ctx, s, s.statement(), datasets(), ids)
}
