package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// engines compares the server with the hand-written handler on the nested document. Both must send the same bytes.
func (b *bench) engines(ctx context.Context) error {
	ours, err := b.server.ask(ctx, http.DefaultClient)
	if err != nil {
		return err
	}
	limit, err := b.byHand.ask(ctx, http.DefaultClient)
	if err != nil {
		return err
	}
	if !bytes.Equal(bytes.TrimSpace(ours), limit) {
		return fmt.Errorf("the answers differ:\n%.400s\n%.400s", ours, limit)
	}
	for _, connections := range []int{1, 64} {
		ratio, a, h, err := ratios(ctx, b.server, b.byHand, connections, len(ours), b.rounds, b.round)
		if err != nil {
			return err
		}
		b.add(figure{name: fmt.Sprintf("nested document (%.0f kB) against the handler by hand, %d connections", float64(len(ours))/1000, connections),
			value: fmt.Sprintf("%s; %.1f against %.1f answers/s", spread(ratio), a, h)})
	}
	return nil
}

const page = `query Page($first: Int!, $after: String) {
  emissions(first: $first, after: $after) { nodes { id co2e occurredOn } pageInfo { endCursor hasNextPage } }
}`

// depth compares the first page with the page at nine tenths of the ledger, and that with what OFFSET costs there.
func (b *bench) depth(ctx context.Context) error {
	deep := b.rows * 9 / 10
	after, err := b.walk(ctx, deep)
	if err != nil {
		return err
	}
	first, far := b.page(50, ""), b.page(50, after)
	times, err := timings(ctx, 60, first, far)
	if err != nil {
		return err
	}
	change := float64(times[1])/float64(times[0]) - 1
	b.add(figure{fmt.Sprintf("page of 50 at row %d against the first", deep), fmt.Sprintf("%+.1f %% (%v against %v)", change*100, times[1].Round(10*time.Microsecond), times[0].Round(10*time.Microsecond)), "within 20 %", change < 0.2})
	return b.offset(ctx, deep)
}

// page asks for emissions in their default order.
func (b *bench) page(first int, after string) *target {
	variables := map[string]any{"first": first}
	if after != "" {
		variables["after"] = after
	}
	body, _ := json.Marshal(map[string]any{"query": page, "variables": variables})
	t := *b.server
	t.body = body
	return &t
}

// walk pages through the connection to a row, as a client would, and gives the cursor there.
func (b *bench) walk(ctx context.Context, rows int) (string, error) {
	after := ""
	for at := 0; at < rows; {
		size := min(500, rows-at)
		answer, err := b.page(size, after).ask(ctx, http.DefaultClient)
		if err != nil {
			return "", err
		}
		var got struct {
			Data struct {
				Emissions struct {
					Nodes    []struct{ ID string }
					PageInfo struct {
						EndCursor   string
						HasNextPage bool
					}
				}
			}
		}
		if err := json.Unmarshal(answer, &got); err != nil {
			return "", err
		}
		e := got.Data.Emissions
		if len(e.Nodes) != size || !e.PageInfo.HasNextPage {
			return "", fmt.Errorf("row %d: a page of %d, want %d and more behind it: %.300s", at, len(e.Nodes), size, answer)
		}
		at, after = at+size, e.PageInfo.EndCursor
	}
	return after, nil
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
