package store_test

import (
	"testing"

	"carbongraph/store"
)

// What an earlier program calculated is there after the migrations: its figures, its steps and gases as they were, in sums too.
func TestWhatWasCalculatedBeforeIsKept(t *testing.T) {
	empty(t, "by every migration since", func(t *testing.T, o store.Options) {
		st := mustOpen(t, o)
		if err := st.MigrateFirst(t.Context()); err != nil {
			t.Fatal(err)
		}
		const org, supplier, activity, emission, factor = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002", "01900000-0000-7000-8000-000000000003",
			"01900000-0000-7000-8000-000000000004", "01900000-0000-7000-8000-000000000005"
		const at = "'2025-03-01T12:00:00.000000Z'"
		for _, text := range []string{
			`INSERT INTO organizations (id, name, currency, gwp_set, money_order, created_at) VALUES ('` + org + `', 'Acme', 'USD', 'AR5', 'DEFLATE_THEN_CONVERT', ` + at + `)`,
			`INSERT INTO suppliers (org_id, id, external_id, name, name_key, co2e_mg, created_at, updated_at) VALUES ('` + org + `', '` + supplier + `', 'S', 'Steel', 'steel', 2500000, ` + at + `, ` + at + `)`,
			`INSERT INTO factor_datasets (id, source, version, name, licence, attribution, gwp_set, factor_count, imported_at, digest)
				VALUES ('` + factor + `', 'test', '1', 'Test', '', '', 'AR5', 1, ` + at + `, 'x')`,
			`INSERT INTO emission_factors (id, dataset_id, code, name, name_key, region, unit, value, gases)
				VALUES ('` + factor + `', '` + factor + `', 'C', 'Computers', 'computers', 'US', 'USD', '0.25', '[]')`,
			`INSERT INTO activities (org_id, id, external_id, supplier_id, category_number, description, search_key, occurred_on, money_micros, currency, calculated, content_hash, created_at, updated_at)
				VALUES ('` + org + `', '` + activity + `', 'L1', '` + supplier + `', 4, 'Line', 'line l1', '2025-02-03', 10000000, 'USD', TRUE, '0123456789abcdef', ` + at + `, ` + at + `)`,
			`INSERT INTO emissions (org_id, id, activity_id, supplier_id, category_number, factor_id, dataset_id, run_id, occurred_on, co2e_mg, biogenic_mg, spend_micros, method, gwp_set,
				gases, provenance, calculated_at, superseded) VALUES ('` + org + `', '` + emission + `', '` + activity + `', '` + supplier + `', 4, '` + factor + `', '` + factor + `', '` + factor + `',
				'2025-02-03', 2500000, 0, 10000000, 'SPEND_BASED', 'AR5', '[["CO2",2.0,2.0],["HFCs",null,0.5]]',
				'[["quantity","multiply",1,10,"USD","the line",null,10,"USD"],["factor","multiply",0.25,2.50,"kg CO2e","Test","` + factor + `"]]', ` + at + `, FALSE)`,
		} {
			if err := st.Exec(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if _, err := st.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		id, err := store.ParseID(org)
		if err != nil {
			t.Fatal(err)
		}
		tenant := st.Tenant(id)
		c, err := tenant.Emissions(t.Context(), nil, store.EmissionOrder{}, store.Page{})
		if err != nil || len(c.Nodes) != 1 {
			t.Fatalf("%d emissions, %v", len(c.Nodes), err)
		}
		e := c.Nodes[0]
		steps, errSteps := e.Steps()
		gases, errGases := e.GasAmounts()
		if e.CO2e != 2_500_000 || errSteps != nil || len(steps) != 2 || steps[1].Output.String() != "2.50" || *steps[1].InputUnit != "USD" || errGases != nil || len(gases) != 2 ||
			gases[0].Mass.String() != "2.0" || e.Quality.Score().String() != "5.0" || e.Uncertainty() != nil {
			t.Errorf("emission %+v, steps %+v %v, gases %+v %v", e, steps, errSteps, gases, errGases)
		}
		rows, err := tenant.Footprint(t.Context(), nil, []store.FootprintDimension{store.ByCategory, store.ByMonth}, store.FootprintOrder{}, store.Page{})
		if err != nil || len(rows.Nodes) != 1 || rows.Nodes[0].Totals.CO2e != 2_500_000 || rows.Nodes[0].Totals.Spend != 10_000_000 {
			t.Errorf("footprint %+v, %v", rows, err)
		}
		if err := tenant.CheckSums(t.Context(), func(w store.WrongSum) error { t.Errorf("wrong sum %+v", w); return nil }); err != nil {
			t.Error(err)
		}
	})
}
