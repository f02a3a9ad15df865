package broker

import (
	"cmp"
	"slices"
	"strings"

	"carbongraph/internal/exact"
)

// Tier is how close a factor is to the line: the place in the chain. An answer of a better tier goes before one of a worse tier, whatever the confidence.
type Tier int

// The chain, best first.
const (
	SupplierSpecific Tier = iota + 1 // of the supplier's own product
	Regional                         // of the part of the country
	National                         // of the country
	Global                           // of the world, or of a group of countries that this one is in
	Proxy                            // of something else that stands in: another country, another year, or words that are not sure
)

// Chain lists the tiers, best first.
func Chain() []Tier { return []Tier{SupplierSpecific, Regional, National, Global, Proxy} }

// String is the tier in words.
func (t Tier) String() string {
	switch t {
	case SupplierSpecific:
		return "supplier-specific"
	case Regional:
		return "regional"
	case National:
		return "national"
	case Global:
		return "global"
	case Proxy:
		return "proxy"
	}
	return "none"
}

var (
	half = exact.NewDecimal(5, -1)
	one  = exact.NewDecimal(1, 0)
)

// TierOf places a factor of a region for a question, where the source is so sure of it. What is less sure than a half is a proxy wherever it is from: it may be
// of something else.
func TierOf(q Question, region string, confidence exact.Decimal) Tier {
	switch {
	case confidence.Cmp(half) < 0 || region == "":
		return Proxy
	case q.Region != "" && strings.EqualFold(region, q.Region):
		return Regional
	case q.Country != "" && strings.EqualFold(region, q.Country):
		return National
	case slices.Contains(world(), strings.ToUpper(region)), strings.EqualFold(region, "EU") && slices.Contains(union(), strings.ToUpper(q.Country)):
		return Global
	}
	return Proxy
}

// world are the names of the whole world in datasets.
func world() []string { return []string{"GLOBAL", "GLO", "WORLD", "001"} }

// union are the members of the European Union.
func union() []string {
	return []string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
}

// better orders answers: by tier, then the more confident first. Answers that are alike keep their order.
func better(a, b Answer) int {
	return cmp.Or(cmp.Compare(a.Tier, b.Tier), b.Confidence.Cmp(a.Confidence))
}

// ranked puts answers in order, each factor once.
func ranked(answers []Answer) []Answer {
	slices.SortStableFunc(answers, better)
	var out []Answer
	for _, a := range answers {
		if !slices.ContainsFunc(out, func(b Answer) bool { return a.FactorID == b.FactorID }) {
			out = append(out, a)
		}
	}
	return out
}
