package store

import (
	"strconv"
	"time"

	"carbongraph/internal/exact"
)

// RunChanges adds up what a run changes while its lines are stored, so that its publication need not read a million of them again. It is exact or not at all: what
// gets too large for it, in number or in size, it leaves to the database. It is not safe for concurrent use.
type RunChanges struct {
	sums   map[sumKey]*[11]int64 // in the order of summed
	groups map[groupKey]*RunDifference
	spoilt bool
}

// sumKey is the key of a row of emission_sums, as far as the grain has its parts.
type sumKey struct {
	grain    int // place in grains
	supplier ID
	period   int32 // YYYYMM, the year's first month, or 0
	category int32
	method   CalculationMethod
	dataset  ID
}

// groupKey is a group of a dimension: by a row's id, by a text, or by the first month of a span, YYYYMM. Nothing of it is set where lines have nothing for it.
type groupKey struct {
	dimension FootprintDimension
	id        ID
	text      string
	month     int32
}

// maxChanges bounds the rows and the groups of a RunChanges: each takes about 200 bytes. A ledger of a million lines and 10,000 suppliers has 40,000 and 12,000.
const maxChanges = 250_000

// NewRunChanges makes an empty one, for a run of which no line is stored yet.
func NewRunChanges() *RunChanges {
	return &RunChanges{sums: map[sumKey]*[11]int64{}, groups: map[groupKey]*RunDifference{}}
}

// Add takes in a line that was stored. Nil takes in nothing.
func (c *RunChanges) Add(l *RunLine) {
	if c == nil || c.spoilt {
		return
	}
	if l.Previous != nil {
		c.sum(l.Previous, -1)
	}
	if l.Emission != nil {
		c.sum(l.Emission, 1)
	}
	c.group(l)
	if c.spoilt = c.spoilt || len(c.sums) > maxChanges || len(c.groups) > maxChanges; c.spoilt {
		c.sums, c.groups = nil, nil
	}
}

// exact tells whether all is in it.
func (c *RunChanges) exact() bool { return c != nil && !c.spoilt }

// plus is a sum of 64 bits; a larger one spoils all.
func (c *RunChanges) plus(a, b int64) int64 {
	s := a + b
	if (a < 0) == (b < 0) && (s < 0) != (a < 0) {
		c.spoilt = true
	}
	return s
}

// addends are what one emission adds to each of the sums: summed says the same in SQL.
func (e *Emission) addends() [11]int64 {
	co2e := int64(e.CO2e)
	weight := max(co2e/1000, -(co2e / 1000))
	q := e.Quality
	out := [11]int64{co2e, int64(e.BiogenicCO2), co2e, co2e, 0, 0, weight, weight * int64(q.Technology+q.Time+q.Geography+q.Completeness+q.Reliability), 1, 0, 0}
	if e.Low != nil && e.High != nil {
		out[2], out[3], out[10] = int64(min(*e.Low, *e.High)), int64(max(*e.Low, *e.High)), 1
	}
	if e.Spend != nil {
		out[4], out[5], out[9] = int64(*e.Spend), co2e, 1
	}
	return out
}

func (c *RunChanges) sum(e *Emission, sign int64) {
	addends, month := e.addends(), monthOf(e.OccurredOn)
	for i, g := range grains {
		k := sumKey{grain: i}
		if g.parts&partSupplier != 0 && e.SupplierID != nil {
			k.supplier = *e.SupplierID
		}
		switch {
		case g.parts&partMonth != 0:
			k.period = month
		case g.parts&partYear != 0:
			k.period = month/100*100 + 1
		}
		if g.parts&partCategory != 0 {
			k.category = e.CategoryNumber
		}
		if g.parts&partMethod != 0 {
			k.method = e.Method
		}
		if g.parts&partDataset != 0 {
			k.dataset = e.DatasetID
		}
		row := c.sums[k]
		if row == nil {
			row = new([11]int64)
			c.sums[k] = row
		}
		for j, n := range addends {
			row[j] = c.plus(row[j], sign*n)
		}
	}
}

