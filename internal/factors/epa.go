package factors

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// The EPA's supply chain factors come as two tables a version: CO2e, and the gases by mass. Versions are told apart by the year of their prices.

// supplyChainReleases are the versions whose GWP set is known. It was checked against the gases: only with these sets do they add up to the totals.
var supplyChainReleases = []supplyChainRelease{
	{prices: 2021, version: "1.2", set: store.AR4, emissions: 2019, doi: "10.23719/1528686"},
	{prices: 2022, version: "1.3", set: store.AR5, emissions: 2022, doi: "10.23719/1531143"},
}

type supplyChainRelease struct {
	prices    int32
	version   string
	set       store.GwpSet
	emissions int32 // the year of the greenhouse gas data
	doi       string
}

// supplyChainKind is which of the tables' columns is read. Both are per dollar of the purchaser's price.
type supplyChainKind struct {
	source, column, boundary, title string
}

var (
	withMargins = supplyChainKind{EPASupplyChain, "Supply Chain Emission Factors with Margins",
		"cradle to point of sale: to the factory gate, with the margins of wholesale, retail and transport", ""}
	withoutMargins = supplyChainKind{EPAWithoutMargins, "Supply Chain Emission Factors without Margins",
		"cradle to factory gate: without the margins of wholesale, retail and transport", ", without margins"}
)

// supplyChain gathers the tables of one version.
type supplyChain struct {
	kind    supplyChainKind
	release supplyChainRelease
	byCode  map[string]*store.EmissionFactor
	factors []*store.EmissionFactor
	gases   []gasRow
	hasGas  bool
	tables  []*table
}

type gasRow struct {
	code string
	gas  store.FactorGas
}

var supplyChainUnit = regexp.MustCompile(`^kg( CO2e)?/(\d{4}) USD, purchaser price$`)

func (k supplyChainKind) read(files []file) ([]*Import, error) {
	found := map[int32]*supplyChain{}
	for _, f := range files {
		if err := k.readTable(f, found); err != nil {
			return nil, err
		}
	}
	var out []*Import
	for _, s := range found {
		im, err := s.join()
		if err != nil {
			return nil, err
		}
		out = append(out, im)
	}
	slices.SortFunc(out, func(a, b *Import) int { return cmp.Compare(a.Dataset.Version, b.Dataset.Version) })
	return out, nil
}

func (k supplyChainKind) readTable(f file, found map[int32]*supplyChain) error {
	t, err := f.table()
	if err != nil {
		return err
	}
	defer t.close()
	c, err := t.columns("2017 NAICS Code|NAICS Code 2017", "2017 NAICS Title|NAICS Title 2017", "GHG", "Unit", k.column)
	if err != nil {
		return err
	}
	var s *supplyChain
	var whole bool // the table of totals, not of gases
	err = t.each(func() error {
		unit := supplyChainUnit.FindStringSubmatch(t.text(c[3]))
		if unit == nil {
			return t.cell(c[3], "%q is not kg per USD of a year at purchaser price", t.text(c[3]))
		}
		isWhole := t.text(c[2]) == "All GHGs"
		year, _ := strconv.Atoi(unit[2]) // four digits
		if s == nil {
			if s, err = k.of(found, int32(year), t); err != nil {
				return err
			}
			if whole = isWhole; whole && s.factors != nil || !whole && s.hasGas {
				return t.bad("this table of version %s was given twice", s.release.version)
			}
			s.hasGas = s.hasGas || !whole
		}
		if isWhole != whole || int32(year) != s.release.prices {
			return t.bad("totals and gases, or prices of two years, stand in one file; each has a file of its own")
		}
		if whole {
			return s.addTotal(t, c)
		}
		return s.addGas(t, c)
	})
	if err == nil && s == nil {
		return fault.New(fault.BadUserInput, "%s has a header and nothing below it.", t.name)
	}
	return err
}

