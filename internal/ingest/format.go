package ingest

import (
	"bufio"
	"bytes"

	"carbongraph/internal/fault"
)

// Format is the form in which a ledger comes.
type Format string

// The formats, as a columns file names them.
const (
	CSV     Format = "CSV"
	NDJSON  Format = "NDJSON"
	PARQUET Format = "PARQUET"
	XLSX    Format = "XLSX"
)

// Formats lists what can be read.
func Formats() []Format { return []Format{CSV, NDJSON, PARQUET, XLSX} }

// refused are kinds of files that come in place of a ledger, by their first bytes.
var refused = []struct{ magic, what, remedy string }{
	{magics[gzipped], "compressed twice", "unpack it once"},
	{magics[zstded], "compressed twice", "unpack it once"},
	{"\xd0\xcf\x11\xe0", "a workbook of the old kind (.xls), or one with a password", "save it as .xlsx without a password"},
	{"%PDF", "a PDF", "ask for the table as CSV or as a workbook"},
	{"Obj\x01", "an Avro file", "write it as Parquet or CSV"},
	{"ARROW1\x00", "an Arrow file", "write it as Parquet or CSV"},
	{"BZh91AY", "compressed with bzip2", "compress it with gzip or zstd"},
	{"\xfd7zXZ", "compressed with xz", "compress it with gzip or zstd"},
	{"7z\xbc\xaf", "a 7z archive", "unpack it"},
	{"Rar!", "a rar archive", "unpack it"},
	{"SQLite format 3", "a SQLite database", "export the table as CSV"},
	{"<?xml", "XML", "export the table as CSV or as a workbook"},
	{"<!DOCTYPE", "a web page", "fetch the file itself, not the page that shows it"},
	{"<html", "a web page", "fetch the file itself, not the page that shows it"},
}

// binary tells which of the formats that are no text a file has, by its first bytes; empty: neither.
// What is certainly no ledger is a fault that says what it seems to be.
func (s *input) binary(sample []byte) (Format, error) {
	switch {
	case bytes.HasPrefix(sample, []byte("PAR1")):
		return PARQUET, nil
	case bytes.HasPrefix(sample, []byte("PK\x03\x04")):
		return XLSX, nil
	case bytes.HasPrefix(sample, []byte("PK\x05\x06")):
		return "", fault.New(fault.BadUserInput, "%s is a zip archive with nothing in it.", s.name)
	}
	for _, kind := range refused {
		if bytes.HasPrefix(sample, []byte(kind.magic)) {
			return "", fault.New(fault.BadUserInput, "%s is %s; %s.", s.name, kind.what, kind.remedy)
		}
	}
	return "", nil
}

// jsonBegins tells whether text is JSON: objects, or a list of them. A header whose first column is called { is none.
func jsonBegins(text []byte) (object, list bool) {
	text = bytes.TrimLeft(text, " \t\r\n")
	if bytes.HasPrefix(text, []byte("[")) {
		after := bytes.TrimLeft(text[1:], " \t\r\n")
		return false, bytes.HasPrefix(after, []byte("{")) || bytes.HasPrefix(after, []byte("]"))
	}
	if !bytes.HasPrefix(text, []byte("{")) {
		return false, false
	}
	after := bytes.TrimLeft(text[1:], " \t\r\n")
	return bytes.HasPrefix(after, []byte(`"`)) || bytes.HasPrefix(after, []byte("}")), false
}

// format finds in which form the ledger comes; what is text is given as text, with its encoding. What a columns file declares decides only between the
// forms of text: the others say themselves what they are.
func (s *input) format(declared fileSection) (Format, *bufio.Reader, Encoding, error) {
	sample, err := s.peek(sampleSize)
	if err != nil {
		return "", nil, "", err
	}
	if f, err := s.binary(sample); f != "" || err != nil {
		return f, nil, "", err
	}
	in, e, err := s.text(declared.encoding)
	if err != nil {
		return "", nil, "", err
	}
	_, _ = in.Peek(1) // fills the buffer; an error comes again when it is read
	beginning, _ := in.Peek(min(in.Buffered(), sampleSize))
	object, list := jsonBegins(beginning)
	switch {
	case declared.format == CSV:
		return CSV, in, e, nil
	case object:
		return NDJSON, in, e, nil
	case list:
		return "", nil, "", fault.New(fault.BadUserInput, "%s is a list in JSON; write one object a line, as jq -c '.[]' does.", s.name)
	}
	return CSV, in, e, nil
}
