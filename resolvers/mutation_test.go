package resolvers_test

import (
	"encoding/json"
	"slices"
	"testing"

	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/factors"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func importing(t *testing.T, st *store.Store) resolvers.Options {
	t.Helper()
	return resolvers.Options{Importer: batch.New(batch.Options{Store: st, Catalog: factors.NewCatalog(st, 0), Engine: engine(), Now: clock})}
}

// Mutations, one after the other on one ledger, with their answers.
func TestMutations(t *testing.T) {
	storetest.Each(t, "mutations", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		s := newServer(st, l.Tenant.ID(), importing(t, st))
		ids := map[string]any{"factor": l.Factors[2].GlobalID().String(), "nobody": store.Global(store.KindSupplier, l.Run.ID).String()}
		for _, step := range []struct{ name, document string }{
			{"upsert suppliers", `mutation { upsertSuppliers(input: {suppliers: [
				{externalId: "Alum", name: "Alum Ltd", country: "GB", naicsCode: "334111", tier: 1}, {externalId: "Dolomite", name: "Dolomite"}, {externalId: "Borax", name: "Borax"},
				{externalId: "", name: "Nobody"}, {externalId: "Dolomite", name: "Again"}]}) {
				results { index externalId status supplier { name country naicsCode tier footprint { co2e } activities { totalCount } } error { code path } } created updated unchanged failed } }`},
			{"import activities dry", importDocument("dryRun: true, ")},
			{"import activities", importDocument("")},
			{"import activities again", importDocument("")},
			{"import activities dry again", importDocument("dryRun: true, ")},
			{"set factor mappings", `mutation($factor: ID!, $nobody: ID!) { setFactorMappings(input: {mappings: [
				{accountCode: "6000", description: "Office cleaning", country: "GB", factorId: $factor, category: 1, reason: "As told."}, {description: "Rates*", exclude: true, reason: "Tax."},
				{accountCode: "6000", factorId: $nobody}, {factorId: $factor}, {description: "x", exclude: true}, {description: "x", exclude: true, reason: "y", factorId: $factor},
				{description: "x", exclude: true, reason: "y", category: 1}, {description: "x"}, {description: "*", factorId: $factor}, {accountCode: "6*", factorId: $factor},
				{description: "x", factorId: $factor, category: 16}, {description: " ", factorId: $factor}, {description: "Rates*", factorId: $factor}, {country: "GB", factorId: $factor}]}) {
				mappings { accountCode description country factor { code dataset { version } } category { number } exclude reason decidedBy confidence reviewed } errors { code message path } } }`},
			{"set factor mappings again", `mutation($factor: ID!) { setFactorMappings(input: {mappings: [{description: "Rates*", factorId: $factor}]}) { mappings { exclude reason category { name } factor { code } } errors { code } } }`},
			{"a mutation sees what the one before wrote", `mutation {
				first: upsertSuppliers(input: {suppliers: [{externalId: "Grid", name: "One"}]}) { results { supplier { name activities { totalCount } } } }
				second: upsertSuppliers(input: {suppliers: [{externalId: "Grid", name: "Two"}]}) { results { supplier { name activities { nodes { supplier { name } } } } } } }`},
		} {
			t.Run(step.name, func(t *testing.T) {
				got := s.ask(t, step.document, ids)
				got.Statements = 0 // those of the import are its own affair
				golden(t, step.name, "gqlgen", got)
			})
		}
	}, counted)
}

func importDocument(how string) string {
	return `mutation($factor: ID!, $nobody: ID!) { importActivities(input: {` + how + `activities: [
		{externalId: "A1", description: "Power", occurredOn: "2025-06-30", quantity: {value: 1000, unit: "kWh"}, factorId: $factor, supplierExternalId: "Grid", supplierName: "Grid Inc", category: 3, country: "US"},
		{externalId: "A2", description: "Power", occurredOn: "2025-06-30", quantity: {value: "2.5", unit: "furlong"}, factorId: $factor},
		{externalId: "A3", description: "Power", occurredOn: "2027-01-01", quantity: {value: "1", unit: "kWh"}, factorId: $factor},
		{externalId: "A1", description: "Power", occurredOn: "2025-06-30", quantity: {value: "1", unit: "kWh"}, factorId: $factor},
		{externalId: "A4", description: "Power", occurredOn: "2025-06-30", quantity: {value: "1", unit: "kWh"}, supplierId: $nobody},
		{externalId: "A5", description: "Gas", occurredOn: "2025-06-30", quantity: {value: "1000", unit: "scf"}, factorId: $factor, conversionProperty: "epa:natural-gas", uncertaintyPercent: "25.0"},
		{externalId: "A6", description: "Gas", occurredOn: "2025-06-30", quantity: {value: "1000", unit: "scf"}, factorId: $factor, conversionProperty: "natural gas"},
		{externalId: "A7", description: "Gas", occurredOn: "2025-06-30", quantity: {value: "1", unit: "kWh"}, factorId: $factor, uncertaintyPercent: 1001}]}) {
		results { index externalId status error { code path }
			activity { externalId supplier { name } category { number } quantity { value unit } conversionProperty uncertaintyPercent calculationError { code }
				emission { co2e uncertainty { low high } factor { code dataset { version } } } } }
		created updated unchanged failed } }`
}

