package resolvers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// connection is a field of the schema that gives pages, in one of its orders.
type connection struct {
	parent *ast.Definition
	field  *ast.FieldDefinition
	args   string // order, and what the order needs
}

func (c connection) String() string {
	return strings.TrimSpace(c.parent.Name + "." + c.field.Name + " " + c.args)
}

func (c connection) backwards() bool { return c.field.Arguments.ForName("before") != nil }

// connections finds every connection of the schema in every order.
func connections(s *ast.Schema) (out []connection) {
	for _, parent := range fieldTypes(s) {
		for _, f := range parent.Fields {
			if s.Types[f.Type.Name()].Fields.ForName("pageInfo") == nil {
				continue
			}
			orders := []string{strings.TrimPrefix(besides(f, ""), ", ")}
			if by := f.Arguments.ForName("orderBy"); by != nil {
				for _, v := range s.Types[s.Types[by.Type.Name()].Fields.ForName("field").Type.Name()].EnumValues {
					for _, direction := range []string{"ASC", "DESC"} {
						orders = append(orders, fmt.Sprintf("orderBy: {field: %s, direction: %s}", v.Name, direction)+besides(f, v.Name))
					}
				}
			}
			for _, o := range orders {
				out = append(out, connection{parent, f, o})
			}
		}
	}
	return out
}

// besides is what an order cannot be asked without, and for a footprint what makes more than one row.
func besides(f *ast.FieldDefinition, order string) string {
	switch {
	case order == "RELEVANCE":
		return `, filter: {search: "e"}`
	case f.Name == "footprint":
		return ", groupBy: [MONTH, SUPPLIER]"
	}
	return ""
}

// page is what a walker sees of a page.
type page struct {
	Edges      []struct{ Cursor string }
	Nodes      []json.RawMessage
	TotalCount int
	PageInfo   struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

// Every connection, in every order that the schema knows, walked through GraphQL in pages of any size, both ways.
func TestWalkingEveryConnection(t *testing.T) {
	storetest.Each(t, "gives each row once, in order", func(t *testing.T, st *store.Store) {
		s, own := knotted(t, st)
		all := connections(s.schema.Schema())
		if len(all) < 40 {
			t.Fatalf("only %d connections are found: %v", len(all), all)
		}
		whole := map[string]page{}
		for _, c := range all {
			p := s.page(t, c, own, map[string]any{"first": 500, "count": true})
			if len(p.Nodes) < 6 || p.TotalCount != len(p.Nodes) || len(p.Edges) != len(p.Nodes) || p.PageInfo.HasNextPage || p.PageInfo.HasPreviousPage {
				t.Fatalf("%s: %d rows of %d, %+v; want all of them, and enough to walk", c, len(p.Nodes), p.TotalCount, p.PageInfo)
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(texts(p.Nodes)))); len(distinct) != len(p.Nodes) {
				t.Errorf("%s: %d rows, %d of them distinct", c, len(p.Nodes), len(distinct))
			}
			whole[c.String()] = p
			for _, backward := range []bool{false, c.backwards()} {
				s.walk(t, c, own, p, backward, func() int { return 3 })
			}
		}
		rapid.Check(t, func(r *rapid.T) {
			c := rapid.SampledFrom(all).Draw(r, "connection")
			backward := c.backwards() && rapid.Bool().Draw(r, "backwards")
			s.walk(t, c, own, whole[c.String()], backward, func() int { return rapid.IntRange(1, 12).Draw(r, "size") })
		})
	})
}

// walk reads page by page until there are no more, and compares with the whole.
func (s *server) walk(t *testing.T, c connection, own map[string]string, whole page, backward bool, size func() int) {
	t.Helper()
	var got []string
	var at *string
	for {
		vars := map[string]any{"first": size(), "after": at}
		if backward {
			vars = map[string]any{"last": size(), "before": at}
		}
		p := s.page(t, c, own, vars)
		before, after := len(got), len(whole.Nodes)-len(got)-len(p.Nodes)
		if backward {
			before, after = after, before
			got = append(texts(p.Nodes), got...)
			at = p.PageInfo.StartCursor
		} else {
			got = append(got, texts(p.Nodes)...)
			at = p.PageInfo.EndCursor
		}
		if p.PageInfo.HasNextPage != (after > 0) || p.PageInfo.HasPreviousPage != (before > 0) {
			t.Fatalf("%s, %v: %d rows before and %d after, but %+v", c, vars, before, after, p.PageInfo)
		}
		if done := backward && before == 0 || !backward && after == 0; done || len(p.Nodes) == 0 {
			break
		}
	}
	if !slices.Equal(got, texts(whole.Nodes)) {
		t.Fatalf("%s, backwards %t: walked\n%s\nwhole\n%s", c, backward, strings.Join(got, "\n"), strings.Join(texts(whole.Nodes), "\n"))
	}
}

