package resolvers_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestEstimates(t *testing.T) {
	storetest.Each(t, "estimates", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil) // factors of 0.125 and 0.25 kg per USD of 2022, and 0.5 kg per kWh
		s := newServer(st, l.Tenant.ID(), resolvers.Options{})
		kWh, money := l.Factors[2].GlobalID(), l.Factors[0].GlobalID()
		source := l.Dataset.Source
		supplier := store.Global(store.KindSupplier, l.Run.ID)
		long := strings.Repeat("x", 100_000)
		for name, tc := range map[string]struct {
			input, want string
		}{
			"a quantity by an id":          {`factorId: "` + kWh.String() + `", quantity: {value: "1.5", unit: "MWh"}`, `co2e 750 AVERAGE_DATA AR5 of electricity`},
			"by a key":                     {`factorKey: {source: "` + source + `", code: "electricity"}, quantity: {value: 3, unit: "kWh"}`, `co2e 1.5 AVERAGE_DATA AR5 of electricity`},
			"by a whole key":               {`factorKey: {source: "` + source + `", code: "electricity", region: "US", unit: "kWh", version: "1"}, quantity: {value: 0, unit: "kWh"}`, `co2e 0 AVERAGE_DATA AR5 of electricity`},
			"a credit":                     {`factorId: "` + money.String() + `", money: {amount: "-8", currency: "USD"}, occurredOn: "2022-03-01"`, `co2e -1 SPEND_BASED AR5 of 334111`},
			"another set of potentials":    {`factorId: "` + money.String() + `", money: {amount: 8, currency: "USD"}, occurredOn: "2022-03-01", gwpSet: AR4`, `co2e 1 SPEND_BASED AR4 of 334111`},
			"no factor":                    {`quantity: {value: 1, unit: "kWh"}`, `BAD_USER_INPUT []`},
			"two factors":                  {`factorId: "` + kWh.String() + `", factorKey: {source: "x", code: "y"}, quantity: {value: 1, unit: "kWh"}`, `BAD_USER_INPUT []`},
			"no amount":                    {`factorId: "` + kWh.String() + `"`, `BAD_USER_INPUT []`},
			"two amounts":                  {`factorId: "` + kWh.String() + `", quantity: {value: 1, unit: "kWh"}, money: {amount: 1, currency: "USD"}`, `BAD_USER_INPUT []`},
			"money without a day":          {`factorId: "` + money.String() + `", money: {amount: 1, currency: "USD"}`, `BAD_USER_INPUT [occurredOn]`},
			"an id of nothing":             {`factorId: "` + store.Global(store.KindEmissionFactor, l.Run.ID).String() + `", quantity: {value: 1, unit: "kWh"}`, `NOT_FOUND [factorId]`},
			"an id of something else":      {`factorId: "` + supplier.String() + `", quantity: {value: 1, unit: "kWh"}`, `NOT_FOUND [factorId]`},
			"a key of no dataset":          {`factorKey: {source: "` + long + `", code: "y"}, quantity: {value: 1, unit: "kWh"}`, `NO_FACTOR [factorKey]`},
			"a key of no version":          {`factorKey: {source: "` + source + `", code: "electricity", version: "7"}, quantity: {value: 1, unit: "kWh"}`, `NO_FACTOR [factorKey]`},
			"a key of no factor":           {`factorKey: {source: "` + source + `", code: "` + long + `"}, quantity: {value: 1, unit: "kWh"}`, `NO_FACTOR [factorKey]`},
			"a key that no text can hold":  {`factorKey: {source: "` + source + `", code: "a\u0000b"}, quantity: {value: 1, unit: "kWh"}`, `NO_FACTOR [factorKey]`},
			"a key of another region":      {`factorKey: {source: "` + source + `", code: "electricity", region: "` + long + `"}, quantity: {value: 1, unit: "kWh"}`, `NO_FACTOR [factorKey]`},
			"a quantity without a unit":    {`factorId: "` + kWh.String() + `", quantity: {value: 1, unit: " "}`, `BAD_USER_INPUT [quantity unit]`},
			"an unknown unit":              {`factorId: "` + kWh.String() + `", quantity: {value: 1, unit: "furlong"}`, `UNKNOWN_UNIT [quantity unit]`},
			"a unit of something else":     {`factorId: "` + kWh.String() + `", quantity: {value: 1, unit: "kg"}`, `UNIT_MISMATCH [quantity unit]`},
			"a quantity by money":          {`factorId: "` + money.String() + `", quantity: {value: 1, unit: "kWh"}`, `UNIT_MISMATCH [money]`},
			"money by a quantity":          {`factorId: "` + kWh.String() + `", money: {amount: 1, currency: "USD"}, occurredOn: "2022-03-01"`, `UNIT_MISMATCH [quantity]`},
			"money without a rate":         {`factorId: "` + money.String() + `", money: {amount: 1, currency: "XXX"}, occurredOn: "2022-03-01"`, `NO_EXCHANGE_RATE [money]`},
			"more decimals than are kept":  {`factorId: "` + kWh.String() + `", quantity: {value: "0.1234567", unit: "kWh"}`, `BAD_USER_INPUT [quantity value]`},
			"more money than the ledger's": {`factorId: "` + money.String() + `", money: {amount: "100000000000000", currency: "USD"}, occurredOn: "2022-03-01"`, `BAD_USER_INPUT [money amount]`},
			"a mass that is too large":     {`factorId: "` + kWh.String() + `", quantity: {value: "9000000000000", unit: "MWh"}`, `BAD_USER_INPUT []`},
		} {
			for _, at := range []int{0, 1} { // alone, and behind one that is right
				first := strings.Repeat(`{factorId: "`+kWh.String()+`", quantity: {value: 2, unit: "kWh"}}, `, at)
				got := s.ask(t, `{ estimates(inputs: [`+first+`{`+tc.input+`}]) { ... on Estimate { co2e method gwpSet factor { code } } ... on UserError { code message path } } }`, nil)
				if len(got.Errors) > 0 {
					t.Fatalf("%s: %v", name, got.Errors)
				}
				if text := estimated(t, got.Data, at); text != tc.want {
					t.Errorf("%s, at %d: %s; want %s", name, at, text, tc.want)
				}
				if len(got.Data) > 2000 {
					t.Errorf("%s: %d bytes are answered", name, len(got.Data))
				}
			}
		}
	})
}

