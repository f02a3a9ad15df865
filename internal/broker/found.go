package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// What is kept of an answer is
//
//	version  hallucinated  unfit  answers  { factor  tier  confidence  region  reason }
//
// numbers as varints, texts with their lengths before them, a factor as the 16 bytes of its id, a confidence as text. Which source it is of stands in the name.
const foundVersion = 1

var errNotFound = errors.New("what is kept is no answer")

func encodeFound(f Found) []byte {
	b := make([]byte, 0, 128)
	for _, n := range []int{foundVersion, f.Hallucinated, f.Unfit, len(f.Answers)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, a := range f.Answers {
		b = binary.AppendUvarint(append(b, a.FactorID[:]...), uint64(a.Tier))
		b = text(text(text(b, a.Confidence.String()), a.Region), a.Reason)
	}
	return b
}

// decodeFound reads what encodeFound wrote, to the byte: anything else is an error, so that no two texts are one answer.
func decodeFound(b []byte) (Found, error) {
	in := reader{rest: b}
	if in.number() != foundVersion {
		return Found{}, errNotFound
	}
	f := Found{Hallucinated: in.number(), Unfit: in.number()}
	for n := in.number(); n > 0 && !in.bad; n-- {
		a := Answer{FactorID: in.id(), Tier: Tier(in.number())}
		confidence := in.text()
		a.Region, a.Reason = in.text(), in.text()
		var err error
		if a.Confidence, err = exact.ParseDecimal(confidence); err != nil || sound(a, SupplierSpecific) != nil {
			return Found{}, errNotFound
		}
		f.Answers = append(f.Answers, a)
	}
	if in.bad || !bytes.Equal(encodeFound(f), b) {
		return Found{}, errNotFound
	}
	return f, nil
}

// reader takes one thing after another; after the first that is not there it is bad, and gives nothing.
type reader struct {
	rest []byte
	bad  bool
}

// most bounds the numbers: none that is kept comes near.
const most = 1 << 30

func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > most {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) id() (id store.ID) {
	copy(id[:], r.take(len(id)))
	return id
}

func (r *reader) text() string {
	s := string(r.take(r.number()))
	if !utf8.ValidString(s) {
		r.bad = true
	}
	return s
}
