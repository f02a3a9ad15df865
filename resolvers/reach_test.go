package resolvers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// reach is two ledgers, and a viewer of the first who tries the doors.
type reach struct {
	*server
	t      *testing.T
	probes int
	parent map[string]string // a row of the viewer's for each type whose fields are asked
	theirs map[string]string // the same of the other organization
	own    map[string][]string
	other  map[string]string
	none   map[string]string
}

// answersShared are the doors that answer with rows that belong to everybody: there a factor or dataset that only another organization uses is no
// secret, and a page of them has the same cursors for all.
var answersShared = []string{"Query.node(id)", "Query.nodes(ids)", "Query.emissionFactors(after)", "Query.emissionFactors(before)",
	"Query.emissionFactors(filter.datasetIds)", "Mutation.importActivities(input.activities.factorId)", "Mutation.startRecalculation(input.datasetIds)", "Mutation.setFactorMappings(input.mappings.factorId)",
	"Mutation.invalidateCache(ids)",
	"Query.estimates(inputs.factorId)"}

// Through every argument that takes an id or a cursor, a row of another organization answers like one that does not exist. The schema says which
// arguments there are, so that one that is added is tried as well.
func TestTwoOrganizationsThroughEveryArgument(t *testing.T) {
	storetest.Each(t, "reach nothing of each other", func(t *testing.T, st *store.Store) {
		mine, theirs := newBook(t, st), twin(t, st)
		r := newReach(t, st, mine, theirs)
		before := whole(t, st, theirs)
		found := doors(r.schema.Schema())
		if len(found) < 50 {
			t.Fatalf("only %d doors are found: %v", len(found), found)
		}
		for _, d := range found {
			t.Run(d.String(), func(t *testing.T) {
				r.t = t
				if d.cursor {
					r.tryCursors(d, found)
				} else {
					r.tryIDs(d)
				}
			})
		}
		if after := whole(t, st, theirs); after != before {
			t.Errorf("the other organization's ledger has changed:\n%s\nwas\n%s", after, before)
		}
	}, func(o *store.Options) { o.Now = clock })
}

