package store

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Writer writes a tenant's rows inside one transaction.
type Writer struct {
	t  *Tenant
	tx *transaction
	// sums and renewals are what the transaction does to suppliers that are there. They are written last, all together: hot suppliers are
	// then locked for as short as can be, and writers wait for each other instead of locking up.
	sums     map[ID]exact.Milligrams
	renewals []renewal
	// locked is known from when the transaction holds the lock on lines.
	locked lockedYears
	holds  bool
	// after runs when the transaction is committed: what it tells the caller must not come from an attempt that failed.
	after []func()
}

// Write runs f in one transaction, retried where the database asks for it (serialization, deadlock, busy). There is no other way to write a ledger's rows.
// f may run several times, keeps nothing of a run that failed, and writes by its Writer alone: SQLite has one connection that writes, and it is taken.
// Errors of its own end the transaction and come back as they are.
func (t *Tenant) Write(ctx context.Context, f func(context.Context, *Writer) error) error {
	var w *Writer
	err := t.store.transact(ctx, "write", func(ctx context.Context, tx *transaction) error {
		w = &Writer{t: t, tx: tx, sums: map[ID]exact.Milligrams{}}
		if err := f(ctx, w); err != nil {
			return err
		}
		return w.finish(ctx)
	})
	if err != nil {
		return err
	}
	for _, tell := range w.after {
		tell()
	}
	return nil
}

// finish writes what suppliers have become. All of them are locked first, in the order of their ids.
func (w *Writer) finish(ctx context.Context) error {
	maps.DeleteFunc(w.sums, func(_ ID, sum exact.Milligrams) bool { return sum == 0 })
	ids := maps.Clone(w.sums)
	for _, r := range w.renewals {
		ids[r.row.ID] = 0
	}
	if len(ids) == 0 {
		return nil
	}
	locked := make(map[ID]*Supplier, len(ids))
	rel := suppliers()
	err := w.lockRows(ctx, rel.table, rel.alias, rel.columns, slices.Collect(maps.Keys(ids)), func(scan scanner) error {
		s, err := rel.row(scan)
		locked[s.ID] = s
		return err
	})
	if err != nil {
		return err
	}
	if len(locked) != len(ids) {
		return fault.New(fault.NotFound, "A supplier that emissions name is not there.")
	}
	if err := w.renew(ctx, locked); err != nil {
		return err
	}
	return w.addSums(ctx)
}

// addSums adds to the sums of suppliers that are locked.
func (w *Writer) addSums(ctx context.Context) error {
	if len(w.sums) == 0 {
		return nil
	}
	byText := make(map[string]exact.Milligrams, len(w.sums))
	for id, sum := range w.sums {
		byText[id.String()] = sum
	}
	pairs, err := json.Marshal(byText)
	if err != nil {
		return err
	}
	words := w.t.store.dialect.words()
	return w.exec(ctx, "UPDATE", "suppliers", "UPDATE suppliers SET co2e_mg = co2e_mg + CAST(sums.value AS bigint) FROM "+words["pairs"]+
		" AS sums WHERE suppliers.org_id = $2 AND suppliers.id = CAST(sums.key AS "+words["uuid"]+")", string(pairs), w.t.org.String())
}

// lockRows locks the organization's rows with these ids until the transaction ends, always in the same order, and hands over what they are by now.
func (w *Writer) lockRows(ctx context.Context, table, alias, columns string, ids []ID, each func(scanner) error) error {
	b := w.statement()
	b.in("id", listUUID, ids)
	return w.query(ctx, "SELECT", table, "SELECT "+columns+" FROM "+table+" AS "+alias+" WHERE "+b.all()+" ORDER BY id "+w.t.store.dialect.words()["locked"], b.args, each)
}

// statement starts a statement about the organization's rows.
func (w *Writer) statement() *statement {
	b := w.t.store.statement()
	b.is("org_id", "=", w.t.org)
	return b
}

// query runs a statement with bound values in the transaction and hands each row over.
func (w *Writer) query(ctx context.Context, operation, table, text string, args []any, each func(scanner) error) (err error) {
	began := time.Now()
	s := w.t.store
	defer func() { observer{s.metrics}.note(ctx, operation, table, began, err) }()
	rows, err := w.tx.Tx.Tx.QueryContext(ctx, text, s.dialect.bound(args, false)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exec runs a statement with bound values in the transaction.
func (w *Writer) exec(ctx context.Context, operation, table, text string, args ...any) (err error) {
	began := time.Now()
	s := w.t.store
	defer func() { observer{s.metrics}.note(ctx, operation, table, began, err) }()
	_, err = w.tx.Tx.Tx.ExecContext(ctx, text, s.dialect.bound(args, false)...)
	return err
}

// insert adds rows the fastest way.
func (w *Writer) insert(ctx context.Context, table string, columns []string, n int, row func(i int) []any) (err error) {
	if n == 0 {
		return nil
	}
	began := time.Now()
	defer func() { observer{w.t.store.metrics}.note(ctx, "COPY", table, began, err) }()
	return w.t.store.dialect.insert(ctx, w.tx, table, columns, n, row)
}
