package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// AwkwardLedger is a ledger that holds, in each column, what a column can hold and nobody thinks of: ties in every order, nothing where there may be
// nothing, texts that must be escaped, numbers near the ends of their range. Its content, ids included, is the same each time; only what was
// changed after it was stored carries the store's own time.
type AwkwardLedger struct {
	Tenant    *store.Tenant
	Rival     *store.Tenant // another organization, with rows of its own
	Suppliers []*store.Supplier
	Datasets  []*store.FactorDataset
	Factors   []*store.EmissionFactor
	Runs      []*store.CalculationRun
	Keys      []*store.APIKey
	Lines     []*store.Line
	// IDs are the global ids of all rows by the name of their type; Strangers those that name nothing the organization can see.
	IDs, Strangers map[string][]string

	name string
	made int
	r    *rand.Rand
}

// Fixed opens a store whose clock stands still and whose ids count, so that two stores come to hold the same.
func Fixed(o *store.Options) {
	var last atomic.Uint64
	o.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	o.NewID = func() (id store.ID) {
		binary.BigEndian.PutUint64(id[8:], last.Add(1))
		id[0], id[6], id[8] = 1, 0x70, 0x80
		return id
	}
}

// Awkward makes an organization of this name with an awkward ledger, and a rival beside it.
func Awkward(t testing.TB, st *store.Store, name string) *AwkwardLedger {
	t.Helper()
	l := &AwkwardLedger{name: name, IDs: map[string][]string{}, Strangers: map[string][]string{}, r: rand.New(rand.NewPCG(1, 2))}
	l.Tenant = l.organization(t, st, store.Organization{Name: name, Currency: "EUR", GwpSet: store.AR6, Country: text("GB"), StrictValidity: true})
	l.datasets(t, st)
	l.runs(t)
	l.keys(t)
	l.suppliers(t)
	l.lines(t)
	l.rival(t, st)
	l.reporting(t)
	l.recalculations(t)
	l.mappings(t)
	for _, n := range store.Categories() {
		l.node("Category", n)
	}
	for kind, id := range map[string]store.GlobalID{"Category": store.CategoryID(16), "Supplier": store.Global(store.KindSupplier, l.Factors[0].ID), "Activity": store.Global(store.KindActivity, l.Suppliers[0].ID),
		"EmissionFactor": store.Global(store.KindEmissionFactor, store.ID{}), "FactorDataset": store.Global(store.KindFactorDataset, l.Factors[1].ID)} {
		l.Strangers[kind] = append(l.Strangers[kind], id.String())
	}
	return l
}

