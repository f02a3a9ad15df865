package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"carbongraph/internal/fault"
)

// Writer writes a tenant's rows inside one transaction.
type Writer struct {
	t  *Tenant
	tx *transaction
	// suppliers are those whose sums change, begun and ended the emissions that make them change: these are current now, and no longer. What becomes of
	// suppliers and of sums is written last, all together: hot rows are then locked for as short as can be, and writers wait for each other instead of
	// locking up.
	suppliers    map[ID]bool
	begun, ended []ID
	// summed are the parts of what begun and ended.
	summed   *reach
	renewals []renewal
	// locked is known from when the transaction holds the lock on lines.
	locked lockedYears
	holds  bool
	// last is written when all else is, sums too: rows that every writer of an import wants are then locked for as short as can be.
	last []func(context.Context) error
	// after runs when the transaction is committed: what it tells the caller must not come from an attempt that failed.
	after []func()
}

// Write runs f in one transaction, retried where the database asks for it (serialization, deadlock, busy). There is no other way to write a ledger's rows.
// f may run several times, keeps nothing of a run that failed, and writes by its Writer alone: SQLite has one connection that writes, and it is taken.
// Errors of its own end the transaction and come back as they are.
func (t *Tenant) Write(ctx context.Context, f func(context.Context, *Writer) error) error {
	var w *Writer
	err := t.store.transact(ctx, "write", t.org, func(ctx context.Context, tx *transaction) error {
		w = &Writer{t: t, tx: tx, suppliers: map[ID]bool{}, summed: newReach()}
		if err := f(ctx, w); err != nil {
			return err
		}
		if err := w.settle(ctx); err != nil {
			return err
		}
		for _, f := range w.last {
			if err := f(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, tell := range w.after {
		tell()
	}
	return nil
}

// settle writes what suppliers and sums have become.
func (w *Writer) settle(ctx context.Context) error {
	ids := maps.Clone(w.suppliers)
	for _, r := range w.renewals {
		ids[r.row.ID] = true
	}
	locked, err := w.lockSuppliers(ctx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return err
	}
	if err := w.renew(ctx, locked); err != nil {
		return err
	}
	of, begun, ended, in := slices.Collect(maps.Keys(w.suppliers)), w.begun, w.ended, w.summed
	w.suppliers, w.begun, w.ended, w.renewals, w.summed = map[ID]bool{}, nil, nil, nil, newReach()
	if len(begun)+len(ended) == 0 {
		return nil
	}
	b := w.t.statement("e")
	no := b.dialect.oneOf(b, "e.id", listUUID, ended, false)
	yes := b.dialect.oneOf(b, "e.id", listUUID, begun, false) + " AND " + published
	return w.in(in, func() error { return w.addUp(ctx, of, b, change{-1, no}, change{1, yes}) })
}

// lockSuppliers locks suppliers in the order of their ids, and gives what they are by now.
func (w *Writer) lockSuppliers(ctx context.Context, ids []ID) (map[ID]*Supplier, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	locked := make(map[ID]*Supplier, len(ids))
	rel := suppliers()
	err := w.lockRows(ctx, rel.table, rel.alias, rel.columns, ids, func(scan scanner) error {
		s, err := rel.row(scan)
		locked[s.ID] = s
		return err
	})
	if err == nil && len(locked) != len(ids) {
		err = fault.New(fault.NotFound, "A supplier that emissions name is not there.")
	}
	return locked, err
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
	return w.tx.each(ctx, text, s.dialect.bound(args, false), each)
}

// exec runs a statement with bound values in the transaction.
func (w *Writer) exec(ctx context.Context, operation, table, text string, args ...any) error {
	return w.run(ctx, operation, table, text, &statement{args: args})
}

// run is exec of a statement that may want to be planned for its values.
func (w *Writer) run(ctx context.Context, operation, table, text string, b *statement) (err error) {
	began := time.Now()
	s := w.t.store
	defer func() { observer{s.metrics}.note(ctx, operation, table, began, err) }()
	_, err = w.tx.exec(ctx, text, s.dialect.bound(b.args, b.fresh)...)
	return err
}

// insert adds rows the fastest way.
func (w *Writer) insert(ctx context.Context, table string, columns []string, n int, row func(i int) []any) (err error) {
	if n == 0 {
		return nil
	}
	began := time.Now()
	defer func() { observer{w.t.store.metrics}.note(ctx, "COPY", table, began, err) }()
	return w.tx.insert(ctx, table, columns, n, row)
}
