package factors

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// The EPA's Emission Factors Hub is a folder of tables, each with a header of its own that also states the units. Tables are known by their headers.

// hubTable is one shape of table. Only one has all of the columns in marks.
type hubTable struct {
	slug     string
	file     string // what the file's name has in it, where two tables share a header
	marks    []string
	category int32 // the category that the table is for, the upstream one where it names two; 0 where it names none
	skip     string
	read     func(*hubReader) error
}

func hubTables() []hubTable {
	return []hubTable{
		{slug: "stationary-combustion", marks: []string{"Fuel Category", "Fuel Type", "CO2 Factor Energy"}, read: (*hubReader).combustion},
		{slug: "mobile-combustion-co2", marks: []string{"Fuel Type", "kg CO2 per unit", "Unit"}, read: (*hubReader).mobileCO2},
		{slug: "on-road", marks: []string{"Vehicle Type", "Model Year", "CH4 Factor (g CH4 / vehicle-mile)", "N2O Factor (g N2O / vehicle-mile)"}, read: (*hubReader).onRoad},
		{slug: "non-road", marks: []string{"Vehicle Type", "Fuel Type", "CH4 Factor (g CH4 / gallon)", "N2O Factor (g N2O / gallon)"}, read: (*hubReader).nonRoad},
		{slug: "electricity", marks: []string{"eGRID Subregion Acronym", "eGRID Subregion Name", "Total Output CO2 Factor (lb CO2 / MWh)"}, read: (*hubReader).electricity},
		{slug: "steam-and-heat", marks: []string{"Category", "CO2 Factor (kg CO2 / mmBtu)", "CH4 Factor (g CH4 / mmBtu)", "N2O Factor (g N2O / mmBtu)"}, read: (*hubReader).steam},
		{slug: "waste", marks: []string{"Material", "Recycled (Metric Tons CO2e / Short Ton Material)"}, category: 5, read: (*hubReader).waste},
		{slug: "freight", file: "category-4", marks: hubVehicles(), category: 4, read: (*hubReader).freight},
		{slug: "travel", file: "category-6", marks: hubVehicles(), category: 6, read: (*hubReader).travel},
		{slug: "gwp", marks: []string{"Industrial Designation or Common Name", "100-Year GWP"}, skip: "warming potential of a gas, which is no factor of an activity"},
		{slug: "blends", marks: []string{"ASHRAE", "100-year GWP"}, skip: "warming potential of a refrigerant blend, which is no factor of an activity"},
	}
}

func hubVehicles() []string {
	return []string{"Vehicle Type", "CO2 Factor (kg CO2 / unit)", "CH4 Factor (g CH4 / unit)", "N2O Factor (g N2O / unit)", "Units"}
}

type hubReader struct {
	*table
	kind hubTable
	im   *Import
	year string
}

func readHub(files []file) ([]*Import, error) {
	im := &Import{Dataset: &store.FactorDataset{
		Source: EPAHub, GwpSet: store.AR5,
		Name:        "EPA Emission Factors Hub",
		Licence:     "US Government work, public domain",
		Attribution: "US EPA Center for Corporate Climate Leadership, GHG Emission Factors Hub",
	}}
	r := &hubReader{im: im}
	var tables []*table
	for _, f := range files {
		t, err := f.table()
		if err != nil {
			return nil, err
		}
		r.table = t
		err = r.readTable()
		t.close()
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	im.Dataset.Version, im.Dataset.Digest = r.year, digestOf(tables...)
	im.Dataset.Attribution += ", " + r.year
	return []*Import{im}, nil
}

func (r *hubReader) readTable() error {
	header := r.in.Header()
	i := slices.IndexFunc(hubTables(), func(k hubTable) bool {
		return strings.Contains(r.name, k.file) && !slices.ContainsFunc(k.marks, func(m string) bool { return !slices.Contains(header, m) })
	})
	year := r.find("Year")
	if i < 0 || year < 0 {
		return fault.New(fault.BadUserInput, "%s is none of the hub's tables, or has another name than there; its header is %.300q.", r.name, strings.Join(header, ","))
	}
	r.kind = hubTables()[i]
	return r.each(func() error {
		switch s := r.text(year); {
		case r.year == "" && len(s) == 4:
			r.year = s
		case s != r.year:
			return r.cell(year, "%q differs from the %q of other rows; a release has one year", s, r.year)
		}
		if r.kind.skip != "" {
			if r.kind.slug == "gwp" {
				if err := r.checkSet(); err != nil {
					return err
				}
			}
			r.im.leaveOut(r.kind.skip, 1)
			return nil
		}
		return r.kind.read(r)
	})
}

// checkSet refuses a release whose own table of warming potentials is not that of AR5.
func (r *hubReader) checkSet() error {
	gwp := r.find("100-Year GWP")
	if r.cells[0] == "Methane" && r.text(gwp) != "28" {
		return r.cell(gwp, "this release values methane with %s, not with the 28 of AR5 as those that are known do", r.text(gwp))
	}
	return nil
}

// per is what one cell of a table is counted in.
type per struct {
	column int
	gas    string
	ratio  exact.Decimal // to kilograms
}

var (
	one   = exact.NewDecimal(1, 0)
	gram  = exact.NewDecimal(1, -3)
	pound = exact.NewDecimal(45359237, -8) // the international pound, exactly
	tonne = exact.NewDecimal(1000, 0)
)

// add makes a factor of the cells, unless all of them are blank. The CO2 of plants goes to where it stands beside the scopes.
func (r *hubReader) add(code, name, unit string, biogenic bool, cells ...per) error {
	f := r.factor(code, name, unit)
	for _, c := range cells {
		n, err := r.amount(c.column)
		if err != nil {
			return err
		}
		switch n = kilograms(n, c.ratio); {
		case n == nil:
		case c.gas == "CO2" && biogenic:
			f.BiogenicCO2 = n
		default:
			f.Gases = append(f.Gases, mass(c.gas, *n))
		}
	}
	if len(f.Gases) == 0 && f.BiogenicCO2 == nil {
		r.im.leaveOut("fuel without a factor per "+unit, 1)
		return nil
	}
	namePartial(f)
	r.im.Factors = append(r.im.Factors, f)
	return nil
}

func (r *hubReader) factor(code, name, unit string) *store.EmissionFactor {
	year, _ := strconv.Atoi(r.year)
	f := &store.EmissionFactor{Code: r.kind.slug + ":" + slug(code), Name: name, Region: "US", Unit: unit, Year: new(int32(year))}
	if r.kind.category != 0 {
		f.CategoryNumber = new(r.kind.category)
	}
	return f
}

var footnote = regexp.MustCompile(`(\p{Ll}) ?[A-Z]$`)

// vehicle drops the letter of a footnote that was left at the end of a name.
func vehicle(name string) string { return footnote.ReplaceAllString(name, "$1") }

// slug writes a name in lower case, with a hyphen for all that is neither letter nor digit.
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }), "-")
}
