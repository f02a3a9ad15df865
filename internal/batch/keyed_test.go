package batch_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// mixed gives n lines, of which every seventh is wrong, and every fifth of the others has a unit that no factor knows.
func (w *world) mixed(n int) []store.ActivityInput {
	lines := make([]store.ActivityInput, n)
	for i := range lines {
		lines[i] = w.input(fmt.Sprintf("L%04d", i), func(a *store.ActivityInput) {
			switch {
			case i%7 == 3:
				a.Description = strings.Repeat("x", 5000)
			case i%5 == 1:
				a.Money, a.Quantity = nil, &store.QuantityInput{Value: exact.MustDecimal("3"), Unit: "blorp"}
			}
		})
	}
	return lines
}

// statusesOf words what became of items: status and code of each, and whether its row came with it.
func statusesOf(results []batch.ItemResult) []string {
	out := make([]string, len(results))
	for i, r := range results {
		out[i] = string(r.Status)
		if r.Problem != nil {
			out[i] += " " + r.Problem.Code + " " + strings.Join(r.Problem.Path, ".")
		}
		if r.Activity != nil {
			out[i] += " " + r.Activity.ExternalID
		}
	}
	return out
}

func TestAnIdempotencyKeyDoesWorkOnce(t *testing.T) {
	storetest.Each(t, "and gives the first answer again", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		lines := w.mixed(150)
		first := w.importAll(t, batch.Flags{Calculate: true, Key: "payroll"}, lines...)
		want := statusesOf(first)
		if !strings.HasPrefix(want[0], "CREATED L0000") || !strings.HasPrefix(want[3], "FAILED BAD_USER_INPUT description") || !strings.HasPrefix(want[1], "CREATED UNIT_MISMATCH") {
			t.Fatalf("first answer begins with %q", want[:4])
		}
		again := statusesOf(w.importAll(t, batch.Flags{Calculate: true, Key: "payroll"}, lines...))
		if !slices.Equal(again, want) {
			t.Errorf("second answer differs from the first:\n%q\n%q", again, want)
		}
		lines[2].Description = "Monitors"
		fresh := statusesOf(w.importAll(t, batch.Flags{Calculate: true, Key: "another"}, lines...))
		if !strings.HasPrefix(fresh[0], "UNCHANGED") || !strings.HasPrefix(fresh[2], "UPDATED") {
			t.Errorf("with another key the lines are %q; want the first UNCHANGED and the third UPDATED", fresh[:3])
		}
		if again := statusesOf(w.importAll(t, batch.Flags{Calculate: true, Key: "another"}, lines...)); !slices.Equal(again, fresh) {
			t.Errorf("again with the other key: %q; want %q", again[:3], fresh[:3])
		}
		lines[2].Description = lines[0].Description
		for name, ask := range map[string]func() error{
			"other lines": func() error {
				return err2(w.Activities(t.Context(), w.tenant, lines[1:], batch.Flags{Calculate: true, Key: "payroll"}))
			},
			"another mode": func() error {
				return err2(w.Activities(t.Context(), w.tenant, lines, batch.Flags{Calculate: true, Mode: store.ModeAtomic, Key: "payroll"}))
			},
			"another operation": func() error { return err2(w.Delete(t.Context(), w.tenant, []string{"L0000"}, "payroll")) },
		} {
			if err := ask(); fault.CodeOf(err) != fault.IdempotencyKeyReused {
				t.Errorf("%s: %v; want IDEMPOTENCY_KEY_REUSED", name, err)
			}
		}
		other := newWorldBeside(t, w, "Beech")
		if got := statusesOf(other.importAll(t, batch.Flags{Calculate: true, Key: "payroll"}, lines[:1]...)); !strings.HasPrefix(got[0], "CREATED") {
			t.Errorf("the same key of another organization: %q; want CREATED", got)
		}
		for _, bad := range []string{" ", strings.Repeat("k", 257), "a\x00b", "\xff"} {
			if _, err := w.Activities(t.Context(), w.tenant, lines[:1], batch.Flags{Key: bad}); fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("key %q: %v; want BAD_USER_INPUT", bad, err)
			}
		}
		dry := statusesOf(w.importAll(t, batch.Flags{Calculate: true, DryRun: true, Key: "payroll"}, w.input("new")))
		if !strings.HasPrefix(dry[0], "CREATED") {
			t.Errorf("a dry run with a key that is taken: %q; want it not to be looked at", dry)
		}
	})
	storetest.Each(t, "for suppliers and deletions too", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		in := make([]store.SupplierInput, 50)
		for i := range in {
			in[i] = store.SupplierInput{ExternalID: fmt.Sprintf("S%02d", i), Name: fmt.Sprintf("Supplier %d", i)}
		}
		in[7].Name = " "
		upsert := func() []string {
			got, err := w.Suppliers(t.Context(), w.tenant, in, batch.Flags{Key: "s"})
			if err != nil {
				t.Fatal(err)
			}
			out := make([]string, len(got))
			for i, r := range got {
				out[i] = fmt.Sprintln(r.ExternalID, r.Status, r.Supplier != nil, r.Problem != nil)
			}
			return out
		}
		if first, again := upsert(), upsert(); !slices.Equal(first, again) || first[0] != "S00 CREATED true false\n" || first[7] != "S07 FAILED false true\n" {
			t.Errorf("suppliers: %q, then %q", first, again)
		}
		w.importAll(t, batch.Flags{}, w.input("a"), w.input("b"))
		remove := func() []*store.Problem {
			got, err := w.Delete(t.Context(), w.tenant, []string{"a", "nobody's"}, "d")
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		first := remove()
		if again := remove(); !reflect.DeepEqual(first, again) || first[0] != nil || first[1] == nil || first[1].Code != "NOT_FOUND" {
			t.Errorf("deletions: %v, then %v; want one gone and one not found, both times", first, again)
		}
	})
	storetest.Each(t, "and starts one recalculation", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		start := func(reason string) (*store.Batch, error) {
			return w.StartRecalculation(t.Context(), w.tenant, batch.Recalculation{Reason: reason, Key: "r"})
		}
		a, err := start("one")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := start("one"); err != nil || b.ID != a.ID {
			t.Errorf("again: %v, %v; want batch %v", b, err, a.ID)
		}
		if _, err := start("two"); fault.CodeOf(err) != fault.IdempotencyKeyReused {
			t.Errorf("another reason: %v", err)
		}
	})
}

