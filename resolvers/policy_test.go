package resolvers_test

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/graphtest"
	"carbongraph/graph/plan"
	"carbongraph/internal/telemetry"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// tables names the table of each type that has one.
var tables = map[string]string{
	"Organization": "organizations", "ApiKey": "api_keys", "Supplier": "suppliers", "Activity": "activities", "Emission": "emissions",
	"EmissionFactor": "emission_factors", "FactorDataset": "factor_datasets", "CalculationRun": "calculation_runs", "Batch": "batches", "RunDifference": "run_differences", "Category": "categories",
	"ReportingYear": "reporting_years", "CategoryStatement": "category_statements",
	"FactorMapping": "factor_mappings",
}

var selected = regexp.MustCompile(`carbongraph_store_statement_seconds_count\{operation="SELECT",table="(\w*)"\} (\S+)`)

// read gives how often each table was read so far.
func read(tel *telemetry.Telemetry) map[string]string {
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	out := map[string]string{}
	for _, m := range selected.FindAllStringSubmatch(w.Body.String(), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// Whatever a document asks, no table is read but those of the types that its plan names.
func TestThePlanNamesTheTypesThatAreRead(t *testing.T) {
	tel := telemetry.New()
	st := storetest.SQLite(t, func(o *store.Options) { o.Metrics = tel.Store; storetest.Fixed(o) })
	l := storetest.Awkward(t, st, "Awkward")
	s := newServer(st, l.Tenant.ID(), resolvers.Options{})
	schema := s.schema.Schema()
	generator, pool := graphtest.New(schema, 1), graphtest.NewPool()
	for kind, ids := range l.IDs {
		pool.IDs(kind, ids...)
	}
	seen := map[string]bool{}
	documents := 600
	if raced {
		documents = 200
	}
	for i := range documents {
		d := generator.Document(i, pool)
		doc, err := parser.ParseQuery(&ast.Source{Input: d.Text})
		if err != nil {
			t.Fatal(err)
		}
		if len(doc.Operations) != 1 {
			continue
		}
		if doc, _ = gqlparser.LoadQueryWithRules(schema, d.Text, rules.NewDefaultRules()); doc == nil {
			continue
		}
		p, err := plan.New(schema, doc, doc.Operations[0])
		if err != nil || p.Operation.Operation != ast.Query {
			continue
		}
		before := read(tel)
		pool.Harvest(generator, d, s.ask(t, d.Text, d.Variables).Data)
		for table, n := range read(tel) {
			if n == before[table] {
				continue
			}
			seen[table] = true
			if table == "emission_sums" { // which are emissions, summed
				table = "emissions"
			}
			if table == "batch_failures" { // which a batch alone shows, and which come with it
				table = "batches"
			}
			if !slices.ContainsFunc(p.Policy.Types, func(name string) bool { return tables[name] == table }) {
				t.Errorf("%s is read, which is of none of %v: %s", table, p.Policy.Types, d)
			}
		}
	}
	for name, table := range tables {
		if name != "Category" && !seen[table] && !raced {
			t.Errorf("no document read %s", table)
		}
	}
}
