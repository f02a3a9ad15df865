package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

type postgres struct{}

// openPostgres makes one pool for everything. bun writes values into the text of a statement, so preparing it by default would only fill
// the statement cache; hot statements of one text ask for pgx.QueryExecModeCacheStatement themselves.
func openPostgres(ctx context.Context, s *Store, o Options) error {
	cfg, err := postgresPool(o.DatabaseURL, o.MaxConns)
	if err != nil { // its text may hold the password
		return fault.New(fault.Internal, "DATABASE_URL is not the address of a Postgres database; write postgres://user:password@host:5432/name.")
	}
	conn := cfg.ConnConfig
	s.address = cfg
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The pool of connections cannot be made; check DATABASE_URL.")
	}
	s.closers = append(s.closers, func() error { pool.Close(); return nil })
	if err := pool.Ping(ctx); err != nil {
		return noPostgres(err, conn)
	}
	db := stdlib.OpenDBFromPool(pool)
	s.closers = append(s.closers, db.Close)
	stop := s.metrics.Pool(func() telemetry.PoolStats {
		p := pool.Stat()
		return telemetry.PoolStats{Max: int(p.MaxConns()), Open: int(p.TotalConns()), InUse: int(p.AcquiredConns()), Idle: int(p.IdleConns()),
			Acquires: p.AcquireCount(), Waits: p.EmptyAcquireCount(), AcquireTime: p.AcquireDuration()}
	})
	s.closers = append(s.closers, func() error { stop(); return nil })
	s.dialect, s.kind, s.snapshot = postgres{}, "postgres", s.postgresSnapshot(pool)
	s.db = bun.NewDB(db, pgdialect.New(), bun.WithDiscardUnknownColumns()).WithQueryHook(observer{s.metrics})
	s.share = max(1, int(cfg.MaxConns)/4)
	s.writes, s.writers = s.db, max(1, min(4, runtime.GOMAXPROCS(0), int(cfg.MaxConns)/2))
	return s.openReplicas(ctx, o.ReplicaURLs)
}

// postgresPool is how a pool of connections to an address is made; 0 asks for a usual number of them.
func postgresPool(url string, most int) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = int32(max(4, 2*runtime.GOMAXPROCS(0)))
	if most > 0 {
		cfg.MaxConns = int32(most)
	}
	cfg.MaxConnLifetimeJitter = cfg.MaxConnLifetime / 10
	conn := cfg.ConnConfig
	conn.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn.ConnectTimeout = 10 * time.Second
	for name, value := range map[string]string{"application_name": "carbongraph", "jit": "off", "timezone": "UTC"} {
		conn.RuntimeParams[name] = value
	}
	cfg.AfterConnect = minding
	return cfg, nil
}

// minding has Postgres look every second whether we are still there. Who gives up a statement asks for its end and hangs up, but a request that comes before the
// statement does ends nothing, and a statement that waits for a lock would wait on for nobody. Servers that cannot look (before 14, or on systems that do not tell)
// refuse the setting and are used without.
func minding(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SET client_connection_check_interval = '1s'")
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}

// noPostgres says in one line which server gave no answer and why; never the password.
func noPostgres(err error, conn *pgx.ConnConfig) error {
	at := net.JoinHostPort(conn.Host, strconv.Itoa(int(conn.Port)))
	var said *pgconn.PgError
	var dial *net.OpError
	switch {
	case errors.As(err, &said):
		return fault.Wrap(err, fault.Internal, "Postgres at %s refuses us: %s. Correct DATABASE_URL, or make what is missing.", at, said.Message)
	case errors.As(err, &dial):
		return fault.Wrap(err, fault.Internal, "Postgres at %s cannot be reached: %v. Start it, or correct DATABASE_URL.", at, dial.Err)
	}
	return fault.Wrap(err, fault.Internal, "Postgres at %s cannot be reached. Start it, or correct DATABASE_URL.", at)
}

