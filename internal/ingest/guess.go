package ingest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	iso4217 "golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// candidate is a column that a field may come from.
type candidate struct {
	target, column int
	score          float64
	fit            fit
}

// fit is what the values of a column say of a target.
type fit struct {
	yaml    string // what stands behind the column's name in the columns file
	says    string // of the values, in a few words
	factor  float64
	unclear string // why a person has to decide; empty: nobody has
}

// propose finds the column of every field: of all pairs whose name and values fit, the surest first.
func (p *Proposal) propose(s *sampled, name string) {
	taken := map[int]bool{}
	for _, c := range s.candidates(name) {
		target, column := Targets()[c.target], s.columns[c.column]
		if taken[c.column] || p.source(target) != nil || p.unclear(target) {
			continue
		}
		taken[c.column] = true
		if c.fit.unclear != "" {
			p.doubts = append(p.doubts, doubt{target, c.fit.unclear, fmt.Sprintf("%s: { from: %q%s }", target, column.name, c.fit.yaml)})
			continue
		}
		p.add(fromColumn(target, column.name, c.fit.yaml, c.score, c.fit.says))
	}
	p.fallBack(name)
	p.addKey(s)
	p.complete()
}

func fromColumn(target, column, options string, confidence float64, says string) ProposedSource {
	yaml := fmt.Sprintf("%q", column)
	if options != "" {
		yaml = fmt.Sprintf("{ from: %q%s }", column, options)
	}
	return ProposedSource{Target: target, Column: column, Confidence: math.Round(confidence*100) / 100, Reason: fmt.Sprintf("%q %s.", column, says), yaml: yaml}
}

