package batch_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"carbongraph/internal/batch"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// office is several servers on one database, whose batches take a moment and do nothing.
type office struct {
	st  *store.Store
	db  *sql.DB
	log *slog.Logger

	mu      sync.Mutex
	atWork  map[store.ID]int // by organization
	most    map[store.ID]int // as many as were at work at once
	all     int
	mostAll int
	begun   []store.ID // batches, in the order in which they were begun
	takes   time.Duration
	hold    chan struct{} // batches end when it is closed; nil: by themselves
}

func newOffice(t *testing.T, open func(testing.TB, ...storetest.Option) *store.Store) *office {
	t.Helper()
	o := &office{log: slog.New(slog.DiscardHandler), atWork: map[store.ID]int{}, most: map[store.ID]int{}, takes: 20 * time.Millisecond}
	var where store.Options
	o.st = open(t, func(o *store.Options) { where = *o })
	var err error
	if where.DatabaseURL != "" {
		o.db, err = sql.Open("pgx", where.DatabaseURL)
	} else {
		o.db, err = sql.Open("sqlite", filepath.Join(where.DataDir, "carbongraph.db")+"?_pragma=busy_timeout(5000)")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.db.Close() })
	return o
}

// postgres is an office on Postgres.
func postgres(t *testing.T) *office {
	t.Helper()
	return newOffice(t, storetest.Postgres)
}

func (o *office) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	if _, err := o.db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// waits stores a batch, of a kind that waits for no other of its organization.
func (o *office) waits(t *testing.T, tenant *store.Tenant, kind store.BatchKind) store.ID {
	t.Helper()
	b := &store.Batch{Spec: "{}", Actor: "test"}
	if err := tenant.StartRecalculation(t.Context(), b, &store.CalculationRun{Reason: "test", GwpSet: store.AR5}); err != nil {
		t.Fatal(err)
	}
	o.exec(t, "UPDATE batches SET kind = '"+string(kind)+"' WHERE id = '"+b.ID.String()+"'")
	return b.ID
}

// background is what a server does batches with.
func (o *office) background(t *testing.T, workers, atOnce int) *batch.Background {
	t.Helper()
	b := batch.NewBackground(batch.BackgroundOptions{Importer: newImporter(t, o.st), Log: o.log, Workers: workers, AtOnce: atOnce})
	b.Does(o.does)
	return b
}

// server is a background that runs over River, until stop is called or the test ends.
func (o *office) server(t *testing.T, workers, atOnce int) (b *batch.Background, stop func()) {
	t.Helper()
	b = o.background(t, workers, atOnce)
	pool, err := o.st.Pool(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	carrier, err := b.Carry(pool, true)
	if err == nil {
		err = carrier.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := carrier.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		pool.Close()
	})
	t.Cleanup(stop)
	return b, stop
}

func (o *office) does(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) {
	o.mu.Lock()
	o.begun = append(o.begun, b.ID)
	o.atWork[t.ID()]++
	o.all++
	o.most[t.ID()], o.mostAll = max(o.most[t.ID()], o.atWork[t.ID()]), max(o.mostAll, o.all)
	hold := o.hold
	o.mu.Unlock()
	after := time.After(o.takes)
	if hold != nil {
		after = nil
	}
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.atWork[t.ID()]--
		o.all--
	}()
	select {
	case <-ctx.Done():
		_ = t.ReleaseBatch(context.WithoutCancel(ctx), b.ID, holder) // or its lease ends
		return
	case <-hold:
	case <-after:
	}
	if err := t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		return w.EndBatch(ctx, b, holder, store.RunSucceeded, nil)
	}); err != nil {
		return
	}
	_ = t.TidyBatch(ctx, b, holder) // what is left is done by whoever comes next
}

// holds has batches go on until the test lets them end.
func (o *office) holds() (end func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	hold := make(chan struct{})
	o.hold = hold
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.hold = nil
		close(hold)
	}
}

func (o *office) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.begun)
}

