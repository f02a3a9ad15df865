package calc

import (
	"fmt"
	"strconv"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// prices is how prices of a country rose from year to year.
type prices struct {
	country, series string
	growth          map[int]exact.Decimal // 1 + percent/100, by the later year
	first, last     int
}

// pricesOf indexes the series by country. Consumer prices go before any other series of a country.
func pricesOf(rows []Inflation) (map[string]*prices, error) {
	all := map[string]*prices{}
	for _, r := range rows {
		growth := one.Add(r.Percent.Mul(exact.NewDecimal(1, -2)))
		if growth.Sign() <= 0 {
			return nil, fmt.Errorf("inflation of %s in %d is %s percent; prices cannot fall to nothing", r.Country, r.Year, r.Percent)
		}
		p := all[r.Country]
		if p == nil || p.series != r.Series && r.Series == "CPI" {
			p = &prices{country: r.Country, series: r.Series, growth: map[int]exact.Decimal{}, first: r.Year, last: r.Year}
			all[r.Country] = p
		}
		if p.series != r.Series {
			continue
		}
		if before, given := p.growth[r.Year]; given && before.Cmp(growth) != 0 {
			return nil, fmt.Errorf("inflation of %s in %d by %s is given twice, as %s percent and otherwise", r.Country, r.Year, r.Series, r.Percent)
		}
		p.growth[r.Year] = growth
		p.first, p.last = min(p.first, r.Year), max(p.last, r.Year)
	}
	return all, nil
}

// ratio gives prices of the later year over those of the earlier, to 12 digits; false where a year between is missing.
func (p *prices) ratio(from, to int) (exact.Decimal, bool) {
	index := one
	for y := from + 1; y <= to; y++ {
		g, ok := p.growth[y]
		if !ok {
			return exact.Decimal{}, false
		}
		index = index.Mul(g)
	}
	return index.Significant(12), true
}

// deflate makes the step from the prices of one year to those of another: up by the index ratio, or down.
// The country is that of the currency. A year after the end of the series counts as its last, for two years at most.
func (e *Engine) deflate(currency string, from, to int) (formula.Step, error) {
	p := e.pricesFor(currency)
	if p == nil {
		return formula.Step{}, fault.New(fault.NoExchangeRate, "No inflation series is known for %s; prices of %d cannot be brought to %d.", currency, from, to)
	}
	late := max(from, to)
	if late > p.last+graceYears {
		return formula.Step{}, fault.New(fault.NoExchangeRate, "Prices of %d cannot be brought to %d: the series %s of %s ends in %d.", from, to, p.series, p.country, p.last)
	}
	if early := min(from, to); early < p.first-1 {
		return formula.Step{}, fault.New(fault.NoExchangeRate, "Prices of %d cannot be brought to %d: the series %s of %s begins in %d.", from, to, p.series, p.country, p.first)
	}
	s := formula.Step{Step: "deflate", InputUnit: currency, OutputUnit: currency, Operator: formula.Multiply}
	earlier, later := min(from, p.last), min(to, p.last)
	if earlier > later {
		earlier, later = later, earlier
		s.Operator = formula.Divide
	}
	index, ok := p.ratio(earlier, later)
	if !ok {
		return formula.Step{}, fault.New(fault.NoExchangeRate, "Prices of %d cannot be brought to %d: the series %s of %s has a gap between them.", from, to, p.series, p.country)
	}
	s.Operand = index
	s.Source = "prices of " + strconv.Itoa(from) + " to " + strconv.Itoa(to) + ": " + p.series + " of " + p.country + ", index ratio of " +
		strconv.Itoa(earlier) + " to " + strconv.Itoa(later) + ", to 12 digits"
	if late > p.last {
		s.Source += " (the series ends in " + strconv.Itoa(p.last) + ", whose prices stand in for later ones)"
	}
	return s, nil
}

func (e *Engine) pricesFor(currency string) *prices {
	if len(currency) != 3 {
		return nil
	}
	for _, country := range countriesOf(currency) {
		if p := e.prices[country]; p != nil {
			return p
		}
	}
	return nil
}