// id makes the next id: of one look with the real ones, but in no order.
func (l *AwkwardLedger) id() (id store.ID) {
	l.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", l.name, l.made))
	copy(id[:], sum[:])
	id[0], id[6], id[8] = 1, id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

func (l *AwkwardLedger) node(kind string, n store.Node) {
	l.IDs[kind] = append(l.IDs[kind], n.GlobalID().String())
}

// instant is a point in time so many microseconds after the ledger began.
func instant(microseconds int) exact.Instant {
	return exact.InstantOf(time.Date(2025, 6, 30, 23, 59, 59, 999_999_000, time.UTC).Add(time.Duration(microseconds) * time.Microsecond))
}

func number(s string) *exact.Decimal { return new(exact.MustDecimal(s)) }

// some gives one of a list, in turn.
func some[T any](i int, list ...T) T { return list[i%len(list)] }

func (l *AwkwardLedger) organization(t testing.TB, st *store.Store, o store.Organization) *store.Tenant {
	t.Helper()
	o.ID, o.CreatedAt = l.id(), instant(0)
	if err := st.CreateOrganization(t.Context(), &o); err != nil {
		t.Fatalf("create organization: %v", err)
	}
	if l.Tenant == nil {
		l.node("Organization", &o)
	} else {
		l.Strangers["Organization"] = []string{o.GlobalID().String()}
	}
	return st.Tenant(o.ID)
}

// Texts are awkward texts: quotes, backslashes, control characters, line separators, other planes, right to left, marks that combine, and much of it.
func Texts() []string {
	return []string{
		"Alum", "alum", "ALUM & Söhne", "", " ", "  two  spaces ", `"quoted"`, `back\slash \n \u0041`, "tab\tline\nreturn\r", "\x01\x02\x1b\x1f\x7f", "\u0080\u009f\u00a0",
		"line\u2028separator\u2029", "\ufeffmarked\ufffd", "🚀🇬🇧 👩‍👩‍👧", "שלום עולם", "مرحبا \u202eآخر", "e\u0301 Z\u0351\u036b", "<script>alert('&amp;')</script>", "100% _sure_ 'yes'; --", "null",
		"12.50", strings.Repeat("long ", 40), strings.Repeat("🧪", 200), "Österreich ÄÖÜ ß", "ŁÓDŹ ı İ", "日本語テキスト", "\u0300", "/{}[]()!$#:=@|", "Zinc", "zinc",
	}
}

// runs are one of each state, and a preview.
func (l *AwkwardLedger) runs(t testing.TB) {
	t.Helper()
	for i, r := range []store.CalculationRun{
		{Status: store.RunSucceeded, Reason: "import", GwpSet: store.AR6, FinishedAt: new(instant(5))},
		{Status: store.RunRunning, Reason: Texts()[8], GwpSet: store.AR5},
		{Status: store.RunPartial, Reason: "", GwpSet: store.AR4, FinishedAt: new(instant(1_000_000))},
		{Status: store.RunFailed, Reason: `"`, GwpSet: store.AR6, FinishedAt: new(instant(0))},
		{Status: "QUEUED", Reason: "waits", GwpSet: store.AR5},
		{Status: "CANCELLED", Reason: "stopped", GwpSet: store.AR5, FinishedAt: new(instant(4))},
		{Status: store.RunSucceeded, Preview: true, Reason: "what if", GwpSet: store.AR6, FinishedAt: new(instant(3))},
	} {
		r.ID, r.StartedAt = l.id(), instant(i)
		if err := l.Tenant.StartRun(t.Context(), &r); err != nil {
			t.Fatalf("start run: %v", err)
		}
		l.Runs = append(l.Runs, &r)
		l.node("CalculationRun", &r)
	}
}

func (l *AwkwardLedger) keys(t testing.TB) {
	t.Helper()
	for i, k := range []store.APIKey{
		{Name: "reader", Role: store.Viewer},
		{Name: Texts()[9], Role: store.Analyst, LastUsedAt: new(instant(1)), ExpiresAt: new(exact.InstantOf(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)))},
		{Name: "writer", Role: store.Editor, ExpiresAt: new(instant(0))},
		{Name: "", Role: store.Admin, LastUsedAt: new(instant(0))},
	} {
		k.ID, k.CreatedAt = l.id(), instant(i/2)
		if err := l.Tenant.CreateKey(t.Context(), &k, fmt.Sprintf("awk%.8x%d", sha256.Sum256([]byte(l.name)), i), make([]byte, sha256.Size)); err != nil {
			t.Fatalf("create key: %v", err)
		}
		l.Keys = append(l.Keys, &k)
		l.node("ApiKey", &k)
	}
}

// datasets are two releases of one source, of which the second supersedes the first, one of another, and one without factors.
func (l *AwkwardLedger) datasets(t testing.TB, st *store.Store) {
	t.Helper()
	for i, d := range []store.FactorDataset{
		{Source: "awkward " + l.name, Version: "1.9", Name: Texts()[6], Licence: "CC0", Attribution: "", GwpSet: store.AR4},
		{Source: "awkward " + l.name, Version: "1.10", Name: "Awkward factors", Licence: Texts()[11], Attribution: Texts()[13], GwpSet: store.AR6},
		{Source: "other " + l.name, Version: "", Name: "Awkward factors", Licence: "", Attribution: Texts()[7], GwpSet: store.AR5},
		{Source: "void " + l.name, Version: "2024", Name: "", Licence: "", Attribution: "", GwpSet: store.AR5},
	} {
		d.ID, d.ImportedAt, d.Digest = l.id(), instant(i/2), fmt.Sprint("awkward ", l.name, i)
		var factors []*store.EmissionFactor
		for n := range some(i, 14, 12, 6, 0) {
			factors = append(factors, l.factor(i, n))
		}
		stored, _, err := st.PutDataset(t.Context(), &d, factors)
		if err != nil {
			t.Fatalf("put dataset: %v", err)
		}
		l.Datasets, l.Factors = append(l.Datasets, stored), append(l.Factors, factors...)
		l.node("FactorDataset", stored)
		for _, f := range factors {
			l.node("EmissionFactor", f)
		}
	}
}

