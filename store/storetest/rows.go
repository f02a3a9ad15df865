package storetest

import (
	"context"
	"fmt"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
	"carbongraph/store"
)

// Organization makes an organization that reports in USD by AR5, and gives its handle.
func Organization(t testing.TB, st *store.Store, name string) *store.Tenant {
	t.Helper()
	o := store.Organization{Name: name, Currency: "USD", GwpSet: store.AR5}
	if err := st.CreateOrganization(t.Context(), &o); err != nil {
		t.Fatalf("create organization: %v", err)
	}
	return st.Tenant(o.ID)
}

// Suppliers stores suppliers with these names; the external id of each is its name.
func Suppliers(t testing.TB, tenant *store.Tenant, names ...string) []*store.Supplier {
	t.Helper()
	rows := make([]*store.Supplier, len(names))
	for i, name := range names {
		rows[i] = &store.Supplier{ExternalID: text("%s", name), Name: name}
	}
	PutSuppliers(t, tenant, rows...)
	return rows
}

// PutSuppliers stores suppliers as they are given and tells what became of each.
func PutSuppliers(t testing.TB, tenant *store.Tenant, rows ...*store.Supplier) (statuses []store.ItemStatus) {
	t.Helper()
	Write(t, tenant, func(ctx context.Context, w *store.Writer) (err error) {
		statuses, err = w.UpsertSuppliers(ctx, rows, false)
		return err
	})
	return statuses
}

