// Package storetest gives tests a store of their own, on SQLite and on Postgres, and rows to fill it with.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carbongraph/store"
)

// variable names the Postgres server that test databases are made in.
const variable = "TEST_DATABASE_URL"

// Option changes how a test's store is opened.
type Option func(*store.Options)

// Each runs a test on a fresh SQLite and on a fresh Postgres, in parallel. Without TEST_DATABASE_URL the second is skipped by that name.
func Each(t *testing.T, name string, f func(t *testing.T, st *store.Store), options ...Option) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, SQLite(t, options...)) })
		t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, Postgres(t, options...)) })
	})
}

// SQLite gives a fresh, migrated store in a folder that goes with the test.
func SQLite(t testing.TB, options ...Option) *store.Store {
	t.Helper()
	return migrated(t, store.Options{DataDir: t.TempDir()}, options)
}

// Postgres gives a fresh, migrated store in a database that goes with the test.
func Postgres(t testing.TB, options ...Option) *store.Store {
	t.Helper()
	return open(t, store.Options{DatabaseURL: PostgresURL(t)}, options)
}

// PostgresURL gives the address of a fresh, migrated database that goes with the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := serverURL(t)
	template := template(t, server)
	return create(t, server, "TEMPLATE "+template)
}

// EmptyPostgresURL gives the address of a fresh database without any table.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return create(t, serverURL(t), "")
}

func serverURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(variable)
	if server == "" {
		t.Skip(variable + " is not set: give the address of a Postgres server in which databases may be made, or run the tests by `make test`")
	}
	return server
}

func open(t testing.TB, o store.Options, options []Option) *store.Store {
	t.Helper()
	for _, option := range options {
		option(&o)
	}
	st, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return st
}

func migrated(t testing.TB, o store.Options, options []Option) *store.Store {
	t.Helper()
	o.SkipMigrationCheck = true
	st := open(t, o, options)
	if _, err := st.MigrateUp(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return st
}

// create makes a database and drops it when the test ends, after everything that the test opened itself is closed.
func create(t testing.TB, server, how string) string {
	t.Helper()
	name := "test_" + random()
	admin(t, server, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" "+how)
		return err
	})
	t.Cleanup(func() {
		admin(t, server, func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			return err
		})
	})
	return at(t, server, name)
}

// template gives the name of a migrated database that tests copy. The server's tests share it; its name tells the schema, so that an older one is not taken.
func template(t testing.TB, server string) string {
	t.Helper()
	name := "template_" + store.SchemaDigest()
	admin(t, server, func(ctx context.Context, conn *pgx.Conn) error {
		// The lock ends with the connection.
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(8315906217)"); err != nil {
			return err
		}
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
			return err
		}
		draft := "draft_" + random()
		if _, err := conn.Exec(ctx, "CREATE DATABASE "+draft); err != nil {
			return err
		}
		st, err := store.Open(ctx, store.Options{DatabaseURL: at(t, server, draft), SkipMigrationCheck: true})
		if err != nil {
			return err
		}
		if _, err := st.MigrateUp(ctx); err != nil {
			return err
		}
		if err := st.Close(); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
		return err
	})
	return name
}

// admin runs f on a connection of its own to the server, also when the test's context has ended.
func admin(t testing.TB, server string, f func(context.Context, *pgx.Conn) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err == nil {
		err = f(ctx, conn)
		_ = conn.Close(ctx)
	}
	if err != nil {
		t.Fatalf("test server at %s: %v", variable, err)
	}
}

// at gives the server's address with another database.
func at(t testing.TB, server, database string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is no URL", variable)
	}
	u.Path = "/" + database
	return u.String()
}

func random() string {
	b := make([]byte, 8)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// text gives a pointer to a text, as rows want it.
func text(format string, args ...any) *string { return new(fmt.Sprintf(format, args...)) }
