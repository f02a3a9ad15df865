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
	g, _, err := t.groups(f, by)
	if err != nil {
		return nil, err
	}
	o, err := FootprintOrder{}.order(g)
	if err != nil {
		return nil, err
	}
	err = t.store.read(ctx, "emissions", "EXPLAIN QUERY PLAN "+g.page(o, window{size: 20}), g.statement, func(scan scanner) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan = append(plan, detail)
		return err
	})
	return plan, err
}

// Plan tells in SQLite's words how a read is done.
func (q *Select[T]) Plan(ctx context.Context) (plan []string, err error) {
	err = q.store.read(ctx, q.rel.table, "EXPLAIN QUERY PLAN "+q.text, q.statement, func(scan scanner) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan = append(plan, detail)
		return err
	})
	return plan, err
}

// Begin and End add emissions to the sums and take them away, as whoever publishes or deletes many at once does: those that meet a condition.
func (w *Writer) Begin(ctx context.Context, cond string) error {
	return w.sum(ctx, w.t.statement("e"), change{1, cond})
}

// End takes them away.
func (w *Writer) End(ctx context.Context, cond string) error {
	return w.sum(ctx, w.t.statement("e"), change{-1, cond})
}

// Exec runs SQL in the transaction. $1 is the organization.
func (w *Writer) Exec(ctx context.Context, text string) error {
	return w.exec(ctx, "UPDATE", "emissions", text, w.t.org)
}

// MigrateFirst applies the oldest migration alone, as the first program did.
func (s *Store) MigrateFirst(ctx context.Context) error {
	return s.migrate(ctx, func(tx *transaction, _ []appliedRow) error {
		name := migrationNames()[0]
		if err := s.runMigration(ctx, tx, name+".up.sql"); err != nil {
			return err
		}
		_, err := tx.NewRaw("INSERT INTO schema_migrations (name, migration_group, applied_at) VALUES (?, 1, ?)", name, s.Now()).Exec(ctx)
		return err
	})
}

// Raised gives the type that each table raises, and Silent why the others raise none.
func Raised() map[string]string {
	all := map[string]string{}
	for table, what := range raised {
		all[table] = what.kind
	}
	return all
}

// Everybodys tells whether a table's rows are no organization's.
func Everybodys(table string) bool { return raised[table].everybody }

// Silent gives why tables raise nothing.
func Silent() map[string]string { return silent }

// Written gives the tables that a statement writes.
func Written(text string) []string { return written(text) }