// open is how many batches have not ended.
func (o *office) open(t *testing.T) (n int) {
	t.Helper()
	if err := o.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM batches WHERE NOT tidied").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// once checks that each batch was begun once.
func (o *office) once(t *testing.T, batches int) {
	t.Helper()
	var n, most int
	if err := o.db.QueryRowContext(t.Context(), "SELECT COUNT(*), MAX(takes) FROM batches WHERE status = 'SUCCEEDED'").Scan(&n, &most); err != nil {
		t.Fatal(err)
	}
	if n != batches || most != 1 || o.count() != batches {
		t.Errorf("%d of %d batches have ended, one was begun %d times, all together %d times", n, batches, most, o.count())
	}
}

// So many organizations, each with so many batches that wait.
func (o *office) organizations(t *testing.T, batches ...int) (all []*store.Tenant) {
	t.Helper()
	for i, n := range batches {
		tenant := storetest.Organization(t, o.st, string(rune('A'+i)))
		all = append(all, tenant)
		for range n {
			o.waits(t, tenant, "IMPORT")
		}
	}
	return all
}

func TestSeveralBatchesAtOnce(t *testing.T) {
	for database, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run("in the process, as many as it may do/"+database, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, open)
			o.organizations(t, 6, 1, 5)
			if err := o.background(t, 3, 2).Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			o.once(t, 12)
			if o.mostAll != 3 {
				t.Errorf("%d were at work at once, 3 may be", o.mostAll)
			}
			for org, most := range o.most {
				if most > 2 {
					t.Errorf("%d of %s were at work at once, 2 may be", most, org)
				}
			}
		})
		t.Run("in the process, in turns/"+database, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, open)
			o.organizations(t, 6)
			other := storetest.Organization(t, o.st, "other")
			end := o.holds()
			b := o.background(t, 2, 2)
			drained := make(chan error, 1)
			go func() { drained <- b.Drain(t.Context()) }()
			eventually(t, "two are begun", func() bool { return o.count() == 2 })
			late := o.waits(t, other, "EXPORT")
			end()
			if err := <-drained; err != nil {
				t.Fatal(err)
			}
			o.once(t, 7)
			if o.begun[2] != late && o.begun[3] != late {
				t.Errorf("the other organization's was begun as none of the next two: %v, %s", o.begun, late)
			}
		})
	}
	t.Run("of two servers, each once, and of an organization as many as it may have", func(t *testing.T) {
		t.Parallel()
		o := postgres(t)
		o.takes = 100 * time.Millisecond
		o.organizations(t, 10, 10, 10, 10, 10)
		o.server(t, 2, 2)
		o.server(t, 2, 2)
		eventually(t, "all have ended", func() bool { return o.open(t) == 0 })
		o.once(t, 50)
		if o.mostAll > 4 || o.mostAll < 3 {
			t.Errorf("%d were at work at once, 4 may be", o.mostAll)
		}
		for org, most := range o.most {
			if most > 2 {
				t.Errorf("%d of %s were at work at once, 2 may be", most, org)
			}
		}
	})
	t.Run("and whoever has queued a hundred is not before whoever has queued one", func(t *testing.T) {
		t.Parallel()
		o := postgres(t)
		many := o.organizations(t, 98)
		other := storetest.Organization(t, o.st, "other")
		end := o.holds()
		one, _ := o.server(t, 1, 2)
		o.server(t, 1, 2)
		eventually(t, "two are begun", func() bool { return o.count() == 2 })
		// More is known to River than has begun: what another organization stores now goes before it.
		o.waits(t, many[0], "IMPORT")
		one.Wake()
		late := o.waits(t, other, "EXPORT")
		one.Wake()
		time.Sleep(100 * time.Millisecond)
		if o.count() != 2 {
			t.Errorf("%d are at work, there are places for 2", o.count())
		}
		end()
		eventually(t, "the other organization's is begun", func() bool { return o.count() >= 4 })
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.begun[2] != late && o.begun[3] != late {
			t.Errorf("begun was %v; the other organization's %s is none of the two after the two that were at work", o.begun, late)
		}
	})
}

