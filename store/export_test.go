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
