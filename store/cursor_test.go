package store

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

var testOrder = order{name: "NAME", expr: "x", kind: keyText}

func testScope(kinds ...keyKind) *scope {
	return newScope([]byte("secret"), ID{1}, "suppliers", testOrder, SupplierFilter{}, kinds...)
}

// drawPlace makes a place of the given kinds.
func drawPlace(t *rapid.T, kinds []keyKind) place {
	p := make(place, len(kinds))
	for i, kind := range kinds {
		p[i].kind = kind
		switch kind {
		case keyText:
			p[i].text = rapid.String().Draw(t, "text")
		case keyID:
			copy(p[i].id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		default:
			p[i].num = rapid.Int64().Draw(t, "number")
		}
	}
	return p
}

func TestCursorsReadBackWhatWasWritten(t *testing.T) {
	kind := rapid.SampledFrom([]keyKind{keyText, keyInt, keyFloat, keyInstant, keyDate, keyID})
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(kind, 1, 4).Draw(t, "kinds")
		sc, want := testScope(kinds...), drawPlace(t, kinds)
		got, err := sc.parse(sc.cursor(want), "after")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("parse = %v, %v; want %v", got, err, want)
		}
	})
}

func TestAnAlteredCursorIsRefused(t *testing.T) {
	sc := testScope(keyText, keyID)
	cursor := sc.cursor(place{{kind: keyText, text: "acme"}, idKey(ID{7, 8, 9})})
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		altered := slices.Clone(raw)
		altered[i/8] ^= 1 << (i % 8)
		refused(t, sc, base64.RawURLEncoding.EncodeToString(altered))
	}
	// The text itself: any other character anywhere, also where base64 has bits to spare.
	for i := range len(cursor) {
		for _, c := range "ABab09-_=+/ é" {
			if altered := cursor[:i] + string(c) + cursor[i+1:]; altered != cursor {
				refused(t, sc, altered)
			}
		}
		refused(t, sc, cursor[:i])
	}
	for _, text := range []string{"", "A", cursor + "A", cursor + "=", " " + cursor, strings.Repeat("A", 1<<20)} {
		refused(t, sc, text)
	}
}

func refused(t *testing.T, sc *scope, cursor string) {
	t.Helper()
	if p, err := sc.parse(cursor, "after"); fault.CodeOf(err) != fault.InvalidCursor {
		t.Errorf("parse(%.80q) = %v, %v; want INVALID_CURSOR", cursor, p, err)
	}
}

func TestACursorIsOfOneScopeAlone(t *testing.T) {
	search := "steel"
	at := place{{kind: keyText, text: "acme"}, idKey(ID{7})}
	cursor := testScope(keyText, keyID).cursor(at)
	kinds := []keyKind{keyText, keyID}
	for name, other := range map[string]*scope{
		"another database":     newScope([]byte("Secret"), ID{1}, "suppliers", testOrder, SupplierFilter{}, kinds...),
		"another organization": newScope([]byte("secret"), ID{2}, "suppliers", testOrder, SupplierFilter{}, kinds...),
		"another connection":   newScope([]byte("secret"), ID{1}, "Supplier.suppliers", testOrder, SupplierFilter{}, kinds...),
		"another order":        newScope([]byte("secret"), ID{1}, "suppliers", order{name: "CODE", kind: keyText}, SupplierFilter{}, kinds...),
		"another direction":    newScope([]byte("secret"), ID{1}, "suppliers", order{name: "NAME", kind: keyText, desc: true}, SupplierFilter{}, kinds...),
		"another filter":       newScope([]byte("secret"), ID{1}, "suppliers", testOrder, SupplierFilter{Search: &search}, kinds...),
		"boundaries moved":     newScope([]byte("secret"), ID{1}, "suppliersN", order{name: "AME", kind: keyText}, SupplierFilter{}, kinds...),
		"other kinds of keys":  testScope(keyInt, keyID),
		"more keys":            testScope(keyText, keyID, keyText),
	} {
		t.Run(name, func(t *testing.T) { refused(t, other, cursor) })
	}
	if _, err := testScope(keyText, keyID).parse(cursor, "after"); err != nil {
		t.Errorf("a scope that is equal refuses the cursor: %v", err)
	}
}

