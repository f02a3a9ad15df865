package batch_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"
	"pgregory.net/rapid"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func formats() []store.ExportFormat {
	return []store.ExportFormat{store.ExportCSV, store.ExportNDJSON, store.ExportParquet}
}

// startExport stores an export.
func (w *world) startExport(t testing.TB, x batch.Export) *store.Batch {
	t.Helper()
	b, err := w.StartExport(t.Context(), w.tenant, x)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// export runs one to its end, and gives its file.
func (w *world) export(t testing.TB, x batch.Export) (*store.Batch, []byte) {
	t.Helper()
	b := w.startExport(t, x)
	if err := w.background().Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	b = w.batch(t, b.ID)
	if b.Status != store.RunSucceeded {
		t.Fatalf("the export is %s: %+v", b.Status, b.Problem)
	}
	return b, w.exported(t, b)
}

func (w *world) exported(t testing.TB, b *store.Batch) []byte {
	t.Helper()
	f, err := w.ExportFile(t.Context(), w.tenant, b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if b.Size == nil || int64(len(text)) != *b.Size {
		t.Errorf("the file has %d bytes, and the batch says %v", len(text), b.Size)
	}
	return text
}

// parts is how many parts of files the database has.
func parts(t testing.TB, w *world, b *store.Batch) (n int) {
	t.Helper()
	for {
		content, err := w.tenant.Part(t.Context(), b.ID, store.FileOut, n)
		if err != nil {
			t.Fatal(err)
		}
		if content == nil {
			return n
		}
		n++
	}
}

// other is another organization on the same store.
func (w *world) other(t testing.TB, name string) *world {
	t.Helper()
	o := store.Organization{Name: name, Currency: "GBP", GwpSet: store.AR5, MoneyOrder: store.DeflateThenConvert}
	if err := w.store.CreateOrganization(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	c := *w
	c.tenant = w.store.Tenant(o.ID)
	return &c
}

// told is what a ledger says, line by line in the order of keys: all that an import may bring, and what came of it.
func (w *world) told(t testing.TB) []string {
	t.Helper()
	var out []string
	var after *store.ID
	for {
		lines, err := w.tenant.LinesAfter(t.Context(), nil, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			a := l.Activity
			after = &a.ID
			said := fmt.Sprintf("%q %q %s", a.ExternalID, a.Description, a.OccurredOn)
			for _, p := range []*string{a.AccountCode, a.Country, a.ConversionProperty} {
				said += fmt.Sprintf(" %q", deref(p))
			}
			if a.SupplierID != nil {
				s, err := w.tenant.SuppliersByID(t.Context(), []store.ID{*a.SupplierID})
				if err != nil || len(s) != 1 {
					t.Fatal(err)
				}
				said += fmt.Sprintf(" supplier %q %q", deref(s[0].ExternalID), s[0].Name)
			}
			said += fmt.Sprint(" ", a.Quantity, a.Money, a.FactorID, deref(a.GivenCategory), deref(a.UncertaintyPercent), a.Problem)
			if l.Emission != nil {
				said += fmt.Sprint(" ", l.Emission.CO2e, l.Emission.BiogenicCO2, l.Emission.FactorID, l.Emission.CategoryNumber)
			}
			out = append(out, said)
		}
		if len(lines) == 0 {
			slices.Sort(out)
			return out
		}
	}
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// awkward are lines whose texts a careless writer would break, and whose numbers a careless writer would round.
func (w *world) awkward() []store.ActivityInput {
	texts := []string{`"quoted"`, "two\nlines", `=cmd|'/c calc'!A1`, "+1", "-", "@SUM(A1)", "'=1", "''", "a,b;c", "Łódź 🚀 עולם", `back\slash`, "tab\there", "ende\u2028sep", "null", "-5", "1.234", "x\u00a0y"}
	var in []store.ActivityInput
	for i, text := range texts {
		in = append(in, w.input(fmt.Sprint(text, "/", i), func(l *store.ActivityInput) {
			l.Description = text
			l.AccountCode, l.SupplierExternalID, l.SupplierName = new(text), new(fmt.Sprint(text, i)), new(text)
			switch i % 4 {
			case 1:
				l.FactorID, l.Category = nil, new(int32(7))
			case 2:
				l.Money = nil
				l.Quantity = &store.QuantityInput{Value: exact.MustDecimal("-9223372036.854775"), Unit: "kWh"}
			case 3:
				l.UncertaintyPercent = new(exact.MustDecimal("12.345678"))
				l.Money.Amount = exact.MustDecimal("9000000000000.000001")
				l.FactorID, l.Country = nil, new("GB")
			}
		}))
	}
	return in
}

// What is exported is imported again by another organization as it was.
func TestExportsAreImportedAsTheyWere(t *testing.T) {
	storetest.Each(t, "in every format", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.importAll(t, calculate, w.awkward()...)
		w.ledger(t, 60)
		want := w.told(t)
		for _, format := range formats() {
			b, file := w.export(t, batch.Export{What: store.ExportActivities, Format: format})
			if b.Total == nil || int(*b.Total) != len(want) || int(b.Processed) != len(want) || b.DownloadURL() == nil {
				t.Errorf("%s: the batch says %+v of %d lines", format, b, len(want))
			}
			other := w.other(t, string(format))
			sum, err := other.Files(t.Context(), other.tenant, []batch.File{{Name: "again", Content: bytes.NewReader(file)}}, batch.FileOptions{})
			if err != nil || sum.Failed != 0 || sum.Created != len(want) {
				t.Errorf("%s: imported again: %+v, %v", format, sum, err)
			}
			got := other.told(t)
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Errorf("%s: line is\n%s\nand was\n%s", format, got[i], want[i])
				}
			}
			// And by its own organization, to which it says nothing new.
			sum, err = w.Files(t.Context(), w.tenant, []batch.File{{Name: "own", Content: bytes.NewReader(file)}}, batch.FileOptions{DryRun: true})
			if err != nil || sum.Failed != 0 || sum.Unchanged != len(want) {
				t.Errorf("%s: imported by its own organization: %+v, %v", format, sum, err)
			}
		}
	})
}

// Whatever texts and numbers a ledger holds, every format brings them back.
func TestAnyLineComesBack(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		text := rapid.Custom(func(rt *rapid.T) string { // imports take space around a text away, and CSV makes one sign of two that end a line
			s := rapid.StringN(1, 30, 120).Draw(rt, "text")
			return strings.TrimSpace("x" + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(strings.ToValidUTF8(s, "")), "\x00", ""), "\r", "") + "x")
		})
		lead := rapid.SampledFrom([]string{"", "=", "'", "+", "-", "@", "'=", `"`, ","}).Draw(rt, "lead")
		from := w.other(t, fmt.Sprint("from ", n))
		from.importAll(t, batch.Flags{}, w.input(lead+text.Draw(rt, "key"), func(l *store.ActivityInput) {
			l.FactorID, l.Description, l.AccountCode = nil, lead+text.Draw(rt, "description"), new(lead+text.Draw(rt, "account"))
			l.Money.Amount = exact.NewDecimal(rapid.Int64().Draw(rt, "amount"), -6)
		}))
		want := from.told(t)
		if len(want) != 1 {
			return // refused, for the length of a text
		}
		format := rapid.SampledFrom(formats()).Draw(rt, "format")
		var file bytes.Buffer
		if _, err := from.Export(t.Context(), from.tenant, batch.Export{What: store.ExportActivities, Format: format}, &file, func(int, int) {}); err != nil {
			rt.Fatal(err)
		}
		to := w.other(t, fmt.Sprint("to ", n))
		sum, err := to.Files(t.Context(), to.tenant, []batch.File{{Name: "again", Content: &file}}, batch.FileOptions{})
		if err != nil || sum.Created != 1 {
			rt.Fatalf("%+v, %v", sum, err)
		}
		got, _, _ := strings.Cut(to.told(t)[0], "&{")
		was, _, _ := strings.Cut(want[0], "&{")
		if got != was {
			rt.Errorf("%s: %s was %s", format, got, was)
		}
	})
}

