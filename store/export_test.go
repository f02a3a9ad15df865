package store

import "context"

// Exec runs SQL past the writer, for rows that come and go as no writer of ours would have it yet.
func (s *Store) Exec(ctx context.Context, text string, args ...any) error {
	_, err := s.writes.DB.ExecContext(ctx, text, args...)
	return err
}

// Query reads one column of texts, on a connection of the pool.
func (s *Store) Query(ctx context.Context, text string, args ...any) ([]string, error) {
	rows, err := s.db.DB.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, rows.Err()
}

// FootprintPlan tells in SQLite's words how a footprint's first page is read.
func (t *Tenant) FootprintPlan(ctx context.Context, f *EmissionFilter, by ...FootprintDimension) (plan []string, err error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	g, err := newGrouping(b, by)
	if err != nil {
		return nil, err
	}
	o, err := FootprintOrder{}.order(g)
	if err != nil {
		return nil, err
	}
	err = t.store.read(ctx, "emissions", "EXPLAIN QUERY PLAN "+g.page(b, c, o, window{size: 20}), b, func(scan scanner) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan = append(plan, detail)
		return err
	})
	return plan, err
}
