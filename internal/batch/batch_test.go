package batch_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"carbongraph/internal/batch"
	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/ingest"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestMain(m *testing.M) {
	watchConnections()
	goleak.VerifyTestMain(m)
}

// engine is the built-in one, read once for all tests.
var engine = sync.OnceValues(factors.Engine)

// world is an organization in GBP on a store with a few factors, and an importer whose today is 15 June 2025.
type world struct {
	*batch.Importer
	store   *store.Store
	tenant  *store.Tenant
	factors []*store.EmissionFactor // 334111, 561720, electricity
	dataset *store.FactorDataset
}

func newWorld(t testing.TB, st *store.Store, change ...func(*batch.Options)) *world {
	t.Helper()
	dataset, rows := storetest.Dataset(t, st, "epa-supply-chain", "1.3")
	o := store.Organization{Name: "Alder", Currency: "GBP", GwpSet: store.AR5, MoneyOrder: store.DeflateThenConvert}
	if err := st.CreateOrganization(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	return &world{Importer: newImporter(t, st, change...), store: st, tenant: st.Tenant(o.ID), dataset: dataset, factors: rows}
}

func newImporter(t testing.TB, st *store.Store, change ...func(*batch.Options)) *batch.Importer {
	t.Helper()
	options := batch.Options{Store: st, Catalog: factors.NewCatalog(st, 0), Engine: newEngine(t),
		Now: func() time.Time { return time.Date(2025, 6, 15, 12, 0, 0, 0, time.UTC) }}
	for _, c := range change {
		c(&options)
	}
	return batch.New(options)
}

func newEngine(t testing.TB) *calc.Engine {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// input is a line that is right in every way, by the factor 334111.
func (w *world) input(externalID string, change ...func(*store.ActivityInput)) store.ActivityInput {
	factor := store.Global(store.KindEmissionFactor, w.factors[0].ID)
	in := store.ActivityInput{ExternalID: externalID, Description: "Laptops", OccurredOn: exact.NewDate(2022, 3, 1),
		Money: &store.MoneyInput{Amount: exact.MustDecimal("100"), Currency: "USD"}, FactorID: &factor}
	for _, c := range change {
		c(&in)
	}
	return in
}

func (w *world) importAll(t testing.TB, f batch.Flags, in ...store.ActivityInput) []batch.ItemResult {
	t.Helper()
	got, err := w.Activities(t.Context(), w.tenant, in, f)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(in) {
		t.Fatalf("%d results for %d inputs", len(got), len(in))
	}
	for i := range in {
		if got[i].ExternalID != in[i].ExternalID {
			t.Fatalf("result %d is of %q, the input of %q", i, got[i].ExternalID, in[i].ExternalID)
		}
	}
	return got
}

// mapping stores a mapping file's rules as the organization's own.
func (w *world) mapping(t testing.TB, yaml string) *factors.MappingFile {
	t.Helper()
	m, err := factors.ReadMapping(strings.NewReader(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func columns(t testing.TB, yaml string) *ingest.Columns {
	t.Helper()
	c, err := ingest.ParseColumns(strings.NewReader(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