// words: a row of sums, which is written again and again, finds room for its next version beside it, so that no index is touched.
func (postgres) words() map[string]string {
	return map[string]string{"uuid": "uuid", "text": `text COLLATE "C"`, "int": "integer", "bigint": "bigint", "bool": "boolean", "float": "double precision",
		"bytes": "bytea", "date": "date", "instant": "timestamptz", "include": ") INCLUDE (",
		"hasTable": "SELECT to_regclass(?) IS NOT NULL", "pairs": "json_each_text(CAST($1 AS json))", "locked": "FOR NO KEY UPDATE",
		"mark": "SELECT CAST(pg_current_xact_id_if_assigned() AS text)", "became": "SELECT pg_xact_status(CAST($1 AS xid8))", "free": "", "river": "yes", "roomy": "SET LOCAL work_mem = '64MB'", "byGrain": `PARTITION BY LIST (grain);
			CREATE TABLE emission_sums_1 PARTITION OF emission_sums FOR VALUES IN (1) WITH (fillfactor = 50);
			CREATE TABLE emission_sums_2 PARTITION OF emission_sums FOR VALUES IN (2) WITH (fillfactor = 50);
			CREATE TABLE emission_sums_3 PARTITION OF emission_sums FOR VALUES IN (3) WITH (fillfactor = 50)`,
		"xid": "xid8", "raisedBy": "org_id, subject, xid", "triggers": "yes", "churned": " WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
		"own": "SELECT set_config('carbongraph.raises', 'own', TRUE), set_config('carbongraph.raises_suppliers', 'own', TRUE)", "tryLock": "SELECT pg_try_advisory_xact_lock($1)",
		"name": "SELECT current_database()",
		"raise": `INSERT INTO versions (org_id, subject, xid, n, mark) SELECT r.org_id, r.subject, pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint) FROM unnest($1::uuid[], $2::text[]) AS r (org_id, subject)
			ON CONFLICT (org_id, subject, xid) DO NOTHING RETURNING CAST(xid AS text)`,
		"moment": "SELECT CAST(pg_current_snapshot() AS text)",
		"changes": `SELECT CAST(pg_current_snapshot() AS text), v.org_id FROM (SELECT 1) AS one LEFT JOIN (SELECT DISTINCT org_id FROM versions
			WHERE xid >= pg_snapshot_xmin(CAST(CAST($1 AS text) AS pg_snapshot)) AND NOT pg_visible_in_snapshot(xid, CAST(CAST($1 AS text) AS pg_snapshot))) AS v ON TRUE`,
		"compact": `WITH gone AS (DELETE FROM versions AS v USING (SELECT org_id, subject FROM versions GROUP BY org_id, subject HAVING COUNT(*) > 4) AS many
			WHERE v.org_id = many.org_id AND v.subject = many.subject RETURNING v.org_id, v.subject, v.n, v.mark)
			INSERT INTO versions (org_id, subject, xid, n, mark) SELECT org_id, subject, pg_current_xact_id(), SUM(n), SUM(mark) FROM gone GROUP BY org_id, subject`,
		"monthOf": postgres{}.firstDay("e.occurred_on", ByMonth), "yearOf": postgres{}.firstDay("e.occurred_on", ByYear)}
}

// lock holds for the transaction, so that a crash leaves nothing behind and a pooler between does no harm. The read is a statement of its own, though sent
// together: one that took the lock as well would see the rows as they were before it waited.
func (postgres) lock(ctx context.Context, tx *transaction, number int64, shared bool, read string, args ...string) (numbers []int32, err error) {
	take := "SELECT pg_advisory_xact_lock($1)"
	if shared {
		take = "SELECT pg_advisory_xact_lock_shared($1)"
	}
	err = tx.conn.Raw(func(conn any) (err error) {
		p := conn.(*stdlib.Conn).Conn().PgConn().StartPipeline(ctx)
		defer func() { err = errors.Join(err, p.Close()) }()
		p.SendQueryParams(take, [][]byte{strconv.AppendInt(nil, number, 10)}, nil, nil, nil)
		if read != "" {
			p.SendQueryParams(postgres{}.words()["own"], nil, nil, nil, nil) // who writes lines will need it, and here it costs no round trip
			values := make([][]byte, len(args))
			for i, arg := range args {
				values[i] = []byte(arg)
			}
			p.SendQueryParams(read, values, nil, nil, nil)
		}
		if err := p.Sync(); err != nil {
			return err
		}
		if _, err := results(p); err != nil || read == "" {
			return err
		}
		if _, err := results(p); err != nil {
			return err
		}
		tx.owns = true
		rows, err := results(p)
		for _, row := range rows {
			n, bad := strconv.ParseInt(string(row[0]), 10, 32)
			err = errors.Join(err, bad)
			numbers = append(numbers, int32(n))
		}
		return err
	})
	return numbers, err
}