func records(t testing.TB, file []byte) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range all[1:] {
		m := map[string]string{}
		for i, v := range row {
			m[all[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

func TestExportedEmissions(t *testing.T) {
	storetest.Each(t, "say what was calculated, by which factor", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.importAll(t, calculate, w.input("a", func(l *store.ActivityInput) { l.SupplierExternalID, l.SupplierName = new("S1"), new("Alum, Ltd") }))
		w.importAll(t, calculate, w.input("a", func(l *store.ActivityInput) {
			l.SupplierExternalID, l.Money.Amount, l.UncertaintyPercent = new("S1"), exact.MustDecimal("200.5"), new(exact.MustDecimal("10"))
		}))
		_, file := w.export(t, batch.Export{What: store.ExportEmissions, Format: store.ExportCSV})
		rows := records(t, file)
		if len(rows) != 1 {
			t.Fatalf("%d emissions, want the current one: %s", len(rows), file)
		}
		r := rows[0]
		current := w.totals(t, nil)
		for name, want := range map[string]string{"activityExternalId": "a", "supplierExternalId": "S1", "supplierName": "Alum, Ltd", "occurredOn": "2022-03-01", "amount": "200.5",
			"currency": "USD", "quantity": "", "unit": "", "co2e": current.CO2e.Decimal().Canonical(), "biogenicCo2": "0", "method": "SPEND_BASED", "gwpSet": "AR5",
			"factorSource": "epa-supply-chain", "factorVersion": "1.3", "factorCode": "334111", "factorName": w.factors[0].Name, "factorRegion": w.factors[0].Region,
			"factorUnit": w.factors[0].Unit, "factorValue": w.factors[0].ValueBy(nil).Canonical(), "superseded": "false"} {
			if r[name] != want {
				t.Errorf("%s = %q; want %q", name, r[name], want)
			}
		}
		if r["low"] == "" || r["high"] == "" || exact.MustDecimal(r["low"]).Cmp(exact.MustDecimal(r["co2e"])) >= 0 {
			t.Errorf("the interval is %q to %q around %q", r["low"], r["high"], r["co2e"])
		}
		for _, format := range formats() {
			b, _ := w.export(t, batch.Export{What: store.ExportEmissions, Format: format, Emissions: &store.EmissionFilter{IncludeSuperseded: new(true)}})
			if b.Processed != 2 {
				t.Errorf("%s: %d emissions with those superseded; want 2", format, b.Processed)
			}
		}
	})
}

// What is written while an export reads is in none of its pages: the sum over the file is the total that the ledger had.
func TestAnExportIsOfOneMoment(t *testing.T) {
	storetest.Each(t, "whatever is written meanwhile", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
		w.ledger(t, 90)
		before := w.totals(t, nil)
		var file bytes.Buffer
		told := 0
		rows, err := w.Export(t.Context(), w.tenant, batch.Export{What: store.ExportEmissions, Format: store.ExportCSV, Emissions: &store.EmissionFilter{IncludeSuperseded: new(true)}}, &file, func(rows, total int) {
			if told++; told > 2 {
				return
			}
			var in []store.ActivityInput
			for i := range 90 {
				in = append(in, w.input(fmt.Sprintf("L%04d", i), func(l *store.ActivityInput) { l.Money.Amount = exact.NewDecimal(int64(told), 0) }))
			}
			w.importAll(t, calculate, in...)
			if errs, err := w.Delete(t.Context(), w.tenant, []string{"L0089"}, ""); err != nil {
				t.Error(errs, err)
			}
		})
		if err != nil || rows != 90 || told < 3 {
			t.Fatalf("%d rows in %d steps, %v", rows, told, err)
		}
		sum := exact.NewDecimal(0, 0)
		for _, r := range records(t, file.Bytes()) {
			sum = sum.Add(exact.MustDecimal(r["co2e"]))
			if r["superseded"] != "false" {
				t.Errorf("the file has what was written later: %v", r)
			}
		}
		if sum.Cmp(before.CO2e.Decimal()) != 0 || before.CO2e == w.totals(t, nil).CO2e {
			t.Errorf("the file's sum is %s, the ledger's was %s and is %s", sum, before.CO2e.Decimal(), w.totals(t, nil).CO2e.Decimal())
		}
	})
}

func TestExportsOfNothing(t *testing.T) {
	storetest.Each(t, "are a file with a header", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.ledger(t, 12)
		suppliers, err := w.tenant.Suppliers(t.Context(), nil, store.SupplierOrder{}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		theirs := &store.ActivityFilter{SupplierIds: []store.GlobalID{suppliers.Nodes[0].GlobalID()}}
		if b, _ := w.export(t, batch.Export{What: store.ExportActivities, Format: store.ExportCSV, Activities: theirs}); b.Processed == 0 {
			t.Error("a filter finds nothing of one's own: the test proves nothing")
		}
		w = w.other(t, "other")
		for _, format := range formats() {
			for what, x := range map[string]batch.Export{
				"an empty ledger":                       {What: store.ExportActivities, Format: format},
				"emissions of an empty ledger":          {What: store.ExportEmissions, Format: format},
				"a supplier of another organization":    {What: store.ExportActivities, Format: format, Activities: theirs},
				"emissions by another one's supplier":   {What: store.ExportEmissions, Format: format, Emissions: &store.EmissionFilter{SupplierIds: theirs.SupplierIds}},
				"emissions of a run that is not theirs": {What: store.ExportEmissions, Format: format, Emissions: &store.EmissionFilter{RunID: new(store.Global(store.KindCalculationRun, w.store.NewID()))}},
			} {
				b, file := w.export(t, x)
				if b.Processed != 0 || b.Total == nil || *b.Total != 0 {
					t.Errorf("%s, %s: %+v", format, what, b)
				}
				switch {
				case format == store.ExportCSV && (strings.Count(string(file), "\n") != 1 || !strings.Contains(string(file), "xternalId,")):
					t.Errorf("%s: the file is %q", what, file)
				case format == store.ExportNDJSON && len(file) != 0:
					t.Errorf("%s: the file is %q", what, file)
				case format == store.ExportParquet && !bytes.HasPrefix(file, []byte("PAR1")):
					t.Errorf("%s: the file is %q", what, file)
				}
			}
		}
	})
}

func TestExportsThatAreRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for name, tc := range map[string]struct {
		x    batch.Export
		path string
	}{
		"a filter of activities for emissions": {batch.Export{What: store.ExportEmissions, Activities: &store.ActivityFilter{}}, "activityFilter"},
		"a filter of emissions for activities": {batch.Export{What: store.ExportActivities, Emissions: &store.EmissionFilter{}}, "emissionFilter"},
		"a country that is none":               {batch.Export{What: store.ExportActivities, Activities: &store.ActivityFilter{Countries: []string{"Mars"}}}, "activityFilter/countries"},
		"a category that is none":              {batch.Export{What: store.ExportEmissions, Emissions: &store.EmissionFilter{Categories: []int32{16}}}, "emissionFilter/categories"},
		"a key that is none":                   {batch.Export{What: store.ExportActivities, Key: "\x00"}, "idempotencyKey"},
	} {
		tc.x.Format = store.ExportCSV
		_, err := w.StartExport(t.Context(), w.tenant, tc.x)
		if f := fault.Of(err); err == nil || f.Code != fault.BadUserInput || strings.Join(f.Path, "/") != tc.path {
			t.Errorf("%s: %v at %v", name, err, f.Path)
		}
	}
}

func TestAnExportIsStartedOnceByItsKey(t *testing.T) {
	storetest.Each(t, "and another under it is refused", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		x := batch.Export{What: store.ExportActivities, Format: store.ExportCSV, Key: "k"}
		first, again := w.startExport(t, x), w.startExport(t, x)
		if first.ID != again.ID || first.ID.IsZero() {
			t.Errorf("%s and then %s", first.ID, again.ID)
		}
		x.Format = store.ExportParquet
		if _, err := w.StartExport(t.Context(), w.tenant, x); fault.CodeOf(err) != fault.IdempotencyKeyReused {
			t.Errorf("another export under the key: %v", err)
		}
	})
}

