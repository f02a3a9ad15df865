package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"carbongraph/internal/exact"
)

// raising is what a write to a table raises: the version of a type of the graph.
type raising struct {
	kind      string // the type, as the graph has it
	everybody bool   // its rows are no organization's
}

// raised tells by table whose versions a write raises: of the types that answers are made of. A table stands here or among the silent ones; migrations install the
// triggers for writes of others by the same list.
var raised = map[string]raising{
	"organizations":         {kind: "Organization"},
	"suppliers":             {kind: "Supplier"},
	"activities":            {kind: "Activity"},
	"emissions":             {kind: "Emission"},
	"emission_sums":         {kind: "Emission"},
	"unpublished_runs":      {kind: "Emission"}, // what becomes published is there for readers
	"calculation_runs":      {kind: "CalculationRun"},
	"run_differences":       {kind: "RunDifference"},
	"factor_mappings":       {kind: "FactorMapping"},
	"reporting_years":       {kind: "ReportingYear"},
	"reporting_year_events": {kind: "ReportingYear"},
	"category_statements":   {kind: "CategoryStatement"},
	"categories":            {kind: "Category", everybody: true},
	"factor_datasets":       {kind: "FactorDataset", everybody: true},
	"emission_factors":      {kind: "EmissionFactor", everybody: true},
}

// silent are the tables that raise nothing, and why.
var silent = map[string]string{
	"batches":            "no answer about a batch is kept",
	"batch_failures":     "no answer about a batch is kept",
	"batch_parts":        "files are no answers",
	"batch_turns":        "nobody is told of turns",
	"work_pieces":        "nobody is told of pieces",
	"idempotency_keys":   "nobody is told of keys",
	"column_files":       "no answer is made of them",
	"api_keys":           "no answer about a key is kept",
	"run_lines":          "what they say is told by run_differences",
	"run_sums":           "they are empty but within a transaction",
	"formulas":           "they are named by their digest: one that is new is seen by nobody before an emission names it, and none is changed",
	"settings":           "no answer is made of them",
	"schema_migrations":  "no answer is made of them",
	"versions":           "they are what is raised",
	"river_migration":    "the queue's own",
	"river_job":          "the queue's own",
	"river_leader":       "the queue's own",
	"river_queue":        "the queue's own",
	"river_notification": "the queue's own",
	"river_client":       "the queue's own",
	"river_client_queue": "the queue's own",
	"emission_sums_1":    "a part of emission_sums, which is written as a whole",
	"emission_sums_2":    "a part of emission_sums, which is written as a whole",
	"emission_sums_3":    "a part of emission_sums, which is written as a whole",
}

// mostParts is how many years of a type, and how many parts of its suppliers, a transaction raises one by one; of more it raises anyYear and anySupplier.
const mostParts = 12

// supplierParts is how many parts an organization's suppliers are counted in: few enough for all of them to be read at once, and so many that who reads of one supplier
// seldom hears of writes to others.
const supplierParts = 64

// byYear tells whether the calendar years of a type's rows are counted, and bySupplier whether the parts of its suppliers are.
func byYear(kind string) bool     { return kind == "Activity" || kind == "Emission" }
func bySupplier(kind string) bool { return kind == "Supplier" || byYear(kind) }

// Versioned tells whether a type of the graph has a version. Answers that are made of any other type cannot be kept.
func Versioned(kind string) bool {
	for _, r := range raised {
		if r.kind == kind {
			return true
		}
	}
	return false
}

// What stands behind a type and a slash names a part of it: a calendar year of its rows, or a part of the suppliers. An answer that is made of some parts hangs on them and
// on the writes of which nobody told the parts; any other hangs on the type.
const (
	anyYear     = "*"
	anySupplier = "@*"
)

// SupplierPart names the part of an organization's suppliers that one is in: of itself, its lines and their emissions. The last byte of an id is made by chance.
func SupplierPart(id ID) string { return fmt.Sprintf("@%02x", id[len(id)-1]%supplierParts) }

// subject is what has a version.
type subject struct {
	org  ID // zero: everybody's
	name string
}

// reach is which parts of types are written to: which of their years and of their suppliers.
type reach struct {
	years     map[int]bool
	suppliers map[string]bool
}

