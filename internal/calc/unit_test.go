package calc_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

func TestParseUnit(t *testing.T) {
	for symbol, spellings := range map[string]string{
		"km": "km|KM|kms|kilometre|Kilometers| km ", "mile": "miles|mile|mi|Miles", "m": "m|metres", "nautical mile": "nautical miles|nmi",
		"tonne.km": "tonne.km|tonne-km|tkm|t.km|t·km|tonnes.km|Tonne Km|tonne_km|per tonne.km", "short ton-mile": "ton-mile|short ton-mile|Ton-Miles|short-ton-mile",
		"tonne": "tonnes|tonne|t|T|metric ton|metric tons|Metric Tonnes|MT|Mg", "kg": "kg|KG|Kilograms|kilo|per kg", "g": "g|grams", "mg": "mg",
		"lb": "lb|lbs|pounds|LB", "short ton": "short ton|short tons|Short Ton|US ton", "long ton": "long tons|UK ton",
		"passenger.km": "passenger.km|passenger-km|pkm|person.km", "passenger-mile": "passenger-mile|Passenger Miles", "vehicle-mile": "vehicle-mile|vehicle miles", "vehicle.km": "vehicle-km|vkm|vehicle.km",
		"room night": "Room per night|room night|room-nights|Room nights", "person night": "person-night|person nights", "FTE working hour": "per FTE Working Hour|FTE working hours",
		"litre": "litres|L|l|liters|Litre", "million litres": "million litres|ML|megalitres", "ml": "ml|mL", "m3": "cubic metres|m3|m³|m^3|M3|cubic meter",
		"US gallon": "gallon|gal (US)|US gallons|gallons|gal", "imperial gallon": "imperial gallons|UK gallon|gal (UK)", "scf": "scf|SCF|ft3|ft³|cubic feet", "barrel": "bbl|barrels",
		"kWh": "kWh|kwh|KWH|kW.h|kilowatt-hours", "kWh (Net CV)": "kWh (Net CV)|kwh (net cv)|kWh (NCV)|kWh (LHV)|kWh Net CV", "kWh (Gross CV)": "kWh (Gross CV)|kWh (GCV)|kWh (HHV)",
		"MWh": "MWh|mwh", "GJ": "GJ|gj|gigajoules", "MJ": "MJ|mj", "TJ": "TJ", "mmBtu": "mmBtu|MMBTU|MMBtu|per mmBtu|million Btu", "therm": "therm|therms|Therms", "Btu": "Btu|BTU",
		"GJ (Gross CV)": "GJ (HHV)", "CPU-hour": "CPU-hour|cpu hours|vCPU-hour", "GB": "GB|gb", "GB-hour": "GB-hour|GB-hours", "TB-hour": "TB-hour", "TB": "TB", "hour": "hours|h|hr",
		"piece": "pieces|pcs|unit|units|each|items", "m2": "m2|m²|sqm", "ha": "ha|hectares", "ft2": "sq ft|ft2", "person": "people|persons|employees|head", "USD": "USD", "GBP": "GBP", "EUR": "EUR",
	} {
		for spelling := range strings.SplitSeq(spellings, "|") {
			if u, err := calc.ParseUnit(spelling); err != nil || u.Symbol != symbol {
				t.Errorf("%q is %q, %v; want %q", spelling, u.Symbol, err, symbol)
			}
		}
		if u, err := calc.ParseUnit(symbol); err != nil || u.Symbol != symbol || u.Dimension == "" {
			t.Errorf("the symbol %q is %+v, %v; want itself", symbol, u, err)
		}
	}
}

func TestUnitsThatAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ symbol, says string }{
		"nothing":                               {"", "empty"},
		"blanks":                                {"  ", "empty"},
		"a slip of the finger":                  {"kWhr", `Did you mean "kWh"?`},
		"another slip":                          {"tonn.km", `Did you mean "tonne.km"?`},
		"a foreign spelling":                    {"tonnen", `Did you mean "tonne"?`},
		"something else":                        {"wheelbarrow", "write one such as"},
		"tons of any kind":                      {"Tons", "tonne, short ton or long ton"},
		"megatonnes that may be metric tons":    {"Mt", "may mean several"},
		"millijoules that may be megajoules":    {"mJ", "MJ"},
		"milliwatt hours":                       {"mWh", "MWh"},
		"gigabits":                              {"Gb", "GB"},
		"megalitres that may be millilitres":    {"Ml", "may mean several"},
		"a quotient is no product":              {"tonne/km", "unknown"},
		"per square metre is no square metre":   {"m-2", "unknown"},
		"a currency in small letters":           {"usd", "unknown"},
		"no currency":                           {"QQQ", "unknown"},
		"a blank within the list of currencies": {"D A", "unknown"},
		"a text of a thousand letters is cut":   {strings.Repeat("kWh", 400), "unknown"},
		"a text of sixty wide letters":          {strings.Repeat("Ⱥ", 30), "unknown"},
		"signs alone":                           {"--", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := calc.ParseUnit(tc.symbol)
			if fault.CodeOf(err) != fault.UnknownUnit || u.Symbol != "" {
				t.Fatalf("%+v, %v; want UNKNOWN_UNIT", u, err)
			}
			if msg := fault.Of(err).Message; !strings.Contains(msg, tc.says) || len(msg) > 250 {
				t.Errorf("message %q does not say %q in short", msg, tc.says)
			}
		})
	}
}

