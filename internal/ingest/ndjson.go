package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/fault"
)

const (
	// keySample is how much of the beginning tells the columns.
	keySample = 256 << 10
	// maxKeys bounds the columns of a file, and the keys that are remembered as ignored.
	maxKeys = 2000
	// maxDepth bounds objects in objects.
	maxDepth = 8
)

// objects reads newline-delimited JSON: an object a line. Its columns are the keys that the first lines have. A key that appears only later makes no
// column, since what failed is written under the columns of the beginning; where a field of an activity could be taken from it, the line fails and says
// so, else the key is told as ignored.
type objects struct {
	*input
	encoding Encoding
	in       *bufio.Reader
	wanted   map[string]bool // folded names that fields are taken from
	header   []string
	columns  map[string]int // by folded name
	spelled  map[string]int // by the name as it was written first: short, since most lines are alike
	record   []string
	numbers  []bool
	seen     []bool
	later    []string // keys that appeared after the columns were found, and that nothing is taken from
	line     int
}

func openNDJSON(s *input, in *bufio.Reader, e Encoding, wanted map[string]bool) (*objects, error) {
	o := &objects{input: s, encoding: e, in: bufio.NewReaderSize(in, maxRecord), wanted: wanted, columns: map[string]int{}, spelled: map[string]int{}}
	sample, err := o.in.Peek(keySample)
	if err == nil && !bytes.Contains(sample, []byte("\n")) {
		sample, err = o.in.Peek(maxRecord)
	}
	whole := errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole && len(sample) == 0 {
		return nil, s.fault(err, 1)
	}
	for len(sample) > 0 {
		line, rest, ended := bytes.Cut(sample, []byte("\n"))
		if !ended && !whole {
			break
		}
		sample = rest
		// A line that is no object is told when its turn comes.
		_ = flatten(line, func(key, _ string, _ bool) error {
			if _, known := o.columns[fold(key)]; !known && len(o.header) < maxKeys {
				o.columns[fold(key)], o.spelled[key] = len(o.header), len(o.header)
				o.header = append(o.header, key)
			}
			return nil
		})
	}
	if len(o.header) == 0 {
		return nil, fault.New(fault.BadUserInput, "%s begins like JSON, but none of its first lines is an object; write one object a line.", s.name)
	}
	o.record, o.numbers, o.seen = make([]string, len(o.header)), make([]bool, len(o.header)), make([]bool, len(o.header))
	return o, nil
}

func (o *objects) Header() []string { return o.header }

func (o *objects) IsNumber(column int) bool { return o.numbers[column] }

func (o *objects) Next() ([]string, int, error) {
	for {
		line, err := o.in.ReadSlice('\n')
		o.line++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return o.skipLine(line)
		case err != nil && (!errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return nil, o.line, o.fault(err, o.line)
		case len(bytes.TrimSpace(line)) > 0:
			record, err := o.object(line)
			if err == nil && blank(record) {
				continue
			}
			return record, o.line, err
		case err != nil:
			return nil, o.line, io.EOF
		}
	}
}

// skipLine passes over a line that is too long to be held.
func (o *objects) skipLine(beginning []byte) ([]string, int, error) {
	record := []string{strings.ToValidUTF8(string(firstBytes(beginning, 200)), "") + "…"}
	for {
		_, err := o.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, o.line, o.fault(err, o.line)
		}
		return record, o.line, &Malformed{o.line, fmt.Sprintf("The line has more than %d bytes; write one object a line", maxRecord)}
	}
}

func firstBytes(b []byte, n int) []byte { return b[:min(n, len(b))] }

