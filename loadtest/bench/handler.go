package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// nested is the document that the engines are compared by: parents, their largest children, and what those refer to.
const nested = `query Nested($first: Int!) {
  suppliers(first: $first) {
    nodes {
      id
      name
      country
      emissions(first: 5, orderBy: { field: CO2E, direction: DESC }) {
        nodes {
          id
          co2e
          occurredOn
          category { number name }
          factor { id name unit dataset { id name } }
        }
      }
    }
  }
}`

// byHand answers the nested document the way a good engineer writes one endpoint: four prepared statements, rows to bytes, no framework, no
// authentication, no schema. It is the limit that a general engine is measured against.
type byHand struct {
	pool *pgxpool.Pool
	org  string
}

var categoryNames = []string{"", "Purchased goods and services", "Capital goods", "Fuel- and energy-related activities", "Upstream transportation and distribution",
	"Waste generated in operations", "Business travel", "Employee commuting", "Upstream leased assets", "Downstream transportation and distribution",
	"Processing of sold products", "Use of sold products", "End-of-life treatment of sold products", "Downstream leased assets", "Franchises", "Investments"}

type supplierRow struct {
	id            [16]byte
	name, country pgtype.Text
}

type emissionRow struct {
	id, factor [16]byte
	co2e       int64
	day        pgtype.Date
	category   int
}

type factorRow struct {
	id, dataset [16]byte
	name, unit  string
}

func (h *byHand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var question struct{ Variables struct{ First int } }
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		http.Error(w, "bad body", http.StatusBadRequest)
		return
	}
	answer, err := h.answer(r.Context(), question.Variables.First)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer)
}

func (h *byHand) answer(ctx context.Context, first int) ([]byte, error) {
	rows, err := h.pool.Query(ctx, `SELECT id, name, country FROM suppliers WHERE org_id = $1 ORDER BY name_key, id LIMIT $2`, h.org, first)
	if err != nil {
		return nil, err
	}
	suppliers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s supplierRow, err error) {
		return s, row.Scan(&s.id, &s.name, &s.country)
	})
	if err != nil {
		return nil, err
	}
	emissions, factorIDs, err := h.emissions(ctx, suppliers)
	if err != nil {
		return nil, err
	}
	factors, datasets, err := h.factors(ctx, factorIDs)
	if err != nil {
		return nil, err
	}
	return render(suppliers, emissions, factors, datasets), nil
}

func (h *byHand) emissions(ctx context.Context, suppliers []supplierRow) ([][]emissionRow, [][16]byte, error) {
	ids := make([][16]byte, len(suppliers))
	for i := range suppliers {
		ids[i] = suppliers[i].id
	}
	rows, err := h.pool.Query(ctx, `SELECT p.n, e.id, e.factor_id, e.co2e_mg, e.occurred_on, e.category_number
		FROM unnest($2::uuid[]) WITH ORDINALITY p (id, n), LATERAL (
			SELECT * FROM emissions WHERE org_id = $1 AND supplier_id = p.id AND NOT superseded ORDER BY co2e_mg DESC, id DESC LIMIT 5) e
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
		if err := rows.Scan(&n, &e.id, &e.factor, &e.co2e, &e.day, &e.category); err != nil {
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

func (h *byHand) factors(ctx context.Context, ids [][16]byte) (map[[16]byte]factorRow, map[[16]byte]string, error) {
	rows, err := h.pool.Query(ctx, `SELECT id, dataset_id, name, unit FROM emission_factors WHERE id = ANY($1)`, ids)
	if err != nil {
		return nil, nil, err
	}
	factors := map[[16]byte]factorRow{}
	datasets := map[[16]byte]string{}
	var f factorRow
	if _, err := pgx.ForEachRow(rows, []any{&f.id, &f.dataset, &f.name, &f.unit}, func() error {
		factors[f.id], datasets[f.dataset] = f, ""
		return nil
	}); err != nil {
		return nil, nil, err
	}
	keys := make([][16]byte, 0, len(datasets))
	for id := range datasets {
		keys = append(keys, id)
	}
	rows, err = h.pool.Query(ctx, `SELECT id, name FROM factor_datasets WHERE id = ANY($1)`, keys)
	if err != nil {
		return nil, nil, err
	}
	var id [16]byte
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { datasets[id] = name; return nil })
	return factors, datasets, err
}

func render(suppliers []supplierRow, emissions [][]emissionRow, factors map[[16]byte]factorRow, datasets map[[16]byte]string) []byte {
	b := make([]byte, 0, 96<<10)
	b = append(b, `{"data":{"suppliers":{"nodes":[`...)
	for i, s := range suppliers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendID(append(b, `{"id":"`...), store.KindSupplier, s.id)
		b = appendText(append(b, `","name":`...), s.name.String)
		b = append(b, `,"country":`...)
		if s.country.Valid {
			b = appendText(b, s.country.String)
		} else {
			b = append(b, "null"...)
		}
		b = append(b, `,"emissions":{"nodes":[`...)
		for j, e := range emissions[i] {
			if j > 0 {
				b = append(b, ',')
			}
			f := factors[e.factor]
			b = appendID(append(b, `{"id":"`...), store.KindEmission, e.id)
			b = exact.AppendScaled(append(b, `","co2e":"`...), e.co2e, 6)
			b = e.day.Time.AppendFormat(append(b, `","occurredOn":"`...), "2006-01-02")
			b = strconv.AppendInt(append(b, `","category":{"number":`...), int64(e.category), 10)
			b = appendText(append(b, `,"name":`...), categoryNames[e.category])
			b = appendID(append(b, `},"factor":{"id":"`...), store.KindEmissionFactor, f.id)
			b = appendText(append(b, `","name":`...), f.name)
			b = appendText(append(b, `,"unit":`...), f.unit)
			b = appendID(append(b, `,"dataset":{"id":"`...), store.KindFactorDataset, f.dataset)
			b = appendText(append(b, `","name":`...), datasets[f.dataset])
			b = append(b, `}}}`...)
		}
		b = append(b, `]}}`...)
	}
	return append(b, `]}}}`...)
}

func appendID(b []byte, kind store.Kind, id [16]byte) []byte {
	var raw [17]byte
	raw[0] = byte(kind)
	copy(raw[1:], id[:])
	return base64.RawURLEncoding.AppendEncode(b, raw[:])
}

// appendText writes a JSON string; names hold nothing that JSON escapes but quotes, backslashes and control characters.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = hex.AppendEncode(b, []byte{c})
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
