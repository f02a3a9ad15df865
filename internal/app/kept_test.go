package app_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"carbongraph/graph/graphtest"
	"carbongraph/store"
)

// keptDocuments is how many documents are asked between two writes, by one server that keeps answers and by one that keeps none.
const keptDocuments = 120

// Whatever was written, what is kept is what would be answered now: a server that keeps answers says the same as one beside it that keeps none, to documents and
// variables made at random, after each of many writes of every kind.
func TestKeptAnswersAreThoseOfNow(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, env map[string]string) {
		es := &engines{}
		es.fill(t, env)
		on := maps.Clone(env)
		on["REDIS_URL"] = os.Getenv("TEST_REDIS_URL")
		env["RESPONSE_CACHE"] = "off"
		kept, plain := newEngine(t, "auto", on), newEngine(t, "auto", env)
		es.all = []*engine{plain, plain}
		c := newComparison(t, es)
		random := rand.New(rand.NewPCG(uint64(c.seed(t)), 8))
		writes := 40
		if raced {
			writes = 4
		}
		rounds := setting(t, "KEPT_WRITES", writes)
		pool := c.stocked()
		var documents []asking
		for i := 0; len(documents) < keptDocuments; i++ {
			d, key := c.generator.Document(i, pool), c.key(i)
			answer := plain.ask(key, d)
			pool.Harvest(c.generator, d, answer.parts().Data)
			if len(answer.parts().Errors) == 0 && answer.status == 200 {
				documents = append(documents, asking{key, d})
			}
		}
		for _, text := range c.dated() {
			d, err := c.generator.Written(text)
			if err != nil {
				t.Fatal(err)
			}
			documents = append(documents, asking{c.keys[0], d})
		}
		var hits, changed, stayed int
		before := make([][]byte, len(documents))
		for round := range rounds {
			write := c.write(t, random)
			if answer := kept.ask(c.keys[0], write); answer.status != 200 {
				t.Fatalf("%s: %d %s", write.Text, answer.status, answer.body)
			}
			for i, a := range documents {
				want, got := plain.ask(a.key, a.d), kept.ask(a.key, a.d)
				if strings.Contains(got.cache, "hit") {
					hits++
				}
				if round > 0 && bytes.Equal(before[i], want.body) {
					stayed++
				} else if round > 0 {
					changed++
				}
				before[i] = want.body
				if !bytes.Equal(got.body, want.body) && !bytes.Equal(plain.ask(a.key, a.d).body, got.body) { // a batch in the background may have ended in between
					t.Errorf("%s\nafter %s\nis kept (%s): %.2000s\nand now is: %.2000s", a.d, write.Text, got.cache, got.body, want.body)
				}
			}
			if t.Failed() {
				return
			}
		}
		t.Logf("%d documents after each of %d writes: %d answers changed, %d did not, %d were hits", len(documents), rounds, changed, stayed, hits)
		if changed < rounds || hits < rounds {
			t.Errorf("%d answers changed and %d were hits: too few to prove anything", changed, hits)
		}
	})
}

// dated are documents of some calendar years alone, of single suppliers, and of single rows. What was superseded may be of another year and supplier than its line is.
func (c *comparison) dated() (all []string) {
	for _, year := range []string{"2022", "2023", "2024", "2025"} {
		filter := fmt.Sprintf(`{occurredFrom: "%s-01-01", occurredTo: "%s-12-31"}`, year, year)
		all = append(all,
			`{ activities(filter: `+filter+`) { totalCount nodes { externalId description occurredOn money { amount } emission { co2e factor { name } } history { totalCount } } } }`,
			`{ emissions(filter: `+filter+`) { totalCount totals { co2e spend } nodes { co2e activity { externalId description } } } }`,
			`{ emissions(filter: {includeSuperseded: true, `+filter[1:]+`) { nodes { superseded activity { description occurredOn emission { co2e } } } } }`,
			`{ footprint(groupBy: [CATEGORY], filter: `+filter+`) { totals { co2e spend activityCount } nodes { share category { number } totals { co2e } } } }`)
	}
	for _, s := range c.ledger.Suppliers[:6] {
		id := store.Global(store.KindSupplier, s.ID).String()
		all = append(all,
			fmt.Sprintf(`{ node(id: %q) { ... on Supplier { name updatedAt activities(first: 20) { totalCount nodes { description occurredOn emission { co2e } history { nodes { co2e supplier { name } } } } } footprint { co2e activityCount } } } }`, id),
			fmt.Sprintf(`{ node(id: %q) { ... on Supplier { emissions(filter: {includeSuperseded: true}) { nodes { co2e superseded supplier { name } activity { description supplier { name } } } } } } }`, id),
			fmt.Sprintf(`{ footprint(groupBy: [CATEGORY], filter: {supplierIds: [%[1]q]}) { totals { co2e spend } } activities(filter: {supplierIds: [%[1]q]}) { totalCount nodes { externalId description } } }`, id))
	}
	for _, kind := range []string{"Supplier", "Activity", "Emission"} {
		for _, id := range c.ledger.IDs[kind][:5] {
			all = append(all, fmt.Sprintf(`{ node(id: %q) { id ... on Supplier { name country footprint { co2e } } ... on Activity { description emission { co2e } } ... on Emission { co2e superseded } } }`, id))
		}
	}
	return all
}

