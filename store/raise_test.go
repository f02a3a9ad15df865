package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// moved gives the subjects whose versions grew meanwhile, sorted; everybody's begin with a star. One that grew by another number than one is told with it.
func moved(t rapid.TB, st *store.Store, org store.ID, do func()) (subjects []string) {
	t.Helper()
	before := versions(t, st, org)
	do()
	after := versions(t, st, org)
	for _, side := range []struct {
		star          string
		before, after map[string]int64
	}{{"", before.Own, after.Own}, {"*", before.All, after.All}} {
		for subject, n := range side.after {
			switch n - side.before[subject] {
			case 0:
			case 1:
				subjects = append(subjects, side.star+subject)
			default:
				subjects = append(subjects, fmt.Sprintf("%s%s by %d", side.star, subject, n-side.before[subject]))
			}
		}
	}
	slices.Sort(subjects)
	return subjects
}

func versions(t rapid.TB, st *store.Store, org store.ID) *store.Versions {
	t.Helper()
	v, err := st.Versions(context.Background(), org)
	if err != nil {
		t.Fatalf("versions: %v", err)
	}
	total := int64(0)
	for _, n := range v.Own {
		total += n
	}
	if total != v.Total {
		t.Errorf("total %d; the subjects come to %d", v.Total, total)
	}
	return v
}

