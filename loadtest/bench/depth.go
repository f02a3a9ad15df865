package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const page = `query Page($first: Int!, $after: String) {
  emissions(first: $first, after: $after) { nodes { id co2e occurredOn } pageInfo { endCursor hasNextPage } }
}`

// depth compares the first page with the page at nine tenths of the ledger, and that with what OFFSET costs there.
func (b *bench) depth(ctx context.Context) error {
	pages := &target{server: b.auto}
	for _, after := range []*string{nil, &b.deep} {
		body, err := json.Marshal(map[string]any{"query": page, "variables": map[string]any{"first": 50, "after": after}})
		if err != nil {
			return err
		}
		pages.requests = append(pages.requests, b.auto.request("", body))
	}
	times, err := pages.timings(ctx, 60)
	if err != nil {
		return err
	}
	change := float64(times[1])/float64(times[0]) - 1
	b.add(figure{fmt.Sprintf("page of 50 at row %d against the first", b.deepRow()), fmt.Sprintf("%+.1f %% (%v against %v)", change*100, times[1].Round(10*time.Microsecond), times[0].Round(10*time.Microsecond)), "within 20 %", change < 0.2})
	return b.offset(ctx, b.deepRow())
}

// offset times the statement behind the page by keyset and by OFFSET, side by side in the database.
func (b *bench) offset(ctx context.Context, deep int) error {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	const columns = `SELECT * FROM emissions WHERE org_id = $1 AND NOT superseded`
	var day time.Time
	var id string
	if err := conn.QueryRow(ctx, columnsOf("occurred_on, id::text")+` ORDER BY occurred_on DESC, id DESC OFFSET $2 LIMIT 1`, b.org, deep).Scan(&day, &id); err != nil {
		return err
	}
	byKey := func() error {
		_, err := conn.Exec(ctx, columns+` AND (occurred_on, id) < ($2, $3) ORDER BY occurred_on DESC, id DESC LIMIT 51`, b.org, day, id)
		return err
	}
	byOffset := func() error {
		_, err := conn.Exec(ctx, columns+` ORDER BY occurred_on DESC, id DESC OFFSET $2 LIMIT 51`, b.org, deep)
		return err
	}
	var keyed, skipped []float64
	for range b.rounds {
		for _, m := range []struct {
			run  func() error
			into *[]float64
		}{{byKey, &keyed}, {byOffset, &skipped}} {
			start := time.Now()
			if err := m.run(); err != nil {
				return err
			}
			*m.into = append(*m.into, float64(time.Since(start)))
		}
	}
	times := median(skipped) / median(keyed)
	b.add(figure{fmt.Sprintf("OFFSET %d against the keyset page, in the database", deep), fmt.Sprintf("%.0f x slower (%v against %v)", times, time.Duration(median(skipped)).Round(time.Millisecond), time.Duration(median(keyed)).Round(10*time.Microsecond)), ">= 100 x", times >= 100})
	return nil
}

func columnsOf(columns string) string {
	return "SELECT " + columns + " FROM emissions WHERE org_id = $1 AND NOT superseded"
}
