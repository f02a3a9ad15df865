package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// waits stores a batch of a kind. Those of one kind but recalculations do not wait for each other.
func waits(t *testing.T, st *store.Store, tenant *store.Tenant, kind store.BatchKind) *store.Batch {
	t.Helper()
	b := &store.Batch{Spec: "{}", Actor: "test"}
	if err := tenant.StartRecalculation(t.Context(), b, &store.CalculationRun{Reason: "test", GwpSet: store.AR5}); err != nil {
		t.Fatal(err)
	}
	if err := st.Exec(t.Context(), "UPDATE batches SET kind = $1 WHERE id = $2", string(kind), b.ID); err != nil {
		t.Fatal(err)
	}
	b.Kind = kind
	return b
}

// timed runs a test on both databases, each by a clock of its own.
func timed(t *testing.T, name string, f func(t *testing.T, st *store.Store, c *clock)) {
	for database, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name+"/"+database, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			f(t, open(t, c.option), c)
		})
	}
}

func TestTheQueue(t *testing.T) {
	timed(t, "is in turns, and begins no more of an organization than it may have", func(t *testing.T, st *store.Store, c *clock) {
		acme, bolt := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Bolt")
		queue := func(atOnce, most int) (ids []store.ID) {
			t.Helper()
			q, err := st.Queue(t.Context(), atOnce, most)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range q {
				ids = append(ids, one.ID)
			}
			return ids
		}
		is := func(what string, got []store.ID, want ...*store.Batch) {
			t.Helper()
			var ids []store.ID
			for _, b := range want {
				ids = append(ids, b.ID)
			}
			if !slices.Equal(got, ids) {
				t.Errorf("%s: %v, want %v", what, got, ids)
			}
		}
		take := func(tenant *store.Tenant, b *store.Batch, atOnce int) bool {
			t.Helper()
			c.tick(1000)
			taken, err := tenant.TakeTurn(t.Context(), b.ID, st.NewID(), time.Minute, atOnce)
			if err != nil {
				t.Fatal(err)
			}
			return taken != nil
		}
		export := waits(t, st, acme, "EXPORT")
		imports := []*store.Batch{waits(t, st, acme, "IMPORT"), waits(t, st, acme, "IMPORT")}
		first, second := waits(t, st, acme, store.BatchRecalculation), waits(t, st, acme, store.BatchRecalculation)
		is("by kind, then by age, the second recalculation not yet", queue(9, 9), first, imports[0], imports[1], export)
		is("as many as an organization may have", queue(2, 9), first, imports[0])
		other := waits(t, st, bolt, "EXPORT")
		is("each organization's first before anybody's second", queue(2, 9), first, other, imports[0])
		is("as many as are asked for", queue(2, 1), first)
		if !take(acme, first, 2) || take(acme, second, 2) {
			t.Error("the first recalculation is taken, the second waits for it")
		}
		is("who has less at work goes first", queue(2, 9), other, imports[0])
		if !take(acme, imports[0], 2) || take(acme, imports[1], 2) || take(acme, export, 2) {
			t.Error("two at once, and no third")
		}
		is("who has as many as it may have waits", queue(2, 9), other)
		is("unless it may have more", queue(3, 9), other, imports[1])
		if !take(bolt, other, 2) {
			t.Error("another organization's is not taken")
		}
		c.tick(61_000_000) // all leases are over
		is("who has waited longer for a turn goes first", queue(1, 9), first, other)
		if !take(acme, first, 1) {
			t.Error("not taken again")
		}
		c.tick(61_000_000)
		is("and then the other", queue(1, 9), other, first)
		held, err := st.HeldBatches(t.Context())
		if err != nil || len(held) != 0 {
			t.Errorf("%v are held, %v", held, err)
		}
		take(bolt, other, 1)
		if held, err = st.HeldBatches(t.Context()); err != nil || len(held) != 1 || held[0] != (store.HeldBatch{Org: bolt.ID(), ID: other.ID, Takes: 2}) {
			t.Errorf("%v are held, %v", held, err)
		}
	})
	storetest.Each(t, "gives no organization more than it may have, however many take at the same moment", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		var all []*store.Batch
		for range 12 {
			all = append(all, waits(t, st, tenant, "EXPORT"))
		}
		var takers sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for _, b := range all {
			takers.Go(func() {
				got, err := tenant.TakeTurn(t.Context(), b.ID, st.NewID(), time.Minute, 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if got != nil {
					taken++
				}
			})
		}
		takers.Wait()
		if taken != 3 {
			t.Errorf("%d were taken, 3 may be", taken)
		}
	})
}

func TestALeaseIsKeptBesideTheWork(t *testing.T) {
	timed(t, "by its holder alone, until it is given back", func(t *testing.T, st *store.Store, c *clock) {
		tenant := storetest.Organization(t, st, "Acme")
		b, one, other := waits(t, st, tenant, "EXPORT"), st.NewID(), st.NewID()
		keep := func(holder store.ID) error { return tenant.KeepBatch(t.Context(), b.ID, holder, time.Minute) }
		if _, err := tenant.TakeBatch(t.Context(), b.ID, one, time.Minute); err != nil {
			t.Fatal(err)
		}
		c.tick(50_000_000)
		if err := keep(one); err != nil {
			t.Error(err)
		}
		c.tick(50_000_000)
		if got, err := tenant.TakeBatch(t.Context(), b.ID, other, time.Minute); got != nil || err != nil {
			t.Errorf("taken while it is kept: %v, %v", got, err)
		}
		if err := keep(other); err != store.ErrNotHeld {
			t.Errorf("kept by another: %v", err)
		}
		if err := tenant.ReleaseBatch(t.Context(), b.ID, one); err != nil {
			t.Fatal(err)
		}
		if err := keep(one); err != store.ErrNotHeld {
			t.Errorf("kept after it was given back: %v", err)
		}
	})
}

// River's own migrations and ours come to the same tables.
func TestTheTablesOfRiverAreRivers(t *testing.T) {
	ours, theirs := storetest.PostgresURL(t), storetest.EmptyPostgresURL(t)
	migrator := func(url string) *rivermigrate.Migrator[pgx.Tx] {
		t.Helper()
		pool, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if got, err := migrator(ours).Validate(t.Context(), nil); err != nil || !got.OK {
		t.Errorf("River misses %v, %v", got, err)
	}
	if _, err := migrator(theirs).Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	described := func(url string) (out []string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		for _, query := range []string{
			`SELECT concat_ws(' ', c.relname, c.relpersistence, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
				FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
				WHERE c.relname LIKE 'river%' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`,
			`SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'river%'`,
			`SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'river%'`,
			`SELECT concat_ws(' ', t.typname, e.enumlabel) FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid ORDER BY e.enumsortorder`,
			`SELECT pg_get_function_arguments(oid) || regexp_replace(prosrc, '\s+', ' ', 'g') FROM pg_proc WHERE proname LIKE 'river%'`,
			`SELECT tgname::text FROM pg_trigger AS t WHERE t.tgrelid::regclass::text LIKE 'river%'`,
			`SELECT concat_ws(' ', line, version) FROM river_migration`,
		} {
			rows, err := conn.Query(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range lines {
				lines[i] = strings.ReplaceAll(line, "_pkey1", "_pkey") // a table of theirs that stood in the place of another
			}
			out = append(out, lines...)
		}
		return out
	}
	got, want := described(ours), described(theirs)
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("River has not: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	if len(want) < 60 {
		t.Errorf("only %d lines were compared", len(want))
	}
}
