package match_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/match"
	"carbongraph/store"
)

// current are the built-in factors that no other release supersedes.
func current(t testing.TB) []*store.EmissionFactor {
	return slices.Concat(builtin(t, factors.EPASupplyChain, "1.3"), builtin(t, factors.DESNZ, "2025"))
}

func TestMatch(t *testing.T) {
	t.Parallel()
	x := match.New(current(t))
	for name, tc := range map[string]struct {
		line     match.Line
		code     string // of the first suggestion; empty: none
		category int32
		reason   string // its beginning
		excluded string // the beginning of the exclusion's reason
	}{
		"a phrase of ledgers means an industry": {line: match.Line{Description: "External Agency Staff", Unit: "GBP"},
			code: "561320", category: 1, reason: `'agency staff' in the text means "Temporary Help Services".`},
		"a longer phrase is stronger than its parts": {line: match.Line{Description: "Cleaning materials", Unit: "GBP"}, code: "325612", category: 1},
		"the name of a factor is found without a phrase": {line: match.Line{Description: "Footwear and leather goods repair", Unit: "USD"}, code: "811430", category: 1,
			reason: `'footwear leather goods repair' in the text is in the name`},
		"a misspelt word is read as its neighbour": {line: match.Line{Description: "General statoinery", Unit: "GBP"}, code: "322230", category: 1,
			reason: `'general statoinery' (read as 'general stationery') in the text means`},
		"a word that the column cut off is read whole":  {line: match.Line{Description: "Photocopying and laundry applianc", Unit: "GBP"}, code: "335220", category: 1},
		"an abbreviation is read as what it stands for": {line: match.Line{Description: "Veh.Mtce", Unit: "GBP"}, code: "811111", category: 1},
		"what is excluded in brackets is not meant":     {line: match.Line{Description: "Telephones (excl. mobile phones)", Unit: "GBP"}, code: "517311", category: 1},
		"another language that is near is understood":   {line: match.Line{Description: "Électricité", Unit: "kWh"}, code: "13_402_4000_5", category: 3},
		"energy in kilowatt-hours wants a factor of energy": {line: match.Line{Description: "Electricity", Unit: "kWh", Country: "GB"},
			code: "13_402_4000_5", category: 3},
		"goods have no factor of energy":      {line: match.Line{Description: "Stationery", Unit: "kWh"}},
		"water by volume":                     {line: match.Line{Description: "Mains water", Unit: "cubic metres"}, code: "17_404_4005_1", category: 1},
		"a flight is an average passenger's":  {line: match.Line{Description: "Flight, short haul", Unit: "passenger.km"}, code: "21_316_3162_11", category: 6},
		"a hotel is that of the country":      {line: match.Line{Description: "Hotel nights", Unit: "Room per night", Country: "FR"}, code: "29_600_4016_13", category: 6},
		"commuting is category 7 in whatever": {line: match.Line{Description: "Commuting by bus", Unit: "passenger.km"}, code: "25_314_3145_11", category: 7},
		"capital spending is category 2":      {line: match.Line{Description: "Capital expenditure: software", Unit: "GBP"}, code: "511210", category: 2},
		"a rental is of the lessor":           {line: match.Line{Description: "Photocopier lease", Unit: "GBP"}, code: "532420", category: 8},
		"the code may be words":               {line: match.Line{Description: "Sundries", AccountCode: "OFFICE CLEANING", Unit: "GBP"}, code: "561720", category: 1},
		"the supplier helps where the text says nothing": {line: match.Line{Description: "Invoice", Supplier: "Royal Mail Group Ltd", Unit: "GBP"},
			code: "491110", category: 4},
		"two words the other way round are another thing": {line: match.Line{Description: "Home care", Unit: "GBP"}, code: "621610", category: 1},
		"a care home":                          {line: match.Line{Description: "Care home", Unit: "GBP"}, code: "623990", category: 1},
		"taxes":                                {line: match.Line{Description: "Business Rates/Council Tax"}, excluded: "A tax or duty: nothing is bought ('"},
		"payroll":                              {line: match.Line{Description: "Salaries"}, excluded: "Payroll"},
		"payroll service":                      {line: match.Line{Description: "Payroll bureau", Unit: "GBP"}, code: "541214", category: 1},
		"tax advice":                           {line: match.Line{Description: "Tax advice", Unit: "GBP"}, code: "541213", category: 1},
		"grants":                               {line: match.Line{Description: "Grants & Contributions"}, excluded: "A contribution"},
		"income":                               {line: match.Line{Description: "Rent (Income)"}, excluded: "Income"},
		"interest":                             {line: match.Line{Description: "Loan interest"}, excluded: "Financing"},
		"depreciation":                         {line: match.Line{Description: "Depreciation of vehicles"}, excluded: "A book entry"},
		"benefits":                             {line: match.Line{Description: "Housing benefit"}, excluded: "A benefit"},
		"transfers":                            {line: match.Line{Description: "Internal recharge: printing"}, excluded: "An internal recharge"},
		"the supplier's name excludes nothing": {line: match.Line{Description: "Stationery", Supplier: "Grant & Sales Tax Ltd", Unit: "GBP"}, code: "322230", category: 1},
		"empty text":                           {line: match.Line{Unit: "GBP"}},
		"signs alone":                          {line: match.Line{Description: "*** / --- 12345 (3rd)", Unit: "GBP"}},
		"words that say nothing":               {line: match.Line{Description: "Other general miscellaneous expenses", Unit: "GBP"}},
		"a script without spaces":              {line: match.Line{Description: "電気料金", Unit: "JPY"}},
		"broken UTF-8":                         {line: match.Line{Description: "Stationery \xff\xfe", Unit: "GBP"}, code: "322230", category: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := x.Match(tc.line, 5)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tc.excluded != "":
				if a.Exclusion == nil || !strings.HasPrefix(a.Exclusion.Reason, tc.excluded) || len(a.Suggestions) > 0 {
					t.Errorf("answer: %s; want an exclusion: %s", told(a), tc.excluded)
				}
			case tc.code == "":
				if a.Exclusion != nil || len(a.Suggestions) > 0 {
					t.Errorf("answer: %s; want none", told(a))
				}
			case a.Exclusion != nil || len(a.Suggestions) == 0 || a.Suggestions[0].Factor.Code != tc.code:
				t.Errorf("answer: %s; want %s", told(a), tc.code)
			default:
				s := a.Suggestions[0]
				if s.Category == nil || *s.Category != tc.category || !strings.HasPrefix(s.Reason, tc.reason) {
					t.Errorf("answer: %s; want category %d and the reason %s", told(a), tc.category, tc.reason)
				}
			}
		})
	}
}

func TestAUnitThatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := match.New(nil).Match(match.Line{Description: "Stationery", Unit: "furlong"}, 5); fault.CodeOf(err) != fault.UnknownUnit {
		t.Errorf("error %v; want UNKNOWN_UNIT", err)
	}
}

// TestAnAnswerDependsOnNothingElse gives the same factors in another order, to another index.
func TestAnAnswerDependsOnNothingElse(t *testing.T) {
	t.Parallel()
	all := current(t)
	shuffled := append([]*store.EmissionFactor(nil), all...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	x, y := match.New(all), match.New(shuffled)
	words := []string{"office", "cleaning", "travel", "hotel", "paper", "grant", "water", "waste", "other", "road", "steel", "zzz", "consultancy", "excl", "(inc", "services)", "Mtce", "électricité"}
	rapid.Check(t, func(t *rapid.T) {
		line := match.Line{
			Description: strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(t, "words"), " "),
			Supplier:    rapid.OneOf(rapid.SampledFrom(words), rapid.String()).Draw(t, "supplier"),
			Country:     rapid.SampledFrom([]string{"", "GB", "US"}).Draw(t, "country"),
			Unit:        rapid.SampledFrom([]string{"", "GBP", "kWh", "tonnes"}).Draw(t, "unit"),
		}
		first := rapid.IntRange(0, 20).Draw(t, "first")
		a, err := x.Match(line, first)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := x.Match(line, first)
		other, _ := y.Match(line, first)
		if !reflect.DeepEqual(a, again) || !reflect.DeepEqual(a, other) {
			t.Fatalf("%+v: %s; then %s; from other order %s", line, told(a), told(again), told(other))
		}
		if len(a.Suggestions) > first || a.Exclusion != nil && a.Suggestions != nil {
			t.Fatalf("%d suggestions of %d, exclusion %v", len(a.Suggestions), first, a.Exclusion)
		}
		for _, s := range a.Suggestions {
			if c := s.Confidence.Float64(); c <= 0 || c > 1 || s.Reason == "" {
				t.Fatalf("suggestion %+v", s)
			}
		}
	})
}

// TestALongTextCostsNoMoreThanItsBeginning: a description is what anybody sent.
func TestALongTextCostsNoMoreThanItsBeginning(t *testing.T) {
	x := match.New(current(t))
	for name, text := range map[string]string{
		"words":    strings.Repeat("stationery and other manufacturing services ", 200_000),
		"one word": strings.Repeat("x", 8<<20),
		"accents":  "stationery " + strings.Repeat("e\u0301\u0301\u0301", 1<<20),
		"unknown":  strings.Repeat("misspellling unknwon wrods evrywhere ", 200_000),
	} {
		start := time.Now()
		if _, err := x.Match(match.Line{Description: text, AccountCode: text, Supplier: text, Unit: "GBP"}, 5); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func FuzzMatch(f *testing.F) {
	x := match.New(current(f))
	for _, seed := range []string{"", "Stationery", "(((excl", "a)b(c", "é", "\xff", "電気", "d.l.o.", "'s", "non non non"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, description, supplier string) {
		if _, err := x.Match(match.Line{Description: description, AccountCode: supplier, Supplier: supplier, Unit: "GBP"}, 5); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	x := match.New(current(b))
	for b.Loop() {
		if _, err := x.Match(match.Line{Description: "Grounds Maintenance Equipment & Consumab", Country: "GB", Unit: "GBP"}, 5); err != nil {
			b.Fatal(err)
		}
	}
}