func err2[T any](_ T, err error) error { return err }

// newWorldBeside is another organization on the same store.
func newWorldBeside(t testing.TB, w *world, name string) *world {
	t.Helper()
	o := store.Organization{Name: name, Currency: "GBP", GwpSet: store.AR5, MoneyOrder: store.DeflateThenConvert}
	if err := w.store.CreateOrganization(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	beside := *w
	beside.tenant = w.store.Tenant(o.ID)
	return &beside
}

// Fifty clients send the same at the same moment, to two servers: the work is done once, and all get one answer.
func TestFiftyClientsWithOneKey(t *testing.T) {
	storetest.Each(t, "do the work once", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		servers := []*batch.Importer{w.Importer, newImporter(t, st, inSmallChunks)}
		lines := w.mixed(60)
		answers := make([][]string, 50)
		var g errgroup.Group
		for i := range answers {
			g.Go(func() error {
				got, err := servers[i%2].Activities(t.Context(), w.tenant, lines, batch.Flags{Calculate: true, Key: "once"})
				answers[i] = statusesOf(got)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for i, a := range answers {
			if !slices.Equal(a, answers[0]) {
				t.Fatalf("answer %d differs:\n%q\n%q", i, a, answers[0])
			}
		}
		if runs := storedRuns(t, w); len(runs) != 1 || runs[0].Status != store.RunPartial {
			t.Errorf("%d runs; want one, partly done", len(runs))
		}
	})
}

// Whoever did the work is gone in the middle of it: the next with the key goes on from what is stored, and answers as the first would have.
func TestWorkThatWasLeftIsGoneOnWith(t *testing.T) {
	storetest.Each(t, "from its last piece", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows, o.Workers, o.Writers = 20, 1, 1 })
		lines := w.mixed(100)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for n := 0; n < 40 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
				n, _ = w.tenant.CountActivities(ctx, nil)
			}
			cancel()
		}()
		_, err := w.Activities(ctx, w.tenant, lines, batch.Flags{Calculate: true, Key: "left"})
		if !errors.Is(err, context.Canceled) {
			t.Skipf("the import ended before it could be stopped: %v", err)
		}
		got := statusesOf(w.importAll(t, batch.Flags{Calculate: true, Key: "left"}, lines...))
		for i, status := range got {
			if want := map[bool]string{true: "FAILED", false: "CREATED"}[i%7 == 3]; !strings.HasPrefix(status, want) {
				t.Errorf("line %d: %q; want %s", i, status, want)
			}
		}
		if again := statusesOf(w.importAll(t, batch.Flags{Calculate: true, Key: "left"}, lines...)); !slices.Equal(again, got) {
			t.Errorf("a third time: %q; want %q", again, got)
		}
	})
}

