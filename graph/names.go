package graph

import (
	"bytes"
	"unicode/utf8"
	"unsafe"
)

// few is how many names of an object are compared one by one.
const few = 8

// maxNames is how many names one object may have: more than any that the schema knows of, and so few that to look each of them up takes little.
const maxNames = 10_000

// repeats tells whether an object in a text of valid JSON, however deep, has a name twice, or has too many to find out. Of a name that stands twice one reader takes
// the first value and another the last, so that what was checked may not be what is run. The time is linear in the text.
func repeats(text []byte) (twice, many bool) {
	var stack [4]object // enough for nearly everybody
	open := stack[:0]
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			open = append(open, object{})
		case '}', ']':
			open = open[:len(open)-1]
		case '"':
			end := i + valueEnd(text[i:])
			if bytes.HasPrefix(bytes.TrimLeft(text[end:], " \t\r\n"), []byte(":")) { // which follows names alone
				name := text[i+1 : end-1]
				if bytes.IndexByte(name, '\\') >= 0 || !utf8.Valid(name) {
					plain, _ := aText(text[i:end])
					name = []byte(plain)
				}
				switch at := &open[len(open)-1]; {
				case at.has(name):
					return true, false
				case len(at.many) > maxNames:
					return false, true
				}
			}
			i = end - 1
		}
	}
	return false, false
}

// object is one that is not read to its end, or a list, which has no names.
type object struct {
	n    int
	some [few][]byte
	many map[string]bool // where there are more; its names share the text's memory
}

// has tells whether a name is there, and adds it.
func (o *object) has(name []byte) bool {
	if o.many != nil {
		before := len(o.many)
		o.many[shared(name)] = true
		return len(o.many) == before
	}
	for _, n := range o.some[:o.n] {
		if bytes.Equal(n, name) {
			return true
		}
	}
	if o.n == few {
		o.many = map[string]bool{shared(name): true}
		for _, n := range o.some {
			o.many[shared(n)] = true
		}
		return false
	}
	o.some[o.n] = name
	o.n++
	return false
}

// shared is a text in the memory of bytes that nobody writes to.
func shared(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
