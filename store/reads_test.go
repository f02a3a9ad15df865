package store

import "context"

// What tests ask of many parents or of rows by their ids, each in one go: the program runs these reads itself, by loaders or in snapshots.

// EmissionsOf gives one page of the emissions of each supplier, category or activity, in the order of the parents and in one statement.
func (t *Tenant) EmissionsOf(ctx context.Context, parents []GlobalID, f *EmissionFilter, o EmissionOrder, p Page) ([]*Connection[Emission], error) {
	kind, rows := rowsOfOne(parents)
	q, err := t.EmissionPages(kind, rows, f, o, p, 0)
	return connections(ctx, q, err)
}

// EmissionsByID gives the emissions with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) EmissionsByID(ctx context.Context, ids []ID) ([]*Emission, error) {
	return t.EmissionsWith(ids, 0).All(ctx)
}

// CurrentEmissions gives the emission that is not superseded of each activity that has one, in any order.
func (t *Tenant) CurrentEmissions(ctx context.Context, activities []ID) ([]*Emission, error) {
	return t.CurrentEmissionsOf(activities, 0).All(ctx)
}

// ActivitiesOf gives one page of the activities of each supplier, in the order of the suppliers and in one statement.
func (t *Tenant) ActivitiesOf(ctx context.Context, parents []GlobalID, f *ActivityFilter, o ActivityOrder, p Page) ([]*Connection[Activity], error) {
	kind, rows := rowsOfOne(parents)
	q, err := t.ActivityPages(kind, rows, f, o, p, 0)
	return connections(ctx, q, err)
}

// CountActivitiesOf tells how many activities of each supplier meet the filter, in the order of the suppliers.
func (t *Tenant) CountActivitiesOf(ctx context.Context, parents []GlobalID, f *ActivityFilter) ([]int, error) {
	kind, rows := rowsOfOne(parents)
	q, err := t.ActivityCounts(kind, rows, f)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(rows))
	return out, q.Hanging(ctx, each(rows, func(at int, n *int) { out[at] = *n }))
}

// ActivitiesByID gives the activities with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) ActivitiesByID(ctx context.Context, ids []ID) ([]*Activity, error) {
	return t.ActivitiesWith(ids, 0).All(ctx)
}

// EmissionTotalsOf sums and counts the emissions of each supplier, category or activity that meet the filter, in the order of the parents.
func (t *Tenant) EmissionTotalsOf(ctx context.Context, parents []GlobalID, f *EmissionFilter) ([]*FootprintTotals, error) {
	kind, rows := rowsOfOne(parents)
	q, err := t.EmissionSums(kind, rows, f)
	if err != nil {
		return nil, err
	}
	out := make([]*FootprintTotals, len(rows))
	for i := range out {
		out[i] = new(FootprintTotals)
	}
	return out, q.Hanging(ctx, each(rows, func(at int, sum *FootprintTotals) { *out[at] = *sum }))
}

// SupersededBy gives, for each factor that has one, the factor of the same code, region, unit and price basis in the dataset that supersedes its
// own. Where a dataset has several such factors, it is the first that was made.
func (s *Store) SupersededBy(ctx context.Context, ids []ID) (map[ID]*EmissionFactor, error) {
	later := make(map[ID]*EmissionFactor)
	return later, s.SuccessorsOf(ids, 0).Hanging(ctx, func(old ID, f *EmissionFactor) {
		if later[old] == nil {
			later[old] = f
		}
	})
}

// RunsByID gives the calculation runs with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) RunsByID(ctx context.Context, ids []ID) ([]*CalculationRun, error) {
	return t.RunsWith(ids, 0).All(ctx)
}

// APIKeysByID gives the keys with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) APIKeysByID(ctx context.Context, ids []ID) ([]*APIKey, error) {
	return t.APIKeysWith(ids, 0).All(ctx)
}

// rowsOfOne gives the kind of the first id, and the rows of all. One of another kind than the first has no children: its row is none.
func rowsOfOne(ids []GlobalID) (kind Kind, rows []ID) {
	rows = make([]ID, len(ids))
	for i, id := range ids {
		if kind = ids[0].Kind; id.Kind == kind {
			rows[i] = id.Row
		}
	}
	return kind, rows
}

// each hands what was read for each parent over, at each place where it stands among the rows.
func each[T any](rows []ID, keep func(at int, v *T)) func(on ID, v *T) {
	at := make(map[ID][]int, len(rows))
	for i, row := range rows {
		at[row] = append(at[row], i)
	}
	return func(on ID, v *T) {
		for _, i := range at[on] {
			keep(i, v)
		}
	}
}

// connections reads a page for each parent.
func connections[T any](ctx context.Context, q *Select[T], err error) ([]*Connection[T], error) {
	if err != nil {
		return nil, err
	}
	return q.Connections(ctx)
}
