package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ledger is what a filled database holds. A database that is kept has it in its comment: where there is none, the filling did not come to its end.
type ledger struct {
	Org             string
	Rows, Suppliers int
}

// open makes a database beside the one of the address and fills it, or finds the one that was kept. What it gives back drops or leaves it.
func (b *bench) open(ctx context.Context) (func(), error) {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return nil, err
	}
	var version string
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&version); err != nil {
		return nil, err
	}
	b.postgres = "Postgres " + version
	name := "bench_" + b.reuse
	if b.reuse == "" {
		name = fmt.Sprintf("bench_%d", time.Now().UnixNano())
	}
	address, err := url.Parse(b.database)
	if err != nil {
		return nil, err
	}
	address.Path = "/" + name
	b.database = address.String()
	quoted := pgx.Identifier{name}.Sanitize()
	done := func() {
		ctx := context.WithoutCancel(ctx)
		if b.reuse == "" {
			_, _ = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)")
		}
		_ = conn.Close(ctx)
	}
	kept, err := keptLedger(ctx, conn, name)
	if err == nil && kept != nil {
		err = b.again(ctx, kept)
	} else if err == nil {
		err = b.anew(ctx, conn, quoted)
	}
	if err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// keptLedger reads what a database of this name holds; nil where there is none or a half-filled one.
func keptLedger(ctx context.Context, conn *pgx.Conn, name string) (*ledger, error) {
	var comment *string
	err := conn.QueryRow(ctx, "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", name).Scan(&comment)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && comment == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	kept := &ledger{}
	if err := json.Unmarshal([]byte(*comment), kept); err != nil {
		return nil, fmt.Errorf("the comment of database %s is not the bench's: %w", name, err)
	}
	return kept, nil
}

// again takes a kept ledger with a new key: secrets are not kept.
func (b *bench) again(ctx context.Context, kept *ledger) error {
	b.org, b.rows, b.suppliers = kept.Org, kept.Rows, kept.Suppliers
	if _, _, err := b.verb(ctx, "migrate", "up"); err != nil {
		return err
	}
	secret, _, err := b.verb(ctx, "key", "create", "--org", b.org, "--role", "ADMIN", "--name", "bench")
	b.key = strings.TrimSpace(string(secret))
	return err
}

// anew makes the database, fills it, and notes what it holds.
func (b *bench) anew(ctx context.Context, conn *pgx.Conn, quoted string) error {
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + quoted, "CREATE DATABASE " + quoted} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := b.fill(ctx); err != nil {
		return err
	}
	if err := b.vacuum(ctx); err != nil {
		return err
	}
	note, err := json.Marshal(ledger{b.org, b.rows, b.suppliers})
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "COMMENT ON DATABASE "+quoted+" IS '"+string(note)+"'") // an id and two numbers: nothing to quote
	return err
}

// vacuum brings the tables to the state that autovacuum would bring them to soon.
func (b *bench) vacuum(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "VACUUM ANALYZE")
	return err
}
