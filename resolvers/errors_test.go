package resolvers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestRefusals(t *testing.T) {
	many := make([]any, 101)
	for i := range many {
		many[i] = store.CategoryID(1).String()
	}
	for name, tc := range map[string]struct {
		document  string
		variables map[string]any
		role      store.Role
		code      fault.Code
	}{
		"a page of nothing":                     {document: `{ suppliers(first: 0) { nodes { id } } }`, code: fault.BadUserInput},
		"a page of less than nothing":           {document: `{ activities(first: -1) { nodes { id } } }`, code: fault.BadUserInput},
		"a page that is too long":               {document: `{ emissions(last: 501) { nodes { id } } }`, code: fault.BadUserInput},
		"first with last":                       {document: `{ emissionFactors(first: 1, last: 1) { nodes { id } } }`, code: fault.BadUserInput},
		"a cursor that is none":                 {document: `{ suppliers(after: "bm9wZQ") { nodes { id } } }`, code: fault.InvalidCursor},
		"a cursor of groups that is none":       {document: `{ footprint(groupBy: [YEAR], after: "x") { nodes { share } } }`, code: fault.InvalidCursor},
		"a nested cursor that is none":          {document: `{ suppliers { nodes { emissions(before: "bm9wZQ") { nodes { id } } } } }`, code: fault.InvalidCursor},
		"a nested page that is too long":        {document: `{ suppliers { nodes { activities(first: 501) { nodes { id } } } } }`, code: fault.BadUserInput},
		"a history that is too long":            {document: `{ activities { nodes { history(first: 501) { nodes { id } } } } }`, code: fault.BadUserInput},
		"an id that is none":                    {document: `{ node(id: "x") { id } }`, code: fault.BadUserInput},
		"an id among others that is none":       {document: `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, variables: map[string]any{"ids": []any{many[0], "x"}}, code: fault.BadUserInput},
		"an id in a filter that is none":        {document: `{ emissions(filter: {runId: "x"}) { nodes { id } } }`, code: fault.BadUserInput},
		"too many ids":                          {document: `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, variables: map[string]any{"ids": many}, code: fault.BadUserInput},
		"no supplier asked for":                 {document: `{ supplier { id } }`, code: fault.BadUserInput},
		"a supplier asked for twice":            {document: `query($id: ID!) { supplier(id: $id, externalId: "x") { id } }`, variables: map[string]any{"id": many[0]}, code: fault.BadUserInput},
		"a day that is none":                    {document: `{ activities(filter: {occurredFrom: "2025-02-30"}) { nodes { id } } }`, code: fault.BadUserInput},
		"a nested day that is none":             {document: `{ suppliers { nodes { footprint(filter: {occurredTo: "yesterday"}) { co2e } } } }`, code: fault.BadUserInput},
		"a country that is none":                {document: `{ suppliers(filter: {countries: ["Britain"]}) { nodes { id } } }`, code: fault.BadUserInput},
		"a country in small letters":            {document: `{ suppliers(filter: {countries: ["gb"]}) { nodes { id } } }`, code: fault.BadUserInput},
		"four dimensions":                       {document: `{ footprint(groupBy: [YEAR, SUPPLIER, CATEGORY, METHOD]) { nodes { share } } }`, code: fault.BadUserInput},
		"a relevance without a search":          {document: `{ emissionFactors(orderBy: {field: RELEVANCE}) { nodes { id } } }`, code: fault.BadUserInput},
		"a key without a name":                  {document: `mutation { createApiKey(input: {name: "  ", role: VIEWER}) { secret } }`, code: fault.BadUserInput},
		"a key with too long a name":            {document: fmt.Sprintf(`mutation { createApiKey(input: {name: %q, role: VIEWER}) { secret } }`, strings.Repeat("ü", 201)), code: fault.BadUserInput},
		"a key that has expired":                {document: `mutation { createApiKey(input: {name: "x", role: VIEWER, expiresAt: "2026-03-01T12:00:00Z"}) { secret } }`, code: fault.BadUserInput},
		"a key that expires at no time":         {document: `mutation { createApiKey(input: {name: "x", role: VIEWER, expiresAt: "soon"}) { secret } }`, code: fault.BadUserInput},
		"a key for those who may make none":     {document: `mutation { createApiKey(input: {name: "x", role: VIEWER}) { secret } }`, role: store.Editor, code: fault.Forbidden},
		"an end for those who may end none":     {document: `mutation($id: ID!) { revokeApiKey(id: $id) { deletedId } }`, variables: map[string]any{"id": many[0]}, role: store.Editor, code: fault.Forbidden},
		"suppliers by those who may only read":  {document: `mutation { upsertSuppliers(input: {suppliers: []}) { created } }`, role: store.Analyst, code: fault.Forbidden},
		"activities by those who may only read": {document: `mutation { importActivities(input: {activities: []}) { created } }`, role: store.Analyst, code: fault.Forbidden},
		"a quantity that is no number": {document: `mutation { importActivities(input: {activities: [{externalId: "a", description: "b", occurredOn: "2025-01-01", quantity: {value: "many", unit: "kg"}}]}) { created } }`,
			code: fault.BadUserInput},
		"an amount that is a binary number": {document: `mutation($v: Decimal!) { importActivities(input: {activities: [{externalId: "a", description: "b", occurredOn: "2025-01-01", quantity: {value: $v, unit: "kg"}}]}) { created } }`,
			variables: map[string]any{"v": 1.5}, code: fault.BadUserInput},
		"too many suppliers": {document: `mutation($s: [SupplierInput!]!) { upsertSuppliers(input: {suppliers: $s}) { created } }`,
			variables: map[string]any{"s": slices.Repeat([]any{map[string]any{"externalId": "a", "name": "b"}}, 10_001)}, code: fault.BadUserInput},
		"too many activities": {document: `mutation($a: [ActivityInput!]!) { importActivities(input: {activities: $a}) { created } }`,
			variables: map[string]any{"a": slices.Repeat([]any{map[string]any{"externalId": "a", "description": "b", "occurredOn": "2025-01-01"}}, 10_001)}, code: fault.BadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			st := refusing(t)
			s := newServer(st.Store, st.tenant.ID(), resolvers.Options{})
			if tc.role != "" {
				s = s.as(tc.role)
			}
			got := s.ask(t, tc.document, tc.variables)
			if len(got.Errors) == 0 || slices.ContainsFunc(codes(got), func(c fault.Code) bool { return c != tc.code }) {
				t.Errorf("codes = %q, %v; want %q alone", codes(got), got.Errors, tc.code)
			}
		})
	}
}