func TestRaised(t *testing.T) {
	line := func(l *storetest.Ledger, id string, year int) *store.Line {
		line := storetest.NewLine(id, l.Suppliers[0])
		line.Activity.OccurredOn = exact.NewDate(year, 6, 1)
		return line
	}
	calculated := func(l *storetest.Ledger, id string, year int, co2e exact.Milligrams) *store.Line {
		return storetest.Calculate(line(l, id, year), l.Factors[0], l.Run, co2e)
	}
	for name, tc := range map[string]struct {
		do   func(t *testing.T, st *store.Store, l *storetest.Ledger)
		want string
	}{
		"a line raises its type and its year": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			storetest.PutLines(t, l.Tenant, line(l, "new", 2023))
		},
			"Activity Activity/2023 Activity/@1"},
		"a calculation too, and its supplier": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			storetest.PutLines(t, l.Tenant, calculated(l, "new", 2023, kg))
		},
			"Activity Activity/2023 Activity/@1 Emission Emission/2023 Emission/@1"},
		"a line of no supplier raises none": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			of := calculated(l, "new", 2023, kg)
			of.Activity.SupplierID, of.Emission.SupplierID = nil, nil
			storetest.PutLines(t, l.Tenant, of)
		},
			"Activity Activity/2023 Emission Emission/2023"},
		"one that gets another raises both": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			of := calculated(l, "there", 2024, kg)
			of.Activity.SupplierID, of.Emission.SupplierID = &l.Suppliers[1].ID, &l.Suppliers[1].ID
			storetest.PutLines(t, l.Tenant, of)
		},
			"Activity Activity/2024 Activity/@1 Activity/@2 Emission Emission/2024 Emission/@1 Emission/@2"},
		"one whose calculation goes, too": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			of := line(l, "there", 2024)
			of.Activity.Description, of.Activity.SupplierID = "other", &l.Suppliers[1].ID
			storetest.PutLines(t, l.Tenant, of)
		},
			"Activity Activity/2024 Activity/@1 Activity/@2 Emission Emission/2024 Emission/@1 Emission/@2"},
		"a line that says nothing new raises nothing": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			storetest.PutLines(t, l.Tenant, calculated(l, "there", 2024, kg))
		}, ""},
		"nor does a supplier": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			s := *l.Suppliers[0]
			storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
				_, err := w.UpsertSuppliers(ctx, []*store.Supplier{&s}, true)
				return err
			})
		}, ""},
		"a supplier that says something new raises its type and its part": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			s := *l.Suppliers[0]
			s.Name = "Aluminium"
			storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
				_, err := w.UpsertSuppliers(ctx, []*store.Supplier{&s}, true)
				return err
			})
		}, "Supplier Supplier/@1"},
		"one that is new too": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			newSuppliers(t, l, 1)
		}, "Supplier Supplier/@00"},
		"twelve parts are told one by one": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) { newSuppliers(t, l, 12) },
			"Supplier Supplier/@00 Supplier/@01 Supplier/@02 Supplier/@03 Supplier/@04 Supplier/@05 Supplier/@06 Supplier/@07 Supplier/@08 Supplier/@09 Supplier/@0a Supplier/@0b"},
		"thirteen parts are not": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) { newSuppliers(t, l, 13) }, "Supplier Supplier/@*"},
		"a line that moves raises both years": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			storetest.PutLines(t, l.Tenant, calculated(l, "there", 2025, kg))
		}, "Activity Activity/2024 Activity/2025 Activity/@1 Emission Emission/2024 Emission/2025 Emission/@1"},
		"a line that goes raises the years of its history": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			if _, err := l.Tenant.DeleteLines(t.Context(), []string{"moved"}); err != nil {
				t.Fatal(err)
			}
		}, "Activity Activity/2022 Activity/@1 Emission Emission/2021 Emission/2022 Emission/@1"},
		"twelve years are told one by one": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			var lines []*store.Line
			for year := range 12 {
				lines = append(lines, line(l, fmt.Sprint("new", year), 2001+year))
			}
			storetest.PutLines(t, l.Tenant, lines...)
		}, "Activity Activity/2001 Activity/2002 Activity/2003 Activity/2004 Activity/2005 Activity/2006 Activity/2007 Activity/2008 Activity/2009 Activity/2010 Activity/2011 Activity/2012 Activity/@1"},
		"thirteen are not": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			var lines []*store.Line
			for year := range 13 {
				lines = append(lines, line(l, fmt.Sprint("new", year), 2001+year))
			}
			storetest.PutLines(t, l.Tenant, lines...)
		}, "Activity Activity/* Activity/@1"},
		"lines in several calls raise once": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, []*store.Line{line(l, "new1", 2023)})
				_, err2 := w.PutLines(ctx, []*store.Line{line(l, "new2", 2022), line(l, "new3", 2023)})
				return errors.Join(err, err2)
			})
		}, "Activity Activity/2022 Activity/2023 Activity/@1"},
		"what is taken back raises nothing": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			no := errors.New("no")
			if err := l.Tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, []*store.Line{calculated(l, "new", 2023, kg)})
				return errors.Join(err, no)
			}); !errors.Is(err, no) {
				t.Fatal(err)
			}
		}, ""},
		"a recalculation that nobody sees raises its run and what it would change": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) { storetest.Preview(t, l.Tenant, 1, l.Lines...) },
			"CalculationRun=3 Emission Emission/* Emission/@* RunDifference"},
		"its lines raise nothing": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			b, r := &store.Batch{Spec: "{}"}, &store.CalculationRun{Reason: "anew", GwpSet: store.AR5}
			if err := l.Tenant.StartRecalculation(t.Context(), b, r); err != nil {
				t.Fatal(err)
			}
			storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
				anew := storetest.Calculate(&store.Line{Activity: l.Lines[0].Activity}, l.Factors[0], r, 2*kg)
				return w.PutRunLines(ctx, r.ID, []*store.RunLine{{Activity: anew.Activity, Was: anew.Activity, Previous: l.Lines[0].Emission, Emission: anew.Emission, After: anew.Emission,
					Moved: store.CauseData}})
			})
		}, "CalculationRun"},
		"its publication raises all years": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			b, r := &store.Batch{Spec: "{}"}, &store.CalculationRun{Reason: "anew", GwpSet: store.AR5}
			if err := l.Tenant.StartRecalculation(t.Context(), b, r); err != nil {
				t.Fatal(err)
			}
			anew := storetest.Calculate(&store.Line{Activity: l.Lines[0].Activity}, l.Factors[0], r, 2*kg)
			storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
				return w.PutRunLines(ctx, r.ID, []*store.RunLine{{Activity: anew.Activity, Was: anew.Activity, Previous: l.Lines[0].Emission, Emission: anew.Emission, After: anew.Emission,
					Moved: store.CauseData}})
			})
			if err := l.Tenant.WriteAlone(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.Publish(ctx, r.ID, nil)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}, "CalculationRun Emission Emission/* Emission/@*"},
		"a mapping": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) { storetest.Mappings(t, l, 1) }, "FactorMapping"},
		"a mapping that is there raises nothing": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			m := func() *store.FactorMapping {
				return &store.FactorMapping{AccountCode: new("M"), FactorID: &l.Factors[0].ID, DecidedBy: store.ByRule, Confidence: exact.NewDecimal(5, -1)}
			}
			for range 2 {
				storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
					return w.PutMappings(ctx, []*store.FactorMapping{m()})
				})
			}
		}, "FactorMapping"},
		"what is said of a category": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			if _, err := l.Tenant.SetCategoryStatement(t.Context(), store.SetCategoryStatementInput{Year: 2024, Category: 1, Included: true}); err != nil {
				t.Fatal(err)
			}
		}, "CategoryStatement"},
		"a year": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			if _, err := l.Tenant.LockReportingYear(t.Context(), store.LockReportingYearInput{Year: 2024, Locked: true, Reason: "x"}, "ADMIN"); err != nil {
				t.Fatal(err)
			}
		}, "ReportingYear"},
		"methods": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			if _, err := l.Tenant.SetMethods(t.Context(), store.Methods{StrictValidity: new(true)}); err != nil {
				t.Fatal(err)
			}
		}, "Organization"},
		"a run, twice": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			r := storetest.Run(t, l.Tenant)
			r.Status = store.RunSucceeded
			if err := l.Tenant.FinishRun(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}, "CalculationRun=2"},
		"factors are everybody's": {func(t *testing.T, st *store.Store, _ *storetest.Ledger) { storetest.Dataset(t, st, "new", "1") }, "*EmissionFactor *FactorDataset"},
		"the same factors again raise nothing": {func(t *testing.T, st *store.Store, l *storetest.Ledger) {
			storetest.Dataset(t, st, "test Acme", "1")
		}, ""},
		"another organization's raise nothing": {func(t *testing.T, st *store.Store, _ *storetest.Ledger) {
			storetest.Suppliers(t, storetest.Organization(t, st, "Rival"), "Alum")
		}, ""},
		"a batch raises nothing, nor does a key": {func(t *testing.T, _ *store.Store, l *storetest.Ledger) {
			if _, err := l.Tenant.ClaimKey(t.Context(), "key", "o", []byte("x"), l.Tenant.ID(), time.Minute); err != nil {
				t.Fatal(err)
			}
			if err := l.Tenant.CreateKey(t.Context(), &store.APIKey{Name: "key", Role: store.Admin}, "prefix", make([]byte, 32)); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			l := storetest.NewLedger(t, st, "Acme", 3, nil)
			storetest.PutLines(t, l.Tenant, calculated(l, "there", 2024, kg), calculated(l, "moved", 2021, kg))
			storetest.PutLines(t, l.Tenant, calculated(l, "moved", 2022, kg))
			want := strings.Fields(strings.NewReplacer("@1", store.SupplierPart(l.Suppliers[0].ID), "@2", store.SupplierPart(l.Suppliers[1].ID)).Replace(tc.want))
			for i, subject := range want {
				want[i] = strings.Replace(subject, "=", " by ", 1)
			}
			slices.Sort(want)
			if got := moved(t, st, l.Tenant.ID(), func() { tc.do(t, st, l) }); !slices.Equal(got, slices.Compact(want)) {
				t.Errorf("raised %q, want %q", got, want)
			}
		})
	}
	storetest.Each(t, "by a new organization, itself", func(t *testing.T, st *store.Store) {
		org := &store.Organization{Name: "New", Currency: "USD", ID: st.NewID()}
		if got := moved(t, st, org.ID, func() {
			if err := st.CreateOrganization(t.Context(), org); err != nil {
				t.Fatal(err)
			}
		}); strings.Join(got, " ") != "Organization" {
			t.Errorf("raised %q", got)
		}
	})
}

