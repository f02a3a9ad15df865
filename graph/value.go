package graph

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// blank is what may stand between the parts of JSON.
const blank = " \t\r\n"

// aValue reads the value that a text of valid JSON begins with, and gives what follows it. Numbers stay as they are written, digit by digit, so that none is rounded.
// encoding/json takes three times as long over the few variables that most requests have, and 1.7 times over 100,000 names (BenchmarkVariables).
func aValue(text []byte) (v any, rest []byte) {
	switch text[0] {
	case '{':
		return members(text)
	case '[':
		list := []any{}
		for text = bytes.TrimLeft(text[1:], blank); text[0] != ']'; text = bytes.TrimLeft(text, blank+",") {
			var item any
			item, text = aValue(text)
			list = append(list, item)
		}
		return list, text[1:]
	}
	end := valueEnd(text)
	one, rest := text[:end], text[end:]
	switch one[0] {
	case '"':
		s, _ := aText(one)
		return s, rest
	case 't':
		return true, rest
	case 'f':
		return false, rest
	case 'n':
		return nil, rest
	}
	return json.Number(one), rest
}

// members reads an object.
func members(text []byte) (m map[string]any, rest []byte) {
	m = map[string]any{}
	for text = bytes.TrimLeft(text[1:], blank); text[0] != '}'; text = bytes.TrimLeft(text, blank+",") {
		end := valueEnd(text)
		m[aName(text[:end])], text = aValue(bytes.TrimLeft(text[end:], blank+":"))
	}
	return m, text[1:]
}

// aName reads the name of a member. It shares the memory of the body, which nobody changes: what outlives the request has
// the names of the schema, and a request that is remembered holds its body, which is short (remembered.go).
func aName(quoted []byte) string {
	if name := quoted[1 : len(quoted)-1]; bytes.IndexByte(name, '\\') < 0 && utf8.Valid(name) {
		return shared(name)
	}
	name, _ := aText(quoted)
	return name
}
