package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"carbongraph/internal/fault"
)

type sqliteDialect struct{}

// openSQLite makes one connection that writes and several that read beside it (WAL).
func openSQLite(ctx context.Context, s *Store, o Options) error {
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The data folder %q cannot be found. Give another with DATA_DIR or --data.", o.DataDir)
	}
	if err := writable(dir); err != nil {
		return err
	}
	file := filepath.Join(dir, databaseFile)
	s.name = file
	s.dialect, s.kind, s.writers, s.share, s.snapshot = sqliteDialect{}, "sqlite", 1, 1, s.sqliteSnapshot
	open := func(conns int, pragmas ...string) (*bun.DB, error) {
		query := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)",
			"foreign_keys(1)", "wal_autocheckpoint(16384)", "cache_size(-65536)", "temp_store(MEMORY)"}, pragmas...)}
		address := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: query.Encode()}
		db, err := sql.Open("sqlite", address.String())
		if err != nil {
			return nil, err
		}
		s.closers = append(s.closers, db.Close)
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		if err := db.PingContext(ctx); err != nil {
			return nil, err
		}
		return bun.NewDB(db, sqlitedialect.New(), bun.WithDiscardUnknownColumns()).WithQueryHook(observer{s.metrics}), nil
	}
	if s.writes, err = open(1); err == nil {
		s.db, err = open(max(4, 2*runtime.GOMAXPROCS(0)), "query_only(1)")
	}
	if err != nil {
		return fault.Wrap(err, fault.Internal, "%s cannot be opened as a database. Give another folder with DATA_DIR or --data, or move the file away.", file)
	}
	return nil
}

// databaseFile is the embedded database, in the data folder.
const databaseFile = "carbongraph.db"

// writable makes the folder and proves that files can be made in it: SQLite itself tells only that it is unable.
func writable(dir string) error {
	const advice = "Give another with DATA_DIR or --data, or set DATABASE_URL."
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(err, fault.Internal, "The data folder %s cannot be made: %v. %s", dir, errors.Unwrap(err), advice)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The data folder %s cannot be written: %v. %s", dir, errors.Unwrap(err), advice)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, databaseFile), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The database %s cannot be written: %v. %s", filepath.Join(dir, databaseFile), errors.Unwrap(err), advice)
	}
	return file.Close()
}

// words: SQLite compares text by bytes as it is, and an index covers by having more columns. A plus frees the groups of a sum from indexes: SQLite
// would take one that has them in order, and look at each row for the rest, rather than sort what a covering index gives. A strict table refuses what an integer too large would become, a float.
func (sqliteDialect) words() map[string]string {
	return map[string]string{"uuid": "text", "text": "text", "int": "integer", "bigint": "integer", "bool": "boolean", "float": "real",
		"bytes": "blob", "date": "text", "instant": "text", "include": ",",
		"hasTable": "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)", "pairs": "json_each($1)", "locked": "",
		"free": "+", "river": "", "roomy": "", "byGrain": "STRICT, WITHOUT ROWID",
		"xid": "integer", "raisedBy": "org_id, subject", "triggers": "", "churned": "", "own": "", "tryLock": "", "compact": "",
		"raise": `INSERT INTO versions (org_id, subject, xid, n, mark) SELECT o.value, s.value, (SELECT COALESCE(MAX(xid), 0) + 1 FROM versions), 1, abs(random() % 2147483647)
			FROM json_each($1) AS o JOIN json_each($2) AS s ON s.key = o.key WHERE TRUE ON CONFLICT (org_id, subject) DO UPDATE SET xid = excluded.xid, n = n + 1, mark = mark + excluded.mark RETURNING xid`,
		"moment": "SELECT CAST(COALESCE(MAX(xid), 0) AS text) FROM versions",
		"changes": `SELECT CAST((SELECT COALESCE(MAX(xid), 0) FROM versions) AS text), v.org_id FROM (SELECT 1) AS one LEFT JOIN (SELECT DISTINCT org_id FROM versions
			WHERE xid > CAST($1 AS integer)) AS v ON TRUE`,
		"monthOf": sqliteDialect{}.firstDay("e.occurred_on", ByMonth), "yearOf": sqliteDialect{}.firstDay("e.occurred_on", ByYear)}
}

