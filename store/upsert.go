package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

var supplierColumns = []string{"org_id", "id", "external_id", "name", "name_key", "country", "naics_code", "duns", "lei", "tier", "co2e_mg", "created_at", "updated_at"}

// UpsertSuppliers matches by external id; a row without one is always new. It tells for each row what became of it, and sets ID and CreatedAt of rows that
// were there at once, the rest of them when the transaction is committed. Fields that are nil (a name: empty) leave what is stored where keep is true
// (a supplier named on an activity), and clear it where it is false (upsertSuppliers).
func (w *Writer) UpsertSuppliers(ctx context.Context, rows []*Supplier, keep bool) ([]ItemStatus, error) {
	externalIDs := make([]string, 0, len(rows))
	for _, r := range rows {
		if r.ExternalID != nil {
			externalIDs = append(externalIDs, *r.ExternalID)
		}
	}
	if err := distinct(externalIDs); err != nil {
		return nil, err
	}
	stored, err := w.suppliersByExternalID(ctx, externalIDs)
	if err != nil {
		return nil, err
	}
	now := w.t.store.Now()
	statuses := make([]ItemStatus, len(rows))
	var fresh []*Supplier
	for i, r := range rows {
		var was *Supplier
		if r.ExternalID != nil {
			was = stored[*r.ExternalID]
		}
		if was == nil {
			statuses[i] = Created
			w.t.store.completeSupplier(r, now)
			fresh = append(fresh, r)
			continue
		}
		r.ID, r.CreatedAt = was.ID, was.CreatedAt
		is, differs := mergeSupplier(was, r, keep)
		if differs {
			statuses[i] = Updated
			w.renewals = append(w.renewals, renewal{r, keep})
		} else {
			statuses[i] = Unchanged
			w.after = append(w.after, func() { *r = *is })
		}
	}
	slices.SortFunc(fresh, func(a, b *Supplier) int { return strings.Compare(externalID(a), externalID(b)) }) // as with lines
	return statuses, w.in(reachOf(fresh), func() error {
		return w.insert(ctx, "suppliers", supplierColumns, len(fresh), func(i int) []any {
			r := fresh[i]
			return []any{w.t.org, r.ID, r.ExternalID, r.Name, fold(r.Name), r.Country, r.NaicsCode, r.Duns, r.Lei, r.Tier, int64(0), r.CreatedAt, r.UpdatedAt}
		})
	})
}

// completeSupplier fills in what a new row needs.
func (s *Store) completeSupplier(r *Supplier, now exact.Instant) {
	if r.ID.IsZero() {
		r.ID = s.newID()
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = now
	}
	r.UpdatedAt, r.CO2e = r.CreatedAt, 0
}

func externalID(s *Supplier) string {
	if s.ExternalID == nil {
		return ""
	}
	return *s.ExternalID
}

// renewal is a supplier that says something new.
type renewal struct {
	row  *Supplier
	keep bool
}

// renew writes the renewals over the rows, which are locked and as they are by now.
func (w *Writer) renew(ctx context.Context, locked map[ID]*Supplier) error {
	updates := map[ID]*Supplier{}
	now := w.t.store.Now()
	for _, r := range w.renewals {
		is, differs := mergeSupplier(locked[r.row.ID], r.row, r.keep)
		if differs {
			is.UpdatedAt = now
			locked[is.ID], updates[is.ID] = is, is
		}
		w.after = append(w.after, func() { *r.row = *is })
	}
	return w.updateSuppliers(ctx, slices.Collect(maps.Values(updates)))
}

func (w *Writer) suppliersByExternalID(ctx context.Context, externalIDs []string) (map[string]*Supplier, error) {
	found := make(map[string]*Supplier, len(externalIDs))
	if len(externalIDs) == 0 {
		return found, nil
	}
	b := w.statement()
	b.in("external_id", listText, externalIDs)
	rel := suppliers()
	err := w.query(ctx, "SELECT", rel.table, "SELECT "+rel.columns+" FROM suppliers AS s WHERE "+b.all(), b.args, func(scan scanner) error {
		s, err := rel.row(scan)
		if err == nil {
			found[*s.ExternalID] = s
		}
		return err
	})
	return found, err
}

// mergeSupplier gives what the supplier is after the input, and whether that differs from what it was.
func mergeSupplier(was, in *Supplier, keep bool) (is *Supplier, differs bool) {
	is = new(*was)
	if in.Name != "" || !keep {
		is.Name = in.Name
	}
	differs = is.Name != was.Name
	differs = mergeField(&is.Country, in.Country, keep) || differs
	differs = mergeField(&is.NaicsCode, in.NaicsCode, keep) || differs
	differs = mergeField(&is.Duns, in.Duns, keep) || differs
	differs = mergeField(&is.Lei, in.Lei, keep) || differs
	differs = mergeField(&is.Tier, in.Tier, keep) || differs
	return is, differs
}

func mergeField[T comparable](is **T, in *T, keep bool) (differs bool) {
	if in == nil && keep || in == nil && *is == nil || in != nil && *is != nil && *in == **is {
		return false
	}
	*is = in
	return true
}

// updateSuppliers writes what clients may change. The sum is not touched: others may be adding to it.
func (w *Writer) updateSuppliers(ctx context.Context, suppliers []*Supplier) error {
	if len(suppliers) == 0 {
		return nil
	}
	rows := make([]*supplierRow, len(suppliers))
	for i, s := range suppliers {
		rows[i] = &supplierRow{OrgID: w.t.org, ID: s.ID, Name: s.Name, NameKey: fold(s.Name), Country: s.Country, NaicsCode: s.NaicsCode, Duns: s.Duns, Lei: s.Lei,
			Tier: s.Tier, UpdatedAt: s.UpdatedAt}
	}
	return w.in(reachOf(suppliers), func() error {
		_, err := w.tx.NewUpdate().Model(&rows).Column("name", "name_key", "country", "naics_code", "duns", "lei", "tier", "updated_at").Bulk().Exec(ctx)
		return err
	})
}

// reachOf is that of a write to suppliers.
func reachOf(suppliers []*Supplier) *reach {
	of := newReach()
	for _, s := range suppliers {
		of.suppliers[SupplierPart(s.ID)] = true
	}
	return of
}

// distinct refuses external ids that stand twice in one call: which of the two was meant?
func distinct(externalIDs []string) error {
	seen := make(map[string]bool, len(externalIDs))
	for _, id := range externalIDs {
		if seen[id] {
			return fault.New(fault.BadUserInput, "externalId %.80q stands twice in one call; send each once.", id)
		}
		seen[id] = true
	}
	return nil
}
