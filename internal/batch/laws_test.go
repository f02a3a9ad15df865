package batch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// TestSumsDoNotDependOnOrderOrChunks imports the same lines in one way and in another, into two organizations.
func TestSumsDoNotDependOnOrderOrChunks(t *testing.T) {
	storetest.Each(t, "any lines", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		codes := []string{"4000", "4001", "9000", "none"}
		rapid.Check(t, func(rt *rapid.T) {
			record := rapid.Custom(func(rt *rapid.T) string {
				return fmt.Sprintf("S%d,S,x,%s,%s,%s,%s", rapid.IntRange(0, 3).Draw(rt, "supplier"), rapid.SampledFrom(codes).Draw(rt, "code"),
					exact.NewDate(2022, 1, 1).AddDays(rapid.IntRange(0, 2000).Draw(rt, "day")), exact.Micros(rapid.Int64Range(-1e12, 1e12).Draw(rt, "amount")),
					rapid.SampledFrom([]string{"GBP", "USD", "XTS", "eur"}).Draw(rt, "currency"))
			})
			records := rapid.SliceOfN(record, 1, 60).Draw(rt, "records")
			for i := range records {
				records[i] = fmt.Sprintf("L%d,%s", i, records[i])
			}
			shuffled := rapid.Permutation(records).Draw(rt, "shuffled")
			chunk, workers := rapid.IntRange(1, 70).Draw(rt, "chunk"), rapid.IntRange(1, 4).Draw(rt, "workers")
			one := sums(t, rt, w, records, 1000, 1)
			other := sums(t, rt, w, shuffled, chunk, workers)
			if one != other {
				rt.Fatalf("in one chunk: %s\nshuffled, in chunks of %d by %d workers: %s", one, chunk, workers, other)
			}
		})
	})
}

// sums imports records into an organization of their own and tells all that they add up to.
func sums(t *testing.T, rt *rapid.T, w *world, records []string, chunk, workers int) string {
	o := store.Organization{Name: "Org " + w.store.NewID().String(), Currency: "GBP", GwpSet: store.AR5}
	if err := w.store.CreateOrganization(t.Context(), &o); err != nil {
		rt.Fatal(err)
	}
	tenant := w.store.Tenant(o.ID)
	im := newImporter(t, w.store, func(o *batch.Options) { o.ChunkRows, o.Workers = chunk, workers })
	content := "externalId,supplierExternalId,supplierName,description,accountCode,occurredOn,amount,currency\n" + strings.Join(records, "\n")
	s, err := im.Files(t.Context(), tenant, []batch.File{{Name: "l.csv", Content: strings.NewReader(content)}}, batch.FileOptions{Mapping: w.mapping(t, paymentMapping)})
	if err != nil {
		rt.Fatal(err)
	}
	totals, err := tenant.EmissionTotals(t.Context(), nil)
	if err != nil {
		rt.Fatal(err)
	}
	suppliers, err := tenant.SuppliersByExternalID(t.Context(), []string{"S0", "S1", "S2", "S3"})
	if err != nil {
		rt.Fatal(err)
	}
	var perSupplier []string
	for _, s := range suppliers {
		perSupplier = append(perSupplier, fmt.Sprint(*s.ExternalID, s.CO2e))
	}
	slices.Sort(perSupplier)
	var money []string
	for _, m := range s.Money {
		money = append(money, fmt.Sprint(m.Currency, m.Calculated.Canonical(), m.Excluded.Canonical(), m.Uncalculated.Canonical()))
	}
	return fmt.Sprint(s.Rows, s.Created, s.Failed, s.Calculated, s.Excluded, s.Uncalculated, money, totals.CO2e, totals.Spend, totals.EmissionCount, perSupplier)
}
