package plan_test

import (
	"slices"
	"strings"
	"testing"

	"carbongraph/graph/plan"
)

// rowOf reads ids like "Supplier:1".
func rowOf(id string) plan.Row {
	kind, n, _ := strings.Cut(id, ":")
	row := plan.Row{Kind: kind}
	if kind == "Supplier" {
		row.Part = "@" + n
	}
	return row
}

func TestReads(t *testing.T) {
	schema := ledger(t)
	const bounded = `{occurredFrom: "2023-07-01", occurredTo: "2024-06-30"}`
	years := func(kinds ...string) string {
		var all []string
		for _, kind := range kinds {
			all = append(all, kind+"/*", kind+"/2023", kind+"/2024")
		}
		return strings.Join(all, " ")
	}
	owned := func(kinds ...string) string {
		var all []string
		for _, kind := range kinds {
			all = append(all, kind+"/@*", kind+"/@1")
		}
		return strings.Join(all, " ")
	}
	for name, tc := range map[string]struct {
		document  string
		variables map[string]any
		subjects  string
		maxAge    int
	}{
		"a list without days":                 {"{ activities { totalCount } }", nil, "Activity", 1800},
		"a list of some days":                 {"{ activities(filter: " + bounded + ") { totalCount } }", nil, years("Activity"), 1800},
		"by variables":                        {"query($f: ActivityFilter) { activities(filter: $f) { totalCount } }", map[string]any{"f": map[string]any{"occurredFrom": "2023-07-01", "occurredTo": "2024-06-30"}}, years("Activity"), 1800},
		"by one variable of two":              {"query($d: Date) { activities(filter: {occurredFrom: \"2023-01-01\", occurredTo: $d}) { totalCount } }", map[string]any{"d": "2024-01-01"}, years("Activity"), 1800},
		"which is not given":                  {"query($d: Date) { activities(filter: {occurredFrom: \"2023-01-01\", occurredTo: $d}) { totalCount } }", nil, "Activity", 1800},
		"or null":                             {"query($d: Date) { activities(filter: {occurredFrom: \"2023-01-01\", occurredTo: $d}) { totalCount } }", map[string]any{"d": nil}, "Activity", 1800},
		"open at an end":                      {`{ activities(filter: {occurredFrom: "2023-01-01"}) { totalCount } }`, nil, "Activity", 1800},
		"of too many years":                   {`{ activities(filter: {occurredFrom: "2010-01-01", occurredTo: "2024-12-31"}) { totalCount } }`, nil, "Activity", 1800},
		"no day at all":                       {`{ activities(filter: {occurredFrom: "2024-12-31", occurredTo: "2023-01-01"}) { totalCount } }`, nil, "Activity/*", 1800},
		"emissions are of their line's":       {"{ activities(filter: " + bounded + ") { nodes { emission { co2e activity { description } } history { nodes { co2e } } } } }", nil, years("Activity", "Emission"), 1800},
		"a supplier's lines are of any":       {"{ activities(filter: " + bounded + ") { nodes { supplier { activities { totalCount } } } } }", nil, "Activity Supplier", 1800},
		"unless they are narrowed too":        {"{ suppliers { nodes { activities(filter: " + bounded + ") { totalCount } } } }", nil, years("Activity") + " Supplier", 1800},
		"the whole and a part":                {"{ all: activities { totalCount } some: activities(filter: " + bounded + ") { totalCount } }", nil, "Activity", 1800},
		"two parts":                           {`{ a: activities(filter: {occurredFrom: "2020-01-01", occurredTo: "2020-12-31"}) { totalCount } b: activities(filter: {occurredFrom: "2022-01-01", occurredTo: "2022-12-31"}) { totalCount } }`, nil, "Activity/* Activity/2020 Activity/2022", 1800},
		"a footprint":                         {"{ footprint(groupBy: [CATEGORY], filter: " + bounded + ") { nodes { share category { name } totals { co2e } } totals { co2e } } }", nil, "Category " + years("Emission"), 1800},
		"a footprint by supplier":             {"{ footprint(groupBy: [SUPPLIER], filter: " + bounded + ") { nodes { supplier { footprint { co2e } } } } }", nil, "Emission Supplier", 1800},
		"suppliers by name":                   {"{ suppliers(orderBy: {field: NAME, direction: ASC}) { totalCount } }", nil, "Supplier", 1800},
		"suppliers by their sums":             {"query($o: SupplierOrder) { suppliers(orderBy: $o) { totalCount } }", map[string]any{"o": map[string]any{"field": "CO2E", "direction": "DESC"}}, "Emission Supplier", 1800},
		"reporting years":                     {"{ reportingYears { year } }", nil, "Activity Emission ReportingYear", 1800},
		"a node of one type":                  {`{ node(id: "Supplier:1") { id ... on Activity { description } } }`, nil, "Supplier/@* Supplier/@1", 1800},
		"and of another, by the same words":   {`query($id: ID!) { node(id: $id) { id ... on Activity { emission { co2e } } } }`, map[string]any{"id": "Activity:1"}, "Activity Emission", 1800},
		"everybody's":                         {`{ node(id: "Category:1") { id } }`, nil, "Category", 3600},
		"two suppliers":                       {`{ nodes(ids: ["Supplier:1", "Supplier:2"]) { id } }`, nil, "Supplier/@* Supplier/@1 Supplier/@2", 1800},
		"a supplier and its lines":            {`{ node(id: "Supplier:1") { ... on Supplier { activities { nodes { description emission { co2e } } } footprint { co2e } } } }`, nil, owned("Activity", "Emission", "Supplier"), 1800},
		"of some days, too":                   {`{ node(id: "Supplier:1") { ... on Supplier { activities(filter: ` + bounded + `) { totalCount } } } }`, nil, owned("Activity", "Supplier"), 1800},
		"whose history may be of others":      {`{ node(id: "Supplier:1") { ... on Supplier { activities { nodes { history { nodes { supplier { name } activity { description } } } } } } } }`, nil, owned("Activity", "Emission") + " Supplier", 1800},
		"its other suppliers are any":         {`{ node(id: "Supplier:1") { ... on Supplier { emissions { nodes { supplier { emissions { totalCount } } } } } } }`, nil, "Emission Supplier", 1800},
		"what was superseded may be anywhere": {`{ node(id: "Supplier:1") { ... on Supplier { emissions(filter: {includeSuperseded: true}) { nodes { activity { description } } } } } }`, nil, "Activity Emission Supplier/@* Supplier/@1", 1800},
		"in a year as well":                   {`{ emissions(filter: {includeSuperseded: true, occurredFrom: "2023-07-01", occurredTo: "2024-06-30"}) { nodes { activity { description } } } }`, nil, "Activity Emission", 1800},
		"a list of some suppliers":            {`query($s: [ID!]) { activities(filter: {supplierIds: $s, occurredFrom: "2023-07-01", occurredTo: "2024-06-30"}) { nodes { description } } }`, map[string]any{"s": []any{"Supplier:1", "Supplier:2", "Activity:3"}}, "Activity/@* Activity/@1 Activity/@2", 1800},
		"a footprint of one":                  {`{ footprint(groupBy: [CATEGORY], filter: {supplierIds: ["Supplier:1"]}) { totals { co2e } } }`, nil, owned("Emission"), 1800},
		"none is any":                         {`query($s: [ID!]) { activities(filter: {supplierIds: $s}) { totalCount } }`, map[string]any{"s": []any{}}, "Activity", 1800},
		"too many are any":                    {`query($s: [ID!]) { activities(filter: {supplierIds: $s}) { totalCount } }`, map[string]any{"s": slices.Repeat([]any{"Supplier:1"}, 13)}, "Activity", 1800},
		"several nodes":                       {`{ nodes(ids: ["Supplier:1", "EmissionFactor:2"]) { id } }`, nil, "EmissionFactor FactorDataset Supplier/@* Supplier/@1", 1800},
		"one that is not kept":                {`{ nodes(ids: ["Supplier:1", "ApiKey:2"]) { id } }`, nil, "ApiKey Supplier/@* Supplier/@1", 0},
		"one of no type":                      {`{ node(id: "nonsense") { id } }`, nil, "", 0},
		"a mutation":                          {"mutation { upsertSuppliers(input: {suppliers: []}) { created } }", nil, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := plannedBy(t, schema, tc.document).Reads(tc.variables, rowOf)
			if subjects := strings.Join(got.Subjects, " "); subjects != tc.subjects || got.MaxAge != tc.maxAge {
				t.Errorf("%s, %d s; want %s, %d s", subjects, got.MaxAge, tc.subjects, tc.maxAge)
			}
		})
	}
}