// newSuppliers stores so many, of as many parts: @00, @01 …
func newSuppliers(t *testing.T, l *storetest.Ledger, n int) {
	t.Helper()
	rows := make([]*store.Supplier, n)
	for i := range rows {
		rows[i] = &store.Supplier{ID: l.Suppliers[0].ID, ExternalID: new(fmt.Sprint("new", i)), Name: "New"}
		rows[i].ID[0], rows[i].ID[15] = 0xff, byte(0x40|i)
	}
	storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
		_, err := w.UpsertSuppliers(ctx, rows, true)
		return err
	})
}

// tables gives the names of all tables of a database, and the columns of each as one text.
func tables(t rapid.TB, st *store.Store) map[string]string {
	t.Helper()
	text := `SELECT c.table_name || ' ' || string_agg('COALESCE(CAST(' || c.column_name || ' AS text), ''none'')', ' || ''|'' || ' ORDER BY c.ordinal_position)
		FROM information_schema.columns AS c WHERE c.table_schema = current_schema() GROUP BY c.table_name`
	if st.Dialect() == "sqlite" {
		text = `SELECT m.name || ' ' || group_concat('COALESCE(CAST(' || c.name || ' AS text), ''none'')', ' || ''|'' || ') FROM sqlite_master AS m, pragma_table_info(m.name) AS c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' GROUP BY m.name`
	}
	rows, err := st.Query(context.Background(), text)
	if err != nil {
		t.Fatalf("tables: %v", err)
	}
	all := map[string]string{}
	for _, row := range rows {
		name, columns, _ := strings.Cut(row, " ")
		all[name] = columns
	}
	return all
}

