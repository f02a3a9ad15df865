package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Line is an activity together with its calculation.
type Line struct {
	Activity *Activity
	Emission *Emission // nil where there is none; then Activity.Problem says why, or nobody asked
	// Refused is why PutLines did not write the line, and its status is FAILED; nil where it did.
	Refused *fault.Fault
}

var activityColumns = []string{"org_id", "id", "external_id", "supplier_id", "category_number", "description", "account_code", "search_key", "occurred_on",
	"quantity_micros", "quantity_unit", "money_micros", "currency", "country", "factor_id", "given_category", "conversion_property", "uncertainty_micros",
	"calculated", "problem_code", "problem_message", "content_hash", "created_at", "updated_at"}

var emissionColumns = []string{"org_id", "id", "activity_id", "supplier_id", "factor_id", "dataset_id", "run_id", "formula_id", "amount_micros", "co2e_mg",
	"biogenic_mg", "low_mg", "high_mg", "spend_micros", "calculated_at", "occurred_on", "category_number", "quality", "superseded", "country", "account_code",
	"method", "gwp_set"}

// storedLine is what is known of an activity that is there.
type storedLine struct {
	id                   ID
	createdAt, updatedAt exact.Instant
	occurredOn           exact.Date
	supplier             *ID
	content              digest
	calculation          calculation
}

// calculation is what a line's calculation says: neither when it was made, nor in which run. Without one it is empty.
type calculation struct {
	problem, message string
	factor, formula  ID
	amount, co2e     int64
	biogenic         int64
	low, high, spend bounded
	method           CalculationMethod
	gwpSet           GwpSet
	quality          int32
}

// said is what an emission says.
func (e *Emission) said() calculation {
	return calculation{factor: e.FactorID, formula: e.FormulaID, amount: int64(e.Amount), co2e: int64(e.CO2e), biogenic: int64(e.BiogenicCO2),
		low: maybeNumber(e.Low), high: maybeNumber(e.High), spend: maybeNumber(e.Spend), method: e.Method, gwpSet: e.GwpSet, quality: e.Quality.packed()}
}

// bounded is a number that may not be there.
type bounded struct {
	there bool
	n     int64
}

// Scan reads the number from SQL.
func (b *bounded) Scan(src any) error {
	var n sql.NullInt64
	err := n.Scan(src)
	*b = bounded{n.Valid, n.Int64}
	return err
}

func maybeNumber[E ~int64](p *E) bounded {
	if p == nil {
		return bounded{}
	}
	return bounded{true, int64(*p)}
}

// pendingLine is a line on its way into the tables.
type pendingLine struct {
	*Line
	content     digest
	calculation calculation
}

// PutLines matches activities by external id. A line that says nothing new, neither in the activity nor in its calculation, is UNCHANGED; where either is new
// the stored emission is superseded and the new one stands beside it. A line that nobody calculated says nothing of its calculation, but new content
// supersedes the emission of the old. Suppliers' sums are kept. It sets ID, CreatedAt and UpdatedAt of activities that were there; the emission of
// an UNCHANGED line is not stored. A line that says something new of a year that is locked, or would leave one, is FAILED: Refused says why.
func (w *Writer) PutLines(ctx context.Context, lines []*Line) ([]ItemStatus, error) {
	externalIDs := make([]string, len(lines))
	byExternalID := make(map[string]int, len(lines))
	pending := make([]pendingLine, len(lines))
	for i, l := range lines {
		p, err := prepare(l)
		if err != nil {
			return nil, err
		}
		pending[i], externalIDs[i], byExternalID[l.Activity.ExternalID] = p, l.Activity.ExternalID, i
	}
	if err := distinct(externalIDs); err != nil {
		return nil, err
	}
	if err := w.holdLines(ctx, true); err != nil {
		return nil, err
	}
	if err := w.putFormulas(ctx, pending); err != nil {
		return nil, err
	}
	stored := make([]*storedLine, len(lines))
	if err := w.lookUp(ctx, externalIDs, byExternalID, stored); err != nil {
		return nil, err
	}
	changed := func(i int) bool { return pending[i].isNew(stored[i]) }
	if err := w.lockStored(ctx, stored, byExternalID, changed); err != nil {
		return nil, err
	}
	statuses := w.decide(pending, stored)
	of := newReach()
	for i := range pending {
		if statuses[i] != Created && statuses[i] != Updated {
			continue
		}
		of.add(pending[i].Activity.OccurredOn, pending[i].Activity.SupplierID)
		if stored[i] != nil {
			of.add(stored[i].occurredOn, stored[i].supplier)
		}
	}
	return statuses, w.in(of, func() error { return w.put(ctx, pending, statuses) })
}

