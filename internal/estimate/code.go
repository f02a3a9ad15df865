package estimate

import (
	"encoding/binary"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// encode writes results for decode. Their formulas, which many have in common, stand in front, each once. Binary, since JSON takes longer to read than to calculate anew.
func encode(results []Result) []byte {
	places, formulas := map[string]uint64{}, []byte(nil)
	rest := make([]byte, 0, 64*len(results))
	for _, r := range results {
		if p := r.Problem; p != nil {
			rest = text(text(flag(rest, false), p.Code), p.Message)
			rest = binary.AppendUvarint(rest, uint64(len(p.Path)))
			for _, s := range p.Path {
				rest = text(rest, s)
			}
			continue
		}
		e := r.Emission
		at, known := places[e.Formula]
		if !known {
			at = uint64(len(places))
			places[e.Formula] = at
			formulas = text(formulas, e.Formula)
		}
		rest = append(append(flag(rest, true), e.FactorID[:]...), e.DatasetID[:]...)
		rest = binary.AppendUvarint(rest, at)
		for _, n := range []int64{int64(e.Amount), int64(e.CO2e), int64(e.BiogenicCO2)} {
			rest = binary.AppendVarint(rest, n)
		}
		rest = text(text(rest, string(e.Method)), string(e.GwpSet))
	}
	out := binary.AppendUvarint(make([]byte, 0, len(formulas)+len(rest)+binary.MaxVarintLen64), uint64(len(places)))
	return append(append(out, formulas...), rest...)
}

func flag(b []byte, set bool) []byte {
	if set {
		return append(b, 1)
	}
	return append(b, 0)
}

func text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decode reads so many results that encode wrote; false where the bytes are something else.
func decode(b []byte, n int) ([]Result, bool) {
	r := &reader{b: b}
	formulas := make([]string, r.count())
	for i := range formulas {
		formulas[i] = r.text()
	}
	out, emissions := make([]Result, n), make([]store.Emission, n)
	for i := range out {
		if !r.flag() {
			p := &store.Problem{Code: r.text(), Message: r.text(), Path: make([]string, r.count())}
			for i := range p.Path {
				p.Path[i] = r.text()
			}
			out[i].Problem = p
			continue
		}
		e := &emissions[i]
		copy(e.FactorID[:], r.take(len(e.FactorID)))
		copy(e.DatasetID[:], r.take(len(e.DatasetID)))
		if at := r.number(); at < uint64(len(formulas)) {
			e.Formula = formulas[at]
		} else {
			r.wrong = true
		}
		e.Amount, e.CO2e, e.BiogenicCO2 = exact.Micros(r.signed()), exact.Milligrams(r.signed()), exact.Milligrams(r.signed())
		e.Method, e.GwpSet = store.CalculationMethod(r.text()), store.GwpSet(r.text())
		out[i].Emission = e
	}
	return out, !r.wrong && len(r.b) == 0
}

// reader reads what is left of bytes. Once something is wrong it gives nothing any more.
type reader struct {
	b     []byte
	wrong bool
}

func (r *reader) take(n int) []byte {
	if r.wrong || n > len(r.b) {
		r.wrong = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) flag() bool {
	b := r.take(1)
	return len(b) == 1 && b[0] == 1
}

func (r *reader) number() uint64 { return varint(r, binary.Uvarint) }

func (r *reader) signed() int64 { return varint(r, binary.Varint) }

func varint[N int64 | uint64](r *reader, of func([]byte) (N, int)) N {
	n, size := of(r.b)
	if size <= 0 {
		r.wrong = true
		return 0
	}
	r.take(size)
	return n
}

// count is a number of things that each take a byte at least.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.wrong = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string { return string(r.take(r.count())) }
