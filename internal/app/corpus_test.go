package app_test

import (
	"strings"

	"carbongraph/graph/graphtest"
)

// corpus is what is asked: documents that somebody wrote, and some made at random, which ask by ids and cursors of the organization's answers.
func (l *leak) corpus() []*graphtest.Document { return append(l.written, l.generated...) }

// generate makes the documents.
func (l *leak) generate(c *comparison) {
	var pairs []string
	for kind, list := range c.ledger.IDs {
		pairs = append(pairs, "{"+kind+"}", `"`+list[0]+`"`)
	}
	for kind, list := range c.ledger.Strangers {
		pairs = append(pairs, "{foreign "+kind+"}", `"`+list[0]+`"`)
	}
	ids := strings.NewReplacer(pairs...)
	for _, text := range documentsOfEverything {
		l.written = append(l.written, &graphtest.Document{Text: ids.Replace(text)})
	}
	l.written = append(l.written,
		&graphtest.Document{Text: `query Q($id: ID!, $more: Boolean = false) { node(id: $id) { ... on Supplier { name country @include(if: $more) } } }`, Variables: map[string]any{"id": c.ledger.IDs["Supplier"][0]}},
		&graphtest.Document{Text: `query Q($id: ID!, $more: Boolean = false) { node(id: $id) { ... on Supplier { name country @include(if: $more) } } }`, Variables: map[string]any{"id": c.ledger.IDs["Supplier"][0], "more": true}},
		&graphtest.Document{Text: `query A { suppliers(first: 2) { nodes { name } } } query B { suppliers(first: 2) { nodes { externalId } } }`, OperationName: "A"},
		&graphtest.Document{Text: `query A { suppliers(first: 2) { nodes { name } } } query B { suppliers(first: 2) { nodes { externalId } } }`, OperationName: "B"},
		&graphtest.Document{Text: `query($f: SupplierFilter) { suppliers(filter: $f) { totalCount nodes { externalId } } }`, Variables: map[string]any{"f": map[string]any{"search": "a", "externalIds": []any{"S01", "S02"}}}},
		&graphtest.Document{Text: `query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Supplier { name } ... on Category { name } } }`, Variables: map[string]any{"ids": append(c.ledger.IDs["Category"][:2:2], c.ledger.IDs["Supplier"][:2]...)}},
	)
	pool, most := c.stocked(), 60
	if raced {
		most = 12
	}
	for index := 0; len(l.generated) < most; index++ {
		d := c.generator.Document(index, pool)
		l.generated = append(l.generated, d)
		pool.Harvest(c.generator, d, l.bare.ask(c.keys[0], d).parts().Data)
	}
}

