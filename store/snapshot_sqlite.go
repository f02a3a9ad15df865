package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// sqliteSnapshot reads in one transaction, which in WAL sees one moment.
type sqliteSnapshot struct {
	store *Store
	ctx   context.Context
	conn  *sql.Conn
	begun bool
}

func (s *Store) sqliteSnapshot(ctx context.Context) (Snapshot, error) {
	conn, err := s.db.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteSnapshot{store: s, ctx: ctx, conn: conn}, nil
}

// Read runs statements one after another: there is no way to them but this process.
func (sn *sqliteSnapshot) Read(more bool, statements ...Statement) (err error) {
	defer func() { err = sn.store.fault(err, "read in a snapshot") }()
	if more && !sn.begun {
		sn.begun = true // also where it fails: who gave up may have been too late
		if _, err := sn.conn.ExecContext(sn.ctx, "BEGIN"); err != nil {
			return err
		}
	}
	for _, st := range statements {
		if err := sn.read(st); err != nil {
			return err
		}
	}
	return nil
}

func (sn *sqliteSnapshot) read(st Statement) (err error) {
	began, a := time.Now(), st.asked()
	defer func() { observer{sn.store.metrics}.note(sn.ctx, "SELECT", a.table, began, err) }()
	rows, err := sn.conn.QueryContext(sn.ctx, a.text, sn.store.dialect.bound(a.args, a.fresh)...)
	if err != nil {
		return err
	}
	for rows.Next() && err == nil {
		err = st.scan(rows.Scan)
	}
	if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return err
	}
	return st.done()
}

// Close ends the transaction and gives the connection back.
func (sn *sqliteSnapshot) Close() {
	if sn.begun {
		_, _ = sn.conn.ExecContext(context.WithoutCancel(sn.ctx), "ROLLBACK") // nothing was written; it fails where nothing was begun
	}
	_ = sn.conn.Close()
}
