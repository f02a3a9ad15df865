package store_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// bulk fills every table with rows for two organizations, enough that reading a table whole is no choice.
var bulk = []string{
	`INSERT INTO suppliers (org_id, id, external_id, name, name_key, country, co2e_mg, created_at, updated_at)
	 SELECT $1::uuid, gen_random_uuid(), 'S' || n, 'Supplier ' || n % 9000, 'supplier ' || n % 9000, CASE WHEN n % 4 > 0 THEN chr(65 + n % 26) || 'X' END,
	        n * 7919 % 10007, timestamptz '2026-01-01' + n % 5000 * interval '1 second', timestamptz '2026-01-01' + n % 7000 * interval '1 second'
	 FROM generate_series(1, $2::integer) n`,
	`INSERT INTO activities (org_id, id, external_id, supplier_id, category_number, description, search_key, occurred_on, money_micros, currency, calculated, content_hash, created_at, updated_at)
	 SELECT org_id, gen_random_uuid(), external_id, id, 1 + co2e_mg % 15, name, name_key, date '2024-01-01' + (co2e_mg % 700)::integer,
	        CASE WHEN co2e_mg % 5 > 0 THEN co2e_mg * 1000 END, 'USD', true, '\x00', created_at, updated_at FROM suppliers WHERE org_id = $1::uuid`,
	`WITH one AS (INSERT INTO formulas (id, text) VALUES ('00000000-0000-0000-0000-000000000001', '[0,[],[]]') ON CONFLICT (id) DO NOTHING)
	 INSERT INTO emissions (org_id, id, activity_id, supplier_id, category_number, factor_id, dataset_id, run_id, occurred_on, co2e_mg, biogenic_mg, method, gwp_set,
	                        formula_id, amount_micros, quality, calculated_at, superseded)
	 SELECT org_id, gen_random_uuid(), id, (SELECT s.id FROM suppliers s WHERE s.org_id = a.org_id AND s.external_id = 'S' || 1 + length(a.external_id) * a.money_micros % 300),
	        category_number, id, id, id, occurred_on, coalesce(money_micros, 0), 0, 'SPEND_BASED', 'AR5', '00000000-0000-0000-0000-000000000001', 0, 33333, created_at, false FROM activities a WHERE org_id = $1::uuid`,
	`INSERT INTO calculation_runs (org_id, id, status, preview, reason, gwp_set, started_at, finished_at)
	 SELECT org_id, gen_random_uuid(), 'SUCCEEDED', false, 'bulk', 'AR5', created_at, created_at FROM suppliers WHERE org_id = $1::uuid`,
	`INSERT INTO batches (org_id, id, kind, status, run_id, spec, actor, processed, failed, takes, cancelled, tidied, created_at, finished_at)
	 SELECT org_id, gen_random_uuid(), 'RECALCULATION', 'SUCCEEDED', id, '{}', 'bulk', 1, 0, 1, false, true, started_at, finished_at FROM calculation_runs WHERE org_id = $1::uuid`,
}

const bulkFactors = `INSERT INTO emission_factors (id, dataset_id, code, name, name_key, region, unit, value, value_key, gases)
	SELECT gen_random_uuid(), $1::uuid, 'C' || n % 9000, 'Factor ' || n % 8000, 'factor ' || n % 8000, 'US', 'u' || n, '1', CASE WHEN n % 4 > 0 THEN n % 5000 END, '[]'
	FROM generate_series(1, 20000) n`

// planned is a Postgres with one session, so that what it keeps prepared can be looked at.
type planned struct {
	*store.Store
	t    *testing.T
	seen map[string]bool
}

// plans gives the plans of the statements that the session has prepared since it was last asked, made for any values.
func (p planned) plans() (plans []string) {
	p.t.Helper()
	for _, line := range p.query("SELECT name || ' ' || cardinality(parameter_types) FROM pg_prepared_statements WHERE statement LIKE '%AS around%'") {
		name, n, _ := strings.Cut(line, " ")
		if p.seen[name] {
			continue
		}
		p.seen[name] = true
		count, err := strconv.Atoi(n)
		if err != nil {
			p.t.Fatal(err)
		}
		args := ""
		if count > 0 {
			args = "(NULL" + strings.Repeat(", NULL", count-1) + ")"
		}
		plans = append(plans, strings.Join(p.query("EXPLAIN EXECUTE "+strconv.Quote(name)+args), "\n"))
	}
	return plans
}

