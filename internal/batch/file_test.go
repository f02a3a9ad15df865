package batch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

const payments = `Id,Who,Name,What,Code,Day,Sum
p1,S1,Acme,Laptops,4000,2022-03-01,100
p2,S1,Acme,Cleaning,4001,2022-03-02,40.50
p3,S2,Best,Council tax,9000,2022-03-03,1000
p4,S2,Best,Sundries,1,2022-03-04,5
p5,S2,Best,Credit note,4000,2022-03-05,-20
p1,S1,Acme,Twice,4000,2022-03-06,100
p6,S1,Acme,No sum,4000,2022-03-07,
p7,S1,Acme,Words,4000,2022-03-08,twelve
p8,S1,Acme,"Short
p9,S1,Acme,Tomorrow,4000,2025-06-16,1
`

const paymentColumns = `
columns: { externalId: Id, supplierExternalId: Who, supplierName: Name, description: What, accountCode: Code, occurredOn: Day, amount: Sum }
constants: { currency: USD }
`

const paymentMapping = ledgerMapping + `
  - { match: { accountCode: "9000" }, exclude: Tax }
`

func (w *world) file(t testing.TB, content string, failures io.Writer) (*batch.Summary, error) {
	t.Helper()
	return w.Files(t.Context(), w.tenant, []batch.File{{Name: "payments.csv", Content: strings.NewReader(content), Failures: failures}},
		batch.FileOptions{Columns: columns(t, paymentColumns), Mapping: w.mapping(t, paymentMapping)})
}

func TestAFileIsImportedAndItsBadRecordsComeBack(t *testing.T) {
	storetest.Each(t, "corrected and sent again", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		ledger := strings.Replace(payments, "p8,S1,Acme,\"Short\n", "p8,S1,Acme\n", 1)
		var failures bytes.Buffer
		s, err := w.file(t, ledger, &failures)
		if err != nil {
			t.Fatal(err)
		}
		if s.Rows != 10 || s.Created != 5 || s.Failed != 5 || s.Calculated != 3 || s.Excluded != 1 || s.Uncalculated != 1 || s.BatchID == "" {
			t.Errorf("summary %+v; want 10 rows: 3 calculated, 1 excluded, 1 left, 5 failed", s)
		}
		if m := s.Money[0]; len(s.Money) != 1 || m.Currency != "USD" || m.Calculated.Canonical() != "120.5" || m.Excluded.Canonical() != "1000" || m.Uncalculated.Canonical() != "5" {
			t.Errorf("money %+v; want 120.5 calculated, 1000 excluded, 5 left", s.Money)
		}
		want := `Id,Who,Name,What,Code,Day,Sum,line,reason
p1,S1,Acme,Twice,4000,2022-03-06,100,7,"externalId ""p1"" stands here for the second time; the first is the one that counts."
p6,S1,Acme,No sum,4000,2022-03-07,,8,The line has neither a quantity nor money; it needs one of the two.
p7,S1,Acme,Words,4000,2022-03-08,twelve,9,"""twelve"" is not a decimal number; write it like ""12.340""."
p8,S1,Acme,,,,,10,"The record has 3 fields, the header 7."
p9,S1,Acme,Tomorrow,4000,2025-06-16,1,11,2025-06-16 lies in the future: today is 2025-06-15 in UTC.
`
		if failures.String() != want {
			t.Errorf("failures:\n%s\nwant:\n%s", failures.String(), want)
		}
		runs := storedRuns(t, w)
		if len(runs) != 1 || runs[0].Status != store.RunPartial || store.Global(store.KindBatch, runs[0].ID).String() != s.BatchID {
			t.Errorf("runs %+v; want one, PARTIAL, which the summary names", runs)
		}

		corrected := strings.NewReplacer("twelve", "12", "p8,S1,Acme,,,,,", "p8,S1,Acme,Chairs,4000,2022-03-09,8,", ",No sum,4000,2022-03-07,,", ",Sum,4000,2022-03-07,3,").Replace(failures.String())
		var still bytes.Buffer
		s, err = w.file(t, corrected, &still)
		if err != nil || s.Created != 3 || s.Updated != 1 || s.Failed != 1 {
			t.Errorf("the corrected failures: %+v, %v; want 3 created, p1 updated, 1 failed", s, err)
		}
		if lines := strings.Split(still.String(), "\n"); !strings.HasSuffix(lines[0], "Sum,line,reason") || strings.Count(lines[0], "reason") != 1 || !strings.HasPrefix(lines[1], "p9,S1,Acme,Tomorrow,4000,2025-06-16,1,6,2025") {
			t.Errorf("failures of the failures:\n%s", still.String())
		}
	})
}

