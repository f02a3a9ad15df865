package graph

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// coding is a content coding by its name in HTTP; empty: none.
type coding string

// The codings that answers are kept in, the one that is taken between equals first: zstd is as small as br and takes less time to make and to read.
const (
	plain    coding = ""
	zstded   coding = "zstd"
	brotlied coding = "br"
	gzipped  coding = "gzip"
)

// smallest is how long a body is that is worth packing: below it, a packet holds it either way.
const smallest = 1024

// accepts picks the coding for Accept-Encoding: the one with the greatest weight of those that we have, RFC 9110, 12.5.3. A body as it is is always taken.
func accepts(lines []string) coding {
	best, weight := plain, 0.0
	everything := -1.0 // the weight of *
	var named [4]bool
	consider := func(i int, c coding, q float64) {
		named[i] = true
		if q > weight || q == weight && q > 0 && i < place(best) {
			best, weight = c, q
		}
	}
	for _, line := range lines {
		for entry := range strings.SplitSeq(line, ",") {
			name, q := weighed(entry)
			switch {
			case name == "*":
				everything = q
			case name == "x-gzip":
				consider(place(gzipped), gzipped, q)
			case place(coding(name)) < len(codings):
				consider(place(coding(name)), coding(name), q)
			}
		}
	}
	if everything > 0 {
		for i, c := range codings {
			if !named[i] {
				consider(i, c, everything)
			}
		}
	}
	return best
}

var codings = [...]coding{zstded, brotlied, gzipped}

// place is where a coding stands in the order of ours; behind them all where it is none of ours.
func place(c coding) int {
	for i, known := range codings {
		if c == known {
			return i
		}
	}
	return len(codings)
}

// weighed reads one entry of a list with weights; a weight that is none counts as 0.
func weighed(entry string) (name string, q float64) {
	name, params, given := strings.Cut(entry, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if !given {
		return name, 1
	}
	value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
	if !ok {
		return name, 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || q < 0 || q > 1 {
		return name, 0
	}
	return name, q
}

// packer packs bodies, with encoders that are used again: each takes memory that is dear to make.
type packer struct {
	zstd   *zstd.Encoder
	gzip   sync.Pool
	brotli sync.Pool
}

func newPacker() *packer {
	p := &packer{}
	p.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20), zstd.WithZeroFrames(true)) // of options that are right
	p.gzip.New = func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }
	p.brotli.New = func() any { return brotli.NewWriterLevel(nil, 4) }
	return p
}

// pack gives a body in a coding.
func (p *packer) pack(c coding, body []byte) []byte {
	switch c {
	case zstded:
		return p.zstd.EncodeAll(body, make([]byte, 0, len(body)/4))
	case gzipped:
		w := p.gzip.Get().(*gzip.Writer)
		defer p.gzip.Put(w)
		return packed(w, body)
	case brotlied:
		w := p.brotli.Get().(*brotli.Writer)
		defer p.brotli.Put(w)
		return packed(w, body)
	}
	return body
}

// resetter is a writer that can be used again.
type resetter interface {
	io.WriteCloser
	Reset(io.Writer)
}

func packed(w resetter, body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) / 4)
	w.Reset(&out)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
