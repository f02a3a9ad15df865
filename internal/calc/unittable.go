package calc

import (
	"strings"

	"carbongraph/internal/exact"
)

var one = exact.NewDecimal(1, 0)

// unitRow is a unit with the spellings of our data sets and of ledgers. Case, blanks, hyphens and dots need no spelling of their own.
type unitRow struct {
	symbol, ratio, also string // also is separated by |
}

// unitRows holds each dimension, its base (ratio 1) first. Ratios are exact by definition: the international pound and mile,
// the US gallon of 231 cubic inches, the imperial gallon of 4.54609 litres, the Btu of the International Table.
var unitRows = []struct {
	dimension Dimension
	rows      []unitRow
}{
	{Mass, []unitRow{
		{"kg", "1", "kgs|kilo|kilogram|kilogramme"},
		{"g", "0.001", "gram|gramme"},
		{"mg", "0.000001", "milligram"},
		{"tonne", "1000", "t|T|metric ton|metric tonne|MT|mt|Mg|te"},
		{"kt", "1000000", "kilotonne|Gg"},
		{"lb", "0.45359237", "lbs|pound"},
		{"oz", "0.028349523125", "ounce"},
		{"short ton", "907.18474", "US ton|ton (US)|ton (short)|tn.sh"},
		{"long ton", "1016.0469088", "imperial ton|UK ton|ton (UK)|ton (long)"},
	}},
	{Volume, []unitRow{
		{"litre", "1", "l|L|liter|ltr"},
		{"ml", "0.001", "mL|millilitre|milliliter"},
		{"hl", "100", "hectolitre|hectoliter"},
		{"m3", "1000", "cubic metre|cubic meter|cbm|kilolitre|kiloliter|kl"},
		{"million litres", "1000000", "million litre|million liter|megalitre|megaliter|ML"},
		{"US gallon", "3.785411784", "gallon|gal|gal (US)|gallon (US)|USG"},
		{"imperial gallon", "4.54609", "UK gallon|gal (UK)|gal (imperial)|gallon (UK)|gallon (imperial)"},
		{"scf", "28.316846592", "standard cubic foot|standard cubic feet|cubic foot|cubic feet|ft3|cf"},
		{"ccf", "2831.6846592", "hundred cubic feet"},
		{"Mcf", "28316.846592", "thousand cubic feet|mscf"},
		{"barrel", "158.987294928", "bbl|barrel (oil)"},
	}},
	{Distance, []unitRow{
		{"km", "1", "kms|kilometre|kilometer"},
		{"m", "0.001", "metre|meter|mtr"},
		{"mile", "1.609344", "mi|statute mile"},
		{"nautical mile", "1.852", "nmi|nm"},
		{"ft", "0.0003048", "foot|feet"},
		{"yd", "0.0009144", "yard"},
	}},
	{FreightDistance, []unitRow{
		{"tonne.km", "1", "tkm|t.km|tonnes.km|tonne kilometre|tonne kilometer|metric ton-km"},
		{"kg.km", "0.001", "kilogram kilometre"},
		{"tonne-mile", "1.609344", "t.mile|tonnes-mile|metric ton-mile"},
		{"short ton-mile", "1.45997231821056", "ton-mile|short tons-mile|US ton-mile"},
		{"tonne-nautical mile", "1.852", "tonne nmi"},
	}},
	{PassengerDistance, []unitRow{
		{"passenger.km", "1", "pkm|p.km|passengers.km|passenger kilometre|passenger kilometer|person-km|pax.km"},
		{"passenger-mile", "1.609344", "passengers-mile|person-mile|pax-mile"},
		{"passenger-nautical mile", "1.852", "passenger nmi"},
	}},
	{VehicleDistance, []unitRow{
		{"vehicle.km", "1", "vkm|v.km|vehicles.km|vehicle kilometre|vehicle kilometer"},
		{"vehicle-mile", "1.609344", "vehicles-mile"},
	}},
	{RoomNights, []unitRow{{"room night", "1", "Room per night|room nights|rooms per night|hotel night"}}},
	{PersonNights, []unitRow{{"person night", "1", "guest night"}}},
	{Time, []unitRow{
		{"hour", "1", "h|hr|hrs"},
		{"day", "24", ""},
	}},
	{WorkingTime, []unitRow{{"FTE working hour", "1", "per FTE Working Hour|FTE hour|working hour"}}},
	{ComputingTime, []unitRow{{"CPU-hour", "1", "vCPU-hour|CPUh|core-hour"}}},
	{Data, []unitRow{
		{"GB", "1", "gigabyte"},
		{"MB", "0.001", "megabyte"},
		{"TB", "1000", "terabyte"},
		{"PB", "1000000", "petabyte"},
	}},
	{DataTime, []unitRow{
		{"GB-hour", "1", "GBh|gigabyte-hour"},
		{"TB-hour", "1000", "TBh|terabyte-hour"},
	}},
	{Count, []unitRow{
		{"piece", "1", "pc|pcs|unit|each|ea|item"},
		{"dozen", "12", "doz"},
		{"thousand pieces", "1000", "thousand units"},
	}},
	{Area, []unitRow{
		{"m2", "1", "sqm|square metre|square meter"},
		{"ha", "10000", "hectare"},
		{"km2", "1000000", "square kilometre|square kilometer"},
		{"ft2", "0.09290304", "sqft|sq ft|square foot|square feet"},
		{"acre", "4046.8564224", ""},
	}},
	{People, []unitRow{{"person", "1", "people|head|employee|capita"}}},
}

