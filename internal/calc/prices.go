package calc

import (
	"fmt"
	"strconv"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// prices is how prices of a country rose from year to year.
type prices struct {
	country, series string
	growth          map[int]exact.Decimal // 1 + percent/100, by the later year
	first, last     int
	spans           map[span]exact.Decimal // index ratios of the latest years
}

type span struct{ from, to int }

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
		p.growth[r.Year] = growth
		p.first, p.last = min(p.first, r.Year), max(p.last, r.Year)
	}
	return all, nil
}

// recentYears bounds the table of ratios: ledgers and price years lie in it, older spans are worked out each time.
const recentYears = 12

// remember works out the ratios between the latest years, once.
func (p *prices) remember() {
	if p == nil || p.spans != nil {
		return
	}
	p.spans = map[span]exact.Decimal{}
	for from := p.last - recentYears; from < p.last; from++ {
		for to := from + 1; to <= p.last; to++ {
			if index, ok := p.ratio(from, to); ok {
				p.spans[span{from, to}] = index
			}
		}
	}
}

// ratio gives prices of the later year over those of the earlier, to 12 digits; false where a year between is missing.
func (p *prices) ratio(from, to int) (exact.Decimal, bool) {
	if index, ok := p.spans[span{from, to}]; ok {
		return index, true
	}
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
func (e *Engine) deflate(amount *exact.Decimal, currency string, from, to int) (Step, error) {
	p := e.pricesFor(currency)
	if p == nil {
		return Step{}, fault.New(fault.NoExchangeRate, "No inflation series is known for %s; prices of %d cannot be brought to %d.", currency, from, to)
	}
	late := max(from, to)
	if late > p.last+graceYears {
		return Step{}, fault.New(fault.NoExchangeRate, "Prices of %d cannot be brought to %d: the series %s of %s ends in %d.", from, to, p.series, p.country, p.last)
	}
	if early := min(from, to); early < p.first-1 {
		return Step{}, fault.New(fault.NoExchangeRate, "Prices of %d cannot be brought to %d: the series %s of %s begins in %d.", from, to, p.series, p.country, p.first)
	}
	s := Step{Step: "deflate", Input: amount, InputUnit: currency, OutputUnit: currency, Operator: Multiply}
	earlier, later := min(from, p.last), min(to, p.last)
	if earlier > later {
		earlier, later = later, earlier
		s.Operator = Divide
	}
	index, ok := p.ratio(earlier, later)
	if !ok {
		return Step{}, fault.New(fault.NoExchangeRate, "Prices of %d cannot be brought to %d: the series %s of %s has a gap between them.", from, to, p.series, p.country)
	}
	s.Operand = &index
	if s.Operator == Multiply {
		s.Output = amount.Mul(index)
	} else {
		s.Output = amount.Quo(index)
	}
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