// estimated tells what became of an input in few words, and checks that its error begins its path at the input and says something.
func estimated(t *testing.T, data json.RawMessage, at int) string {
	t.Helper()
	var all struct {
		Estimates []struct {
			CO2e, Method, GwpSet, Code, Message string
			Factor                              struct{ Code string }
			Path                                []string
		}
	}
	if err := json.Unmarshal(data, &all); err != nil || len(all.Estimates) != at+1 {
		t.Fatalf("%s: %v", data, err)
	}
	e := all.Estimates[at]
	if e.Code == "" {
		return fmt.Sprintf("co2e %s %s %s of %s", e.CO2e, e.Method, e.GwpSet, e.Factor.Code)
	}
	if len(e.Path) < 2 || e.Path[0] != "inputs" || e.Path[1] != strconv.Itoa(at) || len(e.Message) < 20 {
		t.Errorf("%s %q at %v", e.Code, e.Message, e.Path)
		return ""
	}
	return fmt.Sprintf("%s %v", e.Code, e.Path[2:])
}

// However many inputs there are, a statement reads the organization's choices, one the datasets where a factor is named by a key, and one the factors of up to 400 codes of
// a dataset. Factors that were calculated with lately, and their datasets, are not read again.
func TestStatementsOfEstimates(t *testing.T) {
	storetest.Each(t, "statements", func(t *testing.T, st *store.Store) {
		_, rows := storetest.Dataset(t, st, "test", "1")
		s := newServer(st, storetest.Organization(t, st, "Acme").ID(), resolvers.Options{})
		byKey, byID := make([]string, 300), make([]string, 300)
		for i := range byKey {
			f := rows[i%3]
			amount := `money: {amount: 1, currency: "USD"}, occurredOn: "2022-03-01"`
			if f.Unit == "kWh" {
				amount = `quantity: {value: 1, unit: "kWh"}`
			}
			byKey[i] = `{factorKey: {source: "test", code: "` + f.Code + `"}, ` + amount + `}`
			byID[i] = `{factorId: "` + f.GlobalID().String() + `", ` + amount + `}`
		}
		for _, tc := range []struct {
			name, document string
			statements     int64
		}{
			{"by keys, at first", `{ estimates(inputs: [` + strings.Join(byKey, ", ") + `]) { ... on Estimate { co2e } } }`, 5},
			{"by keys, again", `{ estimates(inputs: [` + strings.Join(byKey, ", ") + `]) { ... on Estimate { co2e provenance { output } gases { gas } } } }`, 3},
			{"by ids", `{ estimates(inputs: [` + strings.Join(byID, ", ") + `]) { ... on Estimate { co2e } } }`, 1},
			{"with what they lead to", `{ estimates(inputs: [` + strings.Join(byID, ", ") + `]) { ... on Estimate { factor { name dataset { version supersedes { version } } supersededBy { name } } } } }`, 5},
			{"none", `{ estimates(inputs: []) { __typename } }`, 1},
		} {
			got := s.ask(t, tc.document, nil)
			if len(got.Errors) > 0 || strings.Contains(string(got.Data), "UserError") || got.Statements != tc.statements {
				t.Errorf("%s: %d statements, %v; want %d", tc.name, got.Statements, got.Errors, tc.statements)
			}
		}
	})
}

