package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"carbongraph/store"
)

// places tell what cursors stand for. Ours are authenticated, so that the handler by hand can neither make nor read one: it is given this table.
type places struct {
	Emissions map[string]emissionPlace
	Suppliers map[string]supplierPlace
}

type emissionPlace struct {
	Day time.Time
	ID  [16]byte
}

type supplierPlace struct {
	NameKey string
	ID      [16]byte
}

func (p *places) write(file string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func readPlaces(file string) (*places, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := &places{}
	return p, json.Unmarshal(text, p)
}

const (
	nestedSize = 50  // suppliers of a page of Q2
	deepSize   = 100 // emissions of a page of Q3
)

// parameters walks through the ledger as a client would, and gathers what the documents are asked with.
func (b *bench) parameters(ctx context.Context) (*known, error) {
	conn, err := dial(ctx, b.auto.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	k := &known{places: &places{map[string]emissionPlace{}, map[string]supplierPlace{}}}
	if err := b.someSuppliers(ctx, conn, k); err != nil {
		return nil, err
	}
	return k, b.somePages(conn, k)
}

// someSuppliers picks suppliers all over the ledger for Q1, and full pages of them for Q2.
func (b *bench) someSuppliers(ctx context.Context, conn *connection, k *known) error {
	database, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer database.Close(ctx)
	all, err := allSuppliers(conn, b.auto)
	if err != nil {
		return err
	}
	if len(all) <= nestedSize {
		return fmt.Errorf("the ledger has %d suppliers; take more than %d", len(all), nestedSize)
	}
	for i := range variety {
		k.ids = append(k.ids, all[i*len(all)/variety].Node.ID)
		before := all[i*(len(all)-nestedSize)/variety]
		id, err := store.ParseGlobalID(before.Node.ID)
		if err != nil {
			return err
		}
		at := supplierPlace{ID: id.Row}
		if err := database.QueryRow(ctx, "SELECT name_key FROM suppliers WHERE org_id = $1 AND id = $2", b.org, at.ID).Scan(&at.NameKey); err != nil {
			return err
		}
		k.suppliers = append(k.suppliers, before.Cursor)
		k.places.Suppliers[before.Cursor] = at
	}
	return nil
}

type supplierEdge struct {
	Cursor string
	Node   struct{ ID string }
}

func allSuppliers(conn *connection, s *server) ([]supplierEdge, error) {
	const document = `query($after: String) { suppliers(first: 500, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }`
	var all []supplierEdge
	var after *string
	for {
		var got struct {
			Suppliers struct {
				Edges    []supplierEdge
				PageInfo pageInfo
			}
		}
		if err := s.query(conn, document, map[string]any{"after": after}, &got); err != nil {
			return nil, err
		}
		all = append(all, got.Suppliers.Edges...)
		if !got.Suppliers.PageInfo.HasNextPage {
			return all, nil
		}
		after = &got.Suppliers.PageInfo.EndCursor
	}
}

type pageInfo struct {
	HasNextPage bool
	EndCursor   string
}

// deepRow is the row that deep pages stand at.
func (b *bench) deepRow() int { return b.rows * 9 / 10 }

// somePages picks the pages of emissions that end at the deep row for Q3, and the cursor there.
func (b *bench) somePages(conn *connection, k *known) error {
	const document = `query($first: Int!, $after: String) {
		emissions(first: $first, after: $after) { nodes { id occurredOn } pageInfo { hasNextPage endCursor } } }`
	deep := b.deepRow()
	near := deep - deepSize*(variety-1)
	if near < 1 {
		return fmt.Errorf("the ledger has %d rows; take 5000 or more", b.rows)
	}
	var after *string
	for at := 0; at < deep; {
		size := deepSize
		if at < near {
			size = min(store.MaxPage, near-at)
		}
		var got struct {
			Emissions struct {
				Nodes    []struct{ ID, OccurredOn string }
				PageInfo pageInfo
			}
		}
		if err := b.auto.query(conn, document, map[string]any{"first": size, "after": after}, &got); err != nil {
			return err
		}
		e := got.Emissions
		if len(e.Nodes) != size || !e.PageInfo.HasNextPage {
			return fmt.Errorf("row %d: a page of %d emissions, want %d and more behind it", at, len(e.Nodes), size)
		}
		at, after = at+size, &e.PageInfo.EndCursor
		if at < near {
			continue
		}
		last := e.Nodes[size-1]
		id, err := store.ParseGlobalID(last.ID)
		if err != nil {
			return err
		}
		day, err := time.Parse(time.DateOnly, last.OccurredOn)
		if err != nil {
			return err
		}
		k.pages = append(k.pages, *after)
		k.places.Emissions[*after] = emissionPlace{day, id.Row}
	}
	b.deep = *after
	return nil
}
