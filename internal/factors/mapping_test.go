package factors_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// installed gives a store with the built-in datasets.
func installed(t testing.TB) *store.Store {
	t.Helper()
	st := storetest.SQLite(t)
	if _, err := factors.Install(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	return st
}

func rules(t testing.TB, st *store.Store, text string) ([]*store.FactorMapping, error) {
	t.Helper()
	m, err := factors.ReadMapping(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return m.Rules(t.Context(), st, st.NewID)
}

const electricity = `
factors: { source: epa-supply-chain, version: "1.3", region: US }
rules:
  - match: { description: Electricity, country: gb }
    factor: { source: desnz, code: 13_402_4000_5 }
    category: 3
  - match: { accountCode: [4010, "4020"], description: ["Council tax", "Business rates*"] }
    exclude: taxes are not purchases
  - match: { accountCode: 5000 }
    factor: { code: "334111", unit: USD }
`

func TestRulesBecomeAMappingForEveryCombination(t *testing.T) {
	st := installed(t)
	got, err := rules(t, st, electricity)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, m := range got {
		keys = append(keys, text2(m.AccountCode)+"|"+text2(m.Description)+"|"+text2(m.Country))
		if m.DecidedBy != "RULE" || m.Confidence.String() != "1" || !m.Reviewed || m.ID.IsZero() || m.Exclude != (m.FactorID == nil) || m.Exclude != (m.Reason != nil) {
			t.Errorf("mapping is %+v", m)
		}
	}
	want := []string{"|Electricity|GB", "4010|Council tax|", "4010|Business rates*|", "4020|Council tax|", "4020|Business rates*|", "5000||"}
	if !slices.Equal(keys, want) {
		t.Errorf("mappings are %q; want %q", keys, want)
	}
	found, err := st.FactorsByID(t.Context(), []store.ID{*got[0].FactorID, *got[5].FactorID})
	if err != nil || len(found) != 2 {
		t.Fatalf("factors are %d, %v", len(found), err)
	}
	for _, f := range found {
		if f.Code != "13_402_4000_5" && f.Code != "334111" || f.Code == "334111" && text(f.Value) == "" {
			t.Errorf("factor is %s %s", f.Code, f.Name)
		}
	}
	if *got[0].CategoryNumber != 3 || got[5].CategoryNumber != nil || *got[1].Reason != "taxes are not purchases" {
		t.Errorf("category %v and %v, reason %v", got[0].CategoryNumber, got[5].CategoryNumber, got[1].Reason)
	}
}

func text2(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// A version that is left out is the newest, and the region of the defaults does not narrow another source.
func TestAVersionThatIsLeftOutIsTheNewest(t *testing.T) {
	st := installed(t)
	got, err := rules(t, st, "factors: {source: epa-supply-chain}\nrules: [{match: {accountCode: a}, factor: {code: 111110}}, {match: {accountCode: b}, factor: {code: 111110, version: \"1.2\"}}]")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0.532", "1.326"} {
		f, err := st.FactorsByID(t.Context(), []store.ID{*got[i].FactorID})
		if err != nil || len(f) != 1 || f[0].Value.String() != want {
			t.Errorf("mapping %d leads to %v, %v; want the factor of %s", i, f, err, want)
		}
	}
}

func TestMappingsThatTheProjectShipsFindTheirFactors(t *testing.T) {
	st := installed(t)
	for _, path := range []string{"../seed/mapping.yml", "../../docs/examples/devon/mapping.yml", "../../docs/examples/oxford/mapping.yml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rules(t, st, string(text)); err != nil || len(got) < 20 {
			t.Errorf("%s gives %d mappings, %v", path, len(got), err)
		}
	}
}

func TestAFactorThatDoesNotExistIsNamed(t *testing.T) {
	st := installed(t)
	twice := "source,version,gwpSet,code,name,region,unit,value\nacme,1,AR5,A,a,GB,kg,1\nacme,1,AR5,A,a,FR,kg,1\nacme,1,AR5,A,a,FR,tonne,1\n"
	im, err := own(t, twice)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := im.Put(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		factor string
		want   []string
	}{
		"a code":                   {`{source: epa-supply-chain, version: "1.3", code: "221100"}`, []string{"line 2", "epa-supply-chain 1.3", `"221100"`}},
		"a region":                 {`{source: desnz, code: 13_402_4000_5, region: US}`, []string{"desnz 2025", "in region US"}},
		"a unit":                   {`{source: desnz, code: 13_402_4000_5, unit: MWh}`, []string{"per MWh"}},
		"a version":                {`{source: desnz, version: "2031", code: x}`, []string{"no dataset desnz 2031", "desnz 2025"}},
		"a source":                 {`{source: ecoinvent, code: x}`, []string{"no dataset ecoinvent;"}},
		"a code of several":        {`{source: acme, code: A}`, []string{"3 factors", "GB per kg", "add a region or a unit"}},
		"a code of several so far": {`{source: acme, code: A, region: FR}`, []string{"2 factors", "in region FR"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rules(t, st, "rules:\n  - {match: {accountCode: a}, factor: "+tc.factor+"}")
			wantFault(t, err, fault.NoFactor, tc.want...)
		})
	}
	t.Run("in a store that has nothing", func(t *testing.T) {
		_, err := rules(t, storetest.SQLite(t), electricity)
		wantFault(t, err, fault.NoFactor, "none is stored yet")
	})
}

func TestMalformedMappingsNameTheLine(t *testing.T) {
	const factor = `, factor: {source: desnz, code: x}}`
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"nothing":                           {"", []string{"empty"}},
		"no YAML":                           {"rules: [", []string{"not YAML"}},
		"a list at the top":                 {"- a", []string{"line 1", "mapping"}},
		"no rules":                          {"factors: {source: a}", []string{"rules"}},
		"rules that are none":               {"rules: {}", []string{"rules"}},
		"an empty list of rules":            {"rules: []", []string{"rules"}},
		"a key at the top":                  {"rulez: []", []string{"line 1", `"rulez"`}},
		"a key of a rule":                   {"rules:\n  - {match: {accountCode: a}, faktor: x}", []string{"line 2", `"faktor"`}},
		"a key of a match":                  {"rules:\n  - {match: {account: a}" + factor, []string{"line 2", `"account"`}},
		"a key of a factor":                 {"rules:\n  - {match: {accountCode: a}, factor: {kode: x}}", []string{"line 2", `"kode"`}},
		"a code among the defaults":         {"factors: {code: x}\nrules: []", []string{"line 1", `"code"`}},
		"a key twice":                       {"rules:\n  - match: {accountCode: a}\n    match: {accountCode: b}", []string{"line 3", "twice"}},
		"both factor and exclude":           {"rules:\n  - {match: {accountCode: a}, exclude: tax" + factor, []string{"line 2", "both"}},
		"neither factor nor exclude":        {"rules:\n  - {match: {accountCode: a}}", []string{"line 2", "neither"}},
		"an exclusion without a reason":     {"rules:\n  - {match: {accountCode: a}, exclude: }", []string{"line 2", "reason"}},
		"an excluded line with a category":  {"rules:\n  - {match: {accountCode: a}, exclude: tax, category: 1}", []string{"line 2", "no category"}},
		"no match":                          {"rules:\n  - {exclude: tax}", []string{"line 2", "matches nothing"}},
		"an empty match":                    {"rules:\n  - {match: {}, exclude: tax}", []string{"line 2", "matches nothing"}},
		"an empty text":                     {"rules:\n  - {match: {description: ''}, exclude: tax}", []string{"line 2", "empty"}},
		"an empty list":                     {"rules:\n  - {match: {description: []}, exclude: tax}", []string{"line 2", "nothing in it"}},
		"a mapping where a text is due":     {"rules:\n  - {match: {description: {a: b}}, exclude: tax}", []string{"line 2", "one value"}},
		"a star alone":                      {"rules:\n  - {match: {description: '*'}, exclude: tax}", []string{"line 2", "star alone"}},
		"a star in the middle":              {"rules:\n  - {match: {description: 'a*b'}, exclude: tax}", []string{"line 2", "last"}},
		"two stars":                         {"rules:\n  - {match: {description: 'a**'}, exclude: tax}", []string{"line 2", "last"}},
		"a star in an account code":         {"rules:\n  - {match: {accountCode: '40*'}, exclude: tax}", []string{"line 2", "no star"}},
		"a country in words":                {"rules:\n  - {match: {country: Britain}, exclude: tax}", []string{"line 2", `"Britain"`, "GB"}},
		"a category of 0":                   {"rules:\n  - {match: {accountCode: a}, category: 0" + factor, []string{"line 2", "1 to 15"}},
		"a category in words":               {"rules:\n  - {match: {accountCode: a}, category: travel" + factor, []string{"line 2", "1 to 15"}},
		"a factor without a code":           {"rules:\n  - {match: {accountCode: a}, factor: {source: desnz}}", []string{"line 2", `"code"`}},
		"a factor without a source":         {"rules:\n  - {match: {accountCode: a}, factor: {code: x}}", []string{"line 2", `"source"`}},
		"the same lines twice":              {"rules:\n  - {match: {accountCode: a}, exclude: tax}\n  - {match: {accountCode: A}, exclude: fee}", []string{"line 3", `accountCode "A"`, "line 2"}},
		"the same lines twice but for fold": {"rules:\n  - {match: {description: 'Council  TAX'}, exclude: tax}\n  - {match: {description: council tax}, exclude: fee}", []string{"line 3", "line 2"}},
		"a file that is the data":           {"rules: #" + strings.Repeat("x", 4<<20), []string{"larger"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := factors.ReadMapping(strings.NewReader(tc.text))
			wantFault(t, err, fault.BadUserInput, tc.want...)
		})
	}
}
