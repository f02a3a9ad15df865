package ingest

import (
	"errors"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/fault"
)

// maxColumnsFile bounds a columns file: it is written by hand.
const maxColumnsFile = 1 << 20

// The targets: what a column of a file can become. Their names are those of the GraphQL input, flattened.
const (
	externalID = iota
	supplierExternalID
	supplierName
	category
	description
	accountCode
	occurredOn
	quantity
	unit
	amount
	currency
	country
	factorSource
	factorCode
	conversionProperty
	uncertaintyPercent
	targetCount
)

// Targets lists the names that a file without a columns file uses in its header.
func Targets() []string {
	return []string{"externalId", "supplierExternalId", "supplierName", "category", "description", "accountCode", "occurredOn",
		"quantity", "unit", "amount", "currency", "country", "factorSource", "factorCode", "conversionProperty", "uncertaintyPercent"}
}

// Columns tell how the columns of a file become an activity's fields.
type Columns struct {
	sources [targetCount]*source
	file    fileSection
	text    string
}

// Text gives the columns file as it was written, comments and all: to be kept, and parsed again.
func (c *Columns) Text() string { return c.text }

// source is where the text of one target comes from, and how it is read.
type source struct {
	from      []string          // spellings of the column, first found wins
	template  []piece           // or several columns put together
	hash      bool              // the template's text is replaced by a digest of it
	constant  string            // or the same text in every row
	optional  bool              // a file without the column is fine
	blank     []string          // texts that mean: nothing was given
	otherwise string            // what stands where nothing was given
	values    map[string]string // folded text of the file → our text
	formats   []dateFormat      // dates only
	round     bool              // numbers only
	notation  *notation         // numbers only; nil: found in each number
}

// piece of a template: a literal, or the text of a column, cut to a width where one is given.
type piece struct {
	literal, column string
	width           int
}

// ParseColumns reads a columns file. Unknown keys, columns that are given twice, and values that cannot be meant are faults that name the line.
//
//	file: { format: CSV, delimiter: ";", encoding: Windows-1252 }
//	columns:
//	  externalId: { template: "{Transaction Number}/{Date:10}" }
//	  description: [Expense Type, expenditure_category]
//	  occurredOn: { from: Date, formats: [DD/MM/YYYY], blank: ["00:00:00"], otherwise: fileName }
//	  category: { from: Type, values: { Capital: 2, Revenue: null } }
//	  amount: { from: Amount, round: true, numbers: "1.234,56" }
//	constants: { currency: GBP, country: GB }
func ParseColumns(r io.Reader) (*Columns, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxColumnsFile+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The columns file cannot be read.")
	}
	if len(text) > maxColumnsFile {
		return nil, fault.New(fault.BadUserInput, "The columns file is larger than %d bytes; is it the data?", maxColumnsFile)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fault.New(fault.BadUserInput, "The columns file is not YAML: %s.", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) != 1 {
		return nil, fault.New(fault.BadUserInput, "The columns file is empty; it needs a mapping \"columns\".")
	}
	c := &Columns{text: string(text)}
	err = eachKey(doc.Content[0], func(key string, n *yaml.Node) error {
		switch key {
		case "file":
			return eachKey(n, c.file.read)
		case "columns":
			return eachKey(n, func(target string, n *yaml.Node) error { return c.set(target, n, readSource) })
		case "constants":
			return eachKey(n, func(target string, n *yaml.Node) error { return c.set(target, n, readConstant) })
		}
		return at(n, "%q is not known here; a columns file has \"file\", \"columns\" and \"constants\"", key)
	})
	if err != nil {
		return nil, err
	}
	return c, c.complete()
}

// headerColumns are the columns of a file that comes without a columns file: its header names the targets.
func headerColumns() *Columns {
	c := &Columns{}
	for i, name := range Targets() {
		c.sources[i] = &source{from: []string{name}, optional: i != externalID && i != description && i != occurredOn}
	}
	return c
}

func (c *Columns) set(target string, n *yaml.Node, read func(int, *yaml.Node) (*source, error)) error {
	i := slices.Index(Targets(), target)
	if i < 0 {
		return at(n, "%q is not a field of an activity; known are %s", target, strings.Join(Targets(), ", "))
	}
	if c.sources[i] != nil {
		return at(n, "%s is given twice, as a column and as a constant", target)
	}
	s, err := read(i, n)
	c.sources[i] = s
	return err
}

// complete checks that the file can give what every activity needs.
func (c *Columns) complete() error {
	for _, i := range []int{externalID, description, occurredOn} {
		if c.sources[i] == nil {
			return fault.New(fault.BadUserInput, "The columns file does not say where %s comes from; every activity needs it.", Targets()[i])
		}
	}
	money, physical := c.sources[amount] != nil && c.sources[currency] != nil, c.sources[quantity] != nil && c.sources[unit] != nil
	if !money && !physical {
		return fault.New(fault.BadUserInput, "The columns file gives neither amount with currency nor quantity with unit; an activity needs one of the two.")
	}
	return nil
}

// names gives the folded spellings of all columns that something is taken from.
func (c *Columns) names() map[string]bool {
	names := map[string]bool{}
	for _, s := range c.sources {
		if s == nil {
			continue
		}
		for _, spelling := range s.from {
			names[fold(spelling)] = true
		}
		for _, p := range s.template {
			names[fold(p.column)] = p.column != "" || names[fold(p.column)]
		}
	}
	return names
}

// messageOf gives the words of a fault without its code, to be set into another sentence.
func messageOf(err error) string {
	var f *fault.Fault
	if errors.As(err, &f) {
		return strings.TrimSuffix(f.Message, ".")
	}
	return err.Error()
}

// fold makes spellings of a header comparable: without case, spaces, underscores and hyphens, and quantity.value as quantity.
func fold(s string) string {
	s = flatName(s)
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' || r == '\t' || r == '\u00a0' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// foldValue makes texts of a file comparable: without case and space around.
func foldValue(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
