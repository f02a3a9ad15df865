package resolvers_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// wide makes a ledger of 60 suppliers with 6 calculated lines each.
func wide(t *testing.T, st *store.Store) *store.Tenant {
	tenant := storetest.Organization(t, st, "Wide")
	_, factors := storetest.Dataset(t, st, "wide", "1")
	run := storetest.Run(t, tenant)
	names := make([]string, 60)
	for i := range names {
		names[i] = fmt.Sprintf("Supplier %02d", i)
	}
	var lines []*store.Line
	for i, s := range storetest.Suppliers(t, tenant, names...) {
		for j := range 6 {
			l := storetest.NewLine(fmt.Sprintf("L%02d-%d", i, j), s)
			l.Activity.CategoryNumber = int32((i+j)%15 + 1)
			lines = append(lines, storetest.Calculate(l, factors[(i+j)%3], run, 1_000_000))
		}
	}
	storetest.PutLines(t, tenant, lines...)
	for range 7 {
		storetest.Preview(t, tenant, 1, lines[:2]...)
	}
	return tenant
}

// The target of the design: whatever the shape and the load, a statement for each relation that has to be read.
var statementDocuments = map[string]struct {
	document   string
	variables  map[string]any
	statements int64
	joined     int64 // fewer of them by the short way on Postgres, where rows come along with a page
	loaded     bool  // also asked by 64 clients at once under the race detector: a level of lists below lists, in each of its shapes
}{
	"nodes": {loaded: true, document: `{ suppliers(first: 50) { nodes { name emissions(first: 5, orderBy: {field: CO2E}) { nodes {
		co2e category { number name } factor { name dataset { version } } } } } } }`, statements: 4},
	"edges": {loaded: true, document: `{ suppliers(first: 50) { edges { node { name emissions(first: 5, orderBy: {field: CO2E}) { edges { node {
		co2e category { number name } factor { name dataset { version } } } } } } } } }`, statements: 4},
	"variables": {document: `query($n: Int!, $m: Int = 5, $o: EmissionOrder, $f: EmissionFilter) { suppliers(first: $n) { nodes { emissions(first: $m, orderBy: $o, filter: $f) { nodes {
		co2e factor { dataset { version } } } } } } }`, variables: map[string]any{"n": 50, "o": map[string]any{"field": "CO2E"}, "f": map[string]any{"countries": []any{"US"}}}, statements: 4},
	"aliases and fragments": {loaded: true, document: `{ all: suppliers(first: 50) { rows: nodes { ...S } e: edges { n: node { ...S } } } }
		fragment S on Supplier { top: emissions(first: 5, orderBy: {field: CO2E}) { ...E } }
		fragment E on EmissionConnection { nodes { how: factor { ...F } category { name } } edges { node { ... on Emission { factor { ...F } } } } }
		fragment F on EmissionFactor { from: dataset { version } name }`, statements: 4},
	"what is skipped is not read": {document: `query($no: Boolean = false) { suppliers(first: 50) { nodes { name emissions(first: 5) @include(if: $no) { nodes { factor { name } } } } } }`, statements: 1},
	"two pages of one relation":   {document: `{ suppliers(first: 50) { nodes { a: emissions(first: 5) { nodes { id } } b: emissions(first: 2) { nodes { id } } } } }`, statements: 3},
	"the same page twice":         {document: `{ suppliers(first: 50) { nodes { a: emissions(first: 5) { nodes { id } } b: emissions(first: 5) { nodes { co2e } } } } }`, statements: 2},
	"counts and totals": {document: `{ suppliers(first: 50) { totalCount nodes { activities(first: 1) { totalCount } emissions(first: 1) { totalCount totals { co2e } } footprint { co2e } } } }`,
		statements: 6},
	"nothing is counted unasked":                 {document: `{ emissions(first: 5) { nodes { id } } }`, statements: 1},
	"totals and count of the root come together": {document: `{ emissions(first: 5) { totalCount totals { co2e activityCount } } }`, statements: 2},
	"deep": {document: `{ activities(first: 50) { nodes { supplier { name } emission { activity { externalId } run { reason } factor { dataset { supersedes { version } } supersededBy { id } } }
		history(first: 3) { totalCount nodes { supplier { name } } } } } }`, statements: 11, joined: 1},
	"along with a page": {document: `{ emissions(first: 50) { nodes { co2e supplier { name } s: supplier { country } activity { externalId } run { reason } factor { name } } pageInfo { endCursor } } }`,
		statements: 5, joined: 3},
	"along with a page, and of it too":      {document: `{ emissions(first: 50) { edges { cursor node { supplier { name } activity { supplier { name country } } } } } }`, statements: 3, joined: 2},
	"along with one page, not with another": {document: `{ emissions(first: 50) { nodes { supplier { name } } } activities(first: 50) { nodes { supplier { name } } } }`, statements: 3},
	"categories":                            {document: `{ categories { name emissions(first: 3) { totalCount nodes { supplier { name } } } } }`, statements: 3},
	"categories alone":                      {document: `{ categories { name } }`, statements: 0},
	"through the category":                  {document: `{ emissions(first: 50) { nodes { category { emissions(first: 1) { nodes { id } } } } } }`, statements: 2},
	"batches": {loaded: true, document: `{ batches(first: 5, filter: {statuses: [SUCCEEDED], kinds: [RECALCULATION]}) { totalCount nodes { status processed makes: run { reason } run { differences(first: 2) { nodes { key } totalCount } } }
		edges { cursor node { run { id } } } pageInfo { hasNextPage endCursor } } }`, statements: 5, joined: 1},
	"batches are not counted unasked": {document: `{ batches(last: 5) { nodes { id status rowsPerSecond } } }`, statements: 1},
	"runs": {loaded: true, document: `{ calculationRuns(first: 5) { totalCount nodes { reason differences(first: 2) { nodes { key } } } edges { cursor node { differences(first: 2) { totalCount } } } } }`,
		statements: 4},
	"runs are not counted unasked": {document: `{ calculationRuns(last: 5) { nodes { id status preview } } }`, statements: 1},
	"groups": {document: `{ footprint(groupBy: [CATEGORY, SUPPLIER, FACTOR]) { nodes { category { name } supplier { name } factor { name dataset { version } } totals { co2e } share } } }`,
		statements: 4},
	"a value by another set needs no other row": {document: `{ emissionFactors { nodes { value(gwpSet: AR4) } } }`, statements: 1},
	"viewer without organization":               {document: `{ viewer { role keyName } }`, statements: 0},
	"viewer with organization":                  {document: `{ viewer { organization { name } } }`, statements: 1},
}

