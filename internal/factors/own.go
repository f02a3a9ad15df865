package factors

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// An organization's own factors come in a CSV file of this shape. The first three columns say which dataset the file is, the same in every row.
//
//	source,version,gwpSet,code,name,region,unit,value
//	acme-labs,2026,AR5,STEEL-1,"Steel, hot rolled",GB,tonne,1890
//
// More columns may follow in any order: title, licence and attribution of the dataset; biogenicCo2, priceYear, priceBasis (BASIC or PURCHASER),
// boundary, year, validFrom, validTo, uncertaintyPercent and category of the factor; supplierShare (the part of it, 0 to 1, that rests on the
// supplier's own data), supplier (the name of the one whose product it is of), verified (true or false) and conversionProperty (the density or heat content that may lead to its unit); gas:CH4 and the
// like for kilograms of a gas, co2e:CH4 for kilograms of CO2e of it. A value may be blank where gases are given.

func ownRequired() []string {
	return []string{"source", "version", "gwpSet", "code", "name", "region", "unit", "value"}
}

func ownOptional() []string {
	return []string{"title", "licence", "attribution", "biogenicCo2", "priceYear", "priceBasis", "boundary", "year", "validFrom", "validTo",
		"uncertaintyPercent", "category", "supplierShare", "supplier", "verified", "conversionProperty"}
}

type ownReader struct {
	*table
	im     *Import
	engine *calc.Engine // which knows the properties
}

func readOwn(t *table) (*Import, error) {
	if _, err := t.columns(ownRequired()...); err != nil {
		return nil, err
	}
	for i, name := range t.in.Header() {
		known := slices.Contains(ownRequired(), name) || slices.Contains(ownOptional(), name) || gasColumn(name) != ""
		if !known || slices.Index(t.in.Header(), name) != i {
			return nil, t.bad("the column %q is unknown, or stands twice; known are %s, gas:NAME and co2e:NAME", name,
				strings.Join(append(ownRequired(), ownOptional()...), ", "))
		}
	}
	e, err := calc.New(calc.Options{})
	if err != nil {
		return nil, err
	}
	r := &ownReader{table: t, im: &Import{Dataset: &store.FactorDataset{}}, engine: e}
	err = t.each(func() error {
		if err := r.dataset(); err != nil {
			return err
		}
		f, err := r.factor()
		if err == nil {
			r.im.Factors = append(r.im.Factors, f)
		}
		return err
	})
	return r.im, err
}

// gasColumn gives the gas of a column; empty where it is of none.
func gasColumn(header string) string {
	for _, prefix := range []string{"gas:", "co2e:"} {
		if gas, ok := strings.CutPrefix(header, prefix); ok {
			return strings.TrimSpace(gas)
		}
	}
	return ""
}

var sourceName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// dataset takes what the row says of the dataset, and compares it with the rows before.
func (r *ownReader) dataset() error {
	get := func(column string) string { return r.text(r.find(column)) }
	d := store.FactorDataset{Source: get("source"), Version: get("version"), GwpSet: store.GwpSet(get("gwpSet")),
		Name: get("title"), Licence: get("licence"), Attribution: get("attribution")}
	if len(r.im.Factors) > 0 {
		if *r.im.Dataset != d {
			return r.bad("source, version, gwpSet, title, licence or attribution differ from the row before; a file is one dataset")
		}
		return nil
	}
	switch {
	case !sourceName.MatchString(d.Source) || len(d.Source) > 60:
		return r.cell(r.find("source"), "%q is no name of a source; use small letters, digits and hyphens", d.Source)
	case slices.Contains(Kinds(), d.Source):
		return r.cell(r.find("source"), "%q is the name of a public dataset; choose another", d.Source)
	case d.Version == "":
		return r.cell(r.find("version"), "a version is missing")
	case !slices.Contains(sets(), d.GwpSet):
		return r.cell(r.find("gwpSet"), "%q is none of AR4, AR5 and AR6", string(d.GwpSet))
	}
	*r.im.Dataset = d
	return nil
}

