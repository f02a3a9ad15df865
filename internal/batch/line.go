package batch

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// Longest texts, in characters: keys and names stand in indexes, descriptions are read by people.
const (
	maxKey         = 200
	maxName        = 400
	maxDescription = 4000
)

// maxUncertainty is the greatest uncertainty of an amount, in percent: beyond it the amount tells nothing.
const maxUncertainty = 1000

var (
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
)

// line is a line of the ledger on its way from what was given to its row.
type line struct {
	activity store.Activity
	emission *store.Emission
	supplier supplierKey     // by the client's own key
	fresh    *store.Supplier // the supplier, where it is not stored yet
	factorID *store.ID       // named by the client; skips mapping
	source   string          // or the factor's source and code
	code     string
	category *int32
	excluded bool
	assumed  bool           // the file gave no date
	failure  *store.Problem // why the line is not stored
	status   store.ItemStatus
	row      int // in the file
	record   []string
}

// fail keeps the first reason why a line is not stored.
func (l *line) fail(f *fault.Fault) {
	if l.failure == nil {
		l.failure, l.status = problemOf(f), store.Failed
	}
}

func (l *line) bad(path, format string, args ...any) {
	l.fail(fault.New(fault.BadUserInput, format, args...).At(strings.Split(path, ".")...))
}

func problemOf(f *fault.Fault) *store.Problem {
	return &store.Problem{Code: string(f.Code), Message: f.Message, Path: f.Path}
}

// fromInput takes a line that a client sent.
func (r *run) fromInput(in *store.ActivityInput) *line {
	l := &line{category: in.Category}
	l.activity = store.Activity{ExternalID: in.ExternalID, Description: in.Description, AccountCode: in.AccountCode, OccurredOn: in.OccurredOn, Country: in.Country,
		ConversionProperty: in.ConversionProperty}
	l.supplier = supplierKey{externalID: deref(in.SupplierExternalID), name: deref(in.SupplierName)}
	if in.SupplierExternalID != nil && *in.SupplierExternalID == "" {
		l.bad("supplierExternalId", "supplierExternalId is empty; leave it out where there is none.")
	}
	if g := in.SupplierID; g != nil {
		if l.supplier.externalID != "" {
			l.bad("supplierId", "Give supplierId or supplierExternalId, not both.")
		}
		if g.Kind != store.KindSupplier {
			l.fail(unknownSupplier())
		}
		l.activity.SupplierID = &g.Row
	}
	if g := in.FactorID; g != nil {
		if g.Kind != store.KindEmissionFactor {
			l.fail(unknownFactor("factorId"))
		}
		l.factorID = &g.Row
	}
	if q := in.Quantity; q != nil {
		l.activity.Quantity = &store.Quantity{Value: l.micros(q.Value, "quantity.value"), Unit: q.Unit}
	}
	if m := in.Money; m != nil {
		l.activity.Money = &store.Money{Amount: l.micros(m.Amount, "money.amount"), Currency: m.Currency}
	}
	if u := in.UncertaintyPercent; u != nil {
		l.activity.UncertaintyPercent = new(l.micros(*u, "uncertaintyPercent"))
	}
	r.check(l)
	return l
}

// micros takes a number that millionths hold without loss.
func (l *line) micros(d exact.Decimal, path string) exact.Micros {
	n, ok := d.ScaledExactly(6)
	if !ok {
		l.bad(path, "%.60s cannot be kept: at most six decimals and 9,223,372,036,854.", d)
	}
	return exact.Micros(n)
}

// fromRow takes a record of a file.
func (r *run) fromRow(row *ingest.Row) *line {
	l := &line{source: row.FactorSource, code: row.FactorCode, row: row.Line, record: row.Record, assumed: row.DateAssumed}
	l.activity = store.Activity{ExternalID: row.ExternalID, Description: row.Description, AccountCode: given(row.AccountCode), OccurredOn: row.OccurredOn,
		Country: given(row.Country), ConversionProperty: given(row.ConversionProperty)}
	l.supplier = supplierKey{externalID: row.SupplierExternalID, name: row.SupplierName}
	if row.Category != 0 {
		l.category = &row.Category
	}
	if row.HasQuantity {
		l.activity.Quantity = &store.Quantity{Value: row.Quantity, Unit: row.Unit}
	}
	if row.HasAmount {
		l.activity.Money = &store.Money{Amount: row.Amount, Currency: row.Currency}
	}
	if row.HasUncertainty {
		l.activity.UncertaintyPercent = &row.UncertaintyPercent
	}
	r.check(l)
	return l
}

