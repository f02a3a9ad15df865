package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carbongraph/store/storetest"
)

// blocked is a database of which tables are held by somebody else, so that whoever reads them waits.
type blocked struct {
	t            *testing.T
	holds, looks *pgx.Conn
	last         string // what waited when it was looked for last
}

func newBlocked(t *testing.T, url string) *blocked {
	t.Helper()
	connect := func() *pgx.Conn {
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		return c
	}
	return &blocked{t: t, holds: connect(), looks: connect()}
}

func (b *blocked) exec(text string) {
	b.t.Helper()
	if _, err := b.holds.Exec(b.t.Context(), text); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
}

// waiting waits until statements wait for the tables, or until none does, and tells whether it came to that.
func (b *blocked) waiting(some bool) bool {
	b.t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		err := b.looks.QueryRow(b.t.Context(), `SELECT COALESCE(string_agg(concat_ws(' ', backend_type, application_name, clock_timestamp() - query_start, query), '; '), '')
			FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&b.last)
		if err != nil {
			b.t.Fatal(err)
		}
		if b.last != "" == some {
			return true
		}
	}
	return false
}

// A client that goes takes its statement along: Postgres works for nobody. That holds for both engines, for what is read in one statement and in several, and for
// mutations, of which nothing remains.
func TestWhoeverGoesTakesTheStatementAlong(t *testing.T) {
	url := storetest.PostgresURL(t)
	es := &engines{}
	es.fill(t, map[string]string{"DATABASE_URL": url})
	b := newBlocked(t, url)
	for _, name := range []string{"auto", "gqlgen"} {
		e := newEngine(t, name, map[string]string{"DATABASE_URL": url, "DATA_DIR": "/nowhere"})
		e.ask(es.keys[0], written("{ viewer { keyName } }")) // so that the key is known and no statement is needed for it
		for what, document := range map[string]string{
			"a page":              `{ emissions(first: 3) { nodes { id } } }`,
			"a page and its rows": `{ emissions(first: 3) { nodes { supplier { name } } } }`,
			"levels":              `{ suppliers(first: 3) { nodes { emissions(first: 2) { nodes { co2e } } } } }`,
			"beside each other":   `{ a: emissions(first: 3) { totalCount } suppliers { totalCount } }`,
			"a mutation":          `mutation { upsertSuppliers(input: {suppliers: [{externalId: "gone", name: "Gone"}]}) { created } }`,
		} {
			t.Run(what+" by "+name, func(t *testing.T) {
				b.exec("BEGIN")
				b.exec("LOCK TABLE emissions, suppliers IN ACCESS EXCLUSIVE MODE")
				body, err := json.Marshal(map[string]string{"query": document})
				if err != nil {
					t.Fatal(err)
				}
				ctx, leave := context.WithCancel(t.Context())
				gone := make(chan struct{})
				go func() {
					defer close(gone)
					r, err := http.NewRequestWithContext(ctx, "POST", "http://"+e.app.Address()+"/graphql", bytes.NewReader(body))
					if err != nil {
						t.Error(err)
						return
					}
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("Authorization", "Bearer "+es.keys[0])
					if res, err := e.client.Do(r); err == nil {
						res.Body.Close()
						t.Errorf("an answer, %d, from tables that nobody can read", res.StatusCode)
					}
				}()
				if !b.waiting(true) {
					t.Error("no statement waits")
				}
				leave()
				<-gone
				if !b.waiting(false) {
					t.Errorf("the statement runs on without its client: %s", b.last)
				}
				b.exec("ROLLBACK")
				if got := e.ask(es.keys[0], written(`{ supplier(externalId: "gone") { name } suppliers(first: 1) { nodes { id } } }`)); !strings.HasPrefix(string(got.body), `{"data":{"supplier":null,`) {
					t.Errorf("afterwards: %s", got.body)
				}
			})
		}
	}
}
