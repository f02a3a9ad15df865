package factors

import (
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// The UK's flat file has a row for each gas of a factor. The last part of a row's id tells which: 1 the total, 2 CO2, 3 CH4, 4 N2O, all of them
// in kilograms of CO2e. Gases are therefore never multiplied by a warming potential again.

// desnzGases are the parts by their number and what the column GHG/Unit calls them.
var desnzGases = []struct{ part, unit, gas string }{
	{"1", "kg CO2e", ""},
	{"2", "kg CO2e of CO2 per unit", "CO2"},
	{"3", "kg CO2e of CH4 per unit", "CH4"},
	{"4", "kg CO2e of N2O per unit", "N2O"},
}

const outsideOfScopes = "Outside of Scopes"

type desnzReader struct {
	*table
	c    []int
	im   *Import
	byID map[string]*store.EmissionFactor
	rows map[string]bool
}

func readDESNZ(t *table) (*Import, error) {
	c, err := t.columns("ID", "Scope", "Level 1", "Level 2", "Level 3", "Level 4", "Column Text", "UOM", "GHG/Unit", "GHG Conversion Factor 2025")
	if err != nil {
		return nil, err
	}
	r := &desnzReader{table: t, c: c, byID: map[string]*store.EmissionFactor{}, rows: map[string]bool{}, im: &Import{Dataset: &store.FactorDataset{
		Source: DESNZ, Version: "2025", GwpSet: store.AR5,
		Name:    "UK Government GHG Conversion Factors for Company Reporting 2025, Scope 3 and outside of scopes",
		Licence: "Open Government Licence v3.0 (Crown copyright)",
		Attribution: "Contains public sector information licensed under the Open Government Licence v3.0: UK DESNZ, " +
			"GHG conversion factors for company reporting 2025",
	}}}
	if err := t.each(r.row); err != nil {
		return nil, err
	}
	return r.im, nil
}

func (r *desnzReader) row() error {
	id, err := r.filled(r.c[0])
	if err != nil {
		return err
	}
	if r.rows[id] {
		return r.bad("the id %s stands twice", id)
	}
	r.rows[id] = true
	code, part, _ := cutLast(id, "_")
	i := slices.IndexFunc(desnzGases, func(g struct{ part, unit, gas string }) bool { return g.part == part })
	if code == "" || i < 0 {
		return r.cell(r.c[0], "%q does not end in _1, _2, _3 or _4", id)
	}
	gas := desnzGases[i]
	if unit := r.text(r.c[8]); unit != gas.unit {
		return r.cell(r.c[8], "%q does not go with the id %s, whose last part means %q", unit, id, gas.unit)
	}
	f, err := r.factor(code)
	if err != nil {
		return err
	}
	value, err := r.amount(r.c[9])
	if err != nil {
		return err
	}
	r.take(f, gas.gas, value)
	return nil
}

// take puts a row's number where it belongs. A blank is nothing that was published, which is not zero.
func (r *desnzReader) take(f *store.EmissionFactor, gas string, value *exact.Decimal) {
	switch {
	case gas == "":
		f.Value = value
	case r.text(r.c[1]) == outsideOfScopes:
		f.BiogenicCO2 = value // CO2 of plants: reported beside the scopes, never within CO2e
	case value == nil:
		r.im.leaveOut("gas without a published amount", 1)
	default:
		f.Gases = append(f.Gases, co2e(gas, *value))
	}
}

// factor gives the factor that a row belongs to, made at its first row.
func (r *desnzReader) factor(code string) (*store.EmissionFactor, error) {
	unit, err := r.filled(r.c[7])
	if err != nil {
		return nil, err
	}
	level1, name := r.text(r.c[2]), r.title()
	if f := r.byID[code]; f != nil {
		if f.Unit != unit || f.Name != name {
			return nil, r.bad("rows of the id %s differ in unit or name: %q per %s, %q per %s", code, f.Name, f.Unit, name, unit)
		}
		return f, nil
	}
	f := &store.EmissionFactor{Code: code, Name: name, Region: "GB", Unit: unit, Year: new(int32(2025)),
		ValidFrom: new(exact.NewDate(2025, 1, 1)), ValidTo: new(exact.NewDate(2025, 12, 31)),
		LifeCycleBoundary: desnzBoundary(level1), CategoryNumber: desnzCategory(level1)}
	if level1 == "Hotel stay" {
		country := hotelCountry(r.text(r.c[4]))
		if country == "" {
			return nil, r.cell(r.c[4], "%q is no country that is known", r.text(r.c[4]))
		}
		f.Region = country
	}
	r.byID[code] = f
	r.im.Factors = append(r.im.Factors, f)
	return f, nil
}

// title joins the levels; a level that says what the one before it said is passed over. Ranges lost their dash when the file was made.
func (r *desnzReader) title() string {
	var levels []string
	for _, column := range r.c[2:7] {
		s := strings.ReplaceAll(r.text(column), "\uFFFD", "–")
		if s != "" && (len(levels) == 0 || levels[len(levels)-1] != s) {
			levels = append(levels, s)
		}
	}
	return strings.Join(levels, " / ")
}

// desnzBoundary says what part of the life cycle the first level stands for, where its words do.
func desnzBoundary(level1 string) *string {
	switch {
	case level1 == "Transmission and distribution" || level1 == "UK electricity T&D for EVs":
		return new("losses in transmission and distribution")
	case strings.HasPrefix(level1, "WTT-"):
		return new("well to tank")
	case level1 == "Outside of scopes":
		return new("biogenic CO2 of combustion")
	}
	return nil
}

// desnzCategory is the category that the first level implies; nil where it may be one of several, as with managed assets, which are leased
// upstream or downstream.
func desnzCategory(level1 string) *int32 {
	switch level1 {
	case "Material use", "Water supply":
		return new(int32(1))
	case "WTT- fuels", "WTT- bioenergy", "WTT- UK electricity", "WTT- heat and steam", "WTT- pass vehs & travel- land", "WTT- delivery vehs & freight",
		"Transmission and distribution", "UK electricity T&D for EVs":
		return new(int32(3))
	case "Freighting goods":
		return new(int32(4))
	case "Waste disposal", "Water treatment":
		return new(int32(5))
	case "Business travel- air", "Business travel- land", "Business travel- sea", "WTT- business travel- air", "WTT- business travel- sea", "Hotel stay":
		return new(int32(6)) // carriers buy the fuel of business travel, so its way to the tank is of that category too
	case "Homeworking":
		return new(int32(7))
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