// results gives the rows of the next statement of a pipeline.
func results(p *pgconn.Pipeline) ([][][]byte, error) {
	next, err := p.GetResults()
	if err != nil {
		return nil, err
	}
	r, ok := next.(*pgconn.ResultReader)
	if !ok {
		return nil, fmt.Errorf("store: %T where rows were awaited", next)
	}
	all := r.Read()
	return all.Rows, all.Err
}

func (postgres) classify(err error) trouble {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		var connect *pgconn.ConnectError
		var network net.Error
		cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) // in the middle of an answer
		if cut || errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) {
			return unreachable
		}
		return otherTrouble
	}
	switch said.Code {
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return collided
	case "23505":
		return notUnique
	case "53100": // disk_full
		return full
	case "22003": // numeric_value_out_of_range
		return tooLarge
	case "57014": // query_canceled: statement_timeout
		return tookTooLong
	case "57P01", "57P02", "57P03", "53300": // shutting down, crashed, starting, too many connections
		return unreachable
	}
	switch {
	case strings.HasPrefix(said.Code, "22"), strings.HasPrefix(said.Code, "23"), said.Code == "54000": // data_exception, integrity_constraint_violation, program_limit_exceeded
		return unstorable
	}
	return otherTrouble
}

// insert copies on the transaction's own session.
func (postgres) insert(ctx context.Context, tx *transaction, table string, columns []string, n int, row func(i int) []any) error {
	return tx.conn.Raw(func(conn any) error {
		_, err := conn.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			values := row(i)
			for j, v := range values {
				values[j] = wire(v)
			}
			return values, nil
		}))
		return err
	})
}

// wire gives a value as the binary protocol wants it; our types know SQL text alone.
func wire(v any) any {
	switch v := v.(type) {
	case ID:
		return [16]byte(v)
	case *ID:
		if v == nil {
			return nil
		}
		return [16]byte(*v)
	case exact.Date:
		return v.Time()
	case *exact.Date:
		if v == nil {
			return nil
		}
		return v.Time()
	case exact.Instant:
		return v.Time()
	case exact.Decimal:
		return v.Canonical()
	case *exact.Decimal:
		if v == nil {
			return nil
		}
		return v.Canonical()
	}
	return v
}

// bound asks for a statement that the session keeps prepared, as its text does not change with the values. A fresh one is not kept: Postgres
// would come to think of a plan for any values as cheaper than it is.
func (postgres) bound(args []any, fresh bool) []any {
	mode := pgx.QueryExecModeCacheStatement
	if fresh {
		mode = pgx.QueryExecModeCacheDescribe
	}
	out := append([]any{mode}, args...)
	for i, arg := range args {
		if ids, ok := arg.([]ID); ok { // the driver knows arrays of bytes, not our type
			plain := make([][16]byte, len(ids))
			for j, id := range ids {
				plain[j] = id
			}
			out[i+1] = plain
		}
	}
	return out
}

// oneOf: behind a SELECT the number of the values is no longer seen by the planner. Where it is seen, a plan for the few values of a request always looks
// cheaper than one for any, and Postgres plans anew each time.
func (postgres) oneOf(b *statement, expr string, t listType, values any, keyed bool) string {
	list := b.bind(values) + "::" + string(t) + "[]"
	if keyed {
		list = "(SELECT " + list + ")::" + string(t) + "[]"
	}
	return expr + " = ANY(" + list + ")"
}

// topNPerParent walks the index once for each parent and stops after the page. The SELECT around the parents is there for the reason of oneOf.
func (postgres) topNPerParent(b *statement, q pageQuery, parents parentKeys) string {
	from := " FROM unnest((SELECT " + b.bind(parents.values) + "::" + string(parents.list) + "[])) WITH ORDINALITY AS parents (value, nr) CROSS JOIN LATERAL ("
	if q.alone() {
		return "SELECT (parents.nr - 1)::integer, FALSE, FALSE, page.*" + from + q.rows() + ") AS page"
	}
	return "SELECT (parents.nr - 1)::integer, around.*, page.*" + from + "SELECT " + q.before + " AS before_first, " + q.after +
		" AS after_last) AS around LEFT JOIN LATERAL (" + q.rows() + ") AS page ON TRUE"
}

func (postgres) firstDay(expr string, span FootprintDimension) string {
	return "date_trunc('" + strings.ToLower(string(span)) + "', " + expr + "::timestamp)::date"
}