// Nobody can add a table and forget it: it raises a type, or is silent for a reason.
func TestEveryTableIsDecidedOn(t *testing.T) {
	storetest.Each(t, "on both databases", func(t *testing.T, st *store.Store) {
		all := tables(t, st)
		for table := range all {
			_, raises := store.Raised()[table]
			if why := store.Silent()[table]; raises == (why != "") {
				t.Errorf("%s stands among those that raise: %v, silent: %q; want one of the two (raise.go)", table, raises, why)
			}
		}
		for table := range store.Raised() {
			if all[table] == "" {
				t.Errorf("%s is listed and is not there", table)
			}
		}
		if len(all) < 25 {
			t.Errorf("saw %d tables", len(all))
		}
	})
}

func TestWritten(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT a FROM b FOR UPDATE":                                          "",
		"SELECT a FROM b ORDER BY id FOR NO KEY UPDATE":                       "",
		"INSERT INTO a (b) SELECT c FROM d":                                   "a",
		"insert or fail into a values (1)":                                    "a",
		`INSERT INTO "a" AS "x" ("b") VALUES ('UPDATE c')`:                    "a",
		"INSERT INTO a SELECT 1 ON CONFLICT (b) DO UPDATE SET c = 1":          "a",
		"UPDATE a SET b = 'it''s UPDATE c' WHERE d":                           "a",
		"UPDATE ONLY a SET b = 1":                                             "a",
		`WITH "_data" AS (VALUES (1)) UPDATE "a" AS "x" SET b = 1 FROM _data`: "a",
		"DELETE FROM a WHERE b IN (SELECT c FROM d)":                          "a",
		"WITH x AS (DELETE FROM a RETURNING b) INSERT INTO c SELECT b FROM x": "a c",
		"TRUNCATE TABLE a":                                                    "a",
		"SET LOCAL work_mem = '64MB'":                                         "",
		"UPDATE a SET b = 'open":                                              "a",
	} {
		if got := strings.Join(store.Written(text), " "); got != want {
			t.Errorf("%s writes %q, want %q", text, got, want)
		}
	}
}

func TestAWriteThatNobodyDecidedOnIsRefused(t *testing.T) {
	storetest.Each(t, "whatever it writes", func(t *testing.T, st *store.Store) {
		if err := st.Exec(t.Context(), "CREATE TABLE unheard (of integer)"); err != nil {
			t.Fatal(err)
		}
		err := storetest.Organization(t, st, "Acme").Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
			return w.Exec(ctx, "INSERT INTO unheard (of) SELECT 1 FROM organizations WHERE id = $1")
		})
		if err == nil || !strings.Contains(err.Error(), "unheard") {
			t.Errorf("error %v", err)
		}
	})
}

