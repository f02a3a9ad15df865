package resolvers_test

import (
	"context"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// book is a small ledger with one of each thing that can be told, and the ids to ask for it.
type book struct {
	*storetest.Ledger
	key      *store.APIKey
	newer    *store.FactorDataset
	foreign  *store.Supplier
	settled  *store.Line // calculated twice
	unknown  *store.Line // could not be calculated
	nameless *store.Line // without supplier, money, country and account code
	batch    *store.Batch
	preview  *store.CalculationRun
	mappings []*store.FactorMapping
}

// newBook fills a ledger of 12 lines.
func newBook(t testing.TB, st *store.Store) *book {
	b := &book{}
	b.Ledger = storetest.NewLedger(t, st, "Acme", 12, func(i int, l *store.Line) {
		switch i {
		case 4:
			l.Activity.Quantity = &store.Quantity{Value: 12_500_000, Unit: "furlong"}
			l.Activity.Problem = &store.Problem{Code: "UNKNOWN_UNIT", Message: "furlong is no unit that is known.", Path: []string{"quantity", "unit"}}
			l.Emission, b.unknown = nil, l
		case 5:
			a := l.Activity
			a.SupplierID, a.Money, a.Country, a.AccountCode = nil, nil, nil, nil
			a.Quantity = &store.Quantity{Value: 1_250_000, Unit: "kWh"}
			e := l.Emission
			e.SupplierID, e.Spend, e.Country, e.AccountCode, e.Method, e.BiogenicCO2 = nil, nil, nil, nil, store.AverageData, 1
			f, err := formula.Parse(strings.ReplaceAll(e.Formula, `"USD"`, `"kWh"`))
			if err != nil {
				t.Fatal(err)
			}
			e.Formula, e.FormulaID, e.Amount = f.Text(), f.ID(), a.Quantity.Value
			b.nameless = l
		case 6:
			l.Activity.Money.Amount = -l.Activity.Money.Amount
			l.Emission.CO2e, l.Emission.Spend = -l.Emission.CO2e, new(l.Activity.Money.Amount)
			l.Activity.ConversionProperty, l.Activity.UncertaintyPercent = new("epa:natural-gas"), new(exact.Micros(12_500_000))
			b.settled = l
		}
	})
	again := storetest.Run(t, b.Tenant)
	b.settled.Activity.Description = "Corrected"
	storetest.PutLines(t, b.Tenant, storetest.Calculate(b.settled, b.Factors[0], again, -6_500_000))
	again.Status, again.FinishedAt = store.RunSucceeded, new(exact.InstantOf(clock()))
	if err := b.Tenant.FinishRun(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	b.newer, _ = storetest.Dataset(t, st, "test Acme", "2")
	b.key = &store.APIKey{Name: "reader", Role: store.Viewer}
	if err := b.Tenant.CreateKey(t.Context(), b.key, "abcd", []byte("0123456789abcdef0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	b.batch, b.preview = storetest.Preview(t, b.Tenant, 1_500_000, b.Lines...)
	b.foreign = storetest.Suppliers(t, storetest.Organization(t, st, "Rival"), "Zinc")[0]
	b.mappings = storetest.Mappings(t, b.Ledger, 4)
	return b
}

func (b *book) ids(t testing.TB) map[string]any {
	org, err := b.Tenant.Organization(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	for name, n := range map[string]store.Node{
		"organization": org, "category": store.CategoryByNumber(6), "supplier": b.Suppliers[0], "activity": b.settled.Activity, "emission": b.settled.Emission,
		"factor": b.Factors[0], "dataset": b.newer, "run": b.Run, "key": b.key, "mapping": b.mappings[0], "batch": b.batch, "preview": b.preview, "foreign": b.foreign, "unknown": b.unknown.Activity, "nameless": b.nameless.Activity,
	} {
		out[name] = n.GlobalID().String()
	}
	out["nobody"] = store.Global(store.KindSupplier, b.Run.ID).String()
	out["category16"] = store.CategoryID(16).String()
	return out
}

const everyKind = `
	... on Organization { name country currency gwpSet }
	... on Category { number name direction emissions(first: 1) { totalCount nodes { co2e } } }
	... on Supplier { key: externalId name country naicsCode duns lei tier createdAt updatedAt activities(first: 1) { totalCount nodes { externalId } pageInfo { hasNextPage hasPreviousPage } }
		footprint { co2e(unit: T) activityCount spend intensity dataQualityScore uncertainty { low high } } }
	... on Activity { externalId supplier { name } category { number } description accountCode occurredOn quantity { value unit } money { amount currency } country conversionProperty uncertaintyPercent createdAt
		emission { co2e } calculationError { code message path } history { totalCount nodes { co2e superseded } } }
	... on Emission { activity { externalId } supplier { name } category { name } factor { code } run { reason } occurredOn co2e biogenicCo2 gases { gas mass co2e } gwpSet method
		provenance { step input inputUnit operator operand output outputUnit source sourceId } calculatedAt superseded
		dataQuality { technology time geography completeness reliability score } uncertainty { low high } }
	... on EmissionFactor { dataset { version } code name region unit value ar4: value(gwpSet: AR4) ar5: value(gwpSet: AR5) gases { gas amount basis } priceYear priceBasis
		lifeCycleBoundary year validFrom validTo uncertaintyPercent supplierShare verified conversionProperty supersededBy { code dataset { version } } }
	... on FactorDataset { source version name licence attribution gwpSet factorCount importedAt supersedes { version supersedes { version } } }
	... on CalculationRun { status preview reason gwpSet startedAt finishedAt differences(first: 2, groupBy: CATEGORY) { nodes { key before after change causes { cause change } } totalCount } }
	... on Batch { kind status total processed succeeded failed rowsPerSecond estimatedSecondsLeft begun: startedAt finishedAt makes: run { reason preview } problem { code message } }
	... on ApiKey { name role createdAt lastUsedAt expiresAt }
	... on FactorMapping { mappedCode: accountCode text: description where: country to: factor { code } as: category { number } exclude why: reason decidedBy confidence reviewed }`

// Whole answers, on both databases. Ids and clock are fixed; only cursors are left out.
func TestGolden(t *testing.T) {
	documents := map[string]string{
		"nodes of every kind": `query($organization: ID!, $category: ID!, $supplier: ID!, $activity: ID!, $emission: ID!, $factor: ID!, $dataset: ID!, $run: ID!, $key: ID!, $mapping: ID!, $batch: ID!, $preview: ID!) {
			nodes(ids: [$organization, $category, $supplier, $activity, $emission, $factor, $dataset, $run, $key, $mapping, $batch, $preview]) { __typename id ` + everyKind + ` } }`,
		"nodes keep order and gaps": `query($supplier: ID!, $foreign: ID!, $nobody: ID!, $category16: ID!, $run: ID!) {
			nodes(ids: [$run, $foreign, $supplier, $nobody, $category16, $supplier]) { __typename ... on Supplier { name } } }`,
		"node":            `query($supplier: ID!, $foreign: ID!) { node(id: $supplier) { id ... on Supplier { name } ... on Activity { externalId } } other: node(id: $foreign) { id } }`,
		"viewer":          `{ viewer { organization { id name country currency gwpSet } role keyName } }`,
		"categories":      `{ categories { id number name direction } }`,
		"supplier by id":  `query($supplier: ID!, $activity: ID!, $foreign: ID!) { mine: supplier(id: $supplier) { name } kind: supplier(id: $activity) { name } theirs: supplier(id: $foreign) { name } }`,
		"supplier by key": `{ supplier(externalId: "Borax") { id externalId emissions(first: 2, orderBy: {field: CO2E}) { nodes { co2e category { name } } } } none: supplier(externalId: "Zinc") { id } }`,
		"suppliers":       `{ suppliers(first: 2) { edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } last: suppliers(last: 1, orderBy: {field: CO2E, direction: DESC}) { nodes { name } pageInfo { hasNextPage hasPreviousPage } } }`,
		"an empty page":   `{ suppliers(filter: {search: "zinc"}) { edges { cursor } nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }`,
		"activities without anything": `query($unknown: ID!, $nameless: ID!) { nodes(ids: [$unknown, $nameless]) { ... on Activity { externalId supplier { name } accountCode quantity { value unit }
			money { amount } country emission { co2e biogenicCo2(unit: MG) supplier { name } } calculationError { code message path } history { totalCount totals { co2e } nodes { co2e } } } } }`,
		"activities not calculated": `{ activities(filter: {calculated: false}) { totalCount nodes { externalId emission { id } calculationError { code } } } }`,
		"emissions in every unit":   `{ emissions(first: 1, orderBy: {field: CO2E}) { nodes { mg: co2e(unit: MG) g: co2e(unit: G) kg: co2e(unit: KG) t: co2e(unit: T) plain: co2e } totalCount totals { co2e(unit: T) biogenicCo2(unit: MG) activityCount spend intensity } } }`,
		"superseded emissions":      `{ emissions(filter: {includeSuperseded: true, categories: [7]}) { totalCount nodes { co2e superseded run { status finishedAt } } } now: emissions(filter: {categories: [7]}) { totalCount nodes { co2e superseded } } }`,
		"footprint whole":           `{ footprint { totalCount nodes { category { name } supplier { name } period totals { co2e activityCount spend } share } totals { co2e } } }`,
		"footprint by supplier":     `{ footprint(groupBy: [SUPPLIER], orderBy: {field: CO2E}) { nodes { supplier { name country } totals { co2e } share } totalCount } }`,
		"footprint by three":        `{ footprint(first: 2, groupBy: [CATEGORY, METHOD, MONTH], orderBy: {field: ACTIVITY_COUNT}) { nodes { category { number emissions(first: 1) { totalCount } } method period country dataset { version } factor { code } accountCode totals { co2e } share } pageInfo { hasNextPage } } }`,
		"footprint by dataset":      `{ footprint(groupBy: [DATASET, FACTOR]) { nodes { dataset { version } factor { code dataset { version } } totals { co2e } } } }`,
		"footprint of nothing":      `{ footprint(filter: {categories: [15], occurredFrom: "2030-01-01"}) { totalCount nodes { totals { co2e } share } totals { co2e activityCount spend intensity } } }`,
		"factors":                   `{ emissionFactors(filter: {current: true}) { totalCount nodes { code dataset { version supersedes { version } } value supersededBy { id } } } }`,
		"mappings": `{ factorMappings(first: 3, filter: {maxConfidence: "0.52"}) { totalCount edges { cursor node { accountCode description country factor { code dataset { version } } category { name }
			exclude reason decidedBy confidence reviewed } } pageInfo { hasNextPage hasPreviousPage } } last: factorMappings(last: 1, filter: {reviewed: false, search: "m0"}) { nodes { accountCode } } }`,
		"batches": `{ batches(first: 1, filter: {kinds: [RECALCULATION], statuses: [SUCCEEDED, PARTIAL]}) { totalCount edges { cursor node { id kind status total processed run { reason preview } problem { code } } }
			nodes { finishedAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } none: batches(last: 3, filter: {statuses: [QUEUED]}) { totalCount nodes { id } } }`,
		"calculation runs": `{ calculationRuns(first: 2) { totalCount edges { cursor node { id status reason preview } } nodes { differences(first: 1) { totalCount nodes { key change } } }
			pageInfo { hasNextPage hasPreviousPage } } oldest: calculationRuns(last: 1) { nodes { status finishedAt } pageInfo { hasPreviousPage } } }`,
		"datasets": `{ factorDatasets { source version factorCount supersedes { version } } }`,
	}
	storetest.Each(t, "golden", func(t *testing.T, st *store.Store) {
		b := newBook(t, st)
		ids := b.ids(t)
		engines := newServer(st, b.Tenant.ID(), resolvers.Options{}).engines()
		for _, engine := range []string{"gqlgen", "short"} {
			s := engines[engine]
			for name, document := range documents {
				t.Run(name+" by "+engine, func(t *testing.T) { golden(t, name, engine, s.ask(t, document, ids)) })
			}
			s.went(t)
		}
	}, counted)
}

// An id of another organization, of another kind or of nothing answers alike, wherever it is given.
func TestForeignIDsAnswerLikeNone(t *testing.T) {
	storetest.Each(t, "foreign", func(t *testing.T, st *store.Store) {
		b := newBook(t, st)
		theirs := storetest.NewLedger(t, st, "Theirs", 3, nil)
		s := newServer(st, b.Tenant.ID(), resolvers.Options{})
		key := &store.APIKey{Name: "theirs", Role: store.Admin}
		if err := theirs.Tenant.CreateKey(t.Context(), key, "efgh", []byte("0123456789abcdef0123456789abcdef")); err != nil {
			t.Fatal(err)
		}
		work, preview := storetest.Preview(t, theirs.Tenant, 1, theirs.Lines...)
		org, err := theirs.Tenant.Organization(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for name, n := range map[string]store.Node{
			"organization": org, "supplier": theirs.Suppliers[0], "activity": theirs.Lines[0].Activity, "emission": theirs.Lines[0].Emission, "run": theirs.Run, "key": key,
			"batch": work, "preview": preview,
		} {
			t.Run(name, func(t *testing.T) {
				id := map[string]any{"id": n.GlobalID().String()}
				for document, want := range map[string]string{
					`query($id: ID!) { node(id: $id) { id } }`:                                                             `{"node":null}`,
					`query($id: ID!) { nodes(ids: [$id]) { id } }`:                                                         `{"nodes":[null]}`,
					`query($id: ID!) { supplier(id: $id) { id } }`:                                                         `{"supplier":null}`,
					`query($id: ID!) { activities(filter: {supplierIds: [$id]}) { totalCount nodes { id } } }`:             `{"activities":{"totalCount":0,"nodes":[]}}`,
					`query($id: ID!) { emissions(filter: {supplierIds: [$id]}) { totalCount nodes { id } } }`:              `{"emissions":{"totalCount":0,"nodes":[]}}`,
					`query($id: ID!) { emissions(filter: {runId: $id}) { totalCount totals { co2e } } }`:                   `{"emissions":{"totalCount":0,"totals":{"co2e":"0"}}}`,
					`query($id: ID!) { emissions(filter: {factorIds: [$id]}) { totalCount } }`:                             `{"emissions":{"totalCount":0}}`,
					`query($id: ID!) { footprint(filter: {supplierIds: [$id]}, groupBy: [SUPPLIER]) { nodes { share } } }`: `{"footprint":{"nodes":[]}}`,
					`mutation($id: ID!) { revokeApiKey(id: $id) { deletedId errors { code path } } }`:                      `{"revokeApiKey":{"deletedId":null,"errors":[{"code":"NOT_FOUND","path":["id"]}]}}`,
				} {
					if got := s.ask(t, document, id); string(got.Data) != want || len(got.Errors) > 0 {
						t.Errorf("%s = %s %v, want %s", document, got.Data, got.Errors, want)
					}
				}
			})
		}
		if keys, err := theirs.Tenant.Keys(t.Context()); err != nil || len(keys) != 1 {
			t.Errorf("keys of the other organization = %v, %v; want theirs untouched", keys, err)
		}
	})
}
