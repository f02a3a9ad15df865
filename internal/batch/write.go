package batch

import (
	"context"
	"errors"
	"strings"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// supplierKey is a supplier as a line of a ledger names it.
type supplierKey struct {
	externalID string
	name       string
}

// ahead is what has to be stored before a chunk's lines or with them: the rules that the import came with, since the next import without them would otherwise
// take the emissions of these lines away, and the suppliers that the chunk is the first to name.
type ahead struct {
	rules     []*store.FactorMapping
	suppliers []*store.Supplier
}

// put stores it all. Lines can point at the suppliers from then on.
func (a *ahead) put(ctx context.Context, w *store.Writer) error {
	if err := w.PutMappings(ctx, a.rules); err != nil {
		return err
	}
	_, err := w.UpsertSuppliers(ctx, a.suppliers, true)
	return err
}

// errDryRun takes a transaction back that was only to tell what would become of its lines.
var errDryRun = errors.New("batch: dry run")

// prepare finds the suppliers that a chunk's lines name and what has to be stored ahead of them. Chunks are prepared in their order, and not at the same
// time: what is the first to name a supplier must not depend on chance.
func (r *run) prepare(ctx context.Context, c *chunk) error {
	if err := r.findSuppliers(ctx, c.lines); err != nil {
		return err
	}
	if err := r.refuseLocked(ctx, c.lines); err != nil {
		return err
	}
	good, calculated := false, false
	for _, l := range c.lines {
		good = good || l.failure == nil
		calculated = calculated || l.failure == nil && l.emission != nil
	}
	if !good {
		return nil
	}
	c.ahead = ahead{rules: r.pending, suppliers: r.newSuppliers(c.lines)}
	r.pending = nil
	if calculated {
		return r.start(ctx)
	}
	return nil
}

// refuseLocked fails the lines of locked years that would be the first to name a supplier: nothing of a line that fails is stored, and its supplier comes ahead
// of it. All others are for the store to refuse, which knows whether they say anything new.
func (r *run) refuseLocked(ctx context.Context, lines []*line) error {
	var first []*line
	var asked []*store.Activity
	for _, l := range lines {
		if _, known := r.suppliers[l.supplier.externalID]; l.failure == nil && l.supplier.externalID != "" && !known {
			first, asked = append(first, l), append(asked, &l.activity)
		}
	}
	refused, err := r.tenant.Locked(ctx, asked)
	for i, f := range refused {
		if f != nil {
			first[i].fail(f)
		}
	}
	return err
}

// introduce stores what comes ahead of a chunk in a transaction of its own, so that the chunks behind may name its suppliers while it is being stored: they
// would otherwise wait for it, or make them again. A dry run keeps nothing, and a chunk that may be taken back as a whole keeps what comes ahead of it in the same
// transaction: each of these brings its own.
func (r *run) introduce(ctx context.Context, c *chunk) error {
	if r.flags.DryRun || r.flags.Mode.Together() || len(c.ahead.rules)+len(c.ahead.suppliers) == 0 {
		return nil
	}
	if err := r.patiently(ctx, func() error { return r.tenant.Write(ctx, c.ahead.put) }); err != nil {
		return err
	}
	r.remember(&c.ahead)
	return nil
}

// remember notes suppliers that are committed, and that nothing has to be stored ahead any more.
func (r *run) remember(a *ahead) {
	for _, s := range a.suppliers {
		r.suppliers[*s.ExternalID] = s.ID
	}
	*a = ahead{}
}

// stored gives the line as the store takes it, once its supplier has its id.
func (l *line) stored() *store.Line {
	if l.fresh != nil {
		l.activity.SupplierID = new(l.fresh.ID)
	}
	if l.emission != nil {
		l.emission.SupplierID = l.activity.SupplierID
	}
	return &store.Line{Activity: &l.activity, Emission: l.emission}
}

// newSuppliers points lines at their suppliers and makes those that are not stored yet, in the order of the lines. One whose lines give no name gets its
// key for a name. The name on later lines changes nothing: ledgers spell one supplier in many ways.
func (r *run) newSuppliers(lines []*line) (order []*store.Supplier) {
	byKey := map[string]*store.Supplier{}
	for _, l := range lines {
		key := l.supplier.externalID
		if key == "" || l.failure != nil {
			continue
		}
		if id, known := r.suppliers[key]; known {
			l.activity.SupplierID = &id
			continue
		}
		s := byKey[key]
		if s == nil {
			key := strings.Clone(key) // outlives the record that it is a piece of
			s = &store.Supplier{ExternalID: &key, Name: key}
			byKey[key], order = s, append(order, s)
		}
		if s.Name == key && l.supplier.name != "" {
			s.Name = l.supplier.name
		}
		l.fresh = s
	}
	return order
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
