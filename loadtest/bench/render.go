package main

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

var categoryNames = []string{"", "Purchased goods and services", "Capital goods", "Fuel- and energy-related activities", "Upstream transportation and distribution",
	"Waste generated in operations", "Business travel", "Employee commuting", "Upstream leased assets", "Downstream transportation and distribution",
	"Processing of sold products", "Use of sold products", "End-of-life treatment of sold products", "Downstream leased assets", "Franchises", "Investments"}

func renderSupplier(s *supplierRow, emissions []emissionRow) []byte {
	if s == nil {
		return []byte(`{"data":{"supplier":null}}`)
	}
	b := make([]byte, 0, 1<<10)
	b = appendSupplier(append(b, `{"data":{"supplier":`...), s)
	b = append(b, `,"emissions":{"nodes":[`...)
	for i, e := range emissions[:min(5, len(emissions))] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEmission(b, &e)
		b = append(append(append(b, `,"method":"`...), e.method...), `"}`...)
	}
	b = append(b, `],"pageInfo":{"hasNextPage":`...)
	b = strconv.AppendBool(b, len(emissions) > 5)
	return append(b, `}}}}}`...)
}

func renderSuppliers(suppliers []supplierRow, emissions [][]emissionRow, factors map[[16]byte]factorRow) []byte {
	b := make([]byte, 0, 96<<10)
	b = append(b, `{"data":{"suppliers":{"nodes":[`...)
	for i := range suppliers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSupplier(b, &suppliers[i])
		b = append(b, `,"emissions":{"nodes":[`...)
		for j, e := range emissions[i] {
			if j > 0 {
				b = append(b, ',')
			}
			f := factors[e.factor]
			b = appendEmission(b, &e)
			b = append(append(b, `,"method":"`...), e.method...)
			b = strconv.AppendInt(append(b, `","category":{"number":`...), int64(e.category), 10)
			b = appendText(append(b, `,"name":`...), categoryNames[e.category])
			b = appendID(append(b, `},"factor":{"id":"`...), store.KindEmissionFactor, f.id)
			b = appendText(append(b, `","name":`...), f.name)
			b = appendText(append(b, `,"region":`...), f.region)
			b = appendText(append(b, `,"unit":`...), f.unit)
			b = append(b, `}}`...)
		}
		b = append(b, `]}}`...)
	}
	return append(b, `]}}}`...)
}

func renderEmissions(emissions []emissionRow, suppliers map[[16]byte]supplierRow) []byte {
	b := make([]byte, 0, 32<<10)
	b = append(b, `{"data":{"emissions":{"nodes":[`...)
	for i, e := range emissions[:min(deepSize, len(emissions))] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEmission(b, &e)
		b = strconv.AppendInt(append(b, `,"category":{"number":`...), int64(e.category), 10)
		b = append(b, `},"supplier":`...)
		if s, ok := suppliers[e.supplier]; ok {
			b = append(appendSupplier(b, &s), '}')
		} else {
			b = append(b, "null"...)
		}
		b = append(b, '}')
	}
	b = append(b, `],"pageInfo":{"hasNextPage":`...)
	b = strconv.AppendBool(b, len(emissions) > deepSize)
	return append(b, `}}}}`...)
}

// appendSupplier writes what all documents ask of a supplier, and leaves the object open.
func appendSupplier(b []byte, s *supplierRow) []byte {
	b = appendID(append(b, `{"id":"`...), store.KindSupplier, s.id)
	b = appendText(append(b, `","name":`...), s.name.String)
	b = append(b, `,"country":`...)
	if !s.country.Valid {
		return append(b, "null"...)
	}
	return appendText(b, s.country.String)
}

// appendEmission writes what all documents ask of an emission, and leaves the object open.
func appendEmission(b []byte, e *emissionRow) []byte {
	b = appendID(append(b, `{"id":"`...), store.KindEmission, e.id)
	b = exact.AppendScaled(append(b, `","co2e":"`...), e.co2e, 6)
	b = e.day.Time.AppendFormat(append(b, `","occurredOn":"`...), "2006-01-02")
	return append(b, '"')
}

func appendID(b []byte, kind store.Kind, id [16]byte) []byte {
	var raw [17]byte
	raw[0] = byte(kind)
	copy(raw[1:], id[:])
	return base64.RawURLEncoding.AppendEncode(b, raw[:])
}

// appendText writes a JSON string; names hold nothing that JSON escapes but quotes, backslashes and control characters.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = hex.AppendEncode(b, []byte{c})
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