// storedRuns gives the runs of the emissions that are stored.
func storedRuns(t testing.TB, w *world) []*store.CalculationRun {
	t.Helper()
	page, err := w.tenant.Emissions(t.Context(), nil, store.EmissionOrder{Field: store.EmissionsByCO2e, Direction: store.Asc}, store.Page{First: new(int32(500))})
	if err != nil {
		t.Fatal(err)
	}
	var ids []store.ID
	for _, e := range page.Nodes {
		ids = append(ids, e.RunID)
	}
	runs, err := w.tenant.RunsWith(ids, 0).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func TestARecordMayNameItsFactor(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	other := &store.FactorDataset{Source: "grid", Version: "1", Name: "Grid", GwpSet: store.AR5, Digest: "grid"}
	regional := func(region string) *store.EmissionFactor {
		return &store.EmissionFactor{Code: "power", Name: "Power", Region: region, Unit: "kWh", Value: new(exact.MustDecimal("0.2"))}
	}
	if _, _, err := w.store.PutDataset(t.Context(), other, []*store.EmissionFactor{regional("GB"), regional("FR")}); err != nil {
		t.Fatal(err)
	}
	var failures bytes.Buffer
	s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "l.csv", Failures: &failures, Content: strings.NewReader(`externalId,description,occurredOn,amount,currency,quantity,unit,country,factorSource,factorCode
a,x,2022-01-01,10,USD,,,,epa-supply-chain,334111
b,x,2022-01-01,,,5,kWh,GB,grid,power
c,x,2022-01-01,,,5,kWh,,grid,power
d,x,2022-01-01,10,USD,,,,epa-supply-chain,999999
e,x,2022-01-01,10,USD,,,,nobody,334111
f,x,2022-01-01,10,USD,,,,,334111
g,x,2022-01-01,10,USD,,,,epa-supply-chain,
`)}}, batch.FileOptions{})
	if err != nil || s.Calculated != 2 || s.Failed != 5 {
		t.Fatalf("%+v, %v; want 2 calculated and 5 failed\n%s", s, err, failures.String())
	}
	for _, says := range []string{"c,x,", "several factors", `no emission factor ""999999"" of ""epa-supply-chain""`, `of ""nobody""`, "factorSource and factorCode together"} {
		if !strings.Contains(failures.String(), says) {
			t.Errorf("failures lack %q:\n%s", says, failures.String())
		}
	}
}

func TestAFileThatBreaksOffKeepsWhatCameBefore(t *testing.T) {
	storetest.Each(t, "a gzip that is cut off", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows = 100 })
		var whole bytes.Buffer
		z := gzip.NewWriter(&whole)
		if _, err := io.Copy(z, ledger(5000)); err != nil {
			t.Fatal(err)
		}
		z.Close()
		cut := whole.Bytes()[:whole.Len()*2/3]
		o := batch.FileOptions{Mapping: w.mapping(t, ledgerMapping)}
		s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "l.csv.gz", Content: bytes.NewReader(cut)}}, o)
		if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("err = %v; want BAD_USER_INPUT that says it is cut off", err)
		}
		stored, err := w.tenant.CountActivities(t.Context(), nil)
		if err != nil || s.Created < 2000 || s.Created >= 5000 || stored != s.Created {
			t.Errorf("summary %+v, %d stored, %v; want everything before the end, and only that", s, stored, err)
		}
		if runs := storedRuns(t, w); len(runs) != 1 || runs[0].Status != store.RunFailed {
			t.Errorf("runs %+v; want one, FAILED", runs)
		}
		again, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "l.csv.gz", Content: &whole}}, o)
		if err != nil || again.Unchanged != s.Created || again.Created != 5000-s.Created {
			t.Errorf("the whole file afterwards: %+v, %v; want %d unchanged, the rest created", again, err, s.Created)
		}
	})
}

func TestWhatIsNoLedgerIsRefusedAndLeavesNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for name, content := range map[string]string{"binary": "\x89PNG\r\n\x1a\n\x00\x00", "empty": "", "another header": "a,b\n1,2\n"} {
		s, err := w.file(t, content, nil)
		if fault.CodeOf(err) != fault.BadUserInput || s == nil || s.Rows != 0 || s.BatchID != "" {
			t.Errorf("%s: %+v, %v; want BAD_USER_INPUT and no run", name, s, err)
		}
	}
}