func TestKeysAreSweptAfterADay(t *testing.T) {
	var hours [2]atomic.Int64
	for i, open := range []func(testing.TB, ...storetest.Option) *store.Store{storetest.SQLite, storetest.Postgres} {
		now := func(o *store.Options) {
			o.Now = func() time.Time { return time.Now().Add(time.Duration(hours[i].Load()) * time.Hour) }
		}
		t.Run([]string{"sqlite", "postgres"}[i], func(t *testing.T) {
			st := open(t, now)
			w := newWorld(t, st)
			w.importAll(t, batch.Flags{Key: "k"}, w.input("a"))
			hours[i].Store(23)
			if err := st.SweepWork(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Activities(t.Context(), w.tenant, []store.ActivityInput{w.input("b")}, batch.Flags{Key: "k"}); fault.CodeOf(err) != fault.IdempotencyKeyReused {
				t.Errorf("after 23 hours: %v; want IDEMPOTENCY_KEY_REUSED", err)
			}
			hours[i].Store(25)
			if err := st.SweepWork(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := w.importAll(t, batch.Flags{Key: "k"}, w.input("b")); got[0].Status != store.Created {
				t.Errorf("after 25 hours: %v; want CREATED", got[0].Status)
			}
		})
	}
}

// A connection is lost after so many bytes of the database's answers: before, while and after a transaction is committed. The answer is the same each time, and the
// ledger has each line once.
func TestALostConnectionChangesNoAnswer(t *testing.T) {
	url := storetest.PostgresURL(t)
	proxy := storetest.NewProxy(t, url)
	st, err := store.Open(t.Context(), store.Options{DatabaseURL: proxy.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	w := newWorld(t, st)
	lost := 0
	for round, bytes := 0, 0; ; round, bytes = round+1, bytes+61 {
		lines := make([]store.ActivityInput, 5)
		for i := range lines {
			lines[i] = w.input(fmt.Sprintf("%d/%d", round, i))
		}
		proxy.Cut(bytes, storetest.Bytes)
		healed := make(chan struct{})
		go func() {
			defer close(healed)
			for end := time.Now().Add(200 * time.Millisecond); !proxy.Begun() && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			proxy.Heal()
		}()
		got, err := w.Activities(t.Context(), w.tenant, lines, batch.Flags{Calculate: true})
		reached := proxy.Begun()
		<-healed
		if fault.CodeOf(err) == fault.Overloaded { // a read before anything was written is not tried again: whoever asked may
			lost++
			if got, err = w.Activities(t.Context(), w.tenant, lines, batch.Flags{Calculate: true}); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(got); err != nil || n["CREATED"] != 5 {
			t.Fatalf("cut after %d bytes: %v, %v; want 5 created", bytes, n, err)
		}
		if !reached && bytes > 5000 {
			break
		}
		if bytes > 60_000 {
			t.Fatal("the import never ended before the cut")
		}
	}
	t.Logf("%d lost before anything was written", lost)
}