func TestTooManyEstimatesAreRefused(t *testing.T) {
	st := storetest.SQLite(t)
	s := newServer(st, storetest.Organization(t, st, "Acme").ID(), resolvers.Options{})
	for n, code := range map[int]fault.Code{0: "", 1000: "", 1001: fault.BadUserInput} {
		inputs := make([]any, n)
		for i := range inputs {
			inputs[i] = map[string]any{}
		}
		got := s.ask(t, `query($i: [EstimateInput!]!) { estimates(inputs: $i) { __typename } }`, map[string]any{"i": inputs})
		if code == "" && (len(got.Errors) > 0 || strings.Count(string(got.Data), "UserError") != n) || code != "" && (len(got.Errors) != 1 || codes(got)[0] != code) {
			t.Errorf("%d inputs: %.300s %v; want %q", n, got.Data, got.Errors, code)
		}
	}
}

// An estimate says, to the last digit and step, what a line of the ledger with the same amount, day and factor is calculated to, whatever the organization's choices, and
// fails as that line does.
func TestEstimatesAreWhatLinesWouldBe(t *testing.T) {
	const result = `biogenicCo2 gases { gas mass co2e } gwpSet method factor { id } provenance { step input inputUnit operator operand output outputUnit source sourceId } `
	storetest.Each(t, "ledger", func(t *testing.T, st *store.Store) {
		if _, err := factors.Install(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		var some []*store.EmissionFactor
		for _, unit := range []string{"USD", "kWh", "tonne.km", "litre", "kg", "tonne"} {
			c, err := st.Factors(t.Context(), &store.EmissionFactorFilter{Units: []string{unit}}, store.EmissionFactorOrder{}, store.Page{First: new(int32(60))})
			if err != nil {
				t.Fatal(err)
			}
			some = append(some, c.Nodes...)
		}
		for i, methods := range []store.Methods{
			{GwpSet: new(store.AR6), MoneyOrder: new(store.DeflateThenConvert)},
			{GwpSet: new(store.AR4), MoneyOrder: new(store.ConvertThenDeflate), StrictValidity: new(true)},
		} {
			tenant := storetest.Organization(t, st, "Acme "+strconv.Itoa(i))
			if _, err := tenant.SetMethods(t.Context(), methods); err != nil {
				t.Fatal(err)
			}
			s := newServer(st, tenant.ID(), importing(t, st))
			var lines, inputs []any
			many := 400
			if raced {
				many = 100
			}
			for n := range many {
				f := some[random.IntN(len(some))]
				input := map[string]any{"factorId": f.GlobalID().String(), "occurredOn": exact.NewDate(2018+random.IntN(8), 1, 1+random.IntN(300)).String()}
				if amount := exact.NewDecimal(random.Int64N(2_000_000_000)-100_000_000, -6).String(); f.Unit == "USD" == (random.IntN(20) > 0) {
					input["money"] = map[string]any{"amount": amount, "currency": []string{"USD", "GBP", "EUR", "JPY", "XAU"}[random.IntN(5)]}
				} else {
					input["quantity"] = map[string]any{"value": amount, "unit": []string{f.Unit, f.Unit, "MWh", "t", "gallon", "parsec"}[random.IntN(6)]}
				}
				line := map[string]any{"externalId": fmt.Sprintf("L%04d", n), "description": "x"}
				for k, v := range input {
					line[k] = v
				}
				lines, inputs = append(lines, line), append(inputs, input)
			}
			stored := s.ask(t, `mutation($l: [ActivityInput!]!) { importActivities(input: {activities: $l}) { results { error { code message path } activity { calculationError { code message path } emission { co2e `+result+`} } } } }`, map[string]any{"l": lines})
			guessed := s.ask(t, `query($i: [EstimateInput!]!) { estimates(inputs: $i) { ... on UserError { code message path } ... on Estimate { co2e `+result+`} } }`, map[string]any{"i": inputs})
			compareEstimates(t, stored, guessed)
		}
	}, func(o *store.Options) { o.Now = clock })
}

func compareEstimates(t *testing.T, stored, guessed answer) {
	t.Helper()
	type problem struct {
		Code, Message string
		Path          []string
	}
	var ledger struct {
		ImportActivities struct {
			Results []struct {
				Error    *problem
				Activity *struct {
					CalculationError *problem
					Emission         json.RawMessage
				}
			}
		}
	}
	var got struct{ Estimates []json.RawMessage }
	if len(stored.Errors)+len(guessed.Errors) > 0 || json.Unmarshal(stored.Data, &ledger) != nil || json.Unmarshal(guessed.Data, &got) != nil {
		t.Fatal(stored.Errors, guessed.Errors)
	}
	results, figures, failures := ledger.ImportActivities.Results, 0, map[string]int{}
	if len(results) != len(got.Estimates) {
		t.Fatalf("%d lines and %d estimates", len(results), len(got.Estimates))
	}
	for i, line := range results {
		wrong := line.Error
		if wrong == nil {
			wrong = line.Activity.CalculationError
		}
		if wrong == nil {
			figures++
			if text := strings.ReplaceAll(string(got.Estimates[i]), `"source":"the input"`, `"source":"the ledger's line"`); text != string(line.Activity.Emission) {
				t.Errorf("the estimate %d is\n%s\nthe line is\n%s", i, text, line.Activity.Emission)
			}
			continue
		}
		var p problem
		if err := json.Unmarshal(got.Estimates[i], &p); err != nil || p.Code != wrong.Code || p.Message != wrong.Message {
			t.Errorf("the estimate %d is %s; the line's problem is %+v", i, got.Estimates[i], wrong)
		}
		failures[wrong.Code]++
	}
	t.Logf("%d figures alike; failures alike: %v", figures, failures)
	if figures < len(results)/4 || len(failures) < 3 {
		t.Errorf("%d figures and failures of %v: too few to prove anything", figures, failures)
	}
}