func TestACanonicalFilterIsTheSameHoweverItIsWritten(t *testing.T) {
	yes, no, search, same := true, false, "  Steel   PIPE ", "steel pipe"
	a, errA := (&SupplierFilter{Search: &search, Countries: []string{"GB", "DE", "GB"}, Tiers: []int32{}}).canonical()
	b, errB := (&SupplierFilter{Search: &same, Countries: []string{"DE", "GB"}}).canonical()
	if errA != nil || errB != nil || !sameScope(a, b) {
		t.Errorf("%+v (%v) and %+v (%v) are not the same", a, errA, b, errB)
	}
	c, _ := (&EmissionFilter{IncludeSuperseded: &no}).canonical()
	d, _ := (*EmissionFilter)(nil).canonical()
	e, _ := (&EmissionFilter{IncludeSuperseded: &yes}).canonical()
	if !sameScope(c, d) || sameScope(d, e) {
		t.Errorf("includeSuperseded: false %+v, absent %+v, true %+v", c, d, e)
	}
}

func sameScope(a, b any) bool {
	at := place{idKey(ID{1})}
	return newScope(nil, ID{}, "", order{}, a).cursor(at) == newScope(nil, ID{}, "", order{}, b).cursor(at)
}

func TestKeysReachSQLAsTheyLeftIt(t *testing.T) {
	for name, tc := range map[string]struct {
		kind keyKind
		src  any
		want any
	}{
		"an instant keeps its microseconds": {keyInstant, "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123456Z"},
		"an instant that Postgres gives":    {keyInstant, time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC), "1999-12-31T23:59:59.999999Z"},
		"an instant before 1970":            {keyInstant, "1969-12-31T23:59:59.500000Z", "1969-12-31T23:59:59.500000Z"},
		"a day":                             {keyDate, "2024-02-29", "2024-02-29"},
		"a day before 1970":                 {keyDate, "1900-01-01", "1900-01-01"},
		"the largest integer":               {keyInt, int64(math.MaxInt64), int64(math.MaxInt64)},
		"a float":                           {keyFloat, 0.1 + 0.2, 0.1 + 0.2},
		"bytes that are text":               {keyText, []byte("Ünïcode"), "Ünïcode"},
	} {
		t.Run(name, func(t *testing.T) {
			k := key{kind: tc.kind}
			if err := k.Scan(tc.src); err != nil || k.arg() != tc.want {
				t.Errorf("arg = %v, %v; want %v", k.arg(), err, tc.want)
			}
		})
	}
	k := key{kind: keyInt}
	if err := k.Scan(true); err == nil {
		t.Error("a truth is no sort key, but was read as one")
	}
}

func FuzzCursor(f *testing.F) {
	f.Add([]byte{byte(keyText), 4, 'a', 'c', 'm', 'e', byte(keyID), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add([]byte{byte(keyInt), 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{byte(keyText), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte(exact.DateOf(time.Unix(0, 0)).String()))
	sc := testScope(keyText, keyID)
	f.Fuzz(func(t *testing.T, b []byte) {
		// Behind the tag: whatever is read is written again as it was, but for longer ways to write a length.
		if p, ok := parsePlace(b); ok {
			again, ok := parsePlace(p.append(nil))
			if !ok || !slices.Equal(p, again) {
				t.Errorf("%v reads back as %v", p, again)
			}
		}
		// A cursor has one text alone.
		given := sc.cursor(place{{kind: keyText, text: string(b)}, {kind: keyID}})
		if _, err := sc.parse(given[:2]+"\n"+given[2:], "after"); fault.CodeOf(err) != fault.InvalidCursor {
			t.Errorf("a cursor with a line break: %v; want INVALID_CURSOR", err)
		}
		// Before the tag: nobody guesses one.
		for _, text := range []string{string(b), base64.RawURLEncoding.EncodeToString(b)} {
			if _, err := sc.parse(text, "after"); fault.CodeOf(err) != fault.InvalidCursor {
				t.Errorf("parse(%q) = %v; want INVALID_CURSOR", text, err)
			}
		}
	})
}