// The law behind all of it: whatever is written, each type, each year and each part of suppliers whose rows are others than before has another version. Rows of runs that are not published are
// seen by nobody.
func TestWhatChangesIsRaised(t *testing.T) {
	storetest.Each(t, "for whatever is written", func(t *testing.T, st *store.Store) {
		n, columns := 0, tables(t, st)
		rapid.Check(t, func(r *rapid.T) {
			n++
			l := storetest.NewLedger(t, st, fmt.Sprint("Acme ", n), 0, nil)
			before := contents(r, st, columns, l.Tenant.ID())
			for range rapid.IntRange(1, 8).Draw(r, "writes") {
				subjects := moved(r, st, l.Tenant.ID(), func() { write(r, t, st, l) })
				after := contents(r, st, columns, l.Tenant.ID())
				all := maps.Clone(before) // with what is gone
				maps.Copy(all, after)
				for at := range all {
					if after[at] == before[at] {
						continue
					}
					kind, _, _ := strings.Cut(at, "/")
					told := func(subject string) bool {
						return slices.ContainsFunc(subjects, func(s string) bool { s, _, _ = strings.Cut(s, " by "); return s == subject })
					}
					any := kind + "/*"
					if strings.Contains(at, "@") {
						any = kind + "/@*"
					}
					if !told(kind) || at != kind && !told(at) && !told(any) {
						r.Fatalf("%s is other than before; raised %q", at, subjects)
					}
				}
				before = after
			}
		})
	})
}

// contents gives the rows of each type, and of each year and each part of suppliers of those that have them.
func contents(t rapid.TB, st *store.Store, columns map[string]string, org store.ID) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, table := range slices.Sorted(maps.Keys(store.Raised())) {
		kind, where, year, supplier := store.Raised()[table], "org_id = '"+org.String()+"'", "''", "''"
		switch {
		case store.Everybodys(table):
			where, kind = "TRUE", "*"+kind
		case table == "organizations":
			where = "id = '" + org.String() + "'"
		case table == "emissions":
			where += " AND run_id NOT IN (SELECT run_id FROM unpublished_runs)"
		case table == "unpublished_runs":
			continue
		}
		if table == "activities" || table == "emissions" {
			year, supplier = "substr(CAST(occurred_on AS text), 1, 4)", "COALESCE(CAST(supplier_id AS text), '')"
		}
		shown := columns[table]
		if table == "suppliers" { // the sums that they carry are of emissions
			supplier = "CAST(id AS text)"
			shown = strings.Replace(shown, "COALESCE(CAST(co2e_mg AS text), 'none')", "''", 1)
			for _, row := range look(t, st, "SELECT CAST(co2e_mg AS text) FROM suppliers WHERE "+where+" ORDER BY id") {
				all["Emission"] += row + "\n"
			}
		}
		for _, row := range look(t, st, "SELECT "+year+" || '|' || "+supplier+" || '|' || "+shown+" FROM "+table+" WHERE "+where+" ORDER BY 1") {
			all[kind] += row + "\n"
			parts := strings.SplitN(row, "|", 3)
			if parts[0] != "" {
				all[kind+"/"+parts[0]] += row + "\n"
			}
			if parts[1] != "" {
				id, err := store.ParseID(parts[1])
				if err != nil {
					t.Fatal(err)
				}
				all[kind+"/"+store.SupplierPart(id)] += row + "\n"
			}
		}
	}
	return all
}