type refused struct {
	*store.Store
	tenant *store.Tenant
}

// refusing gives a store with one supplier and one line: nested fields need a row to be asked on.
func refusing(t *testing.T) refused {
	st := storetest.SQLite(t)
	l := storetest.NewLedger(t, st, "Acme", 1, nil)
	return refused{st, l.Tenant}
}

// One alias's bad cursor leaves its neighbour alone, though both are read by one loader.
func TestABadCursorSpoilsItsOwnFieldAlone(t *testing.T) {
	storetest.Each(t, "cursor", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		s := newServer(st, l.Tenant.ID(), resolvers.Options{})
		got := s.ask(t, `{ nodes(ids: ["`+l.Suppliers[0].GlobalID().String()+`"]) { ... on Supplier { good: emissions(first: 1) { nodes { co2e } } } } }`, nil)
		if want := `{"nodes":[{"good":{"nodes":[{"co2e":"3"}]}}]}`; string(got.Data) != want {
			t.Errorf("good alone = %s, want %s", got.Data, want)
		}
		got = s.ask(t, `{ nodes(ids: ["`+l.Suppliers[0].GlobalID().String()+`"]) { ... on Supplier { bad: emissions(first: 1, after: "x") { nodes { co2e } } good: emissions(first: 1) { nodes { co2e } } } } }`, nil)
		if c := codes(got); !slices.Equal(c, []fault.Code{fault.InvalidCursor}) || got.Errors[0].Path.String() != "nodes[0].bad" {
			t.Errorf("errors = %v, want one %s at nodes[0].bad", got.Errors, fault.InvalidCursor)
		}
	})
}

// Keys are for ADMIN: to everybody else they do not exist.
func TestKeysAreForAdmins(t *testing.T) {
	storetest.Each(t, "keys", func(t *testing.T, st *store.Store) {
		b := newBook(t, st)
		s := newServer(st, b.Tenant.ID(), resolvers.Options{})
		id := map[string]any{"id": b.key.GlobalID().String()}
		for role, want := range map[store.Role]string{
			store.Admin: `{"node":{"name":"reader"}}`, store.Editor: `{"node":null}`, store.Analyst: `{"node":null}`, store.Viewer: `{"node":null}`,
		} {
			if got := s.as(role).ask(t, `query($id: ID!) { node(id: $id) { ... on ApiKey { name } } }`, id); string(got.Data) != want {
				t.Errorf("%s sees %s, want %s", role, got.Data, want)
			}
		}
	})
}

// A database that is gone is an error for each field that needs it, never an empty page.
func TestAFailedReadIsAnError(t *testing.T) {
	var dir string
	b := newBook(t, storetest.SQLite(t, func(o *store.Options) { dir = o.DataDir }))
	gone, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	s := newServer(gone, b.Tenant.ID(), resolvers.Options{})
	for _, document := range []string{
		`{ suppliers { nodes { id } } }`, `{ factorDatasets { name } }`, `{ viewer { organization { name } } }`, `{ categories { emissions { nodes { id } } } }`,
		`{ footprint { nodes { share } } }`, `{ supplier(externalId: "Alum") { id } }`, `{ nodes(ids: ["` + b.key.GlobalID().String() + `"]) { id } }`,
	} {
		if got := s.ask(t, document, nil); len(got.Errors) == 0 {
			t.Errorf("%s = %s without an error", document, got.Data)
		}
	}
}
