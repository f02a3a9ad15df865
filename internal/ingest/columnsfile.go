package ingest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// fileSection is what a columns file says of the file as a whole; what it leaves out is found.
type fileSection struct {
	format    Format
	delimiter rune
	encoding  Encoding
	sheet     string
}

// read takes one key of the section "file".
func (f *fileSection) read(key string, n *yaml.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	if text == "" {
		return at(n, "%q needs a value; leave the key out where it is to be found", key)
	}
	known := true
	switch key {
	case "format":
		if f.format, known = named(text, Formats()); !known {
			return at(n, "%.40q is no format; known are %s", text, list(Formats()))
		}
	case "encoding":
		if f.encoding, known = named(text, Encodings()); !known {
			return at(n, "%.40q is no encoding that is read; known are %s", text, list(Encodings()))
		}
	case "delimiter":
		if f.delimiter = readDelimiter(text); f.delimiter == 0 {
			return at(n, "%.40q cannot stand between fields; write one character, such as \";\" or \"\\t\"", text)
		}
	case "sheet":
		f.sheet = text
	default:
		return at(n, "%q is not known for the file; known are format, delimiter, encoding and sheet", key)
	}
	return nil
}

// readDelimiter reads the one character of a text; 0 where it is another number of them, or one that CSV needs for itself.
func readDelimiter(text string) rune {
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", r) {
		return 0
	}
	return r
}

func list[T ~string](known []T) string { return strings.Trim(fmt.Sprint(known), "[]") }