// twin is the other organization: as much of everything as the viewer has, under keys of its own.
func twin(t *testing.T, st *store.Store) *storetest.Ledger {
	l := storetest.NewLedger(t, st, "Twin", 12, func(i int, line *store.Line) { line.Activity.ExternalID = fmt.Sprintf("T%04d", i) })
	storetest.Mappings(t, l, 3)
	storetest.Suppliers(t, l.Tenant, "Tin")
	again := storetest.Run(t, l.Tenant)
	storetest.PutLines(t, l.Tenant, storetest.Calculate(l.Lines[5], l.Factors[0], again, 1))
	if err := l.Tenant.CreateKey(t.Context(), &store.APIKey{Name: "theirs", Role: store.Admin}, "twin", []byte("0123456789abcdef0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	return l
}

func newReach(t *testing.T, st *store.Store, b *book, theirs *storetest.Ledger) *reach {
	r := &reach{server: newServer(st, b.Tenant.ID(), importing(t, st)), own: map[string][]string{}, other: map[string]string{}, none: map[string]string{}}
	mine, other := rows(t, b.Ledger), rows(t, theirs)
	for kind := range mine {
		for _, n := range mine[kind] {
			r.own[kind] = append(r.own[kind], n.GlobalID().String())
		}
		r.other[kind] = other[kind][0].GlobalID().String()
		r.none[kind] = store.Global(mine[kind][0].GlobalID().Kind, store.ID{6: 0x70, 8: 0x80, 15: 1}).String()
	}
	for kind, keys := range map[string][3]string{"supplier's key": {"Alum", "Tin", "Tun"}, "activity's key": {"L0001", "T0001", "N0001"}} {
		r.own[kind], r.other[kind], r.none[kind] = []string{keys[0]}, keys[1], keys[2]
	}
	r.own["activity's key"] = append(r.own["activity's key"], "L0002") // for the doors behind the one that deletes the first
	category := store.CategoryID(4).String()
	r.parent = map[string]string{"Supplier": b.Suppliers[0].GlobalID().String(), "Activity": b.settled.Activity.GlobalID().String(), "Category": category, "CalculationRun": r.own["run"][0],
		"Batch": r.own["batch"][1]}
	r.theirs = map[string]string{"Supplier": r.other["supplier"], "Activity": theirs.Lines[5].Activity.GlobalID().String(), "Category": category, "CalculationRun": r.other["run"],
		"Batch": other["batch"][1].GlobalID().String()}
	return r
}

// rows are those of a ledger by kind.
func rows(t *testing.T, l *storetest.Ledger) map[string][]store.Node {
	org, err := l.Tenant.Organization(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := l.Tenant.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, r := storetest.Preview(t, l.Tenant, 1, l.Lines...)
	out := map[string][]store.Node{"organization": {org}, "dataset": {l.Dataset}, "run": {r, l.Run}, "batch": {b, storetest.Import(t, l.Tenant, 12, 5, nil)}}
	mappings, err := l.Tenant.Mappings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mappings {
		out["mapping"] = append(out["mapping"], m)
	}
	for _, k := range keys {
		out["key"] = append(out["key"], k)
	}
	for _, s := range l.Suppliers {
		out["supplier"] = append(out["supplier"], s)
	}
	for _, f := range l.Factors {
		out["factor"] = append(out["factor"], f)
	}
	for _, line := range l.Lines {
		out["activity"] = append(out["activity"], line.Activity)
		if line.Emission != nil {
			out["emission"] = append(out["emission"], line.Emission)
		}
	}
	return out
}

// endExports ends the exports that wait: of one organization only so many may.
func (r *reach) endExports() {
	r.t.Helper()
	queue, err := r.store.Queue(r.t.Context(), 1000, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, q := range queue {
		if q.Kind != store.BatchExport {
			continue
		}
		tenant := r.store.Tenant(q.Org)
		b, err := tenant.TakeBatch(r.t.Context(), q.ID, q.ID, time.Minute)
		if err != nil || b == nil {
			r.t.Fatal(b, err)
		}
		storetest.Write(r.t, tenant, func(ctx context.Context, w *store.Writer) error {
			return w.EndBatch(ctx, b, q.ID, store.RunSucceeded, nil)
		})
		if err := tenant.TidyBatch(r.t.Context(), b, q.ID); err != nil {
			r.t.Fatal(err)
		}
	}
}

// tryIDs gives the door an id of each kind: the other organization's answers like one of nothing; one's own, of the right kind, must not.
func (r *reach) tryIDs(d door) {
	r.t.Helper()
	opened := false
	for kind, theirs := range r.other {
		if key := strings.HasSuffix(kind, "'s key"); key == d.global(r.schema.Schema()) {
			continue // a text is no id, and an id no key of another system
		}
		none := r.through(d, r.none[kind])
		if shared := kind == "factor" || kind == "dataset"; !shared || !slices.Contains(answersShared, d.String()) {
			if got := r.through(d, theirs); got != none {
				r.t.Errorf("another organization's %s answers\n%s\none of nothing\n%s", kind, got, none)
			}
		}
		for _, id := range r.own[kind] {
			opened = opened || r.through(d, id) != none
		}
	}
	if !opened {
		r.t.Error("nothing of one's own is found through it either: the test proves nothing")
	}
}

// fresh is what differs between two equal answers of a mutation.
var fresh = regexp.MustCompile(`"(id|deletedId)":"[^"]*"`)

// through asks with the id at the door. The id itself, what depends on its text, and the key of a line that is imported on the way are taken out of the answer.
func (r *reach) through(d door, id string) string {
	r.t.Helper()
	s := r.schema.Schema()
	r.probes++
	probe := fmt.Sprintf("probe-%d", r.probes)
	needs := map[string]map[string]any{
		"ActivityInput":           {"externalId": probe, "description": "x", "occurredOn": "2025-01-01", "money": map[string]any{"amount": 1, "currency": "USD"}},
		"EstimateInput":           {"occurredOn": "2025-01-01", "money": map[string]any{"amount": 1, "currency": "USD"}},
		"SupplierInput":           {"externalId": probe, "name": "x"},
		"StartRecalculationInput": {"reason": "x", "preview": true},
		"StartExportInput":        {"what": "ACTIVITIES", "format": "CSV"},
		"FactorMappingInput":      {"accountCode": probe},
	}
	if slices.Contains(d.path, "supplierExternalId") {
		needs["ActivityInput"]["supplierName"] = "x"
	}
	if slices.Contains(d.path, "emissionFilter") {
		needs["StartExportInput"]["what"] = "EMISSIONS"
	}
	depth := 2
	if d.parent == s.Mutation {
		depth = 3
	}
	doc := document(r.t, s, d.parent, d.field, "$v: "+d.arg.Type.String(), d.arg.Name+": $v", selection(s, d.field.Type, depth), r.parent)
	got := r.ask(r.t, doc, map[string]any{"v": value(s, d.arg.Type, d.path, id, needs)})
	for _, e := range got.Errors {
		if e.Extensions == nil {
			r.t.Fatalf("the document is refused: %v\n%s", got.Errors, doc)
		}
	}
	if d.field.Name == "startExport" {
		r.endExports()
	}
	text, err := json.Marshal(answer{Data: got.Data, Errors: got.Errors})
	if err != nil {
		r.t.Fatal(err)
	}
	out := strings.NewReplacer(id, "ID", probe, "PROBE").Replace(cursors.ReplaceAllString(string(text), `"$1":"…"`))
	if d.parent == s.Mutation {
		out = fresh.ReplaceAllString(out, `"$1":"new"`)
	}
	return out
}

// tryCursors gives the door cursors of its own field, which work; of the other organization's same field, and of every other field: those do not,
// in the words for a cursor that is none.
func (r *reach) tryCursors(d door, all []door) {
	r.t.Helper()
	theirs := *r
	theirs.server, theirs.parent = &server{}, r.theirs
	*theirs.server = *r.server
	theirs.viewer.Org = r.tenantOf("organization")
	first, mine := r.at(d, ""), r.cursor(d)
	if got := r.at(d, mine); len(got.Errors) > 0 || string(got.Data) == string(first.Data) {
		r.t.Errorf("one's own cursor: %v %s; want another page than %s", got.Errors, got.Data, first.Data)
	}
	none := refusal(r.at(d, "bm9wZQ"))
	if none.code != fault.InvalidCursor {
		r.t.Errorf("a cursor that is none: %v", none)
	}
	tried := map[string]string{"an altered": mine[:len(mine)-2] + flipped(mine[len(mine)-2]) + mine[len(mine)-1:]}
	if other := theirs.cursor(d); slices.Contains(answersShared, d.String()) {
		if other != mine {
			r.t.Errorf("the cursor of a shared row is %s here and %s there", mine, other)
		}
	} else {
		tried["another organization's"] = other
	}
	for _, o := range all {
		if o.cursor && o.field != d.field && o.arg.Name == d.arg.Name {
			tried["that of "+o.String()] = r.cursor(o)
		}
	}
	for whose, c := range tried {
		got := r.at(d, c)
		if refusal(got) != none {
			r.t.Errorf("%s cursor: %v %s; want %v", whose, got.Errors, got.Data, none)
		}
	}
}

// tenantOf gives the other organization's row id.
func (r *reach) tenantOf(kind string) store.ID {
	id, err := store.ParseGlobalID(r.other[kind])
	if err != nil {
		r.t.Fatal(err)
	}
	return id.Row
}

func flipped(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

type refusedAs struct {
	code    fault.Code
	message string
	errors  int
}

func refusal(a answer) refusedAs {
	if len(a.Errors) == 0 {
		return refusedAs{}
	}
	return refusedAs{codes(a)[0], a.Errors[0].Message, len(a.Errors)}
}

// at asks for a page of one row at the cursor, forwards or backwards as the door has it; without one for the first page.
func (r *reach) at(d door, cursor string) answer {
	r.t.Helper()
	size, end := "first: 1", "endCursor"
	if d.arg.Name == "before" {
		size, end = "last: 1", "startCursor"
	}
	if by := d.field.Arguments.ForName("groupBy"); by != nil && by.Type.Elem != nil {
		size += ", groupBy: [CATEGORY]" // without it there is one row
	}
	sel := "{ edges { cursor node { __typename } } pageInfo { at: " + end + " } }"
	doc := document(r.t, r.schema.Schema(), d.parent, d.field, "$v: String", size+", "+d.arg.Name+": $v", sel, r.parent)
	var v any
	if cursor != "" {
		v = cursor
	}
	return r.ask(r.t, doc, map[string]any{"v": v})
}

var placed = regexp.MustCompile(`"at":"([^"]+)"`)

// cursor gives the cursor of the first page.
func (r *reach) cursor(d door) string {
	r.t.Helper()
	got := r.at(d, "")
	m := placed.FindSubmatch(got.Data)
	if m == nil || len(got.Errors) > 0 {
		r.t.Fatalf("%s has no row to point at: %s %v", d, got.Data, got.Errors)
	}
	return string(m[1])
}

// whole tells all that an organization has.
func whole(t *testing.T, st *store.Store, l *storetest.Ledger) string {
	s := newServer(st, l.Tenant.ID(), resolvers.Options{})
	got := s.ask(t, `{ suppliers { nodes { id externalId name updatedAt } } activities { nodes { id externalId description updatedAt supplier { id } } } emissions(filter: {includeSuperseded: true}) { nodes { id co2e superseded } totals { co2e } } factorMappings { nodes { id accountCode factor { id } } } }`, nil)
	keys, err := l.Tenant.Keys(t.Context())
	if err != nil || len(got.Errors) > 0 || len(keys) != 1 {
		t.Fatalf("the other organization: %v %v, %d keys", err, got.Errors, len(keys))
	}
	return string(got.Data)
}
