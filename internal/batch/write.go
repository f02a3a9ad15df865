package batch

import (
	"context"
	"errors"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// supplierKey is a supplier as a line of a ledger names it.
type supplierKey struct {
	externalID string
	name       string
}

// errDryRun takes a transaction back that was only to tell what would become of its lines.
var errDryRun = errors.New("batch: dry run")

// write stores a chunk of lines in one transaction and notes what became of each.
func (r *run) write(ctx context.Context, lines []*line) error {
	if err := r.findSuppliers(ctx, lines); err != nil {
		return err
	}
	good := make([]*line, 0, len(lines))
	calculated := false
	for _, l := range lines {
		if l.failure == nil {
			good = append(good, l)
			calculated = calculated || l.emission != nil
		}
	}
	if len(good) == 0 {
		return nil
	}
	if calculated {
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	return r.put(ctx, good)
}

// put writes lines that are right, the suppliers that they are the first to name, and with the first of them the rules that the import came with:
// the next import without them would otherwise take the emissions of these lines away.
func (r *run) put(ctx context.Context, good []*line) error {
	fresh, order := r.newSuppliers(good)
	var statuses []store.ItemStatus
	err := r.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		if err := w.PutMappings(ctx, r.pending); err != nil {
			return err
		}
		if _, err := w.UpsertSuppliers(ctx, order, true); err != nil {
			return err
		}
		rows := make([]*store.Line, len(good))
		for i, l := range good {
			l.setSupplier(r, fresh)
			rows[i] = &store.Line{Activity: &l.activity, Emission: l.emission}
		}
		var err error
		if statuses, err = w.PutLines(ctx, rows); err == nil && r.flags.DryRun {
			err = errDryRun
		}
		return err
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return err
	}
	for i, l := range good {
		l.status = statuses[i]
	}
	if err == nil {
		r.pending = nil
		for externalID, s := range fresh {
			r.suppliers[externalID] = s.ID
		}
	}
	return nil
}

// setSupplier points the line at its supplier, which has its id by now.
func (l *line) setSupplier(r *run, fresh map[string]*store.Supplier) {
	if key := l.supplier.externalID; key != "" {
		id, known := r.suppliers[key]
		if !known {
			id = fresh[key].ID
		}
		l.activity.SupplierID = &id
	}
	if l.emission != nil {
		l.emission.SupplierID = l.activity.SupplierID
	}
}

// newSuppliers makes the suppliers that nobody knows yet, in the order of the lines. One whose lines give no name gets its key for a name. The name on
// later lines changes nothing: ledgers spell one supplier in many ways.
func (r *run) newSuppliers(lines []*line) (byKey map[string]*store.Supplier, order []*store.Supplier) {
	byKey = map[string]*store.Supplier{}
	for _, l := range lines {
		key := l.supplier.externalID
		if key == "" {
			continue
		}
		if _, known := r.suppliers[key]; known {
			continue
		}
		s := byKey[key]
		if s == nil {
			s = &store.Supplier{ExternalID: &key, Name: key}
			byKey[key], order = s, append(order, s)
		}
		if s.Name == key && l.supplier.name != "" {
			s.Name = l.supplier.name
		}
	}
	return byKey, order
}

// findSuppliers looks up the suppliers that lines name and that this import has not met, in two statements at most.
func (r *run) findSuppliers(ctx context.Context, lines []*line) error {
	ids, keys := map[store.ID]bool{}, map[string]bool{}
	for _, l := range lines {
		if l.failure != nil {
			continue
		}
		if id := l.activity.SupplierID; id != nil && l.supplier.externalID == "" {
			ids[*id] = true
		}
		if key := l.supplier.externalID; key != "" {
			if _, known := r.suppliers[key]; !known {
				keys[key] = true
			}
		}
	}
	if len(keys) > 0 {
		found, err := r.tenant.SuppliersByExternalID(ctx, listOf(keys))
		if err != nil {
			return err
		}
		for _, s := range found {
			r.suppliers[*s.ExternalID] = s.ID
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.tenant.SuppliersByID(ctx, listOf(ids))
	if err != nil {
		return err
	}
	for _, s := range found {
		delete(ids, s.ID)
	}
	for _, l := range lines {
		if id := l.activity.SupplierID; l.failure == nil && id != nil && ids[*id] {
			l.fail(unknownSupplier())
		}
	}
	return nil
}

func listOf[K comparable](set map[K]bool) []K {
	list := make([]K, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	return list
}

func duplicate(externalID string) *fault.Fault {
	return fault.New(fault.BadUserInput, "externalId %.80q stands here for the second time; the first is the one that counts.", externalID).At("externalId")
}