// write makes a mutation of some kind at random.
func (c *comparison) write(t *testing.T, random *rand.Rand) *graphtest.Document {
	t.Helper()
	line := func() string {
		return fmt.Sprintf("L%03d", random.IntN(60)) // few, so that lines move
	}
	day := func() string {
		return fmt.Sprintf("202%d-%02d-%02d", 2+random.IntN(4), 1+random.IntN(12), 1+random.IntN(28))
	}
	supplier := c.ledger.Suppliers[random.IntN(6)]
	for supplier.ExternalID == nil {
		supplier = c.ledger.Suppliers[random.IntN(len(c.ledger.Suppliers))]
	}
	factor := store.Global(store.KindEmissionFactor, c.ledger.Factors[random.IntN(len(c.ledger.Factors))].ID).String()
	text := ""
	switch random.IntN(10) {
	case 8, 9:
		text = fmt.Sprintf(`mutation { importActivities(input: {activities: [{externalId: %q, description: "words %d", occurredOn: %q, money: {amount: "%d.5", currency: "USD"}, factorId: %q, supplierExternalId: %q}]}) { created updated failed } }`,
			line(), random.IntN(1000), day(), random.IntN(1000), factor, *supplier.ExternalID)
	case 0:
		text = fmt.Sprintf(`mutation { upsertSuppliers(input: {suppliers: [{externalId: %q, name: "name %d"}]}) { updated } }`, *supplier.ExternalID, random.IntN(1000))
	case 1, 2:
		text = fmt.Sprintf(`mutation { importActivities(input: {activities: [{externalId: %q, description: "words %d", occurredOn: %q, money: {amount: "%d.5", currency: "USD"}, factorId: %q}]}) { created updated failed } }`,
			line(), random.IntN(1000), day(), random.IntN(1000), factor)
	case 3:
		text = fmt.Sprintf(`mutation { importActivities(input: {calculate: false, activities: [{externalId: %q, description: "words", occurredOn: %q, money: {amount: "7", currency: "GBP"}, supplierExternalId: %q, supplierName: "other %d"}]}) { created updated failed } }`,
			line(), day(), *supplier.ExternalID, random.IntN(1000))
	case 4:
		text = fmt.Sprintf(`mutation { deleteActivities(input: {externalIds: [%q, %q]}) { deleted } }`, line(), line())
	case 5:
		text = fmt.Sprintf(`mutation { setFactorMappings(input: {recalculate: false, mappings: [{accountCode: "%d", factorId: %q}]}) { mappings { accountCode } } }`, 6000+random.IntN(5), factor)
	case 6:
		text = fmt.Sprintf(`mutation { setCategoryStatement(input: {year: %d, category: %d, included: false, reason: "words %d"}) { statement { reason } } }`, 2022+random.IntN(4), 1+random.IntN(15), random.IntN(100))
	case 7: // and opened again, so that there is something to write
		year := 2022 + random.IntN(4)
		text = fmt.Sprintf(`mutation { lock: lockReportingYear(input: {year: %d, locked: true, reason: "words %d"}) { reportingYear { locked } } open: lockReportingYear(input: {year: %d, locked: false, reason: "again"}) { reportingYear { locked } } }`,
			year, random.IntN(100), year)
	}
	return &graphtest.Document{Index: 0, Text: text}
}