// factor makes the n-th factor of a dataset. Most have code, region and unit in common with one of the other release.
func (l *AwkwardLedger) factor(dataset, n int) *store.EmissionFactor {
	f := &store.EmissionFactor{ID: l.id(), Code: fmt.Sprintf("C%02d", n), Name: some(n+dataset, Texts()...), Region: some(n, "GB", "US", "global", "", "EU \"27\""), Unit: some(n, "kWh", "USD", "tonne.km", "EUR", "kg")}
	if n%4 == 1 {
		f.Name = "Electricity, grid" // ties
	}
	if n == 2 && dataset == 1 {
		f.Code = "renamed"
	}
	f.Value = some(n+dataset, number("0.5"), nil, number("0.1234567890123456789012345678901234"), number("1e-30"), number("-3.5e-12"), number("0"), number("9999999999999999999999999999999999"), number("0.500"))
	if n%2 == 0 {
		f.ValueAR4, f.ValueAR5, f.ValueAR6 = number("1"), number("0.0000000000000000000000000000000000001"), some(n/2, number("-1"), nil)
		f.BiogenicCO2, f.Year, f.UncertaintyPercent = number("0.25"), new(int32(2024)), some(n/2, number("12.5"), number("0"), nil)
	}
	if f.Unit == "USD" || f.Unit == "EUR" {
		f.PriceYear, f.PriceBasis = new(int32(2022)), some(n/2, new(store.PricePurchaser), new(store.PriceBasic), nil)
	}
	if n%4 < 2 {
		f.SupplierShare, f.Verified, f.ConversionProperty = some(n/4, number("1"), number("0.250"), number("0"), nil), some(n/4, new(true), nil, new(false)), some(n/4, text("epa:natural-gas"), nil, text(""), new(Texts()[7]))
		f.SupplierName = some(n/4, nil, text("Quill & Co"), new(Texts()[5]), nil)
	}
	if n%3 == 0 {
		f.LifeCycleBoundary, f.ValidFrom, f.ValidTo = new(some(n/3, "cradle-to-gate", "", Texts()[16])), new(exact.NewDate(1900, 1, 1)), new(exact.NewDate(9999, 12, 31))
		f.CategoryNumber = new(int32(n%15 + 1))
	}
	for g := range n % 4 {
		f.Gases = append(f.Gases, store.FactorGas{Gas: some(g, "carbon dioxide", "CH4", Texts()[14]), Amount: some(n+g, exact.MustDecimal("1e-30"), exact.MustDecimal("-0.00"), exact.MustDecimal("12.340")),
			Basis: some(g, store.BasisMass, store.BasisCO2e)})
	}
	return f
}

func (l *AwkwardLedger) suppliers(t testing.TB) {
	t.Helper()
	maybe := func(i, every int, s string) *string {
		if i%every == 0 {
			return nil
		}
		return &s
	}
	for i, name := range append(Texts(), "Alum", "Alum", "alum ", "Borax", "Cobalt", "Cobalt", "Cobalt", "Dysprosium", "Erbium", "Feldspar", "Gallium", "Hafnium") {
		s := &store.Supplier{ID: l.id(), Name: name, ExternalID: maybe(i, 9, fmt.Sprintf("S%02d", i)), Country: maybe(i, 4, some(i, "GB", "US", "DE", "ZZ", "GB")),
			NaicsCode: maybe(i, 3, some(i, "334111", "561720", "33", "3341")), Duns: maybe(i, 2, fmt.Sprintf("%09d", i)), Lei: maybe(i, 5, some(i, "529900T8BM49AURSDO55", "")), CreatedAt: instant(i / 4)}
		if i%6 > 0 {
			s.Tier = new(int32(i % 6))
		}
		if i > 0 && i < len(Texts()) && i%7 == 0 && s.ExternalID != nil && name != "" {
			s.ExternalID = new(name)
		}
		l.Suppliers = append(l.Suppliers, s)
	}
	PutSuppliers(t, l.Tenant, l.Suppliers...)
	for i, s := range l.Suppliers {
		l.node("Supplier", s)
		if i%10 == 3 && s.ExternalID != nil { // changed later: updatedAt is not createdAt
			changed := *s
			changed.Tier = new(int32(77))
			PutSuppliers(t, l.Tenant, &changed)
			*s = changed
		}
	}
}

