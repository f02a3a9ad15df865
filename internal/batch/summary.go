package batch

import (
	"slices"
	"strings"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Summary tells what an import did.
type Summary struct {
	BatchID      string // of the calculation run; empty where nothing was calculated or written
	Rows         int    // lines read, right or wrong
	Created      int
	Updated      int
	Unchanged    int
	Failed       int
	Calculated   int // lines with an emission
	Excluded     int // lines that a rule says are no purchase
	Uncalculated int // lines that are kept with the reason why they have no emission
	DatesAssumed int // lines without a date of their own, which took the columns file's
	Ignored      []string
	Money        []Money // by currency, in its order
	Seconds      float64
}

// Money is what lines of one currency add up to, as the ledger has them, by what became of them.
type Money struct {
	Currency     string
	Calculated   exact.Decimal
	Excluded     exact.Decimal
	Uncalculated exact.Decimal
}

// Progress is how far an import has come.
type Progress struct {
	File    string
	Bytes   int64 // of the file, as it is stored
	Rows    int
	Failed  int
	Elapsed time.Duration
}

// count adds a line.
func (s *Summary) count(l *line) {
	s.Rows++
	switch l.status {
	case store.Created:
		s.Created++
	case store.Updated:
		s.Updated++
	case store.Unchanged:
		s.Unchanged++
	default:
		s.Failed++
		return
	}
	if l.assumed {
		s.DatesAssumed++
	}
	var sum *exact.Decimal
	m := l.activity.Money
	of := &Money{}
	if m != nil {
		of = s.money(m.Currency)
	}
	switch {
	case l.emission != nil:
		s.Calculated++
		sum = &of.Calculated
	case l.excluded:
		s.Excluded++
		sum = &of.Excluded
	default:
		s.Uncalculated++
		sum = &of.Uncalculated
	}
	if m != nil {
		*sum = sum.Add(m.Amount.Decimal())
	}
}

func (s *Summary) money(currency string) *Money {
	i, found := slices.BinarySearchFunc(s.Money, currency, func(m Money, c string) int { return strings.Compare(m.Currency, c) })
	if !found {
		s.Money = slices.Insert(s.Money, i, Money{Currency: currency})
	}
	return &s.Money[i]
}
