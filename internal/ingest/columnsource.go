package ingest

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/exact"
)

func readConstant(target int, n *yaml.Node) (*source, error) {
	text, err := scalar(n)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, at(n, "a constant needs a value")
	}
	return &source{constant: text}, checkText(target, text, n)
}

// readSource reads a column's spelling, a list of spellings, or a mapping with all there is to say.
func readSource(target int, n *yaml.Node) (*source, error) {
	s := &source{}
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
	case key == "numbers" && number:
		s.notation, err = readNotation(n)
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

// readNotation reads how numbers are written, by an example.
func readNotation(n *yaml.Node) (*notation, error) {
	text, err := scalar(n)
	if err != nil {
		return nil, err
	}
	var written []string
	for _, known := range notations() {
		if known.written == text {
			return known, nil
		}
		written = append(written, known.written)
	}
	return nil, at(n, "%.40q is no notation of numbers; write it as one of %s", text, quoted(written, ", "))
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