// large imports lines that do not become smaller by compression, so that their file has several parts.
func (w *world) large(t testing.TB, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	in := make([]store.ActivityInput, n)
	for i := range in {
		text := make([]byte, 3900)
		for j := range text {
			text[j] = byte('!' + random.IntN(90))
		}
		in[i] = w.input(fmt.Sprint("L", i), func(l *store.ActivityInput) { l.Description = "x" + string(text) + "x" })
	}
	w.importAll(t, batch.Flags{}, in...)
}

// stepping is a store whose clock does something at each look at it.
type stepping struct{ at atomic.Pointer[func()] }

func (s *stepping) option(o *store.Options) {
	o.Now = func() time.Time {
		if f := s.at.Load(); f != nil {
			(*f)()
		}
		return time.Now()
	}
}

// eachStepping runs a test on both databases, each with a clock of its own.
func eachStepping(t *testing.T, f func(t *testing.T, w *world, steps *stepping)) {
	for database, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			steps := &stepping{}
			f(t, newWorld(t, open(t, steps.option), func(o *batch.Options) { o.ChunkRows = 50 }), steps)
		})
	}
}

// stoppedExport is an export whose server is stopped when some of its file is stored.
func (w *world) stoppedExport(t *testing.T, steps *stepping) *store.Batch {
	t.Helper()
	b := w.startExport(t, batch.Export{What: store.ExportActivities, Format: store.ExportCSV})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var looks atomic.Int64
	step := func() {
		if looks.Add(1) == 16 {
			stop()
		}
	}
	steps.at.Store(&step)
	err := w.background().Drain(ctx)
	steps.at.Store(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := w.batch(t, b.ID)
	if n := parts(t, w, b); got.Status != store.RunRunning || got.Processed == 0 || got.Processed >= *got.Total || n == 0 {
		t.Fatalf("the batch is %s, %d of %v rows and %d parts are stored", got.Status, got.Processed, got.Total, n)
	}
	return b
}

func TestAnExportThatIsStoppedBeginsAnew(t *testing.T) {
	eachStepping(t, func(t *testing.T, w *world, steps *stepping) {
		w.large(t, 1000)
		b := w.stoppedExport(t, steps)
		w.importAll(t, batch.Flags{}, w.input("later")) // the file is of the moment at which it was begun anew
		if err := w.background().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		done := w.batch(t, b.ID)
		if done.Status != store.RunSucceeded || done.Processed != 1001 || *done.Total != 1001 || done.Takes != 2 {
			t.Fatalf("%+v", done)
		}
		seen := map[string]bool{}
		for _, r := range records(t, w.exported(t, done)) {
			seen[r["externalId"]] = true
		}
		if len(seen) != 1001 || !seen["later"] {
			t.Errorf("%d lines in the file; want 1001", len(seen))
		}
	})
}

func TestAnExportIsCancelled(t *testing.T) {
	eachStepping(t, func(t *testing.T, w *world, steps *stepping) {
		w.large(t, 1000)
		b := w.stoppedExport(t, steps)
		if err := w.tenant.CancelBatch(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.background().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done := w.batch(t, b.ID); done.Status != store.RunCancelled || done.DownloadURL() != nil || parts(t, w, b) != 0 {
			t.Errorf("cancelled when nobody was at it: %+v, %d parts", done, parts(t, w, b))
		}
		// And while somebody is.
		slow := func() { time.Sleep(30 * time.Millisecond) }
		steps.at.Store(&slow)
		defer steps.at.Store(nil)
		b = w.startExport(t, batch.Export{What: store.ExportActivities, Format: store.ExportNDJSON})
		drained := make(chan error, 1)
		go func() { drained <- w.background().Drain(t.Context()) }()
		eventually(t, "some of it is stored", func() bool { return parts(t, w, b) > 0 })
		if err := w.tenant.CancelBatch(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
		if done := w.batch(t, b.ID); done.Status != store.RunCancelled || done.Processed >= 1000 || parts(t, w, b) != 0 {
			t.Errorf("%+v, %d parts", done, parts(t, w, b))
		}
	})
}

// connections are those to embedded databases of tests whose disk becomes full, by what opened them.
var connections sync.Map

// watchConnections keeps them: how large a database may become is told to each.
func watchConnections() {
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, address string) error {
		if strings.Contains(address, "FullDisk") {
			connections.Store(c, nil)
		}
		return nil
	})
}

// limitPages lets the database grow by so many pages at most. Nobody may be at it.
func limitPages(t *testing.T, more int) {
	t.Helper()
	for c := range connections.Range {
		c := c.(sqlite.ExecQuerierContext)
		rows, err := c.QueryContext(t.Context(), "PRAGMA page_count", nil)
		if err != nil {
			t.Fatal(err)
		}
		pages := make([]driver.Value, 1)
		if err := errors.Join(rows.Next(pages), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", int(pages[0].(int64))+more), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is full ends the export, takes nothing else along, and holds a later one up no more.
func TestAnExportOnAFullDisk(t *testing.T) {
	connections.Clear() // those of an earlier time are closed
	st := storetest.SQLite(t)
	w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows = 50 })
	w.large(t, 1000)
	before := w.told(t)
	limitPages(t, 300)
	b := w.startExport(t, batch.Export{What: store.ExportActivities, Format: store.ExportCSV})
	if err := w.background().Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := w.batch(t, b.ID)
	if failed.Status != store.RunFailed || failed.Problem == nil || !strings.Contains(failed.Problem.Message, "no space left") || failed.Takes != 1 || failed.Processed == 0 {
		t.Errorf("%+v, %+v", failed, failed.Problem)
	}
	if n := parts(t, w, b); n != 0 || failed.DownloadURL() != nil {
		t.Errorf("%d parts are left, %v", n, failed.DownloadURL())
	}
	if after := w.told(t); !slices.Equal(after, before) {
		t.Error("the ledger is not as it was")
	}
	limitPages(t, 1<<30)
	if done, file := w.export(t, batch.Export{What: store.ExportActivities, Format: store.ExportCSV}); done.Processed != 1000 || len(records(t, file)) != 1000 {
		t.Errorf("a later export: %+v", done)
	}
}

func TestFilesAreSweptAfterADay(t *testing.T) {
	for database, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64
			st := open(t, func(o *store.Options) {
				o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			})
			w := newWorld(t, st)
			w.ledger(t, 10)
			b, _ := w.export(t, batch.Export{What: store.ExportActivities, Format: store.ExportCSV})
			waits := w.startExport(t, batch.Export{What: store.ExportActivities, Format: store.ExportCSV})
			if err := w.tenant.PutPart(t.Context(), waits.ID, store.FileOut, 0, []byte("begun")); err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct{ hours, want int }{{23, 1}, {25, 0}} {
				ahead.Store(int64(tc.hours) * int64(time.Hour))
				if err := st.SweepWork(t.Context()); err != nil {
					t.Fatal(err)
				}
				if parts(t, w, b) != tc.want || parts(t, w, waits) != 1 {
					t.Errorf("after %d hours: %d parts of the export, %d of what waits", tc.hours, parts(t, w, b), parts(t, w, waits))
				}
			}
			if b := w.batch(t, b.ID); b.Downloadable(st.Now().Time()) {
				t.Error("after 25 hours there is a file yet")
			}
		})
	}
}
