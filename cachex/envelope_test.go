package cachex_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/cachex"
)

func entries(t *rapid.T) *cachex.Entry {
	instant := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(0, rapid.Int64().Draw(t, "ns")) })
	body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
	return &cachex.Entry{Head: rapid.SliceOf(rapid.Byte()).Draw(t, "head"), Body: bytes.Repeat(body, rapid.SampledFrom([]int{1, 1, 500}).Draw(t, "times")),
		Stored: instant.Draw(t, "stored"), Soft: instant.Draw(t, "soft"), Hard: instant.Draw(t, "hard")}
}

func same(a, b *cachex.Entry) bool {
	return bytes.Equal(a.Body, b.Body) && bytes.Equal(a.Head, b.Head) && a.Stored.Equal(b.Stored) && a.Soft.Equal(b.Soft) && a.Hard.Equal(b.Hard)
}

func TestAnEntryComesBack(t *testing.T) {
	encode, decode := cachex.NewCodec()
	rapid.Check(t, func(t *rapid.T) {
		e, under := entries(t), rapid.String().Draw(t, "key")
		b, err := encode(under, e, rapid.Bool().Draw(t, "compress"))
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(b)-1).Draw(t, "altered at")
		spoilt := bytes.Clone(b)
		spoilt[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		for name, bad := range map[string][]byte{"altered": spoilt, "truncated": b[:at]} {
			if _, err := decode(under, bytes.Clone(bad)); !errors.Is(err, cachex.ErrCorrupt) {
				t.Fatalf("%s at %d of %d: %v", name, at, len(b), err)
			}
		}
		if got, err := decode(under, b); err != nil || !same(e, got) {
			t.Fatalf("%v came back as %v, %v", e, got, err)
		}
		if _, err := decode(under+"x", b); !errors.Is(err, cachex.ErrCorrupt) {
			t.Fatal("it is taken for that of another key")
		}
	})
}

// Whatever stands in Redis, also under a checksum that is right, is an entry or an error.
func FuzzDecode(f *testing.F) {
	encode, decode := cachex.NewCodec()
	for _, e := range []*cachex.Entry{{}, {Body: []byte("body"), Head: []byte("head"), Stored: time.Unix(1, 0)}, {Body: bytes.Repeat([]byte("carbon "), 1000)}} {
		for _, compress := range []bool{false, true} {
			b, err := encode("k", e, compress)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b, true)
			f.Add(b, false)
		}
	}
	f.Add([]byte("CGX\x01"), false)
	f.Fuzz(func(t *testing.T, b []byte, resum bool) {
		if resum && len(b) > 8 {
			b = cachex.Resum("k", b, func([]byte) {})
		}
		e, err := decode("k", bytes.Clone(b))
		if err != nil {
			if !errors.Is(err, cachex.ErrCorrupt) || e != nil {
				t.Fatal(e, err)
			}
			return
		}
		if len(e.Body)+len(e.Head) > 8<<20 {
			t.Fatalf("an entry of %d bytes", len(e.Body))
		}
		again, err := encode("k", e, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode("k", again); err != nil || !same(e, got) {
			t.Fatal(got, err)
		}
	})
}