// documentsOfEverything ask for each thing that there is. {Supplier} stands for the id of one, {foreign Supplier} for one of another organization's.
var documentsOfEverything = []string{
	`{ categories { id number name direction } }`,
	`{ categories { number emissions(first: 2) { totalCount nodes { co2e } } } }`,
	`{ categories { ` + strings.Repeat(" ", 3) + `number name direction id a: name b: name c: name d: name } }`,
	`{ factorDatasets { id source version name licence attribution gwpSet factorCount importedAt supersedes { version } } }`,
	`{ emissionFactors(first: 3) { totalCount edges { cursor node { code name region unit value } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
	`{ emissionFactors(first: 40) { nodes { id code name region unit value ar4: value(gwpSet: AR4) gases { gas amount basis } priceYear supersededBy { code } dataset { source version } } } }`,
	`{ emissionFactors(filter: {current: true, search: "a"}) { totalCount nodes { code } } }`,
	`{ viewer { organization { id name country currency gwpSet } role keyName } }`,
	`{ viewer { role } categories { number } }`,
	`{ viewer { organization { name } } factorDatasets { source } }`,
	`{ suppliers(first: 3) { totalCount edges { cursor node { id name externalId country tier } } pageInfo { hasNextPage endCursor } } }`,
	`{ suppliers(last: 2, orderBy: {field: NAME, direction: DESC}) { nodes { name } } }`,
	`{ suppliers(first: 60) { nodes { id name externalId country naicsCode duns lei tier createdAt updatedAt } } }`,
	`{ suppliers(filter: {search: "there is none of this name"}) { totalCount nodes { id } pageInfo { startCursor endCursor } } }`,
	`{ supplier(externalId: "S01") { id name emissions(first: 2) { nodes { co2e } } } }`,
	`{ supplier(id: {Supplier}) { name footprint { co2e activityCount spend } } }`,
	`{ supplier(id: {foreign Supplier}) { name } }`,
	`{ activities(first: 3) { totalCount nodes { id externalId description occurredOn supplier { name } money { amount currency } } } }`,
	`{ activities(filter: {calculated: false}) { totalCount nodes { externalId calculationError { code message } } } }`,
	`{ activities(filter: {supplierIds: [{Supplier}]}) { totalCount nodes { externalId history { totalCount nodes { co2e superseded } } } } }`,
	`{ emissions(first: 3, orderBy: {field: CO2E, direction: DESC}) { totalCount totals { co2e activityCount } nodes { id co2e category { number } factor { code } } } }`,
	`{ emissions(first: 2) { nodes { provenance { step input output } dataQuality { score } uncertainty { low high } run { reason } } } }`,
	`{ emissions(filter: {includeSuperseded: true}) { totalCount totals { co2e } } }`,
	`{ footprint { totalCount nodes { category { name } totals { co2e activityCount spend } share } totals { co2e } } }`,
	`{ footprint(groupBy: [SUPPLIER]) { nodes { supplier { name } totals { co2e } share } } }`,
	`{ footprint(groupBy: [CATEGORY, METHOD, MONTH], first: 5) { nodes { category { number } method period totals { co2e } } } }`,
	`{ footprint(groupBy: [DATASET, FACTOR]) { nodes { dataset { version } factor { code } totals { co2e } } } }`,
	`{ footprint(filter: {occurredFrom: "2030-01-01"}) { totalCount totals { co2e activityCount } } }`,
	`{ calculationRuns(first: 3) { totalCount nodes { id status reason preview startedAt } } }`,
	`{ batches(first: 3) { totalCount nodes { id kind status total processed } } }`,
	`{ factorMappings(first: 3) { totalCount nodes { accountCode description factor { code } exclude reason } } }`,
	`{ categoryStatements(year: 2024) { category { number } included reason methodText totals { co2e } } }`,
	`{ reportingYears { year locked } }`,
	`{ node(id: {Supplier}) { id ... on Supplier { name } } }`,
	`{ node(id: {Supplier}) { ... on Supplier { name country } } }`,
	`{ node(id: {Activity}) { ... on Activity { externalId description emission { co2e } } } }`,
	`{ node(id: {Emission}) { ... on Emission { co2e activity { externalId } } } }`,
	`{ node(id: {EmissionFactor}) { ... on EmissionFactor { code value } } }`,
	`{ node(id: {FactorDataset}) { ... on FactorDataset { source version } } }`,
	`{ node(id: {CalculationRun}) { ... on CalculationRun { reason } } }`,
	`{ node(id: {Organization}) { ... on Organization { name currency } } }`,
	`{ node(id: {ApiKey}) { ... on ApiKey { name role } } }`,
	`{ node(id: {ApiKey}) { ... on Supplier { name } } }`,
	`{ node(id: {ApiKey}) { ... on Category { name } } }`,
	`{ node(id: {Supplier}) { ... on Category { name } } }`,
	`{ nodes(ids: [{Supplier}, {foreign Supplier}, {Activity}, {foreign Activity}]) { ... on Supplier { name } ... on Activity { externalId } } }`,
	`{ nodes(ids: [{EmissionFactor}, {Category}]) { ... on EmissionFactor { code } ... on Category { name } } }`,
	`{ nodes(ids: [{Supplier}, {Category}]) { ... on Category { name } } }`,
	`{ __schema { queryType { name } types { name } } }`,
	`{ __typename }`,
	`{ categories { number } __schema { queryType { name } } }`,
	`{ suppliers(after: "nonsense") { nodes { id } } }`,
	`{ categories { number } suppliers(first: 0) { nodes { id } } }`,
	`{ node(id: "nonsense") { id } categories { number } }`,
	`{ nothing }`,
	`{ categories { number `,
	`{ suppliers(first: 500) { nodes { activities(first: 500) { nodes { emission { co2e } } } } } }`,
}