func newReach() *reach { return &reach{map[int]bool{}, map[string]bool{}} }

// add takes in the parts of a row; nil is no supplier.
func (r *reach) add(day exact.Date, supplier *ID) {
	r.years[day.Year()] = true
	if supplier != nil {
		r.suppliers[SupplierPart(*supplier)] = true
	}
}

// raises are the types that a transaction has changed so far, and of those that have parts these; nil: nobody told them of all that was written.
type raises struct {
	org   ID // whose transaction it is; zero: nobody's
	kinds map[raising]*reach
	// within are those of the rows that are being written; nil: nobody told.
	within *reach
	// unseen tells that what is being written is seen by nobody.
	unseen bool
}

// wrote notes that rows of a table were written.
func (r *raises) wrote(table string) {
	what, ok := raised[table]
	if !ok || r.unseen {
		return
	}
	if r.kinds == nil {
		r.kinds = map[raising]*reach{}
	}
	of, before := r.kinds[what]
	switch {
	case r.within == nil:
		r.kinds[what] = nil
	case !before:
		r.kinds[what] = &reach{maps.Clone(r.within.years), maps.Clone(r.within.suppliers)}
	case of != nil:
		maps.Copy(of.years, r.within.years)
		maps.Copy(of.suppliers, r.within.suppliers)
	}
}

// subjects are those to be raised, always in the same order.
func (r *raises) subjects() (all []subject) {
	for what, of := range r.kinds {
		org := r.org
		if what.everybody {
			org = ID{}
		}
		raise := func(part string) { all = append(all, subject{org, what.kind + "/" + part}) }
		all = append(all, subject{org, what.kind})
		if byYear(what.kind) {
			if of == nil || len(of.years) > mostParts {
				raise(anyYear)
			} else {
				for year := range of.years {
					raise(strconv.Itoa(year))
				}
			}
		}
		if bySupplier(what.kind) {
			if of == nil || len(of.suppliers) > mostParts {
				raise(anySupplier)
			} else {
				for part := range of.suppliers {
					raise(part)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b subject) int {
		return slices.Compare([]string{a.org.String(), a.name}, []string{b.org.String(), b.name})
	})
	return all
}

// known refuses a statement that writes a table which nobody has decided on, or an organization's table in a transaction that is of none.
func (r *raises) known(tables []string) error {
	for _, table := range tables {
		what, ok := raised[table]
		switch {
		case ok && !what.everybody && r.org.IsZero():
			return fmt.Errorf("store: %s is an organization's, and the transaction is of none", table)
		case !ok && silent[table] == "":
			return fmt.Errorf("store: nobody has said whose versions a write to %s raises (raise.go)", table)
		}
	}
	return nil
}

// in runs f, which writes rows of these parts alone: where a row is changed, of that before and of that after.
func (w *Writer) in(of *reach, f func() error) error {
	was := w.tx.raises.within
	defer func() { w.tx.raises.within = was }()
	w.tx.raises.within = of
	return f()
}

// unseen runs f, which writes what nobody sees by the type of its table: emissions of runs that are not published, and the sums that suppliers carry. It raises nothing.
func (w *Writer) unseen(f func() error) error {
	was := w.tx.raises.unseen
	defer func() { w.tx.raises.unseen = was }()
	w.tx.raises.unseen = true
	return f()
}

// seal raises, last in a transaction and all in one statement, what it has changed, and names it as mark does.
func (s *Store) seal(ctx context.Context, tx *transaction) (mark string, err error) {
	all := tx.raises.subjects()
	if len(all) == 0 {
		return s.mark(ctx, tx)
	}
	began := time.Now()
	defer func() { observer{s.metrics}.note(ctx, "INSERT", "versions", began, err) }()
	orgs, names := make([]ID, len(all)), make([]string, len(all))
	for i, of := range all {
		orgs[i], names[i] = of.org, of.name
		if !slices.Contains(tx.told, of.org) {
			tx.told = append(tx.told, of.org)
		}
	}
	words := s.dialect.words()
	err = tx.each(ctx, words["raise"], s.dialect.bound([]any{orgs, names}, false), func(scan scanner) error { return scan(&mark) })
	if words["mark"] == "" {
		mark = ""
	}
	return mark, err
}