// What a mutation answers takes a statement for each relation too, however many items there are.
func TestMutationsAnswerInBulk(t *testing.T) {
	storetest.Each(t, "bulk", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		s := newServer(st, l.Tenant.ID(), importing(t, st))
		document := `mutation($in: [ActivityInput!]!) { importActivities(input: {activities: $in}) { results { activity { supplier { name } emission { co2e factor { dataset { version } } } } } } }`
		plain := `mutation($in: [ActivityInput!]!) { importActivities(input: {activities: $in}) { created } }`
		input := func(prefix string) map[string]any {
			var in []any
			for i := range 200 {
				in = append(in, map[string]any{"externalId": prefix + string(rune('A'+i)), "description": "Power", "occurredOn": "2025-06-30", "factorId": l.Factors[2].GlobalID().String(),
					"quantity": map[string]any{"value": "1", "unit": "kWh"}, "supplierExternalId": "Alum"})
			}
			return map[string]any{"in": in}
		}
		s.ask(t, plain, input("warm")) // what the importer keeps for the next time is read now
		alone, shown := s.ask(t, plain, input("x")), s.ask(t, document, input("y"))
		if got := shown.Statements - alone.Statements; got != 4 || len(shown.Errors) > 0 {
			t.Errorf("showing suppliers, emissions, factors and datasets took %d statements more, want 4; errors %v", got, shown.Errors)
		}
	})
}

func TestKeysAreMadeAndRevoked(t *testing.T) {
	storetest.Each(t, "keys", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		var told []store.ID
		s := newServer(st, tenant.ID(), resolvers.Options{Revoked: func(id store.ID) { told = append(told, id) }})
		var made struct {
			CreateAPIKey struct {
				APIKey struct{ ID, Name, Role, CreatedAt, ExpiresAt string }
				Secret string
			}
		}
		got := s.ask(t, `mutation { createApiKey(input: {name: " ci ", role: EDITOR, expiresAt: "2027-01-01T01:00:00+01:00"}) { apiKey { id name role createdAt expiresAt } secret } }`, nil)
		if err := json.Unmarshal(got.Data, &made); err != nil || len(got.Errors) > 0 {
			t.Fatalf("answer %s %v: %v", got.Data, got.Errors, err)
		}
		k := made.CreateAPIKey
		if k.APIKey.Name != "ci" || k.APIKey.Role != "EDITOR" || k.APIKey.CreatedAt != "2026-03-01T12:00:00.000000Z" || k.APIKey.ExpiresAt != "2027-01-01T00:00:00.000000Z" {
			t.Errorf("key = %+v", k.APIKey)
		}
		secret, err := auth.ParseSecret(k.Secret)
		if err != nil {
			t.Fatalf("secret %q: %v", k.Secret, err)
		}
		stored, hash, err := st.KeyByPrefix(t.Context(), secret.Prefix)
		if err != nil || stored.OrgID != tenant.ID() || !slices.Equal(hash, secret.Hash) {
			t.Errorf("stored key = %+v, %v; want one of the organization with the secret's hash", stored, err)
		}

		id := map[string]any{"id": k.APIKey.ID}
		revoke := `mutation($id: ID!) { revokeApiKey(id: $id) { deletedId errors { code } } }`
		if got := s.ask(t, revoke, id); string(got.Data) != `{"revokeApiKey":{"deletedId":"`+k.APIKey.ID+`","errors":[]}}` {
			t.Errorf("revoke = %s %v", got.Data, got.Errors)
		}
		if len(told) != 1 || told[0] != stored.ID {
			t.Errorf("told of %v, want the revoked key once", told)
		}
		if got := s.ask(t, revoke, id); string(got.Data) != `{"revokeApiKey":{"deletedId":null,"errors":[{"code":"NOT_FOUND"}]}}` {
			t.Errorf("revoke again = %s %v", got.Data, got.Errors)
		}
		if got := s.ask(t, `query($id: ID!) { node(id: $id) { id } }`, id); string(got.Data) != `{"node":null}` {
			t.Errorf("revoked key = %s, want none", got.Data)
		}
	})
}