func (p planned) query(text string) []string {
	p.t.Helper()
	lines, err := p.Query(p.t.Context(), text)
	if err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
	return lines
}

// touched tells how many rows and index entries a read looks at.
func (p planned) touched(read func() error) int {
	p.t.Helper()
	sum := func() int {
		n, err := strconv.Atoi(p.query(`SELECT ((SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables) + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes))::text
			FROM (SELECT pg_stat_force_next_flush()) flushed`)[0])
		if err != nil {
			p.t.Fatal(err)
		}
		return n
	}
	flush := func() { p.query("SELECT pg_stat_force_next_flush()::text") }
	flush()
	before := sum()
	if err := read(); err != nil {
		p.t.Fatal(err)
	}
	flush()
	return sum() - before
}

func TestPagesWalkAnIndex(t *testing.T) {
	p := planned{storetest.Postgres(t, func(o *store.Options) { o.MaxConns = 1 }), t, map[string]bool{}}
	first, l := storetest.NewLedger(t, p.Store, "First", 0, nil), storetest.NewLedger(t, p.Store, "Second", 0, nil)
	for tenant, rows := range map[*store.Tenant]int{first.Tenant: 5000, l.Tenant: 20_000} {
		for i, text := range bulk {
			args := []any{tenant.ID().String(), rows}
			if err := p.Exec(t.Context(), text, args[:2-min(i, 1)]...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Exec(t.Context(), bulkFactors, l.Dataset.ID.String()); err != nil {
		t.Fatal(err)
	}
	if err := p.Exec(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	p.query("SELECT set_config('plan_cache_mode', 'force_generic_plan', false)")
	p.plans()
	for _, c := range unfiltered(p.Store, l) {
		checkWalksIndex(t, p, c)
	}
	checkChildrenWalkIndex(t, p, l)
	// 2024 and 2025: a look at the index for each, and one behind the last.
	if n := p.touched(func() error { return second(l.Tenant.ReportingYears(t.Context())) }); n > 10 {
		t.Errorf("which of the years of 20,000 lines there are touches %d rows and index entries", n)
	}
}

// unfiltered are all connections in all orders; what they hold is not looked at.
func unfiltered(st *store.Store, l *storetest.Ledger) (out []listing) {
	for _, d := range directions {
		for _, field := range []store.SupplierOrderField{store.SuppliersByName, store.SuppliersByCountry, store.SuppliersByCreatedAt, store.SuppliersByUpdatedAt, store.SuppliersByCO2e} {
			out = append(out, unfilteredListing(field, d, func(c context.Context, p store.Page) (*store.Connection[store.Supplier], error) {
				return l.Tenant.Suppliers(c, nil, store.SupplierOrder{Field: field, Direction: d}, p)
			}))
		}
		for _, field := range []store.ActivityOrderField{store.ActivitiesByOccurredOn, store.ActivitiesByCreatedAt, store.ActivitiesByMoney} {
			out = append(out, unfilteredListing(field, d, func(c context.Context, p store.Page) (*store.Connection[store.Activity], error) {
				return l.Tenant.Activities(c, nil, store.ActivityOrder{Field: field, Direction: d}, p)
			}))
		}
		for _, field := range []store.EmissionOrderField{store.EmissionsByOccurredOn, store.EmissionsByCO2e, store.EmissionsByCalculatedAt} {
			out = append(out, unfilteredListing(field, d, func(c context.Context, p store.Page) (*store.Connection[store.Emission], error) {
				return l.Tenant.Emissions(c, nil, store.EmissionOrder{Field: field, Direction: d}, p)
			}))
		}
		for _, field := range []store.EmissionFactorOrderField{store.FactorsByName, store.FactorsByCode, store.FactorsByValue} {
			out = append(out, unfilteredListing(field, d, func(c context.Context, p store.Page) (*store.Connection[store.EmissionFactor], error) {
				return st.Factors(c, nil, store.EmissionFactorOrder{Field: field, Direction: d}, p)
			}))
		}
	}
	newestFirst := store.Desc
	return append(out, unfilteredListing("ID", newestFirst, func(c context.Context, p store.Page) (*store.Connection[store.Batch], error) {
		return l.Tenant.Batches(c, nil, p)
	}),
		unfilteredListing("ID", newestFirst, l.Tenant.CalculationRuns))
}

func unfilteredListing[T any, F ~string](field F, d store.OrderDirection, read func(context.Context, store.Page) (*store.Connection[T], error)) listing {
	return listing{name: fmt.Sprintf("%T by %s %s", *new(T), field, d), page: func(c context.Context, p store.Page) (shown, error) {
		x, err := read(c, p)
		return show(x, err, func(*T) store.ID { return store.ID{} })
	}}
}

// fewRows are tables that are rightly read whole, or are so here.
var fewRows = strings.NewReplacer("Seq Scan on factor_datasets own", "factor_datasets", "Seq Scan on unpublished_runs", "unpublished_runs", "Seq Scan on formulas", "formulas")

// checkWalksIndex reads the first page, the last, and one at the far end by a cursor from either side.
func checkWalksIndex(t *testing.T, p planned, c listing) {
	t.Helper()
	const size = 20
	far, err := c.page(t.Context(), store.Page{Last: new(int32(500))})
	if err != nil || len(far.ids) != 500 {
		t.Fatalf("%s: %d rows, %v", c.name, len(far.ids), err)
	}
	near, err := c.page(t.Context(), store.Page{First: new(int32(500))})
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	for name, page := range map[string]store.Page{
		"the first page":      {First: new(int32(size))},
		"the last page":       {Last: new(int32(size))},
		"a page at the end":   {First: new(int32(size)), After: far.info.StartCursor},
		"a page at the start": {Last: new(int32(size)), Before: near.info.EndCursor},
		"backwards from far":  {Last: new(int32(size)), Before: far.info.StartCursor},
		"between two cursors": {First: new(int32(size)), After: near.info.EndCursor, Before: far.info.StartCursor},
	} {
		if n := p.touched(func() error { return second(c.page(t.Context(), page)) }); n < size || n > 4*size {
			t.Errorf("%s, %s, touches %d rows and index entries; the page has %d", c.name, name, n, size)
		}
	}
	plans := p.plans()
	if len(plans) == 0 {
		t.Errorf("%s: nothing was prepared", c.name)
	}
	for _, plan := range plans {
		plan = fewRows.Replace(plan)
		if !strings.Contains(plan, "Index") || strings.Contains(plan, "Sort") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s does not walk an index:\n%s", c.name, plan)
		}
	}
}

func checkChildrenWalkIndex(t *testing.T, p planned, l *storetest.Ledger) {
	t.Helper()
	const size = 3
	suppliers, err := l.Tenant.SuppliersByExternalID(t.Context(), []string{"S1", "S2", "S3", "S7", "S100", "S201", "S202", "S300"})
	if err != nil {
		t.Fatal(err)
	}
	var parents []store.GlobalID
	for _, s := range suppliers {
		parents = append(parents, s.GlobalID())
	}
	byCO2e := store.EmissionOrder{Field: store.EmissionsByCO2e}
	after := func(of []store.GlobalID, o store.EmissionOrder) store.Page {
		c, err := l.Tenant.EmissionsOf(t.Context(), of, nil, o, store.Page{First: new(int32(40))})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(c, func(c *store.Connection[store.Emission]) bool { return c.PageInfo.EndCursor != nil })
		return store.Page{First: new(int32(size)), After: c[i].PageInfo.EndCursor}
	}
	categories := []store.GlobalID{store.CategoryID(1), store.CategoryID(2), store.CategoryID(15)}
	for name, read := range map[string]func() error{
		"activities of suppliers": func() error {
			return second(l.Tenant.ActivitiesOf(t.Context(), parents, nil, store.ActivityOrder{}, store.Page{First: new(int32(size))}))
		},
		"emissions of suppliers": func() error {
			return second(l.Tenant.EmissionsOf(t.Context(), parents, nil, store.EmissionOrder{}, store.Page{First: new(int32(size))}))
		},
		"emissions of suppliers, later": func() error {
			return second(l.Tenant.EmissionsOf(t.Context(), parents, nil, store.EmissionOrder{}, after(parents, store.EmissionOrder{})))
		},
		"emissions of categories by CO2e": func() error {
			return second(l.Tenant.EmissionsOf(t.Context(), categories, nil, byCO2e, store.Page{Last: new(int32(size))}))
		},
		"emissions of categories by CO2e, later": func() error {
			return second(l.Tenant.EmissionsOf(t.Context(), categories, nil, byCO2e, after(categories, byCO2e)))
		},
	} {
		if err := read(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, plan := range p.plans() {
			plan = fewRows.Replace(plan)
			if !strings.Contains(plan, "Index") || strings.Contains(plan, "Sort") || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s do not walk an index:\n%s", name, plan)
			}
		}
	}
}