// object reads a line into the record.
func (o *objects) object(line []byte) ([]string, error) {
	if !utf8.Valid(line) {
		return []string{strings.ToValidUTF8(string(line), "\ufffd")}, &Malformed{o.line, fmt.Sprintf("The line is not text in %s; %s", o.encoding, declareEncoding)}
	}
	clear(o.record)
	clear(o.numbers)
	clear(o.seen)
	err := flatten(bytes.TrimSpace(line), func(key, text string, number bool) error {
		column, known := o.spelled[key]
		if !known {
			column, known = o.columns[fold(key)]
		}
		switch {
		case known && o.seen[column]:
			return fmt.Errorf("%.40q stands twice", key)
		case strings.IndexByte(text, 0) >= 0:
			return fmt.Errorf("%.40q has a zero byte, which no text has", key)
		case !known && text != "" && o.wanted[fold(key)]:
			return fmt.Errorf("the key %.40q stands in none of the first lines, by which the columns are found; write it in the first line too, as null where there is nothing", key)
		case !known:
			if len(o.later) < maxKeys && !slices.Contains(o.later, key) {
				o.later = append(o.later, key)
			}
			return nil
		}
		o.seen[column], o.record[column], o.numbers[column] = true, text, number
		return nil
	})
	if err != nil {
		return []string{strings.TrimSpace(string(line))}, &Malformed{o.line, "The line is not a JSON object as it should be: " + err.Error()}
	}
	return o.record, nil
}

// flatten visits the values of an object as texts: objects in it by names with dots, numbers in the digits that they are written in, lists as their JSON.
// A quantity with its unit, and money with its currency, are named as a file without objects names them.
func flatten(line []byte, visit func(key, text string, number bool) error) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("it begins with no brace; write one object a line")
	}
	f := flattening{d: d, visit: func(key, text string, number bool) error {
		// What the decoder puts for half a pair of UTF-16 is not what the text says.
		if (strings.Contains(text, "\ufffd") || strings.Contains(key, "\ufffd")) && !hasReplacement(line) {
			return fmt.Errorf("%.40q holds half a character", key)
		}
		return visit(flatName(key), text, number)
	}}
	if err := f.object("", 1); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something stands after the closing brace; write one object a line")
	}
	return nil
}

// hasReplacement tells whether a line itself has the sign that stands for what could not be read.
func hasReplacement(line []byte) bool {
	return bytes.Contains(line, []byte("\ufffd")) || bytes.Contains(bytes.ToLower(line), []byte(`\ufffd`))
}

// flatName turns the names that the GraphQL input has into those of a file.
func flatName(key string) string {
	if !strings.Contains(key, ".") {
		return key
	}
	switch strings.ToLower(key) {
	case "quantity.value":
		return "quantity"
	case "quantity.unit":
		return "unit"
	case "money.amount":
		return "amount"
	case "money.currency":
		return "currency"
	}
	return key
}

type flattening struct {
	d     *json.Decoder
	visit func(key, text string, number bool) error
}

// object visits the values up to the brace that closes.
func (f *flattening) object(prefix string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("objects stand in each other more than %d deep", maxDepth)
	}
	for f.d.More() {
		t, err := f.d.Token()
		if err != nil {
			return syntaxOf(err)
		}
		key, _ := t.(string) // keys are nothing else
		if err := f.value(prefix+key, depth); err != nil {
			return err
		}
	}
	_, err := f.d.Token()
	return syntaxOf(err)
}

func (f *flattening) value(key string, depth int) error {
	t, err := f.d.Token()
	if err != nil {
		return syntaxOf(err)
	}
	switch v := t.(type) {
	case json.Delim:
		if v == '{' {
			return f.object(key+".", depth+1)
		}
		list, err := f.list()
		if err != nil {
			return err
		}
		return f.visit(key, string(list), false)
	case json.Number:
		return f.visit(key, v.String(), true)
	case string:
		return f.visit(key, v, false)
	case bool:
		return f.visit(key, fmt.Sprint(v), false)
	}
	return f.visit(key, "", false)
}

// list reads to the bracket that closes and gives what stands between, anew: a list makes no field, but what failed is written with it.
func (f *flattening) list() (json.RawMessage, error) {
	items := []json.RawMessage{}
	for f.d.More() {
		var item json.RawMessage
		if err := f.d.Decode(&item); err != nil {
			return nil, syntaxOf(err)
		}
		items = append(items, item)
	}
	if _, err := f.d.Token(); err != nil {
		return nil, syntaxOf(err)
	}
	return json.Marshal(items)
}

func syntaxOf(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends before its closing brace")
	}
	if err != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