// candidates lists the pairs that fit, the surest first. The key comes later: it may take several columns.
func (s *sampled) candidates(name string) []candidate {
	var out []candidate
	for target := range targetCount {
		if target == externalID {
			continue
		}
		for i, c := range s.columns {
			score, word := nameMatch(target, c.name)
			if !c.named || score == 0 && target != currency {
				continue
			}
			f, ok := c.fits(target, name)
			switch {
			case !ok:
				continue
			case score > 0:
				f.says = fmt.Sprintf("is called like %q; %s", word, f.says)
			default:
				score, f.says = 0.4, "is called like nothing known, but "+f.says
			}
			out = append(out, candidate{target, i, score * f.factor, f})
		}
	}
	slices.SortStableFunc(out, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	return out
}

// fits looks whether the values of a column can be those of a target.
func (c *sampledColumn) fits(target int, name string) (fit, bool) {
	some := c.distinct(1)
	if len(some) == 0 {
		return fit{}, false
	}
	switch target {
	case occurredOn:
		return c.fitsDate(name)
	case amount, quantity, uncertaintyPercent:
		return c.fitsNumber()
	case currency:
		return fit{says: "it holds currency codes", factor: 1}, c.all(func(v string) bool { _, err := iso4217.ParseISO(v); return err == nil && v == strings.ToUpper(v) })
	case country:
		return fit{says: "it holds country codes", factor: 1}, c.all(func(v string) bool {
			r, err := language.ParseRegion(v)
			return err == nil && len(v) == 2 && r.IsCountry() && v == strings.ToUpper(v)
		})
	case category:
		return fit{says: "it holds numbers of categories", factor: 1}, c.all(func(v string) bool { n, err := parseCategory(v); return err == nil && n >= 1 && n <= 15 })
	case accountCode, supplierExternalID:
		return fit{says: "it holds codes", factor: 1}, c.most(isCode)
	case supplierName, description:
		return fit{says: "it holds words", factor: 1}, c.most(func(v string) bool { return !isCode(v) })
	}
	return fit{says: "it is text", factor: 1}, true
}

// all is true where every value passes, beside the empty ones.
func (c *sampledColumn) all(pass func(string) bool) bool {
	return !slices.ContainsFunc(c.values, func(v string) bool { return v != "" && !pass(v) })
}

// most is true where more than half of the values pass.
func (c *sampledColumn) most(pass func(string) bool) bool {
	yes, no := 0, 0
	for _, v := range c.values {
		switch {
		case v == "":
		case pass(v):
			yes++
		default:
			no++
		}
	}
	return yes > no
}

// isCode is true for a short text with a digit and without a space.
func isCode(v string) bool {
	return len(v) <= 32 && strings.ContainsAny(v, "0123456789") && !strings.Contains(v, " ")
}

// maxBlank is how many different texts may stand for nothing in a column of numbers or days.
const maxBlank = 3

// blanks lists the texts in place of which nothing is meant; false where there are too many of them for that.
func (c *sampledColumn) blanks(reads func(string) bool) ([]string, bool) {
	var odd []string
	good := 0
	for _, v := range c.values {
		switch {
		case v == "":
		case reads(v):
			good++
		case !slices.Contains(odd, v):
			odd = append(odd, v)
		}
	}
	return odd, len(odd) == 0 || len(odd) <= maxBlank && good > 9*len(odd)
}

func blankYAML(odd []string) string {
	if len(odd) == 0 {
		return ""
	}
	return ", blank: [" + quoted(odd, ", ") + "]"
}

// fitsNumber finds the notation that all numbers of a column have.
func (c *sampledColumn) fitsNumber() (fit, bool) {
	var texts []string
	round, typed := false, false
	for i, v := range c.values {
		typed = typed || c.typed[i]
		if v != "" && !c.typed[i] {
			texts = append(texts, v)
		}
	}
	odd, ok := c.blanks(func(v string) bool {
		return slices.ContainsFunc(notations(), func(n *notation) bool { _, ok := n.plain(v); return ok })
	})
	if !ok {
		return fit{}, false
	}
	texts = slices.DeleteFunc(texts, func(v string) bool { return slices.Contains(odd, v) })
	var ways []*notation
	for _, n := range notations() {
		if !slices.ContainsFunc(texts, func(v string) bool { _, ok := n.plain(v); return !ok }) {
			ways = append(ways, n)
		}
	}
	if len(ways) == 0 {
		return fit{}, false
	}
	for _, v := range c.values {
		plain, ok := ways[0].plain(v)
		if i := strings.IndexByte(plain, '.'); ok && i >= 0 && len(strings.TrimRight(plain[i+1:], "0")) > 6 && !strings.Contains(plain, "e") {
			round = true
		}
		if other, differs := readsOtherwise(v, ways); differs && slices.Contains(texts, v) {
			return fit{yaml: fmt.Sprintf(", numbers: %q", ways[0].written), factor: 1,
				unclear: fmt.Sprintf("the numbers of %q can be meant in two ways: %q is %s by %s, and another by %s", c.name, v, plain, ways[0].written, other.written)}, true
		}
	}
	f := fit{says: "it holds numbers", factor: 1}
	if len(ways) < len(notations()) && len(texts) > 0 {
		f.yaml, f.says = fmt.Sprintf(", numbers: %q", ways[0].written), "it holds numbers written like "+ways[0].written
	}
	if round {
		f.yaml += ", round: true"
	}
	f.yaml += blankYAML(odd)
	return f, true
}

// readsOtherwise finds a notation that makes another number of a text.
func readsOtherwise(v string, ways []*notation) (*notation, bool) {
	first, ok := ways[0].plain(v)
	if !ok {
		return nil, false
	}
	for _, n := range ways[1:] {
		if plain, ok := n.plain(v); ok && plain != first {
			return n, true
		}
	}
	return nil, false
}

// fitsDate finds the one order of day, month and year that all days of a column have.
func (c *sampledColumn) fitsDate(name string) (fit, bool) {
	_, named := dateOfName(name)
	odd, ok := c.blanks(func(v string) bool { return isISO(v) || len(readingsOf(v)) > 0 })
	if !ok {
		if len(odd) > maxBlank || !named {
			return fit{}, false
		}
		return fit{yaml: blankYAML(odd) + ", otherwise: fileName", says: "it holds no days, so that the file's name has to tell them", factor: 0.5}, true
	}
	var texts []string
	for _, v := range c.distinct(proposalRecords) {
		if !slices.Contains(odd, v) && !isISO(v) {
			texts = append(texts, v)
		}
	}
	after := blankYAML(odd)
	if named && !c.full() || named && len(odd) > 0 {
		after += ", otherwise: fileName"
	}
	if len(texts) == 0 {
		return fit{yaml: after, says: "it holds days that begin with the year", factor: 1}, true
	}
	var ways []dateFormat
	for _, group := range commonFormats() {
		if f, ok := firstThatReads(group, texts); ok {
			ways = append(ways, f)
		}
	}
	switch len(ways) {
	case 0:
		return fit{}, false
	case 1:
		return fit{yaml: fmt.Sprintf(", formats: [%q]", ways[0].written) + after, says: "it holds days that can be nothing but " + ways[0].written, factor: 1}, true
	}
	return fit{yaml: fmt.Sprintf(", formats: [%q]", ways[0].written) + after, factor: 1,
		unclear: fmt.Sprintf("the days of %q can be written as %s: %q is one of them", c.name, written(ways), texts[0])}, true
}

func isISO(v string) bool {
	return slices.ContainsFunc(isoFormats(), func(f dateFormat) bool { _, ok := f.parse(v); return ok })
}