func monthOf(d exact.Date) int32 { return int32(d.Year()*100 + int(d.Month())) }

func dayOf(month int32) exact.Date {
	if month == 0 {
		return exact.NewDate(1, 1, 1)
	}
	return exact.NewDate(int(month/100), time.Month(month%100), 1)
}

// group adds the line to its group of each dimension: differing says the same in SQL.
func (c *RunChanges) group(l *RunLine) {
	a, before, after := l.Activity, sideOf(l.Previous), sideOf(l.After)
	month := monthOf(a.OccurredOn)
	byText := func(d FootprintDimension, s *string) groupKey {
		if s == nil {
			return groupKey{dimension: d}
		}
		return groupKey{dimension: d, text: *s}
	}
	byID := func(d FootprintDimension, id *ID) groupKey {
		if id == nil {
			return groupKey{dimension: d}
		}
		return groupKey{dimension: d, id: *id}
	}
	for _, same := range []groupKey{byID(BySupplier, a.SupplierID), byText(ByCountry, a.Country), byText(ByAccountCode, a.AccountCode), {dimension: ByMonth, month: month},
		{dimension: ByQuarter, month: month - (month%100-1)%3}, {dimension: ByYear, month: month/100*100 + 1}} {
		c.differ(same, before.co2e, after.co2e, l.Causes)
	}
	byCategory := func(n *int32) groupKey {
		if n == nil {
			return groupKey{dimension: ByCategory}
		}
		return groupKey{dimension: ByCategory, text: strconv.Itoa(int(*n))}
	}
	for _, pair := range [][2]groupKey{{byCategory(before.category), byCategory(after.category)}, {byText(ByMethod, before.method), byText(ByMethod, after.method)},
		{byID(ByDataset, before.dataset), byID(ByDataset, after.dataset)}, {byID(ByFactor, before.factor), byID(ByFactor, after.factor)}} {
		switch {
		case l.Previous == nil || l.After != nil && pair[0] == pair[1]:
			c.differ(pair[1], before.co2e, after.co2e, l.Causes)
		case l.After == nil:
			c.differ(pair[0], before.co2e, after.co2e, l.Causes)
		default: // out of the one, into the other
			var out, in Causes
			*out.Of(l.Moved), *in.Of(l.Moved) = -exact.Milligrams(before.co2e), exact.Milligrams(after.co2e)
			c.differ(pair[0], before.co2e, 0, out)
			c.differ(pair[1], 0, after.co2e, in)
		}
	}
}

func (c *RunChanges) differ(k groupKey, before, after int64, causes Causes) {
	d := c.groups[k]
	if d == nil {
		d = &RunDifference{}
		c.groups[k] = d
	}
	add := func(to *exact.Milligrams, n exact.Milligrams) { *to = exact.Milligrams(c.plus(int64(*to), int64(n))) }
	add(&d.Before, exact.Milligrams(before))
	add(&d.After, exact.Milligrams(after))
	for _, cause := range causesInOrder() {
		add(d.Causes.Of(cause), *causes.Of(cause))
	}
}

// differences gives the groups, each named as the database's are.
func (c *RunChanges) differences(d dialect, newID func() ID) map[FootprintDimension][]*RunDifference {
	kinds := map[FootprintDimension]Kind{}
	for _, of := range differings(d) {
		kinds[of.dimension] = of.kind
	}
	found := map[FootprintDimension][]*RunDifference{}
	for k, group := range c.groups {
		r := *group
		r.ID, r.Key = newID(), k.text
		switch {
		case k.month != 0:
			r.Key = dayOf(k.month).String()
		case !k.id.IsZero():
			r.Key = Global(kinds[k.dimension], k.id).String()
		}
		found[k.dimension] = append(found[k.dimension], &r)
	}
	return found
}

// rows are the keys of the sums that change.
func (c *RunChanges) rows() (out []sumKey) {
	for k, row := range c.sums {
		if *row != [11]int64{} {
			out = append(out, k)
		}
	}
	return out
}
