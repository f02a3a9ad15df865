// Package store holds a ledger's rows and the statements that read and write them, on Postgres and on embedded SQLite.
package store

import (
	"context"
	"log/slog"
	"time"

	"carbongraph/internal/telemetry"
)

// Options are what a store needs to open.
type Options struct {
	DatabaseURL string // postgres://…; empty: SQLite under DataDir
	DataDir     string // where carbongraph.db lives when DatabaseURL is empty
	MaxConns    int    // of the Postgres pool; 0: max(4, 2 × cores)
	Log         *slog.Logger
	Metrics     *telemetry.Store
	Now         func() time.Time // nil: time.Now
	NewID       func() ID        // nil: UUIDv7
	// ReadOnly opens for reading alone; SkipMigrationCheck lets `migrate` open a database that is behind.
	SkipMigrationCheck bool
}

// Store is a database, open.
type Store struct{}

// Tenant is one organization's view of a store: the only door to a ledger's rows.
type Tenant struct{}

// Writer writes a tenant's rows inside one transaction.
type Writer struct{}

// Open connects. A database that cannot be reached, a folder that cannot be written and a schema that is behind are each a fault that says what to do.
func Open(ctx context.Context, o Options) (*Store, error) { panic(errTodo) }

func (s *Store) Close() error                   { panic(errTodo) }
func (s *Store) Ping(ctx context.Context) error { panic(errTodo) }
func (s *Store) Tenant(org ID) *Tenant          { panic(errTodo) }
func (s *Store) Dialect() string                { panic(errTodo) } // "postgres" or "sqlite"

// MigrateUp applies what is missing and tells how many; MigrateDown takes the last group back. Both hold a lock.
func (s *Store) MigrateUp(ctx context.Context) (int, error)   { panic(errTodo) }
func (s *Store) MigrateDown(ctx context.Context) (int, error) { panic(errTodo) }

// Migrations lists every migration and whether it is applied.
func (s *Store) Migrations(ctx context.Context) ([]MigrationStatus, error) { panic(errTodo) }

// MigrationStatus is one migration and whether it is applied.
type MigrationStatus struct {
	Name    string
	Applied bool
}

func (t *Tenant) ID() ID { panic(errTodo) }