func look(t rapid.TB, st *store.Store, text string) []string {
	t.Helper()
	rows, err := st.Query(context.Background(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return rows
}

// write writes something.
func write(r *rapid.T, t *testing.T, st *store.Store, l *storetest.Ledger) {
	pick := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(r, name) }
	switch pick("write", 10) {
	case 0, 1, 2, 3:
		byID := map[string]*store.Line{}
		for range 1 + pick("lines", 4) {
			line := storetest.NewLine(fmt.Sprint("L", pick("line", 6)), l.Suppliers[pick("supplier", 3)])
			line.Activity.OccurredOn = exact.NewDate(2021+pick("year", 3), 1, 1+pick("day", 2))
			if pick("calculated", 2) == 0 {
				storetest.Calculate(line, l.Factors[pick("factor", 2)], l.Run, exact.Milligrams(1+pick("co2e", 2))*kg)
			}
			byID[line.Activity.ExternalID] = line
		}
		storetest.PutLines(t, l.Tenant, slices.Collect(maps.Values(byID))...)
	case 4:
		if _, err := l.Tenant.DeleteLines(t.Context(), []string{fmt.Sprint("L", pick("line", 6)), fmt.Sprint("L", pick("other", 6), "x")}); err != nil {
			r.Fatal(err)
		}
	case 5:
		s := *l.Suppliers[pick("supplier", 3)]
		s.Name = fmt.Sprint("Name ", pick("name", 2))
		storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
			_, err := w.UpsertSuppliers(ctx, []*store.Supplier{&s}, true)
			return err
		})
	case 6:
		storetest.Mappings(t, l, 1+pick("mappings", 3))
	case 7:
		if _, err := l.Tenant.SetCategoryStatement(t.Context(), store.SetCategoryStatementInput{Year: 2024, Category: int32(1 + pick("category", 2)), Included: true}); err != nil {
			r.Fatal(err)
		}
	case 8:
		b, run := &store.Batch{Spec: "{}"}, &store.CalculationRun{Reason: "anew", GwpSet: store.AR5}
		if err := l.Tenant.StartRecalculation(t.Context(), b, run); err != nil {
			r.Fatal(err)
		}
		stored, err := l.Tenant.LinesAfter(t.Context(), nil, nil, 10)
		if err != nil {
			r.Fatal(err)
		}
		var lines []*store.RunLine
		for _, was := range stored {
			anew := storetest.Calculate(&store.Line{Activity: was.Activity}, l.Factors[pick("factor", 2)], run, exact.Milligrams(1+pick("co2e", 3))*kg)
			lines = append(lines, &store.RunLine{Activity: anew.Activity, Was: was.Activity, Previous: was.Emission, Emission: anew.Emission, After: anew.Emission, Moved: store.CauseData})
		}
		storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error { return w.PutRunLines(ctx, run.ID, lines) })
		if pick("publish", 2) == 0 {
			if err := l.Tenant.WriteAlone(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.Publish(ctx, run.ID, nil)
				return err
			}); err != nil {
				r.Fatal(err)
			}
		}
	case 9:
		storetest.Dataset(t, st, "more", fmt.Sprint(pick("release", 40)))
	}
}