func texts(rows []json.RawMessage) (out []string) {
	for _, r := range rows {
		out = append(out, string(r))
	}
	return out
}

// page asks for one page.
func (s *server) page(t *testing.T, c connection, own map[string]string, vars map[string]any) page {
	t.Helper()
	schema := s.schema.Schema()
	declare, args := "$count: Boolean = false, $first: Int, $after: String", "first: $first, after: $after"
	if c.backwards() {
		declare, args = declare+", $last: Int, $before: String", args+", last: $last, before: $before"
	}
	if c.args != "" {
		args += ", " + c.args
	}
	node := "{ id }"
	switch schema.Types[c.field.Type.Name()].Fields.ForName("nodes").Type.Name() {
	case "FootprintRow":
		node = "{ period supplier { name } share totals { co2e } }"
	case "RunDifference":
		node = "{ key change }"
	case "BatchFailure":
		node = "{ line externalId error { code message path } }"
	}
	sel := "{ edges { cursor } nodes " + node + " totalCount @include(if: $count) pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
	got := s.ask(t, document(t, schema, c.parent, c.field, declare, args, sel, own), vars)
	if len(got.Errors) > 0 {
		t.Fatalf("%s, %v: %v", c, vars, got.Errors)
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(got.Data, &out); err != nil {
		t.Fatal(err)
	}
	if node, ok := out["node"]; ok {
		out = nil
		if err := json.Unmarshal(node, &out); err != nil {
			t.Fatal(err)
		}
	}
	var p page
	if err := json.Unmarshal(out[c.field.Name], &p); err != nil {
		t.Fatalf("%s: %v in %s", c, err, got.Data)
	}
	return p
}

// knotted is a ledger with ties and gaps in everything that is ordered by, and the rows whose connections are walked.
func knotted(t *testing.T, st *store.Store) (*server, map[string]string) {
	l := storetest.NewLedger(t, st, "Acme", 30, func(i int, line *store.Line) {
		a, e := line.Activity, line.Emission
		a.OccurredOn = exact.NewDate(2025, time.Month(1+i/4), 1)
		e.OccurredOn = a.OccurredOn
		if i%2 == 0 {
			e.CO2e = 5_000_000
			a.CategoryNumber, e.CategoryNumber = 6, 6
		}
		switch i % 5 {
		case 1:
			a.Money, e.Spend = nil, nil
			a.Quantity = &store.Quantity{Value: 1_000_000, Unit: "kWh"}
		case 2:
			a.Money.Amount = 7_000_000
		case 3:
			a.SupplierID, e.SupplierID = nil, nil
		}
	})
	for i := range 12 {
		s := &store.Supplier{ExternalID: new(fmt.Sprintf("S%d", i)), Name: fmt.Sprintf("Name %d", i/3)}
		if i%3 > 0 {
			s.Country = new([]string{"DE", "GB"}[i%2])
		}
		storetest.PutSuppliers(t, l.Tenant, s)
	}
	for i := range 3 {
		storetest.Dataset(t, st, "test", fmt.Sprint(i))
	}
	storetest.Mappings(t, l, 8)
	line := l.Lines[8]
	for i := range 9 {
		storetest.PutLines(t, l.Tenant, storetest.Calculate(line, l.Factors[0], storetest.Run(t, l.Tenant), exact.Milligrams(i+1)))
	}
	_, run := storetest.Preview(t, l.Tenant, 1, l.Lines...)
	for i := range 7 {
		storetest.Preview(t, l.Tenant, 1, l.Lines[:i]...)
	}
	own := map[string]string{
		"Batch":          storetest.Import(t, l.Tenant, 40, 17, nil).GlobalID().String(),
		"CalculationRun": run.GlobalID().String(),
		"Supplier":       l.Suppliers[0].GlobalID().String(), "Activity": line.Activity.GlobalID().String(), "Category": store.CategoryByNumber(6).GlobalID().String(),
	}
	return newServer(st, l.Tenant.ID(), resolvers.Options{}), own
}
