// Package seed makes a deterministic synthetic ledger of a mid-sized manufacturer: suppliers, activities in all 15 categories, and the mapping that calculates them.
package seed

import (
	_ "embed"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Options say how large the ledger is. Equal options give equal ledgers.
type Options struct {
	Suppliers  int
	Activities int
	Seed       uint64
	FirstYear  int // 0: 2023
	Years      int // 0: 3
}

//go:embed mapping.yml
var mapping []byte

// Mapping is the mapping file of the ledger's account codes.
func Mapping() []byte { return mapping }

// Ledger is a synthetic ledger; its rows are made as they are read.
type Ledger struct {
	o         Options
	suppliers []store.SupplierInput
	sellers   map[string][]int // NAICS code to positions in suppliers, the largest seller first
}

// New makes the suppliers of a ledger.
func New(o Options) *Ledger {
	if o.FirstYear == 0 {
		o.FirstYear = 2023
	}
	if o.Years == 0 {
		o.Years = 3
	}
	l := &Ledger{o: o, sellers: map[string][]int{}}
	r := rand.New(rand.NewPCG(o.Seed, 1))
	trades := tradeTable()
	for i := range o.Suppliers {
		// Every trade gets its first seller before chance decides, so that small ledgers have a seller for each kind of line.
		naics := trades[r.IntN(len(trades))]
		if distinct := uniqueTrades(); i < len(distinct) {
			naics = distinct[i]
		}
		country := countries[r.IntN(len(countries))]
		tier := int32(1)
		if r.IntN(8) == 0 {
			tier = 2
		}
		s := store.SupplierInput{
			ExternalID: fmt.Sprintf("V%05d", i+1),
			Name:       companyName(r, i, country),
			Country:    &country,
			NaicsCode:  &naics,
			Tier:       &tier,
		}
		if r.IntN(3) == 0 {
			duns := fmt.Sprintf("%09d", r.IntN(1_000_000_000))
			s.Duns = &duns
		}
		l.sellers[naics] = append(l.sellers[naics], i)
		l.suppliers = append(l.suppliers, s)
	}
	return l
}

// Suppliers are the ledger's suppliers.
func (l *Ledger) Suppliers() []store.SupplierInput { return l.suppliers }

// Activities are the ledger's lines, in no order of time, as systems export them.
func (l *Ledger) Activities() iter.Seq[store.ActivityInput] {
	return func(yield func(store.ActivityInput) bool) {
		r := rand.New(rand.NewPCG(l.o.Seed, 2))
		wheel := kindWheel()
		days := int(exact.NewDate(l.o.FirstYear+l.o.Years, time.January, 1).Time().Sub(exact.NewDate(l.o.FirstYear, time.January, 1).Time()).Hours() / 24)
		for i := range l.o.Activities {
			// The first lines walk through all kinds, so that even a small ledger has every category.
			k := &kinds[wheel[r.IntN(len(wheel))]]
			if i < len(kinds) {
				k = &kinds[i]
			}
			if !yield(l.activity(r, i, k, days)) {
				return
			}
		}
	}
}

func (l *Ledger) activity(r *rand.Rand, i int, k *kind, days int) store.ActivityInput {
	on := exact.NewDate(l.o.FirstYear, time.January, 1).AddDays(r.IntN(days))
	category := k.category
	account := k.account
	a := store.ActivityInput{
		ExternalID:  fmt.Sprintf("GL-%d-%07d", on.Year(), i+1),
		Category:    &category,
		Description: k.description[r.IntN(len(k.description))],
		AccountCode: &account,
		OccurredOn:  on,
	}
	scale := 1.0
	if sellers := l.sellers[k.naics]; k.naics != "" && len(sellers) > 0 {
		rank := zipf(r, len(sellers))
		s := &l.suppliers[sellers[rank]]
		a.SupplierExternalID, a.Country = &s.ExternalID, s.Country
		scale = 1.6 / math.Sqrt(float64(rank)+1) // large sellers send larger bills
	} else {
		home := "GB"
		a.Country = &home
	}
	amount := k.median * math.Exp(k.spread*r.NormFloat64()) * scale
	credit := k.unit == "" && r.IntN(90) == 0
	if credit {
		amount = -amount / 3
		a.Description += ", credit note"
	}
	currency := currencyOf(r, a.Country)
	switch {
	case k.unit == "":
		a.Money = &store.MoneyInput{Amount: cents(amount), Currency: currency}
	case k.price > 0:
		a.Money = &store.MoneyInput{Amount: cents(amount * k.price * (0.8 + 0.4*r.Float64())), Currency: currency}
		fallthrough
	default:
		a.Quantity = &store.QuantityInput{Value: exact.NewDecimal(int64(math.Round(math.Max(amount, 0.001)*1000)), -3), Unit: k.unit}
	}
	return a
}

func cents(amount float64) exact.Decimal {
	return exact.NewDecimal(int64(math.Round(amount*100)), -2)
}

// zipf draws a rank from 0, where rank n is drawn about 1/(n+1) as often as rank 0.
func zipf(r *rand.Rand, n int) int {
	return min(int(math.Exp(r.Float64()*math.Log(float64(n)+1)))-1, n-1)
}

// kindWheel has each kind as often as its weight.
func kindWheel() []int {
	var wheel []int
	for i, k := range kinds {
		for range k.weight {
			wheel = append(wheel, i)
		}
	}
	return wheel
}

// tradeTable has each trade as often as it is common among sellers.
func tradeTable() []string {
	var trades []string
	for _, k := range kinds {
		for range k.sellers {
			trades = append(trades, k.naics)
		}
	}
	return trades
}

func uniqueTrades() []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, k := range kinds {
		if !seen[k.naics] {
			seen[k.naics] = true
			out = append(out, k.naics)
		}
	}
	return out
}

// countries are where suppliers sit, the common ones more often.
var countries = strings.Fields("GB GB GB GB GB GB GB GB GB GB GB DE DE DE FR FR NL IE IT ES PL US US CN CN JP SE CZ")

// currencyOf is the currency that a seller of the country bills in: mostly its own, sometimes pounds.
func currencyOf(r *rand.Rand, country *string) string {
	if country == nil || r.IntN(4) == 0 {
		return "GBP"
	}
	switch *country {
	case "DE", "FR", "NL", "IE", "IT", "ES":
		return "EUR"
	case "US", "CN":
		return "USD"
	case "JP":
		return "JPY"
	case "SE":
		return "SEK"
	}
	return "GBP"
}