// others writes as psql would.
func others(t testing.TB, address, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestWhatOthersWriteIsRaised(t *testing.T) {
	address := storetest.PostgresURL(t)
	st := mustOpen(t, store.Options{DatabaseURL: address})
	l := storetest.Awkward(t, st, "Acme")
	org := "'" + l.Tenant.ID().String() + "'"
	rival := l.Rival.ID()
	for table, kind := range store.Raised() {
		t.Run(table, func(t *testing.T) {
			of := "org_id = " + org
			want := kind
			switch kind {
			case "Supplier", "Activity", "Emission":
				want += " " + kind + "/@*"
			}
			switch {
			case store.Everybodys(table):
				of, want = "TRUE", "*"+kind
			case table == "organizations":
				of = "id = " + org
			case table == "emission_sums" || table == "unpublished_runs":
				want = kind + " " + kind + "/* " + kind + "/@*"
			}
			var column string
			for _, c := range []string{"country", "reason", "year", "co2e_mg", "status", "name", "number", "run_id"} {
				if strings.Contains(tables(t, st)[table], "CAST("+c+" AS") {
					column = c
					break
				}
			}
			got := moved(t, st, l.Tenant.ID(), func() { others(t, address, "UPDATE "+table+" SET "+column+" = "+column+" WHERE "+of) })
			got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "/") && !strings.HasSuffix(s, "*") }) // years have a test of their own
			if strings.Join(got, " ") != want {
				t.Errorf("an UPDATE raised %q, want %q", got, want)
			}
			if got := moved(t, st, l.Tenant.ID(), func() {
				others(t, address, "BEGIN; TRUNCATE "+table+" CASCADE; ROLLBACK")
			}); len(got) > 0 {
				t.Errorf("what was taken back raised %q", got)
			}
		})
	}
	role := "etl_" + strings.ReplaceAll(l.Tenant.ID().String(), "-", "")
	for _, tc := range []struct{ name, text, want string }{ // one after the other: some leave nothing behind
		{"a line raises its year", "UPDATE activities SET description = 'x' WHERE org_id = " + org + " AND id = (SELECT id FROM activities WHERE org_id = " + org + " AND occurred_on BETWEEN '2024-01-01' AND '2024-12-31' LIMIT 1)",
			"Activity Activity/2024 Activity/@*"},
		{"one that moves raises both years", "UPDATE activities SET occurred_on = '1950-01-01' WHERE org_id = " + org + " AND id = (SELECT id FROM activities WHERE org_id = " + org + " AND occurred_on BETWEEN '2024-01-01' AND '2024-12-31' LIMIT 1)",
			"Activity Activity/1950 Activity/2024 Activity/@*"},
		{"deleted emissions", "DELETE FROM emissions WHERE org_id = " + org + " AND occurred_on BETWEEN '2024-01-01' AND '2024-12-31'", "Emission Emission/2024 Emission/@*"},
		{"a transaction raises once", "BEGIN; UPDATE suppliers SET name = 'x' WHERE org_id = " + org + "; UPDATE suppliers SET name = 'y' WHERE org_id = " + org + "; COMMIT", "Supplier Supplier/@*"},
		{"also what follows on what is taken back", "BEGIN; SAVEPOINT before; UPDATE suppliers SET name = 'x' WHERE org_id = " + org + "; ROLLBACK TO before; UPDATE suppliers SET name = 'y' WHERE org_id = " + org + "; COMMIT", "Supplier Supplier/@*"},
		{"and what is written with another's", "BEGIN; UPDATE suppliers SET name = 'x' WHERE org_id = '" + rival.String() + "'; UPDATE suppliers SET name = 'z'; COMMIT", "Supplier Supplier/@*"},
		{"one that is taken back does not", "BEGIN; UPDATE suppliers SET name = 'z'; ROLLBACK", ""},
		{"also a part of a table", "TRUNCATE emission_sums_2", "Emission Emission/* Emission/@*"},
		{"and what is written to a part", "INSERT INTO emission_sums_1 SELECT org_id, 1, gen_random_uuid(), period, category_number, method, dataset_id, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 FROM emission_sums WHERE org_id = " + org + " AND grain = 3 LIMIT 1", "Emission Emission/* Emission/@*"},
		{"another organization's are not", "UPDATE suppliers SET name = 'x' WHERE org_id = '" + rival.String() + "'", ""},
		{"a factor is everybody's", "UPDATE emission_factors SET name = 'x'", "*EmissionFactor"},
		{"who has no right on versions, too", "DROP ROLE IF EXISTS " + role + "; CREATE ROLE " + role + "; GRANT SELECT, UPDATE ON suppliers TO " + role + "; SET ROLE " + role + "; UPDATE suppliers SET name = 'w' WHERE org_id = " + org + "; RESET ROLE; DROP OWNED BY " + role + "; DROP ROLE " + role + "",
			"Supplier Supplier/@*"},
		{"a table of theirs is not taken for ours", "CREATE TEMPORARY TABLE versions (LIKE versions INCLUDING ALL); UPDATE suppliers SET name = 'v' WHERE org_id = " + org, "Supplier Supplier/@*"},
		{"what is emptied is everybody's", "TRUNCATE activities", "Activity Activity/* Activity/@*"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := strings.Join(moved(t, st, l.Tenant.ID(), func() { others(t, address, tc.text) }), " "); got != tc.want {
				t.Errorf("raised %q, want %q", got, tc.want)
			}
		})
	}
}