// Write runs f in a transaction that has to succeed.
func Write(t testing.TB, tenant *store.Tenant, f func(context.Context, *store.Writer) error) {
	t.Helper()
	if err := tenant.Write(t.Context(), f); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// Dataset stores a dataset of one source with three factors: 334111 and 561720 in kg/USD (2022, purchaser prices, with gases), and electricity in kg/kWh.
func Dataset(t testing.TB, st *store.Store, source, version string) (*store.FactorDataset, []*store.EmissionFactor) {
	t.Helper()
	d := &store.FactorDataset{Source: source, Version: version, Name: "Test factors " + version, Licence: "CC0", Attribution: "nobody", GwpSet: store.AR5, Digest: source + version}
	money := func(code, name, value string) *store.EmissionFactor {
		return &store.EmissionFactor{Code: code, Name: name, Region: "US", Unit: "USD", Value: new(exact.MustDecimal(value)), ValueAR5: new(exact.MustDecimal(value)),
			PriceYear: new(int32(2022)), PriceBasis: new(store.PricePurchaser), CategoryNumber: new(int32(1)),
			Gases: []store.FactorGas{{Gas: "carbon dioxide", Amount: exact.MustDecimal(value), Basis: store.BasisMass}}}
	}
	factors := []*store.EmissionFactor{
		money("334111", "Electronic Computer Manufacturing", "0.125"),
		money("561720", "Janitorial Services", "0.25"),
		{Code: "electricity", Name: "Electricity, grid", Region: "US", Unit: "kWh", Value: new(exact.MustDecimal("0.5")), Year: new(int32(2025))},
	}
	stored, _, err := st.PutDataset(t.Context(), d, factors)
	if err != nil {
		t.Fatalf("put dataset: %v", err)
	}
	return stored, factors
}

// Run starts a calculation run.
func Run(t testing.TB, tenant *store.Tenant) *store.CalculationRun {
	t.Helper()
	r := &store.CalculationRun{Reason: "test", GwpSet: store.AR5}
	if err := tenant.StartRun(t.Context(), r); err != nil {
		t.Fatalf("start run: %v", err)
	}
	return r
}

// NewLine makes a line of 100.50 USD on 2025-01-01 in category 1, without a calculation. Nothing is stored.
func NewLine(externalID string, supplier *store.Supplier) *store.Line {
	a := &store.Activity{ExternalID: externalID, CategoryNumber: 1, Description: "Line " + externalID, AccountCode: text("6000"),
		OccurredOn: exact.NewDate(2025, 1, 1), Money: &store.Money{Amount: 100_500_000, Currency: "USD"}, Country: text("US")}
	if supplier != nil {
		a.SupplierID = &supplier.ID
	}
	return &store.Line{Activity: a}
}

// Calculate gives the line an emission of so many milligrams by the factor, as the activity is now.
func Calculate(l *store.Line, factor *store.EmissionFactor, run *store.CalculationRun, co2e exact.Milligrams) *store.Line {
	a := l.Activity
	a.Problem = nil
	l.Emission = &store.Emission{SupplierID: a.SupplierID, CategoryNumber: a.CategoryNumber, FactorID: factor.ID, DatasetID: factor.DatasetID, RunID: run.ID,
		OccurredOn: a.OccurredOn, Country: a.Country, AccountCode: a.AccountCode, CO2e: co2e, Method: store.SpendBased, GwpSet: store.AR5,
		Quality: store.DataQuality{Technology: 3, Time: 1, Geography: 1, Completeness: 2, Reliability: 4}}
	explain(l.Emission, a)
	if a.Money != nil {
		l.Emission.Spend = new(a.Money.Amount)
	}
	return l
}

// explain gives the emission a formula that leads from the line's amount to its CO2e, as carbon dioxide.
func explain(e *store.Emission, a *store.Activity) {
	e.Amount = 1_000_000
	if a.Money != nil && a.Money.Amount != 0 {
		e.Amount = a.Money.Amount
	}
	per := e.CO2e.Decimal().Quo(formula.Plain(e.Amount))
	f := &formula.Formula{Biogenic: formula.None, CO2e: 2, Gases: []formula.Gas{{Gas: "carbon dioxide", Mass: &per, CO2e: per}}, Steps: []formula.Step{
		{Step: "quantity", Of: formula.Amount, InputUnit: "USD", Operator: formula.Multiply, Operand: exact.NewDecimal(1, 0), OutputUnit: "USD", Source: "the ledger's line"},
		{Step: "factor", InputUnit: "USD", Operator: formula.Multiply, Operand: per, OutputUnit: "kg CO2e", Source: "Test factors", FromFactor: true},
		{Step: "round", Of: 1, InputUnit: "kg CO2e", Operator: formula.Round, Operand: exact.NewDecimal(1, -6), OutputUnit: "kg CO2e", Source: "to the milligram"},
	}}
	e.Formula, e.FormulaID = f.Text(), f.ID()
}

// PutLines stores lines and tells what became of each.
func PutLines(t testing.TB, tenant *store.Tenant, lines ...*store.Line) (statuses []store.ItemStatus) {
	t.Helper()
	Write(t, tenant, func(ctx context.Context, w *store.Writer) (err error) {
		statuses, err = w.PutLines(ctx, lines)
		return err
	})
	return statuses
}

// Ledger is a small ledger that is filled: its parts are there to be changed and compared with.
type Ledger struct {
	Tenant    *store.Tenant
	Dataset   *store.FactorDataset
	Factors   []*store.EmissionFactor
	Run       *store.CalculationRun
	Suppliers []*store.Supplier
	Lines     []*store.Line
}

// NewLedger makes an organization with three suppliers and n lines L0001, L0002 …, one a day from 2025-01-01 on, in turn of the suppliers and
// of the 15 categories, of i dollars, each calculated as i kilograms. change may alter a line before it is stored; nil leaves all as they are.
func NewLedger(t testing.TB, st *store.Store, name string, n int, change func(i int, l *store.Line)) *Ledger {
	t.Helper()
	l := &Ledger{Tenant: Organization(t, st, name)}
	l.Dataset, l.Factors = Dataset(t, st, "test "+name, "1")
	l.Run = Run(t, l.Tenant)
	l.Suppliers = Suppliers(t, l.Tenant, "Alum", "Borax", "Cobalt")
	for i := 1; i <= n; i++ {
		line := NewLine(fmt.Sprintf("L%04d", i), l.Suppliers[i%3])
		line.Activity.CategoryNumber = int32(i%15 + 1)
		line.Activity.OccurredOn = exact.NewDate(2025, 1, i)
		line.Activity.Money.Amount = exact.Micros(i) * 1_000_000
		Calculate(line, l.Factors[i%2], l.Run, exact.Milligrams(i)*1_000_000)
		if change != nil {
			change(i, line)
		}
		l.Lines = append(l.Lines, line)
	}
	PutLines(t, l.Tenant, l.Lines...)
	return l
}

// Mappings stores n mappings of account codes M0001, M0002 …, every third of which excludes its lines, and the others in turn of the factors.
func Mappings(t testing.TB, l *Ledger, n int) []*store.FactorMapping {
	t.Helper()
	rows := make([]*store.FactorMapping, n)
	for i := range rows {
		m := &store.FactorMapping{AccountCode: text("M%04d", i+1), DecidedBy: store.ByTextMatch, Confidence: exact.NewDecimal(int64(50+i), -2), Reviewed: i%2 == 0, Reason: text("Reason %d.", i)}
		if m.Exclude = i%3 == 2; !m.Exclude {
			m.FactorID, m.CategoryNumber = &l.Factors[i%3].ID, new(int32(i%15+1))
		}
		rows[i] = m
	}
	Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rows) })
	return rows
}