// prepare checks what the tables take for granted, and digests the line.
func prepare(l *Line) (p pendingLine, err error) {
	a, e := l.Activity, l.Emission
	l.Refused = nil // by an attempt that failed
	if a.ExternalID == "" {
		return p, fault.New(fault.BadUserInput, "A line needs an externalId.").At("externalId")
	}
	if a.OccurredOn.IsZero() {
		return p, fault.New(fault.BadUserInput, "The line %.80q needs a day.", a.ExternalID).At("occurredOn")
	}
	p = pendingLine{Line: l, content: contentDigest(a)}
	switch {
	case e != nil && (e.FactorID.IsZero() || e.DatasetID.IsZero() || e.RunID.IsZero() || e.FormulaID.IsZero() || !e.Quality.valid()):
		return p, fmt.Errorf("store: the emission of line %.80q lacks factor, dataset, run, formula or quality", a.ExternalID)
	case e != nil && e.OccurredOn.Year() != a.OccurredOn.Year():
		return p, fmt.Errorf("store: the emission of line %.80q is of another year than the line", a.ExternalID)
	case e != nil && !sameID(e.SupplierID, a.SupplierID):
		return p, fmt.Errorf("store: the emission of line %.80q is of another supplier than the line", a.ExternalID)
	case e != nil && a.Problem != nil:
		return p, fmt.Errorf("store: line %.80q has an emission and a problem", a.ExternalID)
	case e != nil:
		p.calculation = e.said()
	case a.Problem != nil:
		p.calculation = calculation{problem: a.Problem.Code, message: a.Problem.Message}
	}
	return p, nil
}

// sameID tells whether two references name one row, or neither any.
func sameID(a, b *ID) bool { return a == b || a != nil && b != nil && *a == *b }

// asked tells whether the line says anything of its calculation.
func (p *pendingLine) asked() bool { return p.Emission != nil || p.Activity.Problem != nil }

// isNew tells whether the line says anything that is not stored.
func (p *pendingLine) isNew(was *storedLine) bool {
	return p.content != was.content || p.asked() && p.calculation != was.calculation
}

const storedColumns = `a.external_id, a.id, a.created_at, a.updated_at, a.occurred_on, a.supplier_id, a.content_hash, COALESCE(a.problem_code, ''), COALESCE(a.problem_message, ''),
	e.factor_id, e.formula_id, COALESCE(e.amount_micros, 0), COALESCE(e.co2e_mg, 0), COALESCE(e.biogenic_mg, 0), e.low_mg, e.high_mg, e.spend_micros,
	COALESCE(e.method, ''), COALESCE(e.gwp_set, ''), COALESCE(e.quality, 0)`

func scanStored(scan scanner, byExternalID map[string]int, stored []*storedLine) error {
	var externalID string
	s := new(storedLine)
	c := &s.calculation
	var factor, formula *ID
	if err := scan(&externalID, &s.id, &s.createdAt, &s.updatedAt, &s.occurredOn, &s.supplier, &s.content, &c.problem, &c.message, &factor, &formula, &c.amount, &c.co2e, &c.biogenic,
		&c.low, &c.high, &c.spend, &c.method, &c.gwpSet, &c.quality); err != nil {
		return err
	}
	if factor != nil {
		c.factor, c.formula = *factor, *formula
	}
	stored[byExternalID[externalID]] = s
	return nil
}

// lookUp finds the activities that are there, each with its current emission, in one statement.
func (w *Writer) lookUp(ctx context.Context, externalIDs []string, byExternalID map[string]int, stored []*storedLine) error {
	if len(externalIDs) == 0 {
		return nil
	}
	b := w.t.statement("a")
	b.in("a.external_id", listText, externalIDs)
	return w.readStored(ctx, b, byExternalID, stored)
}

