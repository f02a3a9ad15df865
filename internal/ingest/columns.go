package ingest

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/exact"
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
}

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
}

// piece of a template: a literal, or the text of a column, cut to a width where one is given.
type piece struct {
	literal, column string
	width           int
}

// ParseColumns reads a columns file. Unknown keys, columns that are given twice, and values that cannot be meant are faults that name the line.
//
//	columns:
//	  externalId: { template: "{Transaction Number}/{Date:10}" }
//	  description: [Expense Type, expenditure_category]
//	  occurredOn: { from: Date, formats: [DD/MM/YYYY], blank: ["00:00:00"], otherwise: fileName }
//	  category: { from: Type, values: { Capital: 2, Revenue: null } }
//	  amount: { from: Amount, round: true }
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
	c := &Columns{}
	err = eachKey(doc.Content[0], func(key string, n *yaml.Node) error {
		switch key {
		case "columns":
			return eachKey(n, func(target string, n *yaml.Node) error { return c.set(target, n, readSource) })
		case "constants":
			return eachKey(n, func(target string, n *yaml.Node) error { return c.set(target, n, readConstant) })
		}
		return at(n, "%q is not known here; a columns file has \"columns\" and \"constants\"", key)
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
		c.sources[i] = &source{from: []string{name}, formats: isoDate(), optional: i != externalID && i != description && i != occurredOn}
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

func readConstant(target int, n *yaml.Node) (*source, error) {
	text, err := scalar(n)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, at(n, "a constant needs a value")
	}
	return &source{constant: text, formats: isoDate()}, checkText(target, text, n)
}

// readSource reads a column's spelling, a list of spellings, or a mapping with all there is to say.
func readSource(target int, n *yaml.Node) (*source, error) {
	s := &source{formats: isoDate()}
	var err error
	if n.Kind != yaml.MappingNode {
		s.from, err = texts(n)
		return s, err
	}
	if err := eachKey(n, func(key string, n *yaml.Node) error { return s.read(target, key, n) }); err != nil {
		return nil, err
	}
	if (len(s.from) == 0) == (len(s.template) == 0) {
		return nil, at(n, "%s needs either \"from\" or \"template\"", Targets()[target])
	}
	if s.hash && s.template == nil {
		return nil, at(n, "\"hash\" belongs to a template")
	}
	if s.otherwise == fromFileName && target == occurredOn {
		return s, nil
	}
	return s, checkText(target, s.otherwise, n)
}

func isNumber(target int) bool {
	return target == amount || target == quantity || target == uncertaintyPercent
}

func (s *source) read(target int, key string, n *yaml.Node) (err error) {
	number, date := isNumber(target), target == occurredOn
	switch {
	case key == "from":
		s.from, err = texts(n)
	case key == "template" && !number && !date:
		s.template, err = readTemplate(n)
	case key == "hash" && target == externalID:
		s.hash, err = boolean(n)
	case key == "optional":
		s.optional, err = boolean(n)
	case key == "blank":
		s.blank, err = texts(n)
	case key == "otherwise":
		s.otherwise, err = scalar(n)
	case key == "values" && !number && !date:
		s.values, err = readValues(n)
	case key == "formats" && date:
		s.formats, err = readFormats(n)
	case key == "round" && number:
		s.round, err = boolean(n)
	default:
		err = at(n, "%q is not known for %s", key, Targets()[target])
	}
	return err
}

// readValues reads what the texts of a file stand for; null means: nothing was given.
func readValues(n *yaml.Node) (map[string]string, error) {
	values := map[string]string{}
	return values, eachKey(n, func(key string, n *yaml.Node) error {
		text, err := scalar(n)
		values[foldValue(key)] = text
		return err
	})
}

// readTemplate cuts "{Transaction Number}/{Date:10}" into pieces.
func readTemplate(n *yaml.Node) ([]piece, error) {
	text, err := scalar(n)
	if err != nil {
		return nil, err
	}
	var pieces []piece
	for text != "" {
		literal, rest, open := strings.Cut(text, "{")
		if strings.Contains(literal, "}") {
			return nil, at(n, "the template closes a brace that is not open")
		}
		if literal != "" {
			pieces = append(pieces, piece{literal: literal})
		}
		if !open {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		p := piece{column: name}
		if column, width, cut := strings.Cut(name, ":"); cut {
			w, err := strconv.Atoi(width)
			if err != nil || w < 1 {
				return nil, at(n, "{%s} in the template: after the colon stands how many characters to keep", name)
			}
			p = piece{column: column, width: w}
		}
		if !closed || fold(p.column) == "" {
			return nil, at(n, "the template opens a brace that holds no column or is not closed")
		}
		pieces, text = append(pieces, p), after
	}
	if !slices.ContainsFunc(pieces, func(p piece) bool { return p.column != "" }) {
		return nil, at(n, "the template names no column, so every row would be the same; write columns in braces")
	}
	return pieces, nil
}

// checkText fails on a constant or fallback that no row could use.
func checkText(target int, text string, n *yaml.Node) error {
	if text == "" {
		return nil
	}
	var err error
	switch target {
	case occurredOn:
		_, err = exact.ParseDate(text)
	case amount, quantity, uncertaintyPercent:
		_, err = parseMicros(text, false)
	case category:
		_, err = parseCategory(text)
	}
	if err != nil {
		return at(n, "%s: %s", Targets()[target], messageOf(err))
	}
	return nil
}

// messageOf gives the words of a fault without its code, to be set into another sentence.
func messageOf(err error) string {
	var f *fault.Fault
	if errors.As(err, &f) {
		return strings.TrimSuffix(f.Message, ".")
	}
	return err.Error()
}

// fold makes spellings of a header comparable: without case, spaces, underscores and hyphens.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' || r == '\t' || r == '\u00a0' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// foldValue makes texts of a file comparable: without case and space around.
func foldValue(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
