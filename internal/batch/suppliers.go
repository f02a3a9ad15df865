package batch

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// SupplierResult is what became of one supplier. The path of its problem begins within the supplier.
type SupplierResult struct {
	ExternalID string
	Status     store.ItemStatus
	Supplier   *store.Supplier // nil where it failed
	Problem    *store.Problem  // why it failed
}

var (
	naicsForm = regexp.MustCompile(`^[0-9]{2,6}$`)
	dunsForm  = regexp.MustCompile(`^[0-9]{9}$`)
	leiForm   = regexp.MustCompile(`^[A-Z0-9]{18}[0-9]{2}$`)
)

// Suppliers creates suppliers or changes them, matched by external id, and gives a result for each, in order. What an input leaves out is cleared. The mode says
// what a supplier that is wrong takes along.
func (im *Importer) Suppliers(ctx context.Context, t *store.Tenant, in []store.SupplierInput, f Flags) ([]SupplierResult, error) {
	key := f.Key
	if f.Key = ""; f.DryRun {
		key = ""
	}
	k, err := im.claim(ctx, t, key, "upsertSuppliers", struct {
		Flags     Flags
		Suppliers []store.SupplierInput
	}{f, in})
	if err != nil {
		return nil, err
	}
	results, err := im.suppliers(ctx, in, f, k)
	if k.finished {
		return results, err
	}
	return results, k.end(ctx, err)
}

func (im *Importer) suppliers(ctx context.Context, in []store.SupplierInput, f Flags, k *keyed) ([]SupplierResult, error) {
	results := make([]SupplierResult, len(in))
	seen := make(map[string]bool, len(in))
	for i := range in {
		s, res := &in[i], &results[i]
		wrong := checkSupplier(s)
		if wrong == nil && seen[s.ExternalID] {
			wrong = duplicate(s.ExternalID)
		}
		seen[s.ExternalID] = seen[s.ExternalID] || wrong == nil
		res.ExternalID = s.ExternalID
		if wrong != nil {
			res.Status, res.Problem = store.Failed, problemOf(wrong)
			continue
		}
		res.Supplier = &store.Supplier{ExternalID: &s.ExternalID, Name: s.Name, Country: s.Country, NaicsCode: s.NaicsCode, Duns: s.Duns, Lei: s.Lei, Tier: s.Tier}
	}
	chunk := im.chunk
	if f.Mode == store.ModeAtomic {
		chunk = max(1, len(in))
	}
	for part, kept := range k.parts(len(in), chunk) {
		do := im.putSuppliers
		if kept {
			do = im.recallSuppliers
		}
		if err := do(ctx, k, f, part, results[part.First:part.First+part.Items]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// putSuppliers stores what is right of a part of the list.
func (im *Importer) putSuppliers(ctx context.Context, k *keyed, f Flags, part store.Piece, results []SupplierResult) error {
	if f.Mode.Together() {
		rollBackSuppliers(part.First, results)
	}
	var rows []*store.Supplier
	for i := range results {
		if results[i].Problem == nil {
			rows = append(rows, results[i].Supplier)
		}
	}
	if len(rows) == 0 && !k.named() {
		return nil
	}
	if err := im.slots.take(ctx, true); err != nil {
		return err
	}
	defer im.slots.give()
	var became []fate
	err := k.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		statuses, err := w.UpsertSuppliers(ctx, rows, false)
		if err != nil {
			return err
		}
		became = make([]fate, len(results))
		for i := range results {
			if became[i] = (fate{store.Failed, results[i].Problem}); results[i].Problem == nil {
				became[i].status, statuses = statuses[0], statuses[1:]
			}
		}
		if f.DryRun {
			return errDryRun
		}
		return k.keep(ctx, w, part.First, became)
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return err
	}
	for i := range results {
		if results[i].Status = became[i].status; f.DryRun {
			results[i].Supplier = nil
		}
	}
	return nil
}

// rollBackSuppliers fails those that are right because of the first that is not.
func rollBackSuppliers(first int, results []SupplierResult) {
	at := slices.IndexFunc(results, func(r SupplierResult) bool { return r.Problem != nil })
	if at < 0 {
		return
	}
	because := problemOf(fault.New(fault.RolledBack, "Right, but not stored: item %d failed with %s. Correct it and send them all again.", first+at, results[at].Problem.Code))
	for i := range results {
		if r := &results[i]; r.Problem == nil {
			r.Status, r.Problem, r.Supplier = store.Failed, because, nil
		}
	}
}

// recallSuppliers tells what became of a part that is stored already, with the suppliers as they are now.
func (im *Importer) recallSuppliers(ctx context.Context, k *keyed, _ Flags, part store.Piece, results []SupplierResult) error {
	was, err := outcomeOf([]store.Piece{{Items: part.Items, Outcome: part.Outcome}}, len(results))
	if err != nil {
		return err
	}
	keys := make([]string, len(results))
	for i := range results {
		keys[i] = results[i].ExternalID
	}
	found, err := k.tenant.SuppliersByExternalID(ctx, keys)
	if err != nil {
		return err
	}
	now := make(map[string]*store.Supplier, len(found))
	for _, s := range found {
		now[*s.ExternalID] = s
	}
	for i, key := range keys {
		r := &results[i]
		r.Status, r.Problem, r.Supplier = was.status(i), was.Problems[i], nil
		if r.Status != store.Failed {
			r.Supplier = now[key]
		}
	}
	return nil
}

func checkSupplier(s *store.SupplierInput) *fault.Fault {
	switch {
	case strings.TrimSpace(s.ExternalID) == "":
		return fault.New(fault.BadUserInput, "externalId is empty; every supplier needs a key that stays the same.").At("externalId")
	case strings.TrimSpace(s.Name) == "":
		return fault.New(fault.BadUserInput, "name is empty.").At("name")
	case s.Tier != nil && (*s.Tier < 1 || *s.Tier > 20):
		return fault.New(fault.BadUserInput, "There is no tier %d; 1 sells to you, 2 to them, and so on to 20.", *s.Tier).At("tier")
	}
	if reason := wrongText(s.ExternalID, maxKey); reason != "" {
		return fault.New(fault.BadUserInput, "externalId %s.", reason).At("externalId")
	}
	if reason := wrongText(s.Name, maxName); reason != "" {
		return fault.New(fault.BadUserInput, "name %s.", reason).At("name")
	}
	for _, c := range []struct {
		path, form string
		text       *string
		is         *regexp.Regexp
	}{
		{"country", "two capital letters, such as GB", s.Country, countryForm},
		{"naicsCode", "two to six digits", s.NaicsCode, naicsForm},
		{"duns", "nine digits", s.Duns, dunsForm},
		{"lei", "18 capital letters or digits and two digits", s.Lei, leiForm},
	} {
		if c.text != nil && !c.is.MatchString(*c.text) {
			return fault.New(fault.BadUserInput, "%.40q is not a %s; write %s.", *c.text, c.path, c.form).At(c.path)
		}
	}
	return nil
}