// lock: an immediate transaction keeps every other writer out already.
func (sqliteDialect) lock(ctx context.Context, tx *transaction, _ int64, _ bool, read string, args ...string) (numbers []int32, err error) {
	if read == "" {
		return nil, nil
	}
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg
	}
	rows, err := tx.tx.Tx.QueryContext(ctx, read, values...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int32
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

func (sqliteDialect) classify(err error) trouble {
	var said *sqlite.Error
	if !errors.As(err, &said) {
		return otherTrouble
	}
	switch said.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return notUnique
	case sqlite3.SQLITE_INTERRUPT:
		return tookTooLong
	case sqlite3.SQLITE_CONSTRAINT_DATATYPE:
		return tooLarge
	}
	if strings.Contains(said.Error(), "integer overflow") {
		return tooLarge
	}
	switch said.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return collided
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR:
		return unreachable
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return unstorable
	}
	return otherTrouble
}

// insert prepares one statement for many rows and runs it until all are in.
func (sqliteDialect) insert(ctx context.Context, tx *transaction, table string, columns []string, n int, row func(i int) []any) error {
	const atOnce = 40
	for from := 0; from < n; {
		rows := min(atOnce, n-from)
		one := "(" + strings.Repeat("?, ", len(columns)-1) + "?)"
		stmt, err := tx.tx.Tx.PrepareContext(ctx, "INSERT OR FAIL INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+strings.Repeat(one+", ", rows-1)+one)
		if err != nil {
			return err
		}
		args := make([]any, 0, rows*len(columns))
		for ; from+rows <= n && err == nil; from += rows {
			args = args[:0]
			for i := range rows {
				args = append(args, row(from+i)...)
			}
			_, err = stmt.ExecContext(ctx, args...)
		}
		if err := errors.Join(err, stmt.Close()); err != nil {
			return err
		}
	}
	return nil
}

// bound makes JSON of arrays, which the statement unpacks again.
func (sqliteDialect) bound(args []any, _ bool) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch arg.(type) {
		case []string, []int32, []ID:
			list, err := json.Marshal(arg)
			if err != nil {
				panic("store: a list that is no JSON: " + err.Error()) // texts and numbers always are
			}
			out[i] = string(list)
		default:
			out[i] = arg
		}
	}
	return out
}

func (sqliteDialect) oneOf(b *statement, expr string, _ listType, values any, _ bool) string {
	return expr + " IN (SELECT value FROM json_each(" + b.bind(values) + "))"
}

// topNPerParent looks the page of each parent up by row number; without LATERAL the rows are sorted again at the end.
func (sqliteDialect) topNPerParent(b *statement, q pageQuery, parents parentKeys) string {
	row, join := q.alias+".rowid", "LEFT JOIN"
	if q.alone() {
		join = "JOIN"
	}
	return "SELECT parents.key, " + q.before + ", " + q.after + ", " + q.columns + " FROM json_each(" + b.bind(parents.values) + ") AS parents " + join + " " +
		q.table + " ON " + row + " IN (SELECT " + row + " FROM " + q.table + " WHERE " + q.where + " ORDER BY " + q.orderBy + " LIMIT " + q.limit +
		") ORDER BY parents.key, " + q.orderBy
}

func (sqliteDialect) firstDay(expr string, span FootprintDimension) string {
	switch span {
	case ByYear:
		return "substr(" + expr + ", 1, 4) || '-01-01'"
	case ByQuarter:
		return "substr(" + expr + ", 1, 5) || substr('010101040404070707101010', 2 * CAST(substr(" + expr + ", 6, 2) AS integer) - 1, 2) || '-01'"
	}
	return "substr(" + expr + ", 1, 7) || '-01'"
}