func (r *ownReader) factor() (*store.EmissionFactor, error) {
	f := &store.EmissionFactor{}
	for column, to := range map[string]*string{"code": &f.Code, "name": &f.Name, "region": &f.Region, "unit": &f.Unit} {
		var err error
		if *to, err = r.filled(r.find(column)); err != nil {
			return nil, err
		}
	}
	if _, err := calc.ParseUnit(f.Unit); err != nil && !calc.IsCurrency(f.Unit) {
		return nil, r.cell(r.find("unit"), "%q is neither a unit that is known nor a currency", f.Unit)
	}
	if err := r.numbers(f); err != nil {
		return nil, err
	}
	if err := r.gases(f); err != nil {
		return nil, err
	}
	if err := r.statements(f); err != nil {
		return nil, err
	}
	if f.Value == nil && len(f.Gases) == 0 && f.BiogenicCO2 == nil {
		return nil, r.cell(r.find("value"), "a number is missing, and no gas is given in its place")
	}
	if boundary := r.text(r.find("boundary")); boundary != "" {
		f.LifeCycleBoundary = &boundary
	}
	return f, r.periods(f)
}

func (r *ownReader) numbers(f *store.EmissionFactor) error {
	var err error
	if f.Value, err = r.number(r.find("value")); err != nil {
		return err
	}
	if f.BiogenicCO2, err = r.amount(r.find("biogenicCo2")); err != nil {
		return err
	}
	if f.UncertaintyPercent, err = r.amount(r.find("uncertaintyPercent")); err != nil {
		return err
	}
	if f.CategoryNumber, err = r.whole("category", 1, 15); err != nil {
		return err
	}
	if f.Year, err = r.whole("year", 1900, 9999); err != nil {
		return err
	}
	f.PriceYear, err = r.whole("priceYear", 1900, 9999)
	return err
}

// whole reads a whole number between bounds; nil where the cell is blank.
func (r *ownReader) whole(column string, low, high int) (*int32, error) {
	s := r.text(r.find(column))
	if s == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return nil, r.cell(r.find(column), "%q is not a whole number from %d to %d", s, low, high)
	}
	return new(int32(n)), nil
}

func (r *ownReader) gases(f *store.EmissionFactor) error {
	for i, header := range r.in.Header() {
		gas := gasColumn(header)
		if gas == "" {
			continue
		}
		n, err := r.amount(i)
		switch {
		case err != nil:
			return err
		case n == nil:
		case strings.HasPrefix(header, "gas:"):
			f.Gases = append(f.Gases, mass(gasName(gas), *n))
		default:
			f.Gases = append(f.Gases, co2e(gasName(gas), *n))
		}
	}
	return nil
}

// statements reads what the factor says of where it comes from and what it may be used for.
func (r *ownReader) statements(f *store.EmissionFactor) error {
	share, verified, property := r.find("supplierShare"), r.find("verified"), r.find("conversionProperty")
	var err error
	if f.SupplierShare, err = r.number(share); err != nil {
		return err
	}
	if s := f.SupplierShare; s != nil && (s.Sign() < 0 || s.Cmp(exact.NewDecimal(1, 0)) > 0) {
		return r.cell(share, "%q does not lie between 0 and 1", r.text(share))
	}
	if s := r.text(r.find("supplier")); s != "" {
		f.SupplierName = &s
	}
	switch s := r.text(verified); s {
	case "":
	case "true", "false":
		f.Verified = new(s == "true")
	default:
		return r.cell(verified, "%q is neither true nor false", s)
	}
	name := r.text(property)
	if name == "" {
		return nil
	}
	if calc.IsCurrency(f.Unit) {
		return r.cell(property, "%q leads to no currency, and the factor is per %s", name, f.Unit)
	}
	if err := r.engine.CheckProperty(name); err != nil {
		return r.cell(property, "%s", strings.TrimSuffix(fault.Of(err).Message, "."))
	}
	f.ConversionProperty = &name
	return nil
}

func (r *ownReader) periods(f *store.EmissionFactor) error {
	for column, to := range map[string]**exact.Date{"validFrom": &f.ValidFrom, "validTo": &f.ValidTo} {
		s := r.text(r.find(column))
		if s == "" {
			continue
		}
		day, err := exact.ParseDate(s)
		if err != nil {
			return r.cell(r.find(column), "%q is not a date; write it as YYYY-MM-DD", s)
		}
		*to = &day
	}
	switch basis := r.text(r.find("priceBasis")); basis {
	case "":
	case string(store.PriceBasic), string(store.PricePurchaser):
		f.PriceBasis = new(store.PriceBasis(basis))
	default:
		return r.cell(r.find("priceBasis"), "%q is neither BASIC nor PURCHASER", basis)
	}
	return nil
}