// readStored reads the activities that a statement's conditions select, each with its current emission.
func (w *Writer) readStored(ctx context.Context, b *statement, byExternalID map[string]int, stored []*storedLine) error {
	text := "SELECT " + storedColumns + " FROM activities AS a LEFT JOIN emissions AS e ON e.org_id = $1 AND e.activity_id = a.id AND NOT e.superseded AND " +
		published + " WHERE " + b.all()
	return w.query(ctx, "SELECT", "activities", text, b.args, func(scan scanner) error {
		return scanStored(scan, byExternalID, stored)
	})
}

// lockStored locks those activities that want says, and reads them again: another writer may have been there since the look-up. One that was deleted since is
// not there any more.
func (w *Writer) lockStored(ctx context.Context, stored []*storedLine, byExternalID map[string]int, want func(i int) bool) error {
	var ids []ID
	for i, was := range stored {
		if was != nil && want(i) {
			ids, stored[i] = append(ids, was.id), nil
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := w.lockRows(ctx, "activities", "a", "id", ids, func(scanner) error { return nil }); err != nil {
		return err
	}
	b := w.t.statement("a")
	b.in("a.id", listUUID, ids) // by what is locked: another line may have the key by now
	return w.readStored(ctx, b, byExternalID, stored)
}

// decide tells what becomes of each line, and completes it: an activity that was there keeps its id and the time it was made.
func (w *Writer) decide(pending []pendingLine, stored []*storedLine) []ItemStatus {
	now := w.t.store.Now()
	statuses := make([]ItemStatus, len(pending))
	for i := range pending {
		p, was := &pending[i], stored[i]
		a := p.Activity
		if p.Refused = w.refused(p, was); p.Refused != nil {
			statuses[i] = Failed
			continue
		}
		switch {
		case was == nil:
			statuses[i] = Created
			if a.ID.IsZero() {
				a.ID = w.t.store.newID()
			}
			if a.CreatedAt.IsZero() {
				a.CreatedAt = now
			}
			a.UpdatedAt = a.CreatedAt
		case p.isNew(was):
			statuses[i] = Updated
			a.ID, a.CreatedAt, a.UpdatedAt = was.id, was.createdAt, was.updatedAt
			if p.content != was.content {
				a.UpdatedAt = now
			}
		default:
			statuses[i] = Unchanged
			a.ID, a.CreatedAt, a.UpdatedAt = was.id, was.createdAt, was.updatedAt
		}
		if e := p.Emission; e != nil {
			e.ActivityID, e.Superseded = a.ID, false
			if e.ID.IsZero() {
				e.ID = w.t.store.newID()
			}
			if e.CalculatedAt.IsZero() {
				e.CalculatedAt = now
			}
		}
	}
	return statuses
}

// refused gives why a locked year does not take the line as it is to be; nil where it does, or where the line says nothing new.
func (w *Writer) refused(p *pendingLine, was *storedLine) *fault.Fault {
	switch {
	case was == nil:
		return w.locked.refuse(p.Activity, nil)
	case p.isNew(was):
		return w.locked.refuse(p.Activity, &was.occurredOn)
	}
	return nil
}

// supersede takes the current emissions of activities away, and tells their parts, in which it runs.
func (w *Writer) supersede(ctx context.Context, activities []ID) error {
	b := w.statement()
	b.in("activity_id", listUUID, activities)
	return w.query(ctx, "UPDATE", "emissions", "UPDATE emissions AS e SET superseded = TRUE WHERE "+b.all("NOT superseded", published)+" RETURNING id, supplier_id, occurred_on", b.args,
		func(scan scanner) error {
			var id ID
			var supplier *ID
			var day exact.Date
			err := scan(&id, &supplier, &day)
			w.ended = append(w.ended, id)
			w.tx.raises.within.add(day, supplier)
			w.summed.add(day, supplier)
			w.sumsOf(supplier)
			return err
		})
}

// sumsOf notes that a supplier's sums change; nil is no supplier.
func (w *Writer) sumsOf(supplier *ID) {
	if supplier != nil {
		w.suppliers[*supplier] = true
	}
}

// put writes the activities that are created or updated, with their emissions.
func (w *Writer) put(ctx context.Context, pending []pendingLine, statuses []ItemStatus) error {
	var created, updated, calculated []*pendingLine
	for i := range pending {
		p := &pending[i]
		switch statuses[i] {
		case Created:
			created = append(created, p)
		case Updated:
			updated = append(updated, p)
		default:
			continue
		}
		if e := p.Emission; e != nil {
			calculated = append(calculated, p)
			w.begun = append(w.begun, e.ID)
			w.summed.add(e.OccurredOn, e.SupplierID)
			w.sumsOf(e.SupplierID)
		}
	}
	if err := w.update(ctx, updated); err != nil {
		return err
	}
	// Writers of the same new lines meet them in the same order: one waits for the other, and none for each other.
	slices.SortFunc(created, func(a, b *pendingLine) int { return strings.Compare(a.Activity.ExternalID, b.Activity.ExternalID) })
	if err := w.insert(ctx, "activities", activityColumns, len(created), func(i int) []any { return w.activityValues(created[i]) }); err != nil {
		return err
	}
	return w.insert(ctx, "emissions", emissionColumns, len(calculated), func(i int) []any { return w.emissionValues(calculated[i]) })
}

// update writes the new state of activities, which are locked, and supersedes their emissions.
func (w *Writer) update(ctx context.Context, lines []*pendingLine) error {
	if len(lines) == 0 {
		return nil
	}
	rows := make([]*activityRow, len(lines))
	ids := make([]ID, len(lines))
	for i, p := range lines {
		rows[i], ids[i] = w.activityRow(p), p.Activity.ID
	}
	if _, err := w.tx.NewUpdate().Model(&rows).ExcludeColumn("created_at", "external_id").Bulk().Exec(ctx); err != nil {
		return err
	}
	return w.supersede(ctx, ids)
}

// activityRow gives the line as the table has it.
func (w *Writer) activityRow(p *pendingLine) *activityRow {
	a := p.Activity
	search := a.Description + " " + a.ExternalID
	if a.AccountCode != nil {
		search += " " + *a.AccountCode
	}
	r := &activityRow{OrgID: w.t.org, ID: a.ID, ExternalID: a.ExternalID, SupplierID: a.SupplierID, CategoryNumber: a.CategoryNumber, Description: a.Description,
		AccountCode: a.AccountCode, SearchKey: fold(search), OccurredOn: a.OccurredOn, Country: a.Country, FactorID: a.FactorID, GivenCategory: a.GivenCategory,
		ConversionProperty: a.ConversionProperty, UncertaintyMicros: (*int64)(a.UncertaintyPercent), Calculated: p.Emission != nil,
		ContentHash: p.content, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}
	if a.Quantity != nil {
		r.QuantityMicros, r.QuantityUnit = (*int64)(&a.Quantity.Value), &a.Quantity.Unit
	}
	if a.Money != nil {
		r.MoneyMicros, r.Currency = (*int64)(&a.Money.Amount), &a.Money.Currency
	}
	if a.Problem != nil {
		r.ProblemCode, r.ProblemMessage = &a.Problem.Code, &a.Problem.Message
	}
	return r
}

// activityValues gives the values of activityColumns.
func (w *Writer) activityValues(p *pendingLine) []any {
	r := w.activityRow(p)
	return []any{r.OrgID, r.ID, r.ExternalID, r.SupplierID, r.CategoryNumber, r.Description, r.AccountCode, r.SearchKey, r.OccurredOn,
		r.QuantityMicros, r.QuantityUnit, r.MoneyMicros, r.Currency, r.Country, r.FactorID, r.GivenCategory,
		r.ConversionProperty, r.UncertaintyMicros, r.Calculated, r.ProblemCode, r.ProblemMessage, r.ContentHash, r.CreatedAt, r.UpdatedAt}
}

// emissionValues gives the values of emissionColumns.
func (w *Writer) emissionValues(p *pendingLine) []any {
	e := p.Emission
	return []any{w.t.org, e.ID, e.ActivityID, e.SupplierID, e.FactorID, e.DatasetID, e.RunID, e.FormulaID, int64(e.Amount), int64(e.CO2e),
		int64(e.BiogenicCO2), (*int64)(e.Low), (*int64)(e.High), (*int64)(e.Spend), e.CalculatedAt, e.OccurredOn, e.CategoryNumber, e.Quality.packed(), false,
		e.Country, e.AccountCode, string(e.Method), string(e.GwpSet)}
}
