package factors

import (
	"regexp"
	"strings"
)

// This file reads the rows of each of the hub's tables.

// combustion gives two factors a row: per unit of energy, and per ton, gallon or cubic foot.
func (r *hubReader) combustion() error {
	c, err := r.columns("Fuel Category", "Fuel Type", "CO2 Factor Energy", "CO2 Factor Energy Unit", "CH4 Factor Energy", "CH4 Factor Energy Unit",
		"N2O Factor Energy", "N2O Factor Energy Unit", "CO2 Factor", "CO2 Factor Unit", "CH4 Factor", "CH4 Factor Unit", "N2O Factor", "N2O Factor Unit")
	if err != nil {
		return err
	}
	category, fuel := r.text(c[0]), r.text(c[1])
	biogenic := strings.HasPrefix(category, "Biomass Fuels")
	for _, at := range []int{2, 8} {
		unit, err := r.unitOf(c[at+1], c[at+3], c[at+5])
		if err != nil {
			return err
		}
		if unit == "" {
			unit = "short ton"
		}
		err = r.add(category+" "+fuel, "Combustion / "+category+" / "+fuel, unit, biogenic,
			per{c[at], "CO2", one}, per{c[at+2], "CH4", gram}, per{c[at+4], "N2O", gram})
		if err != nil {
			return err
		}
	}
	return nil
}

var hubUnit = regexp.MustCompile(`^(kg CO2|g CH4|g N2O) per (mmBtu|short ton|gallon|scf)$`)

// unitOf reads the units of a row's three gases, each "kg CO2 per mmBtu" and so on. Some are blank: they are what the others are.
func (r *hubReader) unitOf(columns ...int) (string, error) {
	unit := ""
	for i, column := range columns {
		s := r.text(column)
		if s == "" {
			continue
		}
		m := hubUnit.FindStringSubmatch(s)
		if m == nil || m[1] != []string{"kg CO2", "g CH4", "g N2O"}[i] || unit != "" && m[2] != unit {
			return "", r.cell(column, "%q is not the unit that stands here in the hub", s)
		}
		unit = m[2]
	}
	return unit, nil
}

func (r *hubReader) mobileCO2() error {
	c, err := r.columns("Fuel Type", "kg CO2 per unit", "Unit")
	if err != nil {
		return err
	}
	fuel := r.text(c[0])
	biogenic := strings.HasPrefix(fuel, "Biodiesel") || strings.HasPrefix(fuel, "Ethanol")
	return r.add(fuel, "Mobile combustion / "+fuel, r.text(c[2]), biogenic, per{c[1], "CO2", one})
}

func (r *hubReader) onRoad() error {
	c, err := r.columns("Vehicle Type", "Model Year", "CH4 Factor (g CH4 / vehicle-mile)", "N2O Factor (g N2O / vehicle-mile)")
	if err != nil {
		return err
	}
	parts := []string{r.text(c[0]), r.text(r.find("Fuel Type")), r.text(c[1])}
	if parts[1] == "" {
		parts = []string{parts[0], parts[2]}
	}
	return r.add(strings.Join(parts, " "), "On-road vehicle / "+strings.Join(parts, " / "), "vehicle-mile", false,
		per{c[2], "CH4", gram}, per{c[3], "N2O", gram})
}

func (r *hubReader) nonRoad() error {
	c, err := r.columns("Vehicle Type", "Fuel Type", "CH4 Factor (g CH4 / gallon)", "N2O Factor (g N2O / gallon)")
	if err != nil {
		return err
	}
	kind, fuel := r.text(c[0]), r.text(c[1])
	return r.add(kind+" "+fuel, "Non-road vehicle / "+kind+" / "+fuel, "gallon", false, per{c[2], "CH4", gram}, per{c[3], "N2O", gram})
}

// electricity gives two factors a subregion: of all that is generated, and of what runs only when demand asks for it.
func (r *hubReader) electricity() error {
	c, err := r.columns("eGRID Subregion Acronym", "eGRID Subregion Name",
		"Total Output CO2 Factor (lb CO2 / MWh)", "Total Output CH4 Factor (lb CH4 / MWh)", "Total Output N2O Factor (lb N2O / MWh)",
		"Non-Baseload CO2 Factor (lb CO2 / MWh)", "Non-Baseload CH4 Factor (lb CH4 / MWh)", "Non-Baseload N2O Factor (lb N2O / MWh)")
	if err != nil {
		return err
	}
	acronym, name := r.text(c[0]), r.text(c[1])
	for i, output := range []string{"total output", "non-baseload"} {
		at := c[2+3*i:]
		before := len(r.im.Factors)
		err := r.add(output, "Electricity / "+name+" / "+output, "MWh", false, per{at[0], "CO2", pound}, per{at[1], "CH4", pound}, per{at[2], "N2O", pound})
		if err != nil {
			return err
		}
		for _, f := range r.im.Factors[before:] {
			if acronym != "US Average" {
				f.Region = "US-" + acronym
			}
		}
	}
	return nil
}

func (r *hubReader) steam() error {
	c, err := r.columns("Category", "CO2 Factor (kg CO2 / mmBtu)", "CH4 Factor (g CH4 / mmBtu)", "N2O Factor (g N2O / mmBtu)")
	if err != nil {
		return err
	}
	return r.add(r.text(c[0]), r.text(c[0]), "mmBtu", false, per{c[1], "CO2", one}, per{c[2], "CH4", gram}, per{c[3], "N2O", gram})
}

var treatment = regexp.MustCompile(`^(.+?) ?\(Metric Tons CO2e / Short Ton Material\)\)?$`)

// waste gives a factor for each treatment of a material. A blank means that the material is not treated so.
func (r *hubReader) waste() error {
	material := r.text(0)
	for column, header := range r.in.Header() {
		m := treatment.FindStringSubmatch(header)
		if m == nil {
			continue
		}
		n, err := r.number(column) // the credit of a treatment would be negative
		if err != nil {
			return err
		}
		if n == nil {
			r.im.leaveOut("treatment that does not apply to a material", 1)
			continue
		}
		name := balance(strings.Join(strings.Fields(m[1]), " "))
		f := r.factor(material+" "+name, "Waste / "+material+" / "+name, "short ton")
		f.Value = kilograms(n, tonne)
		r.im.Factors = append(r.im.Factors, f)
	}
	return nil
}

// balance closes a bracket that the header closes only after the unit.
func balance(s string) string {
	if strings.Count(s, "(") > strings.Count(s, ")") {
		return s + ")"
	}
	return s
}

func (r *hubReader) freight() error { return r.vehicles("Freight") }

func (r *hubReader) travel() error { return r.vehicles("Travel") }

func (r *hubReader) vehicles(label string) error {
	c, err := r.columns(hubVehicles()...)
	if err != nil {
		return err
	}
	name := vehicle(r.text(c[0]))
	return r.add(name, label+" / "+name, r.text(c[4]), false, per{c[1], "CO2", one}, per{c[2], "CH4", gram}, per{c[3], "N2O", gram})
}