func TestAMappingWithAnUnknownFactorStopsBeforeTheFirstLine(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	_, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "p.csv", Content: strings.NewReader(payments)}}, batch.FileOptions{
		Columns: columns(t, paymentColumns), Mapping: w.mapping(t, strings.ReplaceAll(ledgerMapping, "334111", "999999"))})
	if fault.CodeOf(err) != fault.NoFactor {
		t.Errorf("err = %v; want NO_FACTOR", err)
	}
}

func TestTheRulesOfAnImportServeTheNext(t *testing.T) {
	storetest.Each(t, "the same file without its mapping", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		files := func() []batch.File { return []batch.File{{Name: "p.csv", Content: strings.NewReader(payments)}} }
		o := batch.FileOptions{Columns: columns(t, paymentColumns), Mapping: w.mapping(t, paymentMapping), DryRun: true}
		if _, err := w.Files(t.Context(), w.tenant, files(), o); err != nil {
			t.Fatal(err)
		}
		if rules, err := w.tenant.Mappings(t.Context()); err != nil || len(rules) != 0 {
			t.Fatalf("%d rules after a dry run, %v; want none", len(rules), err)
		}
		o.DryRun = false
		if _, err := w.Files(t.Context(), w.tenant, files(), o); err != nil {
			t.Fatal(err)
		}
		o.Mapping = nil
		s, err := w.Files(t.Context(), w.tenant, files(), o)
		if err != nil || s.Unchanged != 5 || s.Calculated != 3 || s.Excluded != 1 {
			t.Errorf("%+v, %v; want everything unchanged, calculated by the rules that were kept", s, err)
		}
		o.Mapping = w.mapping(t, strings.ReplaceAll(ledgerMapping, "334111", "561720"))
		if s, err := w.Files(t.Context(), w.tenant, files(), o); err != nil || s.Updated != 2 || s.Unchanged != 3 {
			t.Errorf("another factor for 4000: %+v, %v; want its two lines updated", s, err)
		}
	})
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFailuresThatCannotBeKeptStopTheImport(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	if _, err := w.file(t, payments, fullDisk{}); err == nil || !strings.Contains(fault.Of(err).Message, "failures file") {
		t.Errorf("err = %v; want one that names the failures file", err)
	}
}

func TestAnImportStopsWithItsContext(t *testing.T) {
	storetest.Each(t, "after the first chunks", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows = 50 })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, err := w.Files(ctx, w.tenant, []batch.File{{Name: "l.csv", Content: io.MultiReader(ledger(3000), endless{})}}, batch.FileOptions{
			Mapping: w.mapping(t, ledgerMapping), Progress: func(p batch.Progress) {
				if p.Rows >= 500 {
					cancel()
				}
			}})
		if err == nil || s.Created < 500 || s.Created > 1000 {
			t.Fatalf("%+v, %v; want it to stop soon after 500 lines", s, err)
		}
		if runs := storedRuns(t, w); len(runs) != 1 || runs[0].Status != store.RunCancelled {
			t.Errorf("runs %+v; want one, CANCELLED", runs)
		}
	})
}

// endless is a file that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, "Z,S,N,d,4000,2022-01-01,1,GBP,GB\n"), nil
}

func TestAStoreThatIsGoneEndsTheImport(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), SkipMigrationCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows = 10 })
	closed := false
	_, err = w.Files(t.Context(), w.tenant, []batch.File{{Name: "l.csv", Content: ledger(1000)}}, batch.FileOptions{Mapping: w.mapping(t, ledgerMapping),
		Progress: func(batch.Progress) {
			if !closed {
				closed = true
				st.Close()
			}
		}})
	if err == nil {
		t.Error("no error from a store that was closed")
	}
}

// paced counts what was read of a file.
type paced struct {
	r    io.Reader
	read int
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.read += n
	return n, err
}

func TestASlowWriterHoldsTheReaderBack(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), func(o *batch.Options) { o.ChunkRows, o.Workers = 100, 2 })
	content := &paced{r: ledger(200_000)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var read int64
	w.Files(ctx, w.tenant, []batch.File{{Name: "l.csv", Content: content}}, batch.FileOptions{Mapping: w.mapping(t, ledgerMapping), Progress: func(p batch.Progress) {
		time.Sleep(200 * time.Millisecond) // the others have all the time to run ahead
		read = p.Bytes
		cancel()
	}})
	if read == 0 || content.read > 1<<20 {
		t.Errorf("%d bytes were read while the first chunk was written; want far less than the whole file", content.read)
	}
}

