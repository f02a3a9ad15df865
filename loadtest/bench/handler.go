package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"carbongraph/store"
)

// byHand answers the documents the way a good engineer writes an endpoint for each: prepared statements, rows to bytes, no framework, no
// authentication, no schema, no log. It is the limit that a general engine is measured against.
type byHand struct {
	pool   *pgxpool.Pool
	org    string
	places *places
}

// serveByHand serves the hand-written handler, in a process of its own as the server is.
func serveByHand(ctx context.Context, database, org, cursors, address string) error {
	known, err := readPlaces(cursors)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	h := &byHand{pool, org, known}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /Q1", endpoint(h.supplier))
	mux.HandleFunc("POST /Q2", endpoint(h.suppliers))
	mux.HandleFunc("POST /Q3", endpoint(h.emissions))
	s := &http.Server{Handler: mux, Addr: address, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// endpoint reads the variables of a request and writes what they are answered with.
func endpoint[V any](answer func(context.Context, V) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var question struct{ Variables V }
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			http.Error(w, "bad body", http.StatusBadRequest)
			return
		}
		body, err := answer(r.Context(), question.Variables)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

var errUnknownCursor = errors.New("unknown cursor")

type supplierRow struct {
	id            [16]byte
	name, country pgtype.Text
}

type emissionRow struct {
	id, factor, supplier [16]byte
	hasSupplier          bool
	co2e                 int64
	day                  pgtype.Date
	category             int
	method               string
}

type factorRow struct {
	id                 [16]byte
	name, region, unit string
}

// supplier answers Q1: both statements in one round trip.
func (h *byHand) supplier(ctx context.Context, v struct{ ID string }) ([]byte, error) {
	id, err := store.ParseGlobalID(v.ID)
	if err != nil {
		return nil, err
	}
	var s *supplierRow
	var emissions []emissionRow
	batch := &pgx.Batch{}
	batch.Queue(`SELECT id, name, country FROM suppliers WHERE org_id = $1 AND id = $2`, h.org, [16]byte(id.Row)).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			s = &supplierRow{}
			if err := rows.Scan(&s.id, &s.name, &s.country); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	batch.Queue(`SELECT id, co2e_mg, occurred_on, method FROM emissions WHERE org_id = $1 AND supplier_id = $2 AND NOT superseded
		ORDER BY occurred_on DESC, id DESC LIMIT 6`, h.org, [16]byte(id.Row)).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var e emissionRow
			if err := rows.Scan(&e.id, &e.co2e, &e.day, &e.method); err != nil {
				return err
			}
			emissions = append(emissions, e)
		}
		return rows.Err()
	})
	if err := h.pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	return renderSupplier(s, emissions), nil
}

// suppliers answers Q2: three statements, one after the other.
func (h *byHand) suppliers(ctx context.Context, v struct {
	First int
	After string
}) ([]byte, error) {
	after, known := h.places.Suppliers[v.After]
	if !known {
		return nil, errUnknownCursor
	}
	rows, err := h.pool.Query(ctx, `SELECT id, name, country FROM suppliers WHERE org_id = $1 AND (name_key, id) > ($2, $3) ORDER BY name_key, id LIMIT $4`,
		h.org, after.NameKey, after.ID, v.First)
	if err != nil {
		return nil, err
	}
	suppliers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s supplierRow, err error) {
		return s, row.Scan(&s.id, &s.name, &s.country)
	})
	if err != nil {
		return nil, err
	}
	emissions, factorIDs, err := h.largest(ctx, suppliers)
	if err != nil {
		return nil, err
	}
	factors, err := h.factors(ctx, factorIDs)
	if err != nil {
		return nil, err
	}
	return renderSuppliers(suppliers, emissions, factors), nil
}

// largest reads the five largest emissions of each supplier, and which factors they have.
func (h *byHand) largest(ctx context.Context, suppliers []supplierRow) ([][]emissionRow, [][16]byte, error) {
	ids := make([][16]byte, len(suppliers))
	for i := range suppliers {
		ids[i] = suppliers[i].id
	}
	rows, err := h.pool.Query(ctx, `SELECT p.n, e.id, e.factor_id, e.co2e_mg, e.occurred_on, e.method, e.category_number
		FROM unnest($2::uuid[]) WITH ORDINALITY p (id, n), LATERAL (
			SELECT id, factor_id, co2e_mg, occurred_on, method, category_number FROM emissions
			WHERE org_id = $1 AND supplier_id = p.id AND NOT superseded ORDER BY co2e_mg DESC, id DESC LIMIT 5) e
		ORDER BY p.n, e.co2e_mg DESC, e.id DESC`, h.org, ids)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	out := make([][]emissionRow, len(suppliers))
	seen := map[[16]byte]bool{}
	var factors [][16]byte
	for rows.Next() {
		var n int
		var e emissionRow
		if err := rows.Scan(&n, &e.id, &e.factor, &e.co2e, &e.day, &e.method, &e.category); err != nil {
			return nil, nil, err
		}
		out[n-1] = append(out[n-1], e)
		if !seen[e.factor] {
			seen[e.factor] = true
			factors = append(factors, e.factor)
		}
	}
	return out, factors, rows.Err()
}

func (h *byHand) factors(ctx context.Context, ids [][16]byte) (map[[16]byte]factorRow, error) {
	rows, err := h.pool.Query(ctx, `SELECT id, name, region, unit FROM emission_factors WHERE id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	factors := make(map[[16]byte]factorRow, len(ids))
	var f factorRow
	_, err = pgx.ForEachRow(rows, []any{&f.id, &f.name, &f.region, &f.unit}, func() error { factors[f.id] = f; return nil })
	return factors, err
}

// emissions answers Q3: the page, then the suppliers on it.
func (h *byHand) emissions(ctx context.Context, v struct{ After string }) ([]byte, error) {
	after, known := h.places.Emissions[v.After]
	if !known {
		return nil, errUnknownCursor
	}
	rows, err := h.pool.Query(ctx, `SELECT id, co2e_mg, occurred_on, category_number, supplier_id FROM emissions
		WHERE org_id = $1 AND NOT superseded AND (occurred_on, id) < ($2, $3) ORDER BY occurred_on DESC, id DESC LIMIT 101`, h.org, after.Day, after.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	emissions := make([]emissionRow, 0, 101)
	seen := map[[16]byte]bool{}
	var ids [][16]byte
	for rows.Next() {
		var e emissionRow
		var supplier pgtype.UUID
		if err := rows.Scan(&e.id, &e.co2e, &e.day, &e.category, &supplier); err != nil {
			return nil, err
		}
		e.supplier, e.hasSupplier = supplier.Bytes, supplier.Valid
		if e.hasSupplier && !seen[e.supplier] {
			seen[e.supplier] = true
			ids = append(ids, e.supplier)
		}
		emissions = append(emissions, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	suppliers, err := h.suppliersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	return renderEmissions(emissions, suppliers), nil
}

func (h *byHand) suppliersByID(ctx context.Context, ids [][16]byte) (map[[16]byte]supplierRow, error) {
	rows, err := h.pool.Query(ctx, `SELECT id, name, country FROM suppliers WHERE org_id = $1 AND id = ANY($2)`, h.org, ids)
	if err != nil {
		return nil, err
	}
	suppliers := make(map[[16]byte]supplierRow, len(ids))
	var s supplierRow
	_, err = pgx.ForEachRow(rows, []any{&s.id, &s.name, &s.country}, func() error { suppliers[s.id] = s; return nil })
	return suppliers, err
}
