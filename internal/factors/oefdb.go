package factors

import (
	"strconv"
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// The Open Emission Factors DB gathers 17 sources. Its sets of warming potentials differ by row, and so does what its gas columns hold:
// the British source gives CO2e of a gas, all others its mass.

var oefdbColumns = []string{"activity_id", "name", "activity_unit", "kgCO2e-AR5", "kgCO2e-AR4", "kgCO2", "kgCH4", "kgN2O", "kgCO2e-OtherGHGs-AR5",
	"kgCO2e-OtherGHGs-AR4", "uncertainty", "scope", "lca_activity", "source", "year_released", "years_valid", "years_calculated_from", "region"}

type oefdbReader struct {
	*table
	c map[string]int
}

func readOEFDB(t *table) (*Import, error) {
	places, err := t.columns(oefdbColumns...)
	if err != nil {
		return nil, err
	}
	r := &oefdbReader{table: t, c: map[string]int{}}
	for i, name := range oefdbColumns {
		r.c[name] = places[i]
	}
	im := &Import{Dataset: &store.FactorDataset{
		Source: OEFDB, Version: oefdbVersion(t.name), GwpSet: store.AR5,
		Name:        "Open Emission Factors DB, CO2e by AR5 where its source gives it, otherwise by AR4",
		Licence:     "CC BY-SA 4.0 (share alike: keep derived factor tables under the same licence); some upstream sources have terms of their own",
		Attribution: "Open Emission Factors DB, Climatiq and contributors",
	}}
	err = t.each(func() error {
		f, err := r.factor()
		if err == nil {
			im.Factors = append(im.Factors, f)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return im, nil
}

// oefdbVersion is the day in the file's name, which is the only place where a release states it.
func oefdbVersion(name string) string {
	for i := range len(name) - 9 {
		if day, err := exact.ParseDate(name[i : i+10]); err == nil {
			return day.String()
		}
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".csv")
}

// given reads a cell; what is "not-supplied" is blank.
func (r *oefdbReader) given(column string) string {
	if s := r.text(r.c[column]); s != "not-supplied" {
		return s
	}
	return ""
}

func (r *oefdbReader) amountIn(column string) (*exact.Decimal, error) {
	if r.given(column) == "" {
		return nil, nil
	}
	return r.number(r.c[column])
}

func (r *oefdbReader) factor() (*store.EmissionFactor, error) {
	f := &store.EmissionFactor{Region: r.given("region"), Name: r.given("name")}
	var err error
	if f.Unit, err = r.filled(r.c["activity_unit"]); err != nil {
		return nil, err
	}
	if err := r.identify(f); err != nil {
		return nil, err
	}
	if f.ValueAR5, err = r.amountIn("kgCO2e-AR5"); err != nil {
		return nil, err
	}
	if f.ValueAR4, err = r.amountIn("kgCO2e-AR4"); err != nil {
		return nil, err
	}
	if f.Value = f.ValueAR5; f.Value == nil {
		f.Value = f.ValueAR4
	}
	if err := r.gases(f); err != nil {
		return nil, err
	}
	if f.UncertaintyPercent, err = r.amountIn("uncertainty"); err != nil {
		return nil, err
	}
	if boundary := r.given("lca_activity"); boundary != "" && boundary != "unknown" {
		f.LifeCycleBoundary = &boundary
	}
	return f, r.years(f)
}

// identify makes the code: the activity, its source, what of the life cycle, and which years. With region and unit that names one row.
func (r *oefdbReader) identify(f *store.EmissionFactor) error {
	activity, err := r.filled(r.c["activity_id"])
	if err != nil {
		return err
	}
	source, err := r.filled(r.c["source"])
	if err != nil {
		return err
	}
	years := r.given("years_valid")
	if years == "" {
		years = r.given("year_released")
	}
	f.Code = strings.Join([]string{activity, source, r.given("lca_activity"), years}, ":")
	return nil
}

func (r *oefdbReader) gases(f *store.EmissionFactor) error {
	source, biogenic := r.text(r.c["source"]), r.given("scope") == "Outside of scopes"
	for _, gas := range []string{"CO2", "CH4", "N2O"} {
		n, err := r.amountIn("kg" + gas)
		switch {
		case err != nil:
			return err
		case n == nil:
		case source == "BEIS":
			f.Gases = append(f.Gases, co2e(gas, *n))
		default:
			f.Gases = append(f.Gases, mass(gas, *n))
		}
	}
	if biogenic && f.Value == nil && len(f.Gases) == 1 && f.Gases[0].Gas == "CO2" {
		f.BiogenicCO2, f.Gases = &f.Gases[0].Amount, nil // CO2 of plants: reported beside the scopes, never within CO2e
		return nil
	}
	if err := r.others(f); err != nil {
		return err
	}
	namePartial(f)
	return nil
}

// others adds the gases that have no column of their own. They are CO2e by one set, so they are taken only where that is the set of the value.
func (r *oefdbReader) others(f *store.EmissionFactor) error {
	column := "kgCO2e-OtherGHGs-AR5"
	if f.ValueAR5 == nil && f.ValueAR4 != nil {
		column = "kgCO2e-OtherGHGs-AR4"
	}
	n, err := r.amountIn(column)
	if n != nil {
		f.Gases = append(f.Gases, co2e("other", *n))
	}
	return err
}

// years reads what the factor describes and when it holds. Money factors are per prices of the year that they were calculated
// from; where that is not stated, their price year is not known.
func (r *oefdbReader) years(f *store.EmissionFactor) error {
	from, err := r.year("years_calculated_from")
	if err != nil {
		return err
	}
	released, err := r.year("year_released")
	if err != nil {
		return err
	}
	if f.Year = from; from == nil {
		f.Year = released
	}
	if calc.IsCurrency(f.Unit) {
		f.PriceYear = from
		if r.given("lca_activity") == "cradle_to_shelf" {
			f.PriceBasis = new(store.PricePurchaser)
		}
	}
	valid := r.given("years_valid")
	if valid == "" {
		return nil
	}
	first, last, isRange := strings.Cut(valid, "-")
	if !isRange {
		last = first
	}
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(last)
	if errA != nil || errB != nil || a < 1900 || b < a || b > 9999 {
		return r.cell(r.c["years_valid"], "%q is neither a year nor two", valid)
	}
	f.ValidFrom, f.ValidTo = new(exact.NewDate(a, 1, 1)), new(exact.NewDate(b, 12, 31))
	return nil
}

func (r *oefdbReader) year(column string) (*int32, error) {
	s := r.given(column)
	if s == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1900 || n > 9999 {
		return nil, r.cell(r.c[column], "%q is not a year", s)
	}
	return new(int32(n)), nil
}