// lines stores 300 lines, and then calculates a part of them again, and changes a few.
func (l *AwkwardLedger) lines(t testing.TB) {
	t.Helper()
	for i := range 300 {
		line := &store.Line{Activity: l.activity(i)}
		switch {
		case i%11 == 5:
			line.Activity.Problem = &store.Problem{Code: some(i, "UNKNOWN_UNIT", "NO_FACTOR", "EXCLUDED"), Message: some(i, Texts()...)}
		case i%13 == 7: // nobody asked
		default:
			line.Emission = l.emission(i, 0, line.Activity)
		}
		l.Lines = append(l.Lines, line)
	}
	PutLines(t, l.Tenant, l.Lines...)
	for _, line := range l.Lines {
		l.node("Activity", line.Activity)
		if line.Emission != nil {
			l.node("Emission", line.Emission)
		}
	}
	for round := 1; round <= 2; round++ {
		var again []*store.Line
		for i, line := range l.Lines {
			if line.Emission == nil || i%(9*round) != 0 {
				continue
			}
			switch line.Emission = l.emission(i, round, line.Activity); {
			case round == 2 && i%36 == 0: // it can no longer be calculated
				line.Emission, line.Activity.Problem = nil, &store.Problem{Code: "NO_FACTOR", Message: "gone"}
			case round == 2 && i%54 == 18: // changed, and not calculated again
				line.Emission, line.Activity.Description = nil, "changed"
			default:
				l.node("Emission", line.Emission)
			}
			again = append(again, line)
		}
		PutLines(t, l.Tenant, again...)
	}
}

// activity makes the i-th line. Days, amounts and times of many lines are the same.
func (l *AwkwardLedger) activity(i int) *store.Activity {
	a := &store.Activity{ID: l.id(), ExternalID: fmt.Sprintf("L%03d", i), CategoryNumber: int32(i%15 + 1), Description: some(i, Texts()...), CreatedAt: instant(i / 8),
		OccurredOn: exact.NewDate(2024, time.Month(1+i%4*4), 1+i%3*14)}
	if i%10 == 9 {
		a.ExternalID = fmt.Sprintf("%d %s", i, some(i/10, Texts()...))
	}
	switch i {
	case 3:
		a.OccurredOn = exact.NewDate(1900, 1, 1)
	case 4:
		a.OccurredOn = exact.NewDate(9999, 12, 31)
	case 5, 6, 8:
		a.OccurredOn = exact.NewDate(2024, 2, 29)
	}
	if i%5 > 0 {
		a.SupplierID = &l.Suppliers[min(l.r.IntN(len(l.Suppliers)), l.r.IntN(len(l.Suppliers)))].ID
	}
	if i%7 > 0 {
		a.Country = new(some(i, "GB", "US", "DE", "ZZ"))
	}
	if i%6 > 0 {
		a.AccountCode = new(some(i, "6000", "6100", `6"\0`, "", "büro", "6000"))
	}
	if i%3 > 0 {
		a.Money = &store.Money{Amount: some(i/3, exact.Micros(100_500_000), -25_000_000, 0, 1, -1, 100_500_000, 999_999_999_999), Currency: some(i, "EUR", "USD", "XTS")}
	}
	if i%3 == 0 || i%4 == 0 {
		a.Quantity = &store.Quantity{Value: some(i/3, exact.Micros(12_500_000), 0, 1, -1_000_000, 9_000_000_000_000_000_000), Unit: some(i, "kWh", "tonne.km", "", "fur\"long")}
	}
	if i%8 == 1 {
		a.ConversionProperty, a.UncertaintyPercent = some(i/8, text("desnz:propane"), nil, text(""), new(Texts()[6])), some(i/8, new(exact.Micros(12_500_000)), new(exact.Micros(0)), nil, new(exact.Micros(1)), new(exact.Micros(1_000_000_000)))
	}
	switch i {
	case 20:
		a.Money = &store.Money{Amount: 9_223_372_036_854_775_806, Currency: "EUR"} // one below what stands for nothing in its order
	case 22:
		a.Money = &store.Money{Amount: -9_223_372_036_854_775_806, Currency: "EUR"}
	}
	return a
}

