package broker

import (
	"context"
	"fmt"

	"carbongraph/internal/exact"
)

// Suppliers is the source of the factors that suppliers gave for their own products: stored factors that name the line's supplier.
type Suppliers struct{ index *Index }

// How sure a factor of the supplier's is: of the product that the line names, of its only product that fits, or of one of several.
var (
	ofProduct = exact.NewDecimal(95, -2)
	ofOnly    = exact.NewDecimal(9, -1)
	ofSeveral = exact.NewDecimal(6, -1)
)

// NewSuppliers makes the source over an index.
func NewSuppliers(index *Index) *Suppliers { return &Suppliers{index} }

// Name is "supplier".
func (*Suppliers) Name() string { return "supplier" }

// Tier is SupplierSpecific.
func (*Suppliers) Tier() Tier { return SupplierSpecific }

// Look finds the factors of the line's supplier. Those of another year are proxies, as everybody's are.
func (s *Suppliers) Look(ctx context.Context, q Question) (Found, error) {
	var found Found
	in, err := s.index.now(ctx)
	if err != nil || q.SupplierName == "" {
		return found, err
	}
	var fit []*Factor
	for _, f := range in.ofOwn[fold(q.SupplierName)] {
		if f.fits(q) {
			fit = append(fit, f)
		} else {
			found.Unfit++
		}
	}
	for _, f := range fit {
		confidence, reason := ofSeveral, fmt.Sprintf("One of %d factors that %s gave for its products.", len(fit), f.Supplier)
		switch {
		case q.Description != "" && fold(f.Name) == fold(q.Description), q.Code != "" && fold(f.Code) == fold(q.Code):
			confidence, reason = ofProduct, fmt.Sprintf("%s gave it for this product.", f.Supplier)
		case len(fit) == 1:
			confidence, reason = ofOnly, fmt.Sprintf("The factor that %s gave for its product.", f.Supplier)
		}
		a := f.answer(q, confidence, reason)
		if f.inTime(q) {
			a.Tier = SupplierSpecific
		}
		found.Answers = append(found.Answers, a)
	}
	found.Answers = ranked(found.Answers)
	found.Answers = found.Answers[:min(len(found.Answers), maxAnswers)]
	return found, nil
}