// Who works on a batch is told by its row alone: River may lose a job, have it twice, or give it to a server that is gone.
func TestJobsAreNoTruth(t *testing.T) {
	t.Run("one that is gone is inserted again", func(t *testing.T) {
		t.Parallel()
		o := postgres(t)
		orgs := o.organizations(t, 1)
		end := o.holds()
		b, _ := o.server(t, 1, 2)
		eventually(t, "one is begun", func() bool { return o.count() == 1 })
		o.waits(t, orgs[0], "IMPORT")
		b.Wake()
		waiting := func() (n int) {
			if err := o.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job WHERE state = 'available'").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		eventually(t, "the other waits in River", func() bool { return waiting() == 1 })
		o.exec(t, "DELETE FROM river_job WHERE state = 'available'")
		eventually(t, "it waits there again", func() bool { return waiting() == 1 })
		end()
		eventually(t, "all have ended", func() bool { return o.open(t) == 0 })
		o.once(t, 2)
	})
	t.Run("one that runs nowhere holds nothing up, and is cancelled", func(t *testing.T) {
		t.Parallel()
		o := postgres(t)
		o.organizations(t, 1)
		end := o.holds()
		defer end()
		_, stop := o.server(t, 1, 2)
		eventually(t, "it is begun", func() bool { return o.count() == 1 })
		stop()
		// As if the server had been given the job, and had been gone before it took the batch.
		o.exec(t, "UPDATE batches SET takes = 0, lease_until = NULL")
		o.exec(t, "UPDATE river_job SET state = 'running', finalized_at = NULL, attempted_at = now() - interval '1 hour'")
		b, _ := o.server(t, 1, 2)
		eventually(t, "it is begun again", func() bool { return o.count() == 2 })
		var jobs int
		if err := o.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job WHERE state = 'running'").Scan(&jobs); err != nil || jobs != 2 {
			t.Errorf("%d jobs run, %v; want the lost one and its successor", jobs, err)
		}
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var lost, cancelled bool
		rows, err := o.db.QueryContext(t.Context(), "SELECT attempted_at < now() - interval '1 minute', metadata ? 'cancel_attempted_at' FROM river_job WHERE state = 'running'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&lost, &cancelled); err != nil || lost != cancelled {
				t.Errorf("a job that is lost: %t, cancelled: %t, %v", lost, cancelled, err)
			}
		}
	})
	t.Run("a batch that is cancelled, ended or not there any more has its job end", func(t *testing.T) {
		t.Parallel()
		o := postgres(t)
		o.organizations(t, 1)
		end := o.holds()
		b, _ := o.server(t, 1, 2)
		eventually(t, "it is begun", func() bool { return o.count() == 1 })
		// The same job once more, as if it had been inserted twice.
		o.exec(t, "INSERT INTO river_job (args, kind, max_attempts, queue) SELECT args, kind, 1, queue FROM river_job")
		o.exec(t, `INSERT INTO river_job (args, kind, max_attempts, queue) SELECT args || jsonb_build_object('org', gen_random_uuid()), kind, 1, queue FROM river_job LIMIT 1`)
		o.server(t, 2, 2)
		b.Wake()
		eventually(t, "the others have ended", func() bool {
			var n int
			err := o.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job WHERE state = 'completed'").Scan(&n)
			return err == nil && n == 2
		})
		end()
		eventually(t, "all have ended", func() bool { return o.open(t) == 0 })
		o.once(t, 1)
	})
}

// What a server that stops is at goes on elsewhere at once.
func TestAServerThatStopsGivesBack(t *testing.T) {
	t.Parallel()
	o := postgres(t)
	o.organizations(t, 1, 1)
	end := o.holds()
	_, stop := o.server(t, 2, 2)
	eventually(t, "both are begun", func() bool { return o.count() == 2 })
	o.server(t, 2, 2)
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
	eventually(t, "both are begun elsewhere", func() bool { return o.count() == 4 })
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it went on after %s", took)
	}
	end()
	eventually(t, "both have ended", func() bool { return o.open(t) == 0 })
	var takes int
	if err := o.db.QueryRowContext(t.Context(), "SELECT SUM(takes) FROM batches WHERE status = 'SUCCEEDED'").Scan(&takes); err != nil || takes != 4 {
		t.Errorf("%d takes, %v", takes, err)
	}
}

// Without notifications, as behind a pooler, jobs are polled for.
func TestServersThatHearNothing(t *testing.T) {
	t.Parallel()
	o := postgres(t)
	b := o.background(t, 2, 2)
	pool, err := o.st.Pool(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	carrier, err := b.Carry(pool, false)
	if err == nil {
		err = carrier.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer carrier.Stop(context.Background())
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	defer running.Wait()
	defer cancel()
	o.organizations(t, 3, 3)
	b.Wake()
	eventually(t, "all have ended", func() bool { return o.open(t) == 0 })
	o.once(t, 6)
	rows, err := o.db.QueryContext(t.Context(), "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() {
		t.Error("a server listens")
	}
}
