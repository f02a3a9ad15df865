package calc

import (
	"fmt"
	"strconv"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// graceMonths is how long the last known rate stands in for later months, and graceYears the same for prices: the tables
// appear with a delay, and a ledger of this year must not wait for them. Steps say when it was done.
const (
	graceMonths = 24
	graceYears  = 2
)

// rates are the monthly rates of a currency, and their averages by year.
type rates struct {
	first    int             // months since the year 0
	months   []exact.Decimal // units per US dollar; 0 where unknown
	averages map[int]average
}

type average struct {
	perUSD exact.Decimal // to 12 digits
	months int
}

func ratesOf(rows []Rate) (map[string]*rates, error) {
	first, last := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if r.Month < 1 || r.Month > 12 {
			return nil, fmt.Errorf("rate of %s has month %d", r.Currency, r.Month)
		}
		if len(r.Currency) != 3 {
			return nil, fmt.Errorf("rate of %q in %s: a currency has three letters", r.Currency, monthName(monthOf(r.Year, r.Month)))
		}
		if r.PerUSD.Sign() <= 0 {
			return nil, fmt.Errorf("rate of %s in %s is %s; it must be positive", r.Currency, monthName(monthOf(r.Year, r.Month)), r.PerUSD)
		}
		m := monthOf(r.Year, r.Month)
		if at, ok := first[r.Currency]; !ok || m < at {
			first[r.Currency] = m
		}
		last[r.Currency] = max(last[r.Currency], m)
	}
	all := map[string]*rates{}
	for currency, m := range first {
		all[currency] = &rates{first: m, months: make([]exact.Decimal, last[currency]-m+1), averages: map[int]average{}}
	}
	for _, r := range rows {
		of := all[r.Currency]
		month := &of.months[monthOf(r.Year, r.Month)-of.first]
		if month.Sign() != 0 && month.Cmp(r.PerUSD) != 0 {
			return nil, fmt.Errorf("rate of %s in %s is given twice: %s and %s", r.Currency, monthName(monthOf(r.Year, r.Month)), month, r.PerUSD)
		}
		*month = r.PerUSD
	}
	for _, of := range all {
		of.average()
	}
	return all, nil
}

func (r *rates) average() {
	sums := map[int]average{}
	for i, rate := range r.months {
		if rate.Sign() > 0 {
			s := sums[(r.first+i)/12]
			sums[(r.first+i)/12] = average{s.perUSD.Add(rate), s.months + 1}
		}
	}
	for year, s := range sums {
		r.averages[year] = average{s.perUSD.Quo(exact.NewDecimal(int64(s.months), 0)).Significant(12), s.months}
	}
}

func monthOf(year, month int) int { return year*12 + month - 1 }

func monthName(m int) string { return fmt.Sprintf("%04d-%02d", m/12, m%12+1) }

// quote is a rate against the US dollar, with what it is in words.
type quote struct {
	perUSD exact.Decimal
	source string
}

// ofMonth gives the rate of a month, or of the latest month before it within the grace.
func (e *Engine) ofMonth(currency string, month int) (quote, error) {
	if currency == "USD" {
		return quote{perUSD: one}, nil
	}
	r := e.rates[currency]
	if r == nil {
		return quote{}, unknownRate(currency)
	}
	for m := month; m >= r.first && m >= month-graceMonths; m-- {
		i := m - r.first
		if i >= len(r.months) || r.months[i].Sign() == 0 {
			continue
		}
		source := "exchange rate of " + monthName(m) + ", " + currency + " per USD"
		if m != month {
			source += " (the latest known: there is none for " + monthName(month) + " yet)"
		}
		return quote{r.months[i], source}, nil
	}
	if month < r.first {
		return quote{}, fault.New(fault.NoExchangeRate, "No exchange rate of %s is known for %s: the series begins in %s.", currency, monthName(month), monthName(r.first))
	}
	return quote{}, fault.New(fault.NoExchangeRate, "No exchange rate of %s is known for %s: the series ends in %s.", currency, monthName(month), monthName(r.first+len(r.months)-1))
}

// ofYear gives the average of a year's monthly rates, or of the latest year before it within the grace.
func (e *Engine) ofYear(currency string, year int) (quote, error) {
	if currency == "USD" {
		return quote{perUSD: one}, nil
	}
	r := e.rates[currency]
	if r == nil {
		return quote{}, unknownRate(currency)
	}
	for y := year; y >= year-graceYears; y-- {
		a, ok := r.averages[y]
		if !ok {
			continue
		}
		source := "average of " + strconv.Itoa(a.months) + " monthly exchange rates of " + strconv.Itoa(y) + ", " + currency + " per USD"
		if y != year {
			source += " (the latest known: there is none for " + strconv.Itoa(year) + " yet)"
		}
		return quote{a.perUSD, source}, nil
	}
	if first := r.first / 12; year < first {
		return quote{}, fault.New(fault.NoExchangeRate, "No exchange rate of %s is known for %d: the series begins in %d.", currency, year, first)
	}
	return quote{}, fault.New(fault.NoExchangeRate, "No exchange rate of %s is known for %d: the series ends in %s.", currency, year, monthName(r.first+len(r.months)-1))
}

func unknownRate(currency string) *fault.Fault {
	return fault.New(fault.NoExchangeRate, "No exchange rate of %.10q is known; give the amount in a currency that has one, such as USD, EUR or GBP.", currency)
}

// exchange makes the step from one currency to another: against the dollar by the rate itself, between two others
// by their cross rate to 12 digits.
func exchange(from string, a quote, into string, b quote) formula.Step {
	s := formula.Step{Step: "convert", InputUnit: from, OutputUnit: into, Operator: formula.Multiply}
	switch {
	case into == "USD":
		s.Operator, s.Operand, s.Source = formula.Divide, a.perUSD, a.source
	case from == "USD":
		s.Operand, s.Source = b.perUSD, b.source
	default:
		s.Operand, s.Source = b.perUSD.Quo(a.perUSD).Significant(12), b.source+" ÷ "+a.source+", to 12 digits"
	}
	return s
}

// convertAt makes the step that converts at a year's average, or at the month of the day where the year is 0.
// A currency or month without a rate is NO_EXCHANGE_RATE, never 1.
func (e *Engine) convertAt(from, into string, on exact.Date, year int) (formula.Step, error) {
	find := func(currency string) (quote, error) { return e.ofYear(currency, year) }
	if year == 0 {
		find = func(currency string) (quote, error) { return e.ofMonth(currency, monthOf(on.Year(), int(on.Month()))) }
	}
	a, err := find(from)
	if err != nil {
		return formula.Step{}, err
	}
	b, err := find(into)
	if err != nil {
		return formula.Step{}, err
	}
	return exchange(from, a, into, b), nil
}
