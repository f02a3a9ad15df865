package calc

import (
	"slices"
	"strconv"
	"strings"

	"carbongraph/internal/exact"
)

// Quality rates a calculation by the pedigree matrix of Weidema and Wesnæs (1996): five indicators from 1, the best, to 5, which also
// stands for what is not known. docs/calculation.md has the table of what leads to which.
type Quality struct {
	Technology, Time, Geography, Completeness, Reliability int8
}

// Score is the mean of the five, exact with its one decimal.
func (q Quality) Score() exact.Decimal {
	sum := int64(q.Technology) + int64(q.Time) + int64(q.Geography) + int64(q.Completeness) + int64(q.Reliability)
	return exact.NewDecimal(2*sum, -1)
}

// Match tells how a line's factor was chosen.
type Match uint8

// The ways to a factor.
const (
	Unmatched  Match = iota // not known
	Named                   // by whoever wrote the line
	ByRule                  // by a rule that maps accounts or descriptions
	ByText                  // its name is like the line's description, with a confidence of 0.8 and more
	ByLikeness              // the same with less
	Proxy                   // it stands in for a factor that is missing
)

// MatchOfText tells how far a match of texts can be trusted.
func MatchOfText(confidence float64) Match {
	if confidence >= 0.8 {
		return ByText
	}
	return ByLikeness
}

func (e *Engine) qualityOf(l *Line, f *Factor, method string, when validity) Quality {
	return Quality{
		Technology:   technology(method, l.Match),
		Time:         timeliness(l.OccurredOn.Year()-f.year(), f.year() != 0, when),
		Geography:    geography(l.Country, f.Region),
		Completeness: e.completeness(f),
		Reliability:  reliability(method, f.Verified, l.Match),
	}
}

func technology(method string, match Match) int8 {
	switch {
	case method == SupplierSpecific:
		return 1
	case match == Named || method == Hybrid:
		return 2
	case match == ByRule:
		return 3
	case match == ByText:
		return 4
	}
	return 5
}

// timeliness is by the years between line and factor. Outside the days that the factor holds for it is one worse.
func timeliness(years int, known bool, when validity) int8 {
	if !known {
		return 5
	}
	indicator := int8(1)
	for _, limit := range []int{3, 6, 10, 15} {
		if max(years, -years) >= limit {
			indicator++
		}
	}
	if when != within {
		indicator++
	}
	return min(indicator, 5)
}

// year is that of the factor's data, else of its prices, else the one that its version begins with.
func (f *Factor) year() int {
	if f.Year != 0 || f.PriceYear != 0 {
		if f.Year != 0 {
			return f.Year
		}
		return f.PriceYear
	}
	if len(f.Version) >= 4 {
		if year, err := strconv.Atoi(f.Version[:4]); err == nil && year >= 1900 && year < 2200 {
			return year
		}
	}
	return 0
}

// geography compares the line's country with the factor's region.
func geography(country, region string) int8 {
	region = strings.ToUpper(region)
	whole, _, isPart := strings.Cut(strings.ReplaceAll(region, "_", "-"), "-")
	switch {
	case country == "" || region == "":
		return 5
	case region == country:
		return 1
	case slices.Contains(areas[region], country):
		return 2
	case isPart && whole == country || isWorld(region) || similar(country, whole):
		return 3
	case industrial(country) && industrial(whole):
		return 4
	}
	return 5
}

func isWorld(region string) bool {
	return region == "GLOBAL" || region == "GLO" || region == "WORLD" || region == "001"
}

// areas are regions of several countries that data sets have factors for.
var areas = func() map[string][]string {
	euro := strings.Fields("AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK")
	union := append(strings.Fields("BG CZ DK HU PL RO SE"), euro...)
	europe := append(strings.Fields("CH GB IS LI NO"), union...)
	america := []string{"CA", "US"}
	return map[string][]string{"EU": union, "EU27": union, "EUROPE": europe, "RER": europe, "EMU": euro, "XC": euro, "NORTH AMERICA": america, "RNA": america,
		"ANZ": {"AU", "NZ"}}
}()

// similar countries produce under much the same rules and with much the same means.
func similar(a, b string) bool {
	for _, area := range []string{"EUROPE", "RNA", "ANZ"} {
		if slices.Contains(areas[area], a) && slices.Contains(areas[area], b) {
			return true
		}
	}
	return false
}

func industrial(country string) bool {
	return country == "JP" || country == "KR" || similar(country, country)
}

// completeness counts what a factor lacks: a published value, gases that account for it, biogenic CO2 and a stated boundary.
func (e *Engine) completeness(f *Factor) int8 {
	indicator := int8(1)
	_, accounted := e.fromGases(f, f.GwpSet)
	for _, there := range []bool{f.Value != nil, accounted, f.Biogenic != nil, f.Boundary != ""} {
		if !there {
			indicator++
		}
	}
	return indicator
}

func reliability(method string, verified bool, match Match) int8 {
	indicator := map[string]int8{SupplierSpecific: 2, Hybrid: 3, AverageData: 3, SpendBased: 4}[method]
	switch {
	case match == Proxy || match == ByLikeness:
		return 5
	case verified && method != SpendBased:
		return indicator - 1
	}
	return indicator
}