// inUnit gives a number of one unit in another, by the steps that a calculation takes.
func inUnit(t testing.TB, e *calc.Engine, value exact.Decimal, from, to string) exact.Decimal {
	t.Helper()
	made, err := e.Formula(&calc.Line{Quantity: calc.Amount{Unit: from}, OccurredOn: day(2024, 1)}, perUnit("1e-40", to), calc.Settings{})
	if err != nil {
		t.Fatalf("%s %s in %s: %v", value, from, to, err)
	}
	steps := stepsOf(made.Formula, value)
	repeat(t, steps)
	return steps[made.Formula.Converted].Output
}

// TestUnitsAgainstTheConstants compares with the values of NIST SP 811, the UK Weights and Measures Act and DESNZ's conversions.
func TestUnitsAgainstTheConstants(t *testing.T) {
	e := engine(t, calc.Options{})
	for _, tc := range []struct{ from, to, want string }{
		{"MWh", "MJ", "3600"}, {"MWh", "kWh", "1000"}, {"GJ", "kWh", "277.7777777777777777777777777777778"}, {"kWh", "GJ", "0.0036"}, {"TJ", "GJ", "1000"}, {"GWh", "TJ", "3.6"},
		{"mmBtu", "MJ", "1055.05585262"}, {"mmBtu", "kWh", "293.0710701722222222222222222222222"}, {"therm", "MJ", "105.505585262"}, {"therm", "Btu", "100000"}, {"mmBtu", "therm", "10"}, {"J", "Btu", "0.0009478171203133172000127850444756106"},
		{"kWh (Gross CV)", "GJ (Gross CV)", "0.0036"}, {"MWh (Net CV)", "kWh (Net CV)", "1000"},
		{"short ton", "kg", "907.18474"}, {"short ton", "lb", "2000"}, {"long ton", "lb", "2240"}, {"long ton", "kg", "1016.0469088"}, {"lb", "oz", "16"}, {"tonne", "short ton", "1.102311310924387903614869006725134"}, {"tonne", "g", "1000000"}, {"kt", "tonne", "1000"}, {"kg", "mg", "1000000"},
		{"US gallon", "litre", "3.785411784"}, {"imperial gallon", "litre", "4.54609"}, {"imperial gallon", "US gallon", "1.200949925504854929674409234628198"}, {"barrel", "US gallon", "42"}, {"m3", "litre", "1000"}, {"million litres", "m3", "1000"}, {"m3", "scf", "35.31466672148859025043801035400263"}, {"ccf", "scf", "100"}, {"Mcf", "ccf", "10"}, {"hl", "litre", "100"},
		{"mile", "km", "1.609344"}, {"km", "mile", "0.6213711922373339696174341843633182"}, {"nautical mile", "km", "1.852"}, {"mile", "ft", "5280"}, {"mile", "yd", "1760"}, {"km", "m", "1000"},
		{"short ton-mile", "tonne.km", "1.45997231821056"}, {"tonne-mile", "tonne.km", "1.609344"}, {"tonne.km", "kg.km", "1000"}, {"passenger-mile", "passenger.km", "1.609344"}, {"vehicle-mile", "vehicle.km", "1.609344"},
		{"acre", "m2", "4046.8564224"}, {"ha", "acre", "2.471053814671653422482439291988063"}, {"acre", "ft2", "43560"}, {"km2", "ha", "100"}, {"TB", "GB", "1000"}, {"PB", "TB", "1000"}, {"GB", "MB", "1000"}, {"TB-hour", "GB-hour", "1000"}, {"day", "hour", "24"}, {"dozen", "piece", "12"},
	} {
		// A way by the base rounds twice, each time by less than half a unit of the 34th digit.
		got := inUnit(t, e, m("1"), tc.from, tc.to)
		if got.Significant(32).Cmp(m(tc.want).Significant(32)) != 0 {
			t.Errorf("1 %s = %s %s, want %s", tc.from, got, tc.to, tc.want)
		}
	}
	short, mile := m("907.18474"), m("1.609344")
	if got, want := inUnit(t, e, m("1"), "short ton-mile", "kg.km"), short.Mul(mile); got.Cmp(want) != 0 {
		t.Errorf("a short ton-mile = %s kg.km, want %s", got, want)
	}
}

