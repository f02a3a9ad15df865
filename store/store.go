// Package store holds a ledger's rows and the statements that read and write them, on Postgres and on embedded SQLite.
package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// Options are what a store needs to open.
type Options struct {
	DatabaseURL string // postgres://…; empty: SQLite under DataDir
	DataDir     string // where carbongraph.db lives when DatabaseURL is empty
	MaxConns    int    // of the Postgres pool; 0: max(4, 2 × cores)
	// ReplicaURLs are addresses of Postgres databases that follow DatabaseURL, for reads of snapshots.
	ReplicaURLs []string
	Log         *slog.Logger
	Metrics     *telemetry.Store
	Now         func() time.Time // nil: time.Now
	NewID       func() ID        // nil: UUIDv7
	// Committed is told after each commit that raised versions whose they are, before the writer hears of it; the zero ID stands for everybody's. It is told of a commit too
	// of which nobody knows whether it came about. It must not wait. Nil: nobody is told.
	Committed func(org ID)
	// SkipMigrationCheck lets a database be opened that is behind: for `migrate`, and for whoever migrates at once.
	SkipMigrationCheck bool
}

// Store is a database, open.
type Store struct {
	kind    string
	dialect dialect
	db      *bun.DB // reads; on Postgres writes too
	writes  *bun.DB // SQLite has one connection that writes
	closers []func() error
	metrics *telemetry.Store
	log     *slog.Logger
	now     func() time.Time
	newID   func() ID
	// committed is told whose versions were raised.
	committed func(org ID)
	writers   int
	share     int
	held      holder
	formulas  knownFormulas
	address   *pgxpool.Config // of the Postgres database
	opened    time.Time
	// snapshot takes a connection for the reads of one operation.
	snapshot func(context.Context) (Snapshot, error)
	replicas []*replica
	turn     atomic.Uint32 // of the replicas
	// cursorKey authenticates cursors; made once per database, and the same in copies of it.
	cursorKey []byte
	// name tells the database from its copies: that of the database on Postgres, the file's on SQLite.
	name string
}

// Open connects. A database that cannot be reached, a folder that cannot be written and a schema that is behind are each a fault that says what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{metrics: o.Metrics, log: o.Log, now: o.Now, newID: o.NewID, committed: o.Committed, held: holder{read: make(chan struct{})}}
	if s.committed == nil {
		s.committed = func(ID) {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.opened = s.now()
	if s.newID == nil {
		s.newID = func() ID { return ID(uuid.Must(uuid.NewV7())) }
	}
	open := openSQLite
	if o.DatabaseURL != "" {
		open = openPostgres
	}
	if err := open(ctx, s, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.ready(ctx, o.SkipMigrationCheck); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ready checks that the schema is the one this program knows, and reads the database's secret.
func (s *Store) ready(ctx context.Context, unmigrated bool) error {
	all, err := s.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Applied {
			continue
		}
		if unmigrated {
			return nil
		}
		return fault.New(fault.Internal, "The database lacks migration %s. Run `carbongraph migrate up` first.", m.Name)
	}
	if text := s.dialect.words()["name"]; text != "" {
		if err := s.db.NewRaw(text).Scan(ctx, &s.name); err != nil {
			return s.fault(err, "read the database's name")
		}
	}
	return s.readSecret(ctx)
}

// readSecret makes the secret where there is none yet. Two that start at once make two and keep the first.
func (s *Store) readSecret(ctx context.Context) error {
	const find = "SELECT value FROM settings WHERE name = 'cursor_secret'"
	err := s.db.NewRaw(find).Scan(ctx, &s.cursorKey)
	if !errors.Is(err, sql.ErrNoRows) {
		return s.fault(err, "read the settings")
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	if _, err := s.writes.NewRaw("INSERT INTO settings (name, value) VALUES ('cursor_secret', ?) ON CONFLICT (name) DO NOTHING", fresh).Exec(ctx); err != nil {
		return s.fault(err, "write the settings")
	}
	return s.fault(s.db.NewRaw(find).Scan(ctx, &s.cursorKey), "read the settings")
}

// Derive gives a secret of this database for one purpose: the same on every server, another for a copy that has another name beside it, and none tells another.
func (s *Store) Derive(purpose string) []byte {
	mac := hmac.New(sha256.New, s.cursorKey)
	mac.Write([]byte(purpose + "\x00" + s.name))
	return mac.Sum(nil)
}

// Close ends every connection. What runs is waited for.
func (s *Store) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	return s.fault(s.db.PingContext(ctx), "ping")
}

// Dialect is "postgres" or "sqlite".
func (s *Store) Dialect() string { return s.kind }

// Writers is how many transactions at once write faster than one, and leave connections to whoever reads beside them.
func (s *Store) Writers() int { return s.writers }

// Share is how many connections writers may take at once, so that readers always find one: a quarter of the pool.
func (s *Store) Share() int { return s.share }

// NewID makes the key of a new row.
func (s *Store) NewID() ID { return s.newID() }

// Now is the instant that new rows are stamped with.
func (s *Store) Now() exact.Instant { return exact.InstantOf(s.now()) }

// ErrFull tells that the database has no space left.
var ErrFull = errors.New("store: no space left")

// fault makes an error of the database one that a client may see. Faults pass as they are; what is being done goes to the log alone.
func (s *Store) fault(err error, doing string) error {
	var known *fault.Fault
	if err == nil || errors.As(err, &known) {
		return err
	}
	err = fmt.Errorf("store: %s: %w", doing, err)
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Timeout, "The database took too long; ask for less, or try again.")
	}
	switch s.dialect.classify(err) {
	case tookTooLong:
		return fault.Wrap(err, fault.Timeout, "The database took too long; ask for less, or try again.")
	case unreachable:
		return fault.Wrap(err, fault.Overloaded, "The database cannot be reached at the moment; try again.")
	case collided:
		return fault.Wrap(err, fault.Overloaded, "Too many writers want the same rows; try again.")
	case full:
		return fault.Wrap(errors.Join(ErrFull, err), fault.Overloaded, "The database has no space left; make some, and try again.")
	case tooLarge:
		return fault.Wrap(err, fault.BadUserInput, "The sum is larger than the ledger can tell (9.2e12 kilograms or units of money); narrow the filter.")
	case unstorable:
		return fault.Wrap(err, fault.BadUserInput, "The database takes no such value; correct it.")
	case notUnique:
		return fault.Wrap(err, fault.Conflict, "Something with the same key is there already.")
	}
	return err
}
