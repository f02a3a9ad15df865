package store

import (
	"errors"
	"math"
	"strings"
	"testing"

	"carbongraph/internal/exact"
)

// What is not in the form of its type is an error, never a value.
func TestBinaryFormsOfOtherLengthsAreRefused(t *testing.T) {
	for name, read := range map[string]func(b []byte) error{
		"uuid":        func(b []byte) error { return wireID(new(ID), b) },
		"integer":     func(b []byte) error { return wireInt(new(int64), b) },
		"boolean":     func(b []byte) error { return wireBool(new(bool), b) },
		"date":        func(b []byte) error { return wireDate(new(exact.Date), b) },
		"timestamptz": func(b []byte) error { return wireInstant(new(exact.Instant), b) },
	} {
		for _, b := range [][]byte{nil, {}, make([]byte, 3), make([]byte, 17)} {
			if err := read(b); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%d bytes for a %s: %v", len(b), name, err)
			}
		}
	}
	if wireText(new(string), nil) == nil || wireDecimal(new(exact.Decimal), nil) == nil {
		t.Error("NULL is no text and no number")
	}
	if wireDecimal(new(exact.Decimal), []byte("x")) == nil {
		t.Error("x is a number")
	}
	if (jsonText[[]int]{new([]int)}).read([]byte("[")) == nil || (jsonText[[]int]{new([]int)}).Scan(3) == nil {
		t.Error("half a list is JSON, or a number is")
	}
}

func TestJSONOfOneRowDoesNotShowThroughTheNext(t *testing.T) {
	var gases []FactorGas
	for _, text := range []string{`[{"gas":"CO2","amount":"1","basis":"MASS"},{"gas":"CH4","amount":"2","basis":"MASS"}]`, `[{"gas":"N2O"}]`} {
		if err := (jsonText[[]FactorGas]{&gases}).read([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if len(gases) != 1 || gases[0].Basis != "" || gases[0].Amount.Sign() != 0 {
		t.Errorf("gases = %+v", gases)
	}
}

func TestValuesThatNoStatementTakes(t *testing.T) {
	p := &prepared{}
	for _, v := range []any{struct{}{}, math.NaN(), math.Inf(1), nil, true} {
		if err := p.parameters([]any{"fine", v}); err == nil {
			t.Errorf("%v was bound", v)
		}
	}
	if err := p.parameters([]any{"a", 1, int64(-2), 1.5, ID{1}, []ID{}, []string{"x", ""}, []int32{3}}); err != nil || len(p.values) != 8 {
		t.Errorf("%d values, %v", len(p.values), err)
	}
}

// A row that is not as it was asked for ends the read.
func TestRowsOfAnotherShapeAreRefused(t *testing.T) {
	q := &Select[int]{rel: newCount("emissions", "e"), statement: &statement{}, text: "SELECT", lead: leadPage, parents: 2, window: window{size: 1}, bound: &binding{}}
	take := func() *intake[int] {
		return &intake[int]{q: q, sink: kept{}, pick: q.rel.pick(0), scratch: newScratch(q.rel.cols), pages: make([]PageOf, 2)}
	}
	number := func(n byte) []byte { return []byte{0, 0, 0, n} }
	for name, rows := range map[string][][][]byte{
		"too few columns":        {{number(0)}},
		"too many columns":       {{number(0), {0}, {0}, number(1), number(1)}},
		"a parent nobody has":    {{number(2), {0}, {0}, number(1)}},
		"a parent of before":     {{number(1), {0}, {0}, number(1)}, {number(0), {0}, {0}, number(1)}},
		"a parent of no number":  {{nil, {0}, {0}, number(1)}},
		"a flag of two bytes":    {{number(0), {0, 0}, {0}, number(1)}},
		"a value of three bytes": {{number(0), {0}, {0}, {1, 2, 3}}},
	} {
		r := take()
		var err error
		for _, row := range rows {
			err = errors.Join(err, r.wire(row))
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := take().wire([][]byte{number(0), {0}, {1}, number(7)}); err != nil {
		t.Errorf("a row as it was asked for: %v", err)
	}
}

type kept struct{}

func (kept) Row(*At, *int) error { return nil }
func (kept) Done([]PageOf) error { return nil }