var families = [][]string{
	{"kg", "g", "mg", "tonne", "kt", "lb", "oz", "short ton", "long ton"},
	{"MJ", "J", "kJ", "GJ", "TJ", "Wh", "kWh", "MWh", "GWh", "Btu", "mmBtu", "therm"},
	{"kWh (Net CV)", "GJ (Net CV)", "therm (Net CV)"}, {"kWh (Gross CV)", "GJ (Gross CV)", "mmBtu (Gross CV)"},
	{"litre", "ml", "hl", "m3", "million litres", "US gallon", "imperial gallon", "scf", "ccf", "Mcf", "barrel"},
	{"km", "m", "mile", "nautical mile", "ft", "yd"}, {"tonne.km", "kg.km", "tonne-mile", "short ton-mile", "tonne-nautical mile"},
	{"passenger.km", "passenger-mile", "passenger-nautical mile"}, {"vehicle.km", "vehicle-mile"}, {"m2", "ha", "km2", "ft2", "acre"},
	{"GB", "MB", "TB", "PB"}, {"GB-hour", "TB-hour"}, {"hour", "day"}, {"piece", "dozen", "thousand pieces"},
	{"room night"}, {"person night"}, {"FTE working hour"}, {"CPU-hour"}, {"person"},
}

func TestUnitsConvertThereAndBack(t *testing.T) {
	e := engine(t, calc.Options{})
	rapid.Check(t, func(rt *rapid.T) {
		family := rapid.SampledFrom(families).Draw(rt, "family")
		from, by, to := rapid.SampledFrom(family).Draw(rt, "from"), rapid.SampledFrom(family).Draw(rt, "by"), rapid.SampledFrom(family).Draw(rt, "to")
		value := exact.NewDecimal(rapid.Int64Range(-1e12, 1e12).Draw(rt, "value"), rapid.Int32Range(-6, 0).Draw(rt, "exponent"))
		there := inUnit(t, e, value, from, to)
		// Each way rounds at most twice at 34 digits: 31 are certain after two ways.
		if back := inUnit(t, e, there, to, from); back.Significant(31).Cmp(value) != 0 {
			rt.Fatalf("%s %s is %s %s and back %s", value, from, there, to, back)
		}
		if round := inUnit(t, e, inUnit(t, e, value, from, by), by, to); !agree(round, there) {
			rt.Fatalf("%s %s is %s %s, and %s by way of %s", value, from, there, to, round, by)
		}
		if neg := inUnit(t, e, value.Neg(), from, to); neg.Cmp(there.Neg()) != 0 {
			rt.Fatalf("−%s %s is %s %s, want %s", value, from, neg, to, there.Neg())
		}
	})
}

// agree tells whether two numbers agree to 31 digits.
func agree(a, b exact.Decimal) bool {
	if a.Cmp(b) == 0 {
		return true
	}
	x, _ := new(big.Rat).SetString(a.String())
	y, _ := new(big.Rat).SetString(b.String())
	off := new(big.Rat).Quo(new(big.Rat).Sub(x, y), y)
	bound := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(31), nil))
	return off.Abs(off).Cmp(bound) < 0
}

func TestNoUnitConvertsAcrossDimensions(t *testing.T) {
	e := engine(t, calc.Options{})
	for i, a := range families {
		for j, b := range families {
			_, err := emissions(e, calc.Line{Quantity: amount("1", a[0]), OccurredOn: day(2024, 1)}, perUnit("1", b[len(b)-1]), calc.Settings{})
			if want := (i == j); (err == nil) != want || err != nil && fault.CodeOf(err) != fault.UnitMismatch {
				t.Errorf("%s per %s: %v", a[0], b[len(b)-1], err)
			}
		}
	}
}

func FuzzParseUnit(f *testing.F) {
	for _, s := range []string{"kWh", "tonne.km", "kWh (Net CV)", "per FTE Working Hour", "m³", "ton", "USD", "t/km", "m-2", "Ⱥ", "\xff", "per ", "s", strings.Repeat("a", 61)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := calc.ParseUnit(s)
		if err != nil {
			if got := fault.Of(err); got.Code != fault.UnknownUnit || len(got.Message) > 400 {
				t.Fatalf("%q: %s, %d bytes", s, got.Code, len(got.Message))
			}
			return
		}
		if again, err := calc.ParseUnit(u.Symbol); err != nil || again != u {
			t.Fatalf("%q is %q, which is %q, %v", s, u.Symbol, again.Symbol, err)
		}
	})
}