func (k supplyChainKind) of(found map[int32]*supplyChain, year int32, t *table) (*supplyChain, error) {
	s := found[year]
	if s == nil {
		i := slices.IndexFunc(supplyChainReleases, func(r supplyChainRelease) bool { return r.prices == year })
		if i < 0 {
			return nil, t.bad("prices of %d are of no version that is known (1.2 has those of 2021, 1.3 those of 2022), so its GWP set would be a guess; import it with the dataset kind \"csv\"", year)
		}
		s = &supplyChain{kind: k, release: supplyChainReleases[i], byCode: map[string]*store.EmissionFactor{}}
		found[year] = s
	}
	s.tables = append(s.tables, t)
	return s, nil
}

func (s *supplyChain) addTotal(t *table, c []int) error {
	code, err := t.filled(c[0])
	if err != nil {
		return err
	}
	if s.byCode[code] != nil {
		return t.bad("code %s stands twice", code)
	}
	title, err := t.filled(c[1])
	if err != nil {
		return err
	}
	value, err := t.required(c[4])
	if err != nil {
		return err
	}
	basis, boundary, prices, year := store.PricePurchaser, s.kind.boundary, s.release.prices, s.release.emissions
	f := &store.EmissionFactor{Code: code, Name: title, Region: "US", Unit: "USD", Value: &value, PriceYear: &prices, PriceBasis: &basis,
		LifeCycleBoundary: &boundary, Year: &year}
	s.byCode[code], s.factors = f, append(s.factors, f)
	return nil
}

func (s *supplyChain) addGas(t *table, c []int) error {
	name, err := t.filled(c[2])
	if err != nil {
		return err
	}
	amount, err := t.required(c[4])
	if err != nil {
		return err
	}
	gas := mass(gasName(name), amount)
	if name == unspecified {
		gas = co2e(name, amount)
	}
	s.gases = append(s.gases, gasRow{t.text(c[0]), gas})
	return nil
}

// join hangs the gases below their factors.
func (s *supplyChain) join() (*Import, error) {
	if s.factors == nil {
		return nil, fault.New(fault.BadUserInput, "Of version %s only the gases were given (%s); give the table of CO2e as well.", s.release.version, s.tables[0].name)
	}
	im := &Import{Factors: s.factors, Dataset: &store.FactorDataset{
		Source: s.kind.source, Version: s.release.version, GwpSet: s.release.set,
		Name:        "Supply Chain Greenhouse Gas Emission Factors v" + s.release.version + " by NAICS-6, USD of " + strconv.Itoa(int(s.release.prices)) + s.kind.title,
		Licence:     "US Government work, public domain (EPA ScienceHub licence)",
		Attribution: "US EPA ORD, Supply Chain GHG Emission Factors v" + s.release.version + " (DOI " + s.release.doi + ")",
		Digest:      digestOf(s.tables...),
	}}
	for _, g := range s.gases {
		f := s.byCode[g.code]
		if f == nil {
			im.leaveOut("gas of a code that has no CO2e", 1)
			continue
		}
		if slices.ContainsFunc(f.Gases, func(have store.FactorGas) bool { return have.Gas == g.gas.Gas }) {
			return nil, fault.New(fault.BadUserInput, "Version %s gives %s of code %s twice; fetch the table of gases again.", s.release.version, g.gas.Gas, g.code)
		}
		f.Gases = append(f.Gases, g.gas)
	}
	for _, f := range s.factors {
		slices.SortFunc(f.Gases, byGas)
	}
	return im, nil
}

// byGas orders the three that everybody looks for first, the rest by name.
func byGas(a, b store.FactorGas) int {
	return cmp.Or(cmp.Compare(gasRank(a.Gas), gasRank(b.Gas)), cmp.Compare(a.Gas, b.Gas))
}

func gasRank(gas string) int {
	if i := slices.Index([]string{"CO2", "CH4", "N2O"}, gas); i >= 0 {
		return i
	}
	return 3
}

func kilograms(n *exact.Decimal, per exact.Decimal) *exact.Decimal {
	if n == nil {
		return nil
	}
	kg := n.Mul(per)
	return &kg
}
