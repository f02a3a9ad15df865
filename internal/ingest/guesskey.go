package ingest

import (
	"fmt"
	"slices"
	"strings"
)

// doubt is a field that the file tells in two ways.
type doubt struct{ target, why, yaml string }

func (p *Proposal) unclear(target string) bool {
	return slices.ContainsFunc(p.doubts, func(d doubt) bool { return d.target == target })
}

// fallBack fills what no column is called like.
func (p *Proposal) fallBack(name string) {
	if p.source("quantity") == nil { // a unit of nothing is another column that is called so
		p.Sources = slices.DeleteFunc(p.Sources, func(f ProposedSource) bool { return f.Target == "unit" })
	}
	if n := p.source("supplierName"); n != nil && p.source("supplierExternalId") == nil {
		p.add(ProposedSource{Target: "supplierExternalId", Column: n.Column, Confidence: n.Confidence, yaml: n.yaml, Reason: fmt.Sprintf("No column holds numbers of suppliers; %q tells them apart.", n.Column)})
	}
	if p.source("description") == nil {
		for _, other := range []string{"accountCode", "supplierName"} {
			if o := p.source(other); o != nil {
				p.add(ProposedSource{Target: "description", Column: o.Column, Confidence: 0.3, yaml: o.yaml, Reason: fmt.Sprintf("No column is called like a description; %q is the nearest.", o.Column)})
				break
			}
		}
	}
	if day, ok := dateOfName(name); ok && p.source("occurredOn") == nil && !p.unclear("occurredOn") {
		p.add(ProposedSource{Target: "occurredOn", Constant: day.String(), Confidence: 0.3, Reason: "No column holds days; this is the middle of the month or quarter that the file's name tells."})
	}
	if a := p.source("amount"); a != nil && p.source("currency") == nil {
		if code, sign := currencyOf(a.Column); code != "" {
			p.add(ProposedSource{Target: "currency", Constant: code, Confidence: 0.9, Reason: fmt.Sprintf("%q has %s in its name.", a.Column, sign)})
		}
	}
}

// currencyOf finds a currency in the name of a column. A dollar sign is that of many.
func currencyOf(header string) (code, by string) {
	for _, c := range [][2]string{{"£", "GBP"}, {"€", "EUR"}, {"GBP", "GBP"}, {"EUR", "EUR"}, {"USD", "USD"}, {"CHF", "CHF"}} {
		if strings.Contains(header, c[0]) {
			return c[1], c[0]
		}
	}
	return "", ""
}

// addKey finds the column that is different in every record; or columns that are so together.
func (p *Proposal) addKey(s *sampled) {
	best, column, word := 0.0, -1, ""
	for i, c := range s.columns {
		score, by := nameMatch(externalID, c.name)
		if !c.named || !c.full() {
			continue
		}
		if !s.unique([]int{i}) {
			score /= 2 // still the best beginning of a template
		}
		if score > best {
			best, column, word = score, i, by
		}
	}
	if column >= 0 && s.unique([]int{column}) {
		name := s.columns[column].name
		p.add(fromColumn("externalId", name, "", best, fmt.Sprintf("is called like %q, and is different in each of %d records", word, s.rows)))
		return
	}
	p.addTemplate(s, column)
}

// addTemplate puts columns together until the records differ: first what is called a key, then what says most of a payment.
func (p *Proposal) addTemplate(s *sampled, first int) {
	order := []int{first}
	for _, target := range []string{"occurredOn", "amount", "quantity", "supplierExternalId", "accountCode", "description"} {
		column := -1
		if f := p.source(target); f != nil {
			column = slices.IndexFunc(s.columns, func(c *sampledColumn) bool { return c.name == f.Column })
		}
		order = append(order, column)
	}
	for i := range s.columns {
		order = append(order, i)
	}
	var chosen []int
	count := 1
	for at, i := range order {
		if i < 0 || slices.Contains(chosen, i) || !s.columns[i].named || !s.columns[i].full() || strings.ContainsAny(s.columns[i].name, "{}:") {
			continue
		}
		// Without anything that is called a key, day and sum belong to it: other columns may differ in the sample by chance.
		n, needed := s.distinct(append(chosen[:len(chosen):len(chosen)], i)), i == first || first < 0 && at <= 3
		if n > count || needed {
			chosen, count = append(chosen, i), n
		}
		if count == s.rows && (first >= 0 || at >= 3) {
			break
		}
	}
	if len(chosen) == 0 {
		return
	}
	var names, pieces []string
	for _, i := range chosen {
		names, pieces = append(names, s.columns[i].name), append(pieces, "{"+s.columns[i].name+"}")
	}
	template := strings.Join(pieces, "/")
	reason := fmt.Sprintf("No column is different in every record; %s are so together.", quoted(names, ", "))
	if count < s.rows {
		reason = fmt.Sprintf("No column is different in every record, nor are %s together: of records that are alike in all of them only the first goes in (%d of %d differ).", quoted(names, ", "), count, s.rows)
	}
	p.add(ProposedSource{Target: "externalId", Column: template, Confidence: 0.5, Reason: reason, yaml: fmt.Sprintf("{ template: %q, hash: true }", template)})
}

func (s *sampled) unique(columns []int) bool { return s.rows > 0 && s.distinct(columns) == s.rows }

// distinct counts how many different records there are by some columns.
func (s *sampled) distinct(columns []int) int {
	seen := map[string]bool{}
	for row := range s.rows {
		var key strings.Builder
		for _, i := range columns {
			key.WriteString(s.columns[i].values[row])
			key.WriteByte(0)
		}
		seen[key.String()] = true
	}
	return len(seen)
}

// complete says what an import needs beyond what was found.
func (p *Proposal) complete() {
	p.Missing, p.open = nil, nil
	lacks := func(target, sentence, line string) {
		for _, d := range p.doubts {
			if d.target == target {
				sentence, line = strings.ToUpper(d.why[:1])+d.why[1:]+". Say in the columns file which is meant.", "  "+d.yaml
			}
		}
		p.Missing, p.open = append(p.Missing, sentence), append(p.open, line)
	}
	has := func(target string) bool { return p.source(target) != nil }
	if !has("externalId") {
		lacks("externalId", "No columns tell the records apart (externalId).", "  externalId: { template: \"{…}/{…}\" }")
	}
	if !has("description") {
		lacks("description", "No column says what was bought (description).", "  description: …")
	}
	if !has("occurredOn") {
		lacks("occurredOn", "No column holds days (occurredOn).", "  occurredOn: { from: …, formats: [DD/MM/YYYY] }")
	}
	money, physical := has("amount") && has("currency"), has("quantity") && has("unit")
	switch {
	case money || physical:
	case has("amount") || p.unclear("amount"):
		if p.unclear("amount") {
			lacks("amount", "", "")
		}
		if !has("currency") {
			lacks("currency", "Nothing says in which currency the amounts are (currency).", "constants: { currency: … }")
		}
	case has("quantity"):
		lacks("unit", "Nothing says in which unit the quantities are (unit).", "constants: { unit: … }")
	default:
		lacks("amount", "No column holds amounts, with a currency, or quantities, with a unit.", "  amount: …")
	}
}
