package batch_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// ledger gives n payments of 500 suppliers as a file, without ever holding them.
func ledger(n int) io.Reader { return &payer{n: n} }

type payer struct {
	n, made int
	rest    bytes.Buffer
}

func (p *payer) Read(b []byte) (int, error) {
	if p.made == 0 {
		p.rest.WriteString("externalId,supplierExternalId,supplierName,description,accountCode,occurredOn,amount,currency,country\n")
	}
	for ; p.rest.Len() < len(b) && p.made < p.n; p.made++ {
		i := p.made
		fmt.Fprintf(&p.rest, "P-%08d,S%d,Supplier %d,Office machines and cleaning,%d,2022-%02d-%02d,%d.%02d,GBP,GB\n",
			i, i%500, i%500, 4000+i%2, 1+i%12, 1+i%28, i%90000, i%100)
	}
	return p.rest.Read(b)
}

const ledgerMapping = `
factors: { source: epa-supply-chain, version: "1.3" }
rules:
  - { match: { accountCode: "4000" }, factor: { code: "334111" }, category: 1 }
  - { match: { accountCode: "4001" }, factor: { code: "561720" }, category: 1 }
`

// BenchmarkFiles imports payments and calculates them by the EPA's factors with all their gases.
func BenchmarkFiles(b *testing.B) {
	for name, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"postgres": storetest.Postgres, "sqlite": storetest.SQLite} {
		b.Run(name, func(b *testing.B) {
			st := open(b)
			if _, err := factors.Install(b.Context(), st); err != nil {
				b.Fatal(err)
			}
			o := store.Organization{Name: "Alder", Currency: "GBP", GwpSet: store.AR5}
			if err := st.CreateOrganization(b.Context(), &o); err != nil {
				b.Fatal(err)
			}
			im := newImporter(b, st)
			w := &world{Importer: im, store: st, tenant: st.Tenant(o.ID)}
			n := max(b.N, 1000)
			b.ResetTimer()
			s, err := im.Files(b.Context(), w.tenant, []batch.File{{Name: "ledger.csv", Content: ledger(n)}}, batch.FileOptions{Mapping: w.mapping(b, ledgerMapping)})
			if err != nil || s.Calculated != n {
				b.Fatalf("%+v, %v; want %d calculated", s, err, n)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			if s.Money[0].Uncalculated.Cmp(exact.Decimal{}) != 0 {
				b.Errorf("left %s", s.Money[0].Uncalculated)
			}
		})
	}
}