// fromRowError takes a record that could not be read.
func fromRowError(e *ingest.RowError) *line {
	l := &line{row: e.Line, record: e.Record}
	l.activity.ExternalID = e.ExternalID
	f := fault.New(e.Code, "%s", e.Message)
	if e.Field != "" {
		f = f.At(e.Field)
	}
	l.fail(f)
	return l
}

// check finds what makes a line impossible to store. What only makes it impossible to calculate is found by calculating.
func (r *run) check(l *line) {
	a := &l.activity
	if strings.TrimSpace(a.ExternalID) == "" {
		l.bad("externalId", "externalId is empty; every line needs a key that stays the same from import to import.")
	}
	l.checkTexts()
	switch {
	case a.OccurredOn.IsZero():
		l.bad("occurredOn", "occurredOn is missing; every line needs a day.")
	case a.OccurredOn.Year() < 1900:
		l.bad("occurredOn", "%s is no day of a ledger; days begin in 1900.", a.OccurredOn)
	case a.OccurredOn.After(r.today):
		l.bad("occurredOn", "%s lies in the future: today is %s in UTC.", a.OccurredOn, r.today)
	}
	if c := l.category; c != nil && (*c < 1 || *c > 15) {
		l.bad("category", "There is no category %d; they are 1 to 15.", *c)
	}
	if a.Country != nil && !countryForm.MatchString(*a.Country) {
		l.bad("country", "%.20q is not a country code; write two capital letters, such as GB.", *a.Country)
	}
	if l.supplier.name != "" && l.supplier.externalID == "" && a.SupplierID == nil {
		l.bad("supplierName", "supplierName needs a supplierExternalId beside it; where the ledger has none, use the name.")
	}
	if (l.source == "") != (l.code == "") {
		l.bad("factorCode", "A factor is named by factorSource and factorCode together.")
	}
	l.checkAmounts()
	if p := a.ConversionProperty; p != nil {
		if err := r.engine.CheckProperty(*p); err != nil {
			l.fail(fault.Of(err).At("conversionProperty"))
		}
	}
	if u := a.UncertaintyPercent; u != nil && (*u < 0 || *u > maxUncertainty*1_000_000) {
		l.bad("uncertaintyPercent", "uncertaintyPercent is %s; half the width of the amount's 95 %% interval lies between 0 and 1,000 percent of it.", u.Decimal().Canonical())
	}
}

func (l *line) checkAmounts() {
	q, m := l.activity.Quantity, l.activity.Money
	if q == nil && m == nil {
		l.bad("money", "The line has neither a quantity nor money; it needs one of the two.")
	}
	if q != nil && strings.TrimSpace(q.Unit) == "" {
		l.bad("quantity.unit", "The quantity has no unit; write one such as kWh, kg or tonne.km.")
	}
	if m != nil && !currencyForm.MatchString(m.Currency) {
		l.bad("money.currency", "%.20q is not a currency code; write three capital letters, such as GBP.", m.Currency)
	}
}

func (l *line) checkTexts() {
	a := &l.activity
	l.checkText("externalId", a.ExternalID, maxKey)
	l.checkText("description", a.Description, maxDescription)
	l.checkText("accountCode", deref(a.AccountCode), maxKey)
	l.checkText("supplierExternalId", l.supplier.externalID, maxKey)
	l.checkText("supplierName", l.supplier.name, maxName)
	if a.Quantity != nil {
		l.checkText("quantity.unit", a.Quantity.Unit, maxKey)
	}
}

// checkText refuses what no database keeps as it is: bytes that are no text, zero bytes, and texts beyond measure.
func (l *line) checkText(path, text string, limit int) {
	if reason := wrongText(text, limit); reason != "" {
		name := path[strings.LastIndex(path, ".")+1:]
		l.bad(path, "%s %s.", name, reason)
	}
}

func wrongText(text string, limit int) string {
	switch {
	case !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0:
		return "is not text in UTF-8"
	case len(text) > limit && utf8.RuneCountInString(text) > limit:
		return "is too long"
	}
	return ""
}

func unknownSupplier() *fault.Fault {
	return fault.New(fault.NotFound, "There is no such supplier.").At("supplierId")
}

func unknownFactor(path string) *fault.Fault {
	return fault.New(fault.NotFound, "There is no such emission factor.").At(path)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// given is nil for a text that the file leaves empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