// emission makes a calculation of a line, the first or a later one. All that was ever calculated sums up to less than 9.2e18.
func (l *AwkwardLedger) emission(i, round int, a *store.Activity) *store.Emission {
	f := l.Factors[(i*7+round)%len(l.Factors)]
	e := &store.Emission{ID: l.id(), SupplierID: a.SupplierID, CategoryNumber: a.CategoryNumber, FactorID: f.ID, DatasetID: f.DatasetID, RunID: l.Runs[(i+round)%4].ID, OccurredOn: a.OccurredOn,
		Country: a.Country, AccountCode: a.AccountCode, Method: some(i+round, store.SpendBased, store.AverageData, store.Hybrid, store.SupplierSpecific), GwpSet: some(i+round, store.AR6, store.AR4, store.AR5),
		CO2e:        some(i/2, exact.Milligrams(1_000_000), 1, 1_000_000, 0, -1, -2_500_000, 123_456_789_012, 10, 1_000_000_000),
		BiogenicCO2: some(i, exact.Milligrams(0), 1, 0, -5_000_000, 1_000_000), CalculatedAt: instant(100 + i/20)}
	if a.Money != nil && i != 20 && i != 22 {
		e.Spend = new(a.Money.Amount)
	}
	if i%17 == 0 { // the line was another then
		e.Country, e.CategoryNumber, e.OccurredOn = text("FR"), 15, exact.NewDate(a.OccurredOn.Year(), 12, 30)
	}
	switch i {
	case 27:
		e.CO2e, e.Spend = some(round, exact.Milligrams(1_500_000_000_000_000_001), 2_000_000_000_000_000_000), new(exact.Micros(2_000_000_000_000_000_003))
	case 30:
		e.CO2e, e.BiogenicCO2, e.Spend = 3_000_000_000_000_000_007, 4_000_000_000_000_000_000, new(exact.Micros(-2_000_000_000_000_000_000))
	case 31:
		e.CO2e, e.BiogenicCO2 = -2_000_000_000_000_000_000, -4_000_000_000_000_000_000
	}
	if round > 0 {
		e.CO2e += exact.Milligrams(round)
		e.CalculatedAt = instant(100 + i/20 + round/2) // the second at the same instant as the first
	}
	e.Quality = store.DataQuality{Technology: int32(i%5 + 1), Time: int32(i/2%5 + 1), Geography: 3, Completeness: int32(round%5 + 1), Reliability: 5}
	if i%3 == 0 {
		e.Low, e.High = new(e.CO2e/2), new(e.CO2e/2*3)
	}
	if i%4 == 1 {
		explain(e, a)
		return e
	}
	var gases []store.GasAmount
	for g := range (i + round) % 4 {
		gases = append(gases, store.GasAmount{Gas: some(g, "carbon dioxide", "CH4", Texts()[13]), Mass: some(i+g, number("0.1234567890123456789012345678901234"), nil, number("0.000"), number("1e-30")),
			CO2e: *some(i+g, number("12.340"), number("-1e-30"), number("9999999999999999999999999999999999"))})
	}
	e.Formula = recorded(l.steps(i, f), gases)
	sum := sha256.Sum256([]byte(e.Formula))
	e.FormulaID = store.ID(sum[:16])
	return e
}

// recorded is the text of steps and gases as they stand, which emissions have that were calculated before there were formulas.
func recorded(steps []store.ProvenanceStep, gases []store.GasAmount) string {
	decimal := func(x *exact.Decimal) any {
		if x == nil {
			return nil
		}
		return json.RawMessage(x.String())
	}
	rows, amounts := [][]any{}, [][]any{}
	for i, s := range steps {
		row := []any{s.Step, s.Operator, decimal(s.Operand), decimal(&s.Output), s.OutputUnit, s.Source}
		follows := i > 0 && s.Input != nil && s.InputUnit != nil && *s.Input == steps[i-1].Output && *s.InputUnit == steps[i-1].OutputUnit || i == 0 && s.Input == nil
		if s.SourceRow != nil || !follows {
			row = append(row, s.SourceRow)
		}
		if !follows {
			row = append(row, decimal(s.Input))
			if s.InputUnit != nil {
				row = append(row, *s.InputUnit)
			}
		}
		rows = append(rows, row)
	}
	for _, g := range gases {
		amounts = append(amounts, []any{g.Gas, decimal(g.Mass), decimal(&g.CO2e)})
	}
	text, err := json.Marshal([]any{0, rows, amounts})
	if err != nil {
		panic(err) // there is nothing in it that JSON does not know
	}
	return string(text)
}

