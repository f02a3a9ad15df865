package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// rename writes a supplier anew.
func rename(ctx context.Context, tenant *store.Tenant, s *store.Supplier, name string) error {
	is := *s
	is.Name = name
	return tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		_, err := w.UpsertSuppliers(ctx, []*store.Supplier{&is}, true)
		return err
	})
}

func TestVersionsCountCommits(t *testing.T) {
	storetest.Each(t, "of writers who are at it together, while rows are made one", func(t *testing.T, st *store.Store) {
		const writers, each = 4, 25
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		before := versions(t, st, l.Tenant.ID())
		var g, beside errgroup.Group
		done := make(chan struct{})
		for range 2 {
			beside.Go(func() error {
				for {
					select {
					case <-done:
						return nil
					default:
						if err := st.CompactVersions(t.Context()); err != nil {
							return err
						}
					}
				}
			})
		}
		beside.Go(func() error { // a version never goes back
			last := before.Own["Supplier"]
			for {
				select {
				case <-done:
					return nil
				default:
				}
				v, err := st.Versions(t.Context(), l.Tenant.ID())
				if err != nil {
					return err
				}
				if v.Own["Supplier"] < last {
					t.Errorf("%d after %d", v.Own["Supplier"], last)
				}
				last = v.Own["Supplier"]
			}
		})
		for w := range writers {
			g.Go(func() error {
				for i := range each {
					if err := rename(t.Context(), l.Tenant, l.Suppliers[w%3], fmt.Sprint(w, " ", i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		close(done)
		if err := beside.Wait(); err != nil {
			t.Error(err)
		}
		if err := st.CompactVersions(t.Context()); err != nil {
			t.Error(err)
		}
		if got := versions(t, st, l.Tenant.ID()).Own["Supplier"] - before.Own["Supplier"]; got != writers*each {
			t.Errorf("%d commits raised by %d", writers*each, got)
		}
		rows, err := st.Query(t.Context(), "SELECT CAST(COUNT(*) AS text) FROM versions WHERE subject = 'Supplier'")
		if err != nil || len(rows) != 1 || len(rows[0]) > 1 {
			t.Errorf("%v rows are left, %v", rows, err)
		}
	})
}

func TestVersionChanges(t *testing.T) {
	storetest.Each(t, "tells whose, once", func(t *testing.T, st *store.Store) {
		acme, rival := storetest.NewLedger(t, st, "Acme", 0, nil), storetest.NewLedger(t, st, "Rival", 0, nil)
		var mark store.Mark
		changed := func(do func(), want ...store.ID) {
			t.Helper()
			do()
			orgs, next, err := st.VersionChanges(t.Context(), mark)
			if err != nil || !slices.Equal(orgs, want) {
				t.Errorf("changes of %v, %v; want %v", orgs, err, want)
			}
			mark = next
		}
		changed(func() {}, store.ID{}) // of a mark that knows nothing: anybody's
		changed(func() {})
		changed(func() {
			if err := rename(t.Context(), acme.Tenant, acme.Suppliers[0], "new"); err != nil {
				t.Fatal(err)
			}
		}, acme.Tenant.ID())
		changed(func() {})
		changed(func() {
			for _, l := range []*storetest.Ledger{rival, acme} {
				if err := rename(t.Context(), l.Tenant, l.Suppliers[0], "newer"); err != nil {
					t.Fatal(err)
				}
			}
		}, acme.Tenant.ID(), rival.Tenant.ID())
		changed(func() { storetest.Dataset(t, st, "more", "1") }, store.ID{})
		changed(func() {
			if err := rename(t.Context(), acme.Tenant, acme.Suppliers[0], "newer"); err != nil {
				t.Fatal(err)
			}
		})
		// A mark of a time that has not come: the database is another than it was.
		ahead := store.Mark("999999999:999999999:")
		if st.Dialect() == "sqlite" {
			ahead = "999999999"
		}
		if orgs, next, err := st.VersionChanges(t.Context(), ahead); err != nil || !slices.Equal(orgs, []store.ID{{}}) || next != mark {
			t.Errorf("%v, %q, %v; want anybody's, and the mark %q", orgs, next, err, mark)
		}
		if _, next, err := st.VersionChanges(canceled(t), mark); err == nil || next != mark {
			t.Errorf("%v, %q; want an error, and the mark as it was", err, next)
		}
	})
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A server and an import beside it, on one file or one database.
func TestVersionsOfTwoProcesses(t *testing.T) {
	empty(t, "are the same", func(t *testing.T, o store.Options) {
		server := mustOpen(t, o)
		if _, err := server.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := storetest.NewLedger(t, server, "Acme", 0, nil)
		beside := mustOpen(t, o)
		_, mark, err := server.VersionChanges(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := moved(t, server, l.Tenant.ID(), func() {
			if err := rename(t.Context(), beside.Tenant(l.Tenant.ID()), l.Suppliers[0], "new"); err != nil {
				t.Fatal(err)
			}
		}); !slices.Equal(got, []string{"Supplier", "Supplier/" + store.SupplierPart(l.Suppliers[0].ID)}) {
			t.Errorf("raised %q", got)
		}
		if orgs, _, err := server.VersionChanges(t.Context(), mark); err != nil || !slices.Equal(orgs, []store.ID{l.Tenant.ID()}) {
			t.Errorf("changes of %v, %v", orgs, err)
		}
	})
}

// Transactions that end in another order than they began, and compactions between, are each told of: whoever asks now and then learns of every commit.
func TestALongTransactionIsNotMissed(t *testing.T) {
	address := storetest.PostgresURL(t)
	st := mustOpen(t, store.Options{DatabaseURL: address})
	l := storetest.NewLedger(t, st, "Acme", 0, nil)
	other := storetest.NewLedger(t, st, "Rival", 0, nil)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	mark := store.Mark("")
	ask := func() []store.ID {
		t.Helper()
		orgs, next, err := st.VersionChanges(t.Context(), mark)
		if err != nil {
			t.Fatal(err)
		}
		mark = next
		return orgs
	}
	begin := func() pgx.Tx {
		t.Helper()
		long, err := conn.Begin(t.Context())
		if err == nil {
			_, err = long.Exec(t.Context(), "UPDATE suppliers SET name = name || '.' WHERE org_id = $1 AND id = $2", l.Tenant.ID(), l.Suppliers[0].ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		return long
	}
	others := func() { // go on, and are told of once each
		t.Helper()
		for i := range 8 {
			if err := rename(t.Context(), other.Tenant, other.Suppliers[1], fmt.Sprint("name ", i)); err != nil {
				t.Fatal(err)
			}
			if got := ask(); !slices.Equal(got, []store.ID{other.Tenant.ID()}) {
				t.Errorf("changes of %v", got)
			}
			if got := ask(); len(got) > 0 {
				t.Errorf("told of %v again", got)
			}
		}
	}
	commit := func(long pgx.Tx) {
		t.Helper()
		if err := long.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	before := versions(t, st, l.Tenant.ID()).Own["Supplier"]
	long := begin()
	others()
	commit(long)
	if got := ask(); !slices.Equal(got, []store.ID{l.Tenant.ID()}) {
		t.Errorf("the long transaction is missed: changes of %v", got)
	}
	// Who asks only after rows were made one, the long transaction's among them, learns of it by that.
	long = begin()
	for i := range 8 {
		if err := rename(t.Context(), l.Tenant, l.Suppliers[1], fmt.Sprint("other ", i)); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	others()
	commit(long)
	if err := st.CompactVersions(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !slices.Contains(got, l.Tenant.ID()) {
		t.Errorf("the long transaction is missed after rows were made one: changes of %v", got)
	}
	if got := versions(t, st, l.Tenant.ID()).Own["Supplier"] - before; got != 10 {
		t.Errorf("raised by %d, want 10", got)
	}
}

// Law: whoever asks after each commit for the changes since last time, and reads the versions of whom it is told, has the versions that are there.
func TestChangesLeaveNothingOut(t *testing.T) {
	storetest.Each(t, "while several write, and rows are made one", func(t *testing.T, st *store.Store) {
		ledgers := make([]*storetest.Ledger, 3)
		for i := range ledgers {
			ledgers[i] = storetest.NewLedger(t, st, fmt.Sprint("Acme ", i), 0, nil)
		}
		var g errgroup.Group
		var busy atomic.Int32
		for w := range 4 {
			busy.Add(1)
			g.Go(func() error {
				defer busy.Add(-1)
				for i := range 20 {
					l := ledgers[(w+i)%3]
					if err := rename(t.Context(), l.Tenant, l.Suppliers[w%3], fmt.Sprint(w, i)); err != nil {
						return err
					}
					if i%7 == w {
						if err := st.CompactVersions(t.Context()); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		known, mark := map[store.ID]int64{}, store.Mark("")
		for last := false; ; {
			orgs, next, err := st.VersionChanges(t.Context(), mark)
			if err != nil {
				t.Fatal(err)
			}
			mark = next
			for _, l := range ledgers {
				if slices.Contains(orgs, l.Tenant.ID()) || slices.Contains(orgs, store.ID{}) {
					known[l.Tenant.ID()] = versions(t, st, l.Tenant.ID()).Total
				}
			}
			if last {
				break
			}
			last = busy.Load() == 0
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, l := range ledgers {
			if is := versions(t, st, l.Tenant.ID()).Total; known[l.Tenant.ID()] != is {
				t.Errorf("known to be %d, is %d", known[l.Tenant.ID()], is)
			}
		}
	})
}

func TestCommitted(t *testing.T) {
	var mu sync.Mutex
	var told []store.ID
	tells := func(o *store.Options) {
		o.Committed = func(org store.ID) { mu.Lock(); defer mu.Unlock(); told = append(told, org) }
	}
	taken := func() []store.ID {
		mu.Lock()
		defer mu.Unlock()
		all := told
		told = nil
		return all
	}
	for kind, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(kind, func(t *testing.T) {
			st := open(t, tells)
			l := storetest.NewLedger(t, st, "Acme", 0, nil)
			taken()
			if err := rename(t.Context(), l.Tenant, l.Suppliers[0], "new"); err != nil {
				t.Fatal(err)
			}
			if got := taken(); !slices.Equal(got, []store.ID{l.Tenant.ID()}) {
				t.Errorf("told of %v", got)
			}
			if err := rename(t.Context(), l.Tenant, l.Suppliers[0], "new"); err != nil {
				t.Fatal(err)
			}
			if got := taken(); len(got) > 0 {
				t.Errorf("told of %v, and nothing has changed", got)
			}
			storetest.Dataset(t, st, "more", "1")
			if got := taken(); !slices.Equal(got, []store.ID{{}}) {
				t.Errorf("told of %v, want everybody's", got)
			}
		})
	}
}

// A commit whose answer is lost may be one: wherever the connection breaks, what came about was told.
func TestACommitWhoseAnswerIsLostIsTold(t *testing.T) {
	var told atomic.Int64
	address := storetest.PostgresURL(t)
	direct := mustOpen(t, store.Options{DatabaseURL: address})
	l := storetest.NewLedger(t, direct, "Acme", 0, nil)
	p := storetest.NewProxy(t, address)
	st := mustOpen(t, store.Options{DatabaseURL: p.URL(), Committed: func(store.ID) { told.Add(1) }})
	tenant := st.Tenant(l.Tenant.ID())
	came := 0
	for after := range 14 {
		before, was := versions(t, direct, l.Tenant.ID()).Own["Supplier"], told.Load()
		p.Cut(after, storetest.Trips)
		time.AfterFunc(50*time.Millisecond, p.Heal)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := rename(ctx, tenant, l.Suppliers[0], fmt.Sprint("after ", after))
		cancel()
		n := versions(t, direct, l.Tenant.ID()).Own["Supplier"] - before
		if n > 0 {
			came++
		}
		if told.Load()-was < n || err == nil && n != 1 {
			t.Errorf("cut after %d trips: raised by %d, told %d times, %v", after, n, told.Load()-was, err)
		}
		time.Sleep(60 * time.Millisecond) // until it is healed
	}
	if came == 0 {
		t.Error("nothing ever came about; the test proves nothing")
	}
}

// A database that is restored from a backup, and written to anew, comes to the same counts and to other stamps.
func TestStampsOfARestoredDatabaseAreOthers(t *testing.T) {
	storetest.Each(t, "on both databases", func(t *testing.T, st *store.Store) {
		tenant, external := storetest.Organization(t, st, "Acme"), "S"
		stamp := func(name string) (count, stamp int64) {
			storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
				_, err := w.UpsertSuppliers(ctx, []*store.Supplier{{ExternalID: &external, Name: name}}, false)
				return err
			})
			v, err := st.Versions(t.Context(), tenant.ID())
			if err != nil {
				t.Fatal(err)
			}
			own, _ := v.Stamps()
			return v.Own["Supplier"], own["Supplier"]
		}
		first, was := stamp("a")
		if err := st.Exec(t.Context(), "DELETE FROM versions WHERE subject = 'Supplier'"); err != nil { // as the backup has it
			t.Fatal(err)
		}
		again, is := stamp("b")
		if first != again || was == is {
			t.Errorf("counts %d and %d, stamps %d and %d: equal counts and other stamps are wanted", first, again, was, is)
		}
	})
}