// energyRows serve three dimensions: energy that does not say, by net, and by gross calorific value.
var energyRows = []unitRow{
	{"MJ", "1", "megajoule"},
	{"J", "0.000001", "joule"},
	{"kJ", "0.001", "kilojoule"},
	{"GJ", "1000", "gigajoule"},
	{"TJ", "1000000", "terajoule"},
	{"Wh", "0.0036", "watt hour"},
	{"kWh", "3.6", "kilowatt hour|kW.h"},
	{"MWh", "3600", "megawatt hour|MW.h"},
	{"GWh", "3600000", "gigawatt hour|GW.h"},
	{"Btu", "0.00105505585262", "british thermal unit"},
	{"mmBtu", "1055.05585262", "million Btu"},
	{"therm", "105.505585262", "thm"},
}

// ambiguous spellings are refused with what to write in their place, as written or folded.
var ambiguous = map[string]string{
	"ton": "tonne, short ton or long ton", "tons": "tonne, short ton or long ton",
	"Mt": "tonne or kt", "MG": "mg or tonne", "Ml": "ml or million litres",
	"mJ": "MJ", "mWh": "MWh", "Gb": "GB", "Mb": "MB", "Tb": "TB", "M": "m, or million litres", "mb": "MB", "mmb": "mmBtu",
	"mbtu": "Btu or mmBtu", "oilbarrelequivalent": "MJ",
}

var (
	unitTable = makeUnits()
	spellings = makeSpellings()
	baseUnits = makeBases()
)

// makeUnits lists all units, in the order of the rows.
func makeUnits() []*Unit {
	var table []*Unit
	add := func(d Dimension, rows []unitRow, suffix string) {
		for _, r := range rows {
			table = append(table, &Unit{Symbol: r.symbol + suffix, Dimension: d, ratio: exact.MustDecimal(r.ratio)})
		}
	}
	for _, d := range unitRows {
		add(d.dimension, d.rows, "")
	}
	add(Energy, energyRows, "")
	add(EnergyNet, energyRows, " (Net CV)")
	add(EnergyGross, energyRows, " (Gross CV)")
	return table
}

// makeSpellings collects every spelling of every unit, in the order of makeUnits.
func makeSpellings() *speller {
	s := &speller{exact: map[string]*Unit{}, folded: map[string]*Unit{}}
	next := 0
	add := func(rows []unitRow, suffixes ...string) {
		for _, r := range rows {
			u := unitTable[next]
			next++
			s.add(u, u.Symbol)
			for _, name := range append([]string{r.symbol}, strings.Split(r.also, "|")...) {
				if name == "" {
					continue
				}
				for _, suffix := range suffixes {
					s.add(u, name+suffix)
				}
			}
		}
	}
	for _, d := range unitRows {
		add(d.rows, "")
	}
	add(energyRows, "")
	add(energyRows, " (Net CV)", " (Net)", " (NCV)", " (LHV)")
	add(energyRows, " (Gross CV)", " (Gross)", " (GCV)", " (HHV)")
	return s
}

func makeBases() map[Dimension]*Unit {
	bases := map[Dimension]*Unit{}
	for _, u := range unitTable {
		if bases[u.Dimension] == nil && u.ratio.Cmp(one) == 0 {
			bases[u.Dimension] = u
		}
	}
	return bases
}