func TestProgressOnlyGrowsAndEndsAtTheEnd(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), func(o *batch.Options) { o.ChunkRows = 3 })
	var last batch.Progress
	s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "p.csv", Content: strings.NewReader(payments)}}, batch.FileOptions{
		Columns: columns(t, paymentColumns), Progress: func(p batch.Progress) {
			if p.Rows <= last.Rows || p.Bytes < last.Bytes || p.File != "p.csv" {
				t.Errorf("progress %+v after %+v", p, last)
			}
			last = p
		}})
	if err != nil || last.Rows != s.Rows || last.Failed != s.Failed || last.Bytes != int64(len(payments)) {
		t.Errorf("last progress %+v, summary %+v, %v", last, s, err)
	}
}

func TestSeveralFilesAreOneRun(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	second := strings.ReplaceAll(payments, "\np", "\nq")
	s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "1.csv", Content: strings.NewReader(payments)}, {Name: "2.csv", Content: strings.NewReader(second)}},
		batch.FileOptions{Columns: columns(t, paymentColumns), Mapping: w.mapping(t, paymentMapping)})
	if err != nil || s.Created != 10 || len(storedRuns(t, w)) != 1 {
		t.Errorf("%+v, %v, %d runs; want 10 created in one run", s, err, len(storedRuns(t, w)))
	}
}

func TestAStreamOfLinesIsOneRun(t *testing.T) {
	storetest.Each(t, "with one key twice", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows = 7 })
		s, err := w.Stream(t.Context(), w.tenant, func(yield func(store.ActivityInput) bool) {
			for i := range 100 {
				if !yield(w.input(fmt.Sprintf("L%d", i%99))) {
					return
				}
			}
		}, calculate, batch.FileOptions{Reason: "Synthetic ledger"})
		if err != nil || s.Created != 99 || s.Failed != 1 || s.Calculated != 99 {
			t.Fatalf("%+v, %v; want 99 created and the last one failed", s, err)
		}
		if runs := storedRuns(t, w); len(runs) != 1 || runs[0].Reason != "Synthetic ledger" {
			t.Errorf("runs %+v; want one, with its reason", runs)
		}
	})
}

// What comes back is what came, also where it is no text.
func TestRecordsThatAreNoTextComeBack(t *testing.T) {
	storetest.Each(t, "as they came", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		const header = "externalId,description,occurredOn,amount,currency\n"
		content := header + "a,St\xfchle,2022-03-01,1,GBP\nc,Steel,2022-03-01,1,GBP\n"
		var local bytes.Buffer
		s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "l.csv", Content: strings.NewReader(content), Failures: &local}}, batch.FileOptions{})
		if err != nil || s.Failed != 1 || s.Created != 1 {
			t.Fatalf("%+v, %v; want one failed", s, err)
		}
		w.checkFailures(t, s.BatchID, local.String())
		if !strings.Contains(local.String(), "St\xfchle") {
			t.Errorf("failures are %q", local.String())
		}
		lines := `{"externalId":"a\u0000","description":"d","occurredOn":"2022-03-01","amount":1,"currency":"GBP"}` + "\n" + `{"externalId":"z","description":"d","occurredOn":"2022-03-01","amount":1,"currency":"GBP"}` + "\n"
		local.Reset()
		s, err = w.Files(t.Context(), w.tenant, []batch.File{{Name: "l.ndjson", Content: strings.NewReader(lines), Failures: &local}}, batch.FileOptions{})
		if err != nil || s.Failed != 1 || s.Created != 1 {
			t.Fatalf("%+v, %v; want one failed", s, err)
		}
		w.checkFailures(t, s.BatchID, local.String())
	})
}

// checkFailures holds the failures that a batch keeps against those that were written beside it.
func (w *world) checkFailures(t testing.TB, id, want string) {
	t.Helper()
	global, err := store.ParseGlobalID(id)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.tenant.BatchesWith([]store.ID{global.Row}, 0).All(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d batches, %v", len(rows), err)
	}
	var got bytes.Buffer
	if err := w.BatchFailures(t.Context(), w.tenant, rows[0], &got); err != nil || got.String() != want {
		t.Errorf("the batch keeps %q, %v; want %q", got.String(), err, want)
	}
}
