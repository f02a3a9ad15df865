package ingest

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"carbongraph/internal/fault"
)

// Encoding is how text is written in bytes.
type Encoding string

// The encodings, as a columns file names them. All but the last are found; that one cannot be told from its sisters, so it is read only where it is declared.
const (
	UTF8        Encoding = "UTF-8"
	UTF16LE     Encoding = "UTF-16LE"
	UTF16BE     Encoding = "UTF-16BE"
	Windows1252 Encoding = "Windows-1252"
)

// Encodings lists what can be read.
func Encodings() []Encoding { return []Encoding{UTF8, UTF16LE, UTF16BE, Windows1252} }

// sampleSize is how much of a file's beginning decides whether it is text.
const sampleSize = 8 << 10

// marks stand at the beginning of text that says how it is written.
var marks = []struct {
	bytes    string
	encoding Encoding
}{{"\xef\xbb\xbf", UTF8}, {"\xff\xfe", UTF16LE}, {"\xfe\xff", UTF16BE}}

// text gives the file as UTF-8 without a mark, and says in which encoding it came. A mark goes before what is declared: rows that failed come back
// in UTF-8 with one, whatever the ledger was written in. Bytes that mean nothing stay bytes that are no UTF-8, for the record that has them to fail.
func (s *input) text(declared Encoding) (*bufio.Reader, Encoding, error) {
	sample, err := s.peek(sampleSize)
	if err != nil {
		return nil, "", err
	}
	e, mark := markOf(sample)
	switch {
	case mark > 0:
	case declared != "":
		e = declared
	default:
		if e = byZeros(sample); e == "" {
			e = UTF8
			if at := bytes.IndexByte(sample, 0); at >= 0 {
				return nil, "", fault.New(fault.BadUserInput, "%s is not text: byte %d is zero, which no text has; export it as CSV in UTF-8.", s.name, at)
			}
		}
	}
	s.in.Discard(mark) // just peeked: cannot fail
	sample = sample[mark:]
	in := s.in
	switch e {
	case UTF16LE, UTF16BE:
		in = bufio.NewReaderSize(&utf16Reader{in: s.in, big: e == UTF16BE}, 64<<10)
	case Windows1252:
		in = bufio.NewReaderSize(charmap.Windows1252.NewDecoder().Reader(s.in), 64<<10)
	default:
		if bad, at := invalid(sample); bad*10 > len(sample) {
			return nil, "", fault.New(fault.BadUserInput, "%s is not text in UTF-8 (first at byte %d); %s.", s.name, at+mark, declareEncoding)
		}
	}
	if len(bytes.TrimSpace(sample)) == 0 {
		return nil, "", s.empty()
	}
	return in, e, nil
}

func (s *input) empty() error {
	return fault.New(fault.BadUserInput, "%s is empty; a ledger begins with a header, or with an object in braces.", s.name)
}

// declareEncoding says what to do about text that is no UTF-8.
const declareEncoding = `save it as UTF-8, or, where it is in Windows-1252 as older programs write, say so in the columns file: file: { encoding: Windows-1252 }`

func markOf(sample []byte) (Encoding, int) {
	for _, m := range marks {
		if bytes.HasPrefix(sample, []byte(m.bytes)) {
			return m.encoding, len(m.bytes)
		}
	}
	return "", 0
}

// byZeros finds UTF-16 without a mark: of text in Latin letters, every second byte is zero and no other. Empty: it is not that.
func byZeros(sample []byte) Encoding {
	var zeros [2]int
	for i, b := range sample {
		if b == 0 {
			zeros[i%2]++
		}
	}
	most := len(sample) / 2 * 2 / 5 // two fifths of the pairs: umlauts and Greek names may stand between
	switch {
	case zeros[1] > most && zeros[0] == 0:
		return UTF16LE
	case zeros[0] > most && zeros[1] == 0:
		return UTF16BE
	}
	return ""
}

// invalid counts the bytes that are no UTF-8 and tells where the first stands. A rune that the sample's end cuts is not held against it.
func invalid(sample []byte) (n, first int) {
	for i := 0; i < len(sample); {
		r, size := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && size == 1 && utf8.FullRune(sample[i:]) {
			if n == 0 {
				first = i
			}
			n++
		}
		i += size
	}
	return n, first
}

// utf16Reader reads UTF-16 as UTF-8. Half a pair, and a byte too much at the end, come out as a byte that is no UTF-8, where the libraries would put a
// question mark in silence.
type utf16Reader struct {
	in  *bufio.Reader
	big bool
	out []byte // not given yet
	err error
}

const noUTF8 = 0xff

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.out = u.out[:0]
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// fill decodes what is at hand.
func (u *utf16Reader) fill() {
	u.out = make([]byte, 0, 4096)
	for len(u.out) < 4096-utf8.UTFMax {
		unit, ok := u.unit()
		if !ok {
			return
		}
		r := rune(unit)
		if utf16.IsSurrogate(r) {
			r = u.pair(r)
		}
		if r < 0 {
			u.out = append(u.out, noUTF8)
			continue
		}
		u.out = utf8.AppendRune(u.out, r)
	}
}

// unit reads two bytes; false at the end, or where reading failed.
func (u *utf16Reader) unit() (uint16, bool) {
	b, err := u.in.Peek(2)
	if len(b) < 2 {
		if len(b) == 1 && err == io.EOF {
			u.in.Discard(1)
			u.out = append(u.out, noUTF8)
		}
		u.err = err
		return 0, false
	}
	unit := uint16(b[0]) | uint16(b[1])<<8
	if u.big {
		unit = uint16(b[0])<<8 | uint16(b[1])
	}
	u.in.Discard(2) // just peeked: cannot fail
	return unit, true
}

// pair reads the other half of a pair; −1 where there is none.
func (u *utf16Reader) pair(high rune) rune {
	b, _ := u.in.Peek(2)
	if len(b) < 2 {
		return -1
	}
	low := rune(b[0]) | rune(b[1])<<8
	if u.big {
		low = rune(b[0])<<8 | rune(b[1])
	}
	r := utf16.DecodeRune(high, low)
	if r == utf8.RuneError {
		return -1
	}
	u.in.Discard(2) // just peeked: cannot fail
	return r
}

// named finds a value among those that a file may name, without regard to case; false where it is none.
func named[T ~string](text string, known []T) (T, bool) {
	i := slices.IndexFunc(known, func(k T) bool { return strings.EqualFold(string(k), text) })
	if i < 0 {
		return "", false
	}
	return known[i], true
}
