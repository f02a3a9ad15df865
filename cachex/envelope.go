package cachex

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/klauspost/compress/zstd"
)

// An entry in Redis is
//
//	"CGX"  version  crc32c  flags  stored  soft  hard  head length  body length  head  body
//	  3       1        4      1      8      8     8         4            4
//
// big-endian; instants are nanoseconds since 1970, lengths are those before compression. The checksum covers what follows it and, before that, the key: an
// entry that came to stand under another key is none.
const (
	magic     = "CGX"
	version   = 1
	summed    = len(magic) + 1 + 4 // where the checksummed part begins
	headerLen = summed + 1 + 3*8 + 2*4

	// large is the size from which on a body is compressed.
	large = 4 << 10
	// largest is how many bytes an entry may have. No more than that is ever decompressed.
	largest = 8 << 20

	compressed = 1 << 0
)

var (
	// errCorrupt is of an entry in Redis that is truncated, altered or of another format.
	errCorrupt = errors.New("the entry in Redis is not one")
	errLarge   = errors.New("the entry is too large")
)

// codec turns entries to bytes and back. It is safe for concurrent use.
type codec struct {
	out *zstd.Encoder
	in  *zstd.Decoder
}

func newCodec() *codec {
	out, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants
	}
	in, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(largest), zstd.WithDecoderMaxWindow(largest))
	if err != nil {
		panic(err)
	}
	return &codec{out, in}
}

func sum(under string, of []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by its package
	return crc32.Update(crc32.Checksum([]byte(under), table), table, of)
}

// encode gives the bytes of an entry for the key under which it will stand.
func (c *codec) encode(under string, e *Entry, compress bool) ([]byte, error) {
	if e.size() > largest {
		return nil, errLarge
	}
	var flags byte
	b := make([]byte, headerLen, headerLen+e.size())
	b = append(b, e.Head...)
	if compress && len(e.Body) > large {
		flags = compressed
		b = c.out.EncodeAll(e.Body, b)
	} else {
		b = append(b, e.Body...)
	}
	copy(b, magic)
	b[len(magic)] = version
	b[summed] = flags
	at := b[summed+1:]
	for i, t := range []time.Time{e.Stored, e.Soft, e.Hard} {
		binary.BigEndian.PutUint64(at[8*i:], uint64(t.UnixNano()))
	}
	binary.BigEndian.PutUint32(at[24:], uint32(len(e.Head)))
	binary.BigEndian.PutUint32(at[28:], uint32(len(e.Body)))
	binary.BigEndian.PutUint32(b[len(magic)+1:], sum(under, b[summed:]))
	return b, nil
}

// decode gives the entry of bytes that stood under a key. It may keep the bytes.
func (c *codec) decode(under string, b []byte) (*Entry, error) {
	if len(b) < headerLen || string(b[:len(magic)]) != magic || b[len(magic)] != version ||
		binary.BigEndian.Uint32(b[len(magic)+1:]) != sum(under, b[summed:]) {
		return nil, errCorrupt
	}
	at := b[summed+1:]
	instant := func(i int) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(at[8*i:]))) }
	e := &Entry{Stored: instant(0), Soft: instant(1), Hard: instant(2)}
	head, body := uint64(binary.BigEndian.Uint32(at[24:])), uint64(binary.BigEndian.Uint32(at[28:]))
	rest := b[headerLen:]
	if head+body > largest || head > uint64(len(rest)) {
		return nil, errCorrupt
	}
	e.Head, e.Body = rest[:head:head], rest[head:]
	if b[summed]&compressed != 0 {
		var err error
		if e.Body, err = c.in.DecodeAll(e.Body, make([]byte, 0, body)); err != nil {
			return nil, errCorrupt
		}
	}
	if uint64(len(e.Body)) != body {
		return nil, errCorrupt
	}
	return e, nil
}
