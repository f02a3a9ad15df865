package batch

import (
	"context"
	"regexp"
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

// Suppliers creates suppliers or changes them, matched by external id, and gives a result for each, in order. What an input leaves out is cleared.
func (im *Importer) Suppliers(ctx context.Context, t *store.Tenant, in []store.SupplierInput) ([]SupplierResult, error) {
	results := make([]SupplierResult, len(in))
	seen := make(map[string]bool, len(in))
	var good []int
	for i := range in {
		s := &in[i]
		f := checkSupplier(s)
		if f == nil && seen[s.ExternalID] {
			f = duplicate(s.ExternalID)
		}
		seen[s.ExternalID] = seen[s.ExternalID] || f == nil
		results[i].ExternalID = s.ExternalID
		if f != nil {
			results[i].Status, results[i].Problem = store.Failed, problemOf(f)
			continue
		}
		results[i].Supplier = &store.Supplier{ExternalID: &s.ExternalID, Name: s.Name, Country: s.Country, NaicsCode: s.NaicsCode, Duns: s.Duns, Lei: s.Lei, Tier: s.Tier}
		good = append(good, i)
	}
	for start := 0; start < len(good); start += im.chunk {
		if err := putSuppliers(ctx, t, results, good[start:min(start+im.chunk, len(good))]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func putSuppliers(ctx context.Context, t *store.Tenant, results []SupplierResult, chunk []int) error {
	rows := make([]*store.Supplier, len(chunk))
	for i, at := range chunk {
		rows[i] = results[at].Supplier
	}
	var statuses []store.ItemStatus
	err := t.Write(ctx, func(ctx context.Context, w *store.Writer) (err error) {
		statuses, err = w.UpsertSuppliers(ctx, rows, false)
		return err
	})
	if err != nil {
		return err
	}
	for i, at := range chunk {
		results[at].Status = statuses[i]
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