func TestStatements(t *testing.T) {
	storetest.Each(t, "statements", func(t *testing.T, st *store.Store) {
		for engine, s := range newServer(st, wide(t, st).ID(), resolvers.Options{}).engines() {
			for name, tc := range statementDocuments {
				want := tc.statements
				if engine == "short" && st.Joins() {
					want -= tc.joined
				}
				many := 64
				if raced {
					many = 8
				}
				for _, clients := range []int{1, many} {
					if raced && clients > 1 && engine == "gqlgen" && !tc.loaded {
						continue // that takes minutes; `make test` does it without the race detector
					}
					t.Run(fmt.Sprintf("%s by %s with %d clients", name, engine, clients), func(t *testing.T) {
						var all sync.WaitGroup
						for range clients {
							all.Go(func() {
								got := s.ask(t, tc.document, tc.variables)
								if len(got.Errors) > 0 {
									t.Errorf("errors: %v", got.Errors)
								}
								if got.Statements != want {
									t.Errorf("statements = %d, want %d", got.Statements, want)
								}
							})
						}
						all.Wait()
					})
				}
			}
			s.went(t)
		}
	})
}

// Without a plan keys gather by time alone: slower and in more statements, but the answer is the same.
func TestAnswersDoNotDependOnThePlan(t *testing.T) {
	storetest.Each(t, "unplanned", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{})
		unplanned := *s
		unplanned.planned = false
		for name, tc := range statementDocuments {
			t.Run(name, func(t *testing.T) {
				want, got := s.ask(t, tc.document, tc.variables), unplanned.ask(t, tc.document, tc.variables)
				if string(got.Data) != string(want.Data) || len(got.Errors) > 0 {
					t.Errorf("without a plan: %.400s %v\nwith it: %.400s", got.Data, got.Errors, want.Data)
				}
				var any map[string]any
				if err := json.Unmarshal(want.Data, &any); err != nil || len(any) == 0 {
					t.Errorf("answer %q: %v", want.Data, err)
				}
			})
		}
	})
}