// steps gives none to four steps, whose input is nothing, the output before, or another number.
func (l *AwkwardLedger) steps(i int, f *store.EmissionFactor) (steps []store.ProvenanceStep) {
	for n := range i % 5 {
		s := store.ProvenanceStep{Step: some(n, "quantity", "unit", "factor", Texts()[6]), Operator: some(n+i, "multiply", "divide", "round"), Output: *some(n+i, number("1.250"), number("1e-30"), number("-7")),
			OutputUnit: some(n, "kWh", "", "kg"), Source: some(i+n, Texts()...)}
		switch (i + n) % 4 {
		case 1:
			s.Input, s.InputUnit = number("1.25"), text("kWh")
		case 2:
			s.Input = number("0.1234567890123456789012345678901234")
		case 3:
			if n > 0 {
				s.Input, s.InputUnit = new(steps[n-1].Output), new(steps[n-1].OutputUnit)
			}
		}
		if n%2 == 0 {
			s.Operand = number("3.60")
		}
		if (i+n)%3 == 0 {
			s.SourceRow = &f.ID
		}
		steps = append(steps, s)
	}
	return steps
}

// mappings are of every shape: with a factor and without, with each part and with one alone, decided by anybody.
func (l *AwkwardLedger) mappings(t testing.TB) {
	t.Helper()
	var rows []*store.FactorMapping
	for i, s := range Texts() {
		m := &store.FactorMapping{ID: l.id(), AccountCode: new(fmt.Sprint(i)), Confidence: exact.NewDecimal(int64(i), -1), Reviewed: i%2 == 0,
			DecidedBy: some(i, store.ByRule, store.ByTextMatch, store.ByLanguageModel, store.ByPerson)}
		if i%2 == 0 {
			m.Description = &s
		}
		if i%6 == 0 {
			m.AccountCode = nil
		}
		if i%3 == 0 {
			m.Country = new("GB")
		}
		if i%4 == 0 {
			m.Exclude, m.Reason = true, &s
		} else {
			m.FactorID = &l.Factors[i%len(l.Factors)].ID
			if i%5 > 0 {
				m.CategoryNumber = new(int32(i%15 + 1))
			}
		}
		rows = append(rows, m)
		l.node("FactorMapping", m)
	}
	Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rows) })
}

// rival gives the other organization rows of its own, under the external ids of the first.
func (l *AwkwardLedger) rival(t testing.TB, st *store.Store) {
	t.Helper()
	l.Rival = l.organization(t, st, store.Organization{Name: l.name + " rival", Currency: "USD", GwpSet: store.AR5})
	run := &store.CalculationRun{ID: l.id(), StartedAt: instant(0), Reason: "theirs", GwpSet: store.AR5}
	key := &store.APIKey{ID: l.id(), CreatedAt: instant(0), Name: "theirs", Role: store.Admin}
	supplier := &store.Supplier{ID: l.id(), CreatedAt: instant(0), ExternalID: text("S01"), Name: "Theirs"}
	line := &store.Line{Activity: &store.Activity{ID: l.id(), ExternalID: "L001", Description: "theirs", CategoryNumber: 1, OccurredOn: exact.NewDate(2024, 1, 1), CreatedAt: instant(0), SupplierID: &supplier.ID}}
	err := l.Rival.StartRun(t.Context(), run)
	if err == nil {
		err = l.Rival.CreateKey(t.Context(), key, fmt.Sprintf("riv%.8x", sha256.Sum256([]byte(l.name))), make([]byte, sha256.Size))
	}
	if err == nil {
		err = l.Rival.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
			_, err := w.UpsertSuppliers(ctx, []*store.Supplier{supplier}, false)
			return err
		})
	}
	if err != nil {
		t.Fatalf("the rival's rows: %v", err)
	}
	line.Emission = l.emission(1, 0, line.Activity)
	line.Emission.RunID = run.ID
	PutLines(t, l.Rival, line)
	for kind, n := range map[string]store.Node{"CalculationRun": run, "ApiKey": key, "Supplier": supplier, "Activity": line.Activity, "Emission": line.Emission} {
		l.Strangers[kind] = append(l.Strangers[kind], n.GlobalID().String())
	}
}
