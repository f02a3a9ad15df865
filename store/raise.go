package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
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

// mostParts is how many parts of a type a transaction raises one by one; of more it raises "/*".
const mostParts = 12

// parted tells whether a type has parts: the calendar years of its rows.
func parted(kind string) bool { return kind == "Activity" || kind == "Emission" }

// Versioned tells whether a type of the graph has a version. Answers that are made of any other type cannot be kept.
func Versioned(kind string) bool {
	for _, r := range raised {
		if r.kind == kind {
			return true
		}
	}
	return false
}

// YearSubject names a calendar year of a type. An answer that is made of some years of a type hangs on them and on AnyYearSubject; any other hangs on the type.
func YearSubject(kind string, year int) string { return kind + "/" + strconv.Itoa(year) }

// AnyYearSubject names the writes to a type of which nobody told the years.
func AnyYearSubject(kind string) string { return kind + "/*" }

// subject is what has a version.
type subject struct {
	org  ID // zero: everybody's
	name string
}

// raises are the types that a transaction has changed so far, and of those that have parts the years.
type raises struct {
	org   ID // whose transaction it is; zero: nobody's
	kinds map[raising]map[int]bool
	// years are those of the rows that are being written; nil: nobody told.
	years map[int]bool
	// unseen tells that what is being written is seen by nobody.
	unseen bool
}

// untold stands among the years for a write of which nobody told them.
const untold = -1 << 31

// wrote notes that rows of a table were written.
func (r *raises) wrote(table string) {
	what, ok := raised[table]
	if !ok || r.unseen {
		return
	}
	if r.kinds == nil {
		r.kinds = map[raising]map[int]bool{}
	}
	if r.kinds[what] == nil {
		r.kinds[what] = map[int]bool{}
	}
	if r.years == nil {
		r.kinds[what][untold] = true
	}
	maps.Copy(r.kinds[what], r.years)
}

// subjects are those to be raised, always in the same order.
func (r *raises) subjects() (all []subject) {
	for what, years := range r.kinds {
		org := r.org
		if what.everybody {
			org = ID{}
		}
		all = append(all, subject{org, what.kind})
		switch {
		case !parted(what.kind):
		case years[untold] || len(years) > mostParts:
			all = append(all, subject{org, AnyYearSubject(what.kind)})
		default:
			for year := range years {
				all = append(all, subject{org, YearSubject(what.kind, year)})
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

// inYears runs f, which writes rows of these calendar years alone: where a row is changed, of that before and of that after.
func (w *Writer) inYears(years map[int]bool, f func() error) error {
	was := w.tx.raises.years
	defer func() { w.tx.raises.years = was }()
	w.tx.raises.years = years
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
