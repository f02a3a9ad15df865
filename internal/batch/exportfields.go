package batch

import (
	"carbongraph/internal/exact"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// activityFields are the columns of exported activities: those that an import takes, under its names, and behind them what only the ledger knows.
func activityFields() []field[store.ExportedActivity] {
	type row = store.ExportedActivity
	var fields []field[row]
	own := map[string]field[row]{
		"externalId":         {kind: textCell, put: func(s sheet, a *row) { s.text(a.ExternalID) }},
		"supplierExternalId": {kind: textCell, put: func(s sheet, a *row) { maybeText(s, supplierKeyOf(a.SupplierExternalID, a.SupplierName)) }},
		"supplierName":       {kind: textCell, put: func(s sheet, a *row) { maybeText(s, a.SupplierName) }},
		"category":           {kind: countCell, put: func(s sheet, a *row) { maybeCount(s, a.GivenCategory) }},
		"description":        {kind: textCell, put: func(s sheet, a *row) { s.text(a.Description) }},
		"accountCode":        {kind: textCell, put: func(s sheet, a *row) { maybeText(s, a.AccountCode) }},
		"occurredOn":         {kind: dayCell, put: func(s sheet, a *row) { s.day(a.OccurredOn) }},
		"quantity":           {kind: amountCell, put: func(s sheet, a *row) { putQuantity(s, a.Quantity) }},
		"unit":               {kind: textCell, put: func(s sheet, a *row) { putUnit(s, a.Quantity) }},
		"amount":             {kind: amountCell, put: func(s sheet, a *row) { putMoney(s, a.Money) }},
		"currency":           {kind: textCell, put: func(s sheet, a *row) { putCurrency(s, a.Money) }},
		"country":            {kind: textCell, put: func(s sheet, a *row) { maybeText(s, a.Country) }},
		"factorSource":       {kind: textCell, put: func(s sheet, a *row) { maybeText(s, a.FactorSource) }},
		"factorCode":         {kind: textCell, put: func(s sheet, a *row) { maybeText(s, a.FactorCode) }},
		"conversionProperty": {kind: textCell, put: func(s sheet, a *row) { maybeText(s, a.ConversionProperty) }},
		"uncertaintyPercent": {kind: amountCell, put: func(s sheet, a *row) { maybeAmount(s, a.UncertaintyPercent) }},
	}
	for _, name := range ingest.Targets() {
		f := own[name]
		f.name = name
		fields = append(fields, f)
	}
	return append(fields,
		field[row]{"id", textCell, func(s sheet, a *row) { s.text(a.GlobalID().String()) }},
		field[row]{"createdAt", instantCell, func(s sheet, a *row) { s.instant(a.CreatedAt) }},
		field[row]{"updatedAt", instantCell, func(s sheet, a *row) { s.instant(a.UpdatedAt) }},
		field[row]{"co2e", amountCell, func(s sheet, a *row) { maybeAmount(s, a.CO2e) }},
		field[row]{"calculationError", textCell, func(s sheet, a *row) {
			if a.Problem == nil {
				s.none()
				return
			}
			s.text(a.Problem.Code)
		}},
	)
}

// emissionFields are the columns of exported emissions.
func emissionFields() []field[store.ExportedEmission] {
	type row = store.ExportedEmission
	return []field[row]{
		{"id", textCell, func(s sheet, e *row) { s.text(e.GlobalID().String()) }},
		{"activityExternalId", textCell, func(s sheet, e *row) { s.text(e.Line.ExternalID) }},
		{"supplierExternalId", textCell, func(s sheet, e *row) { maybeText(s, e.SupplierExternalID) }},
		{"supplierName", textCell, func(s sheet, e *row) { maybeText(s, e.SupplierName) }},
		{"category", countCell, func(s sheet, e *row) { s.count(int64(e.CategoryNumber)) }},
		{"occurredOn", dayCell, func(s sheet, e *row) { s.day(e.OccurredOn) }},
		{"quantity", amountCell, func(s sheet, e *row) { putQuantity(s, e.Line.Quantity) }},
		{"unit", textCell, func(s sheet, e *row) { putUnit(s, e.Line.Quantity) }},
		{"amount", amountCell, func(s sheet, e *row) { putMoney(s, e.Line.Money) }},
		{"currency", textCell, func(s sheet, e *row) { putCurrency(s, e.Line.Money) }},
		{"co2e", amountCell, func(s sheet, e *row) { s.amount(int64(e.CO2e)) }},
		{"biogenicCo2", amountCell, func(s sheet, e *row) { s.amount(int64(e.BiogenicCO2)) }},
		{"low", amountCell, func(s sheet, e *row) { maybeAmount(s, lowEnd(e)) }},
		{"high", amountCell, func(s sheet, e *row) { maybeAmount(s, highEnd(e)) }},
		{"method", textCell, func(s sheet, e *row) { s.text(string(e.Method)) }},
		{"gwpSet", textCell, func(s sheet, e *row) { s.text(string(e.GwpSet)) }},
		{"dataQualityScore", amountCell, func(s sheet, e *row) {
			n, _ := e.Quality.Score().Scaled(6)
			s.amount(n)
		}},
		{"factorSource", textCell, func(s sheet, e *row) { s.text(e.FactorSource) }},
		{"factorVersion", textCell, func(s sheet, e *row) { s.text(e.FactorVersion) }},
		{"factorCode", textCell, func(s sheet, e *row) { s.text(e.Factor.Code) }},
		{"factorName", textCell, func(s sheet, e *row) { s.text(e.Factor.Name) }},
		{"factorRegion", textCell, func(s sheet, e *row) { s.text(e.Factor.Region) }},
		{"factorUnit", textCell, func(s sheet, e *row) { s.text(e.Factor.Unit) }},
		// As many digits as the source gives: no column of numbers holds all of them.
		{"factorValue", textCell, func(s sheet, e *row) {
			if v := e.Factor.ValueBy(&e.GwpSet); v != nil {
				s.text(v.Canonical())
				return
			}
			s.none()
		}},
		{"runId", textCell, func(s sheet, e *row) { s.text(store.Global(store.KindCalculationRun, e.RunID).String()) }},
		{"superseded", flagCell, func(s sheet, e *row) { s.flag(e.Superseded) }},
	}
}

// lowEnd is the lower end of the 95 % interval; nil where there is none. Bounds are stored in the order of their size, whatever their sign.
func lowEnd(e *store.ExportedEmission) *exact.Milligrams {
	if e.Low == nil || e.High == nil {
		return nil
	}
	return new(min(*e.Low, *e.High))
}

// highEnd is the upper end.
func highEnd(e *store.ExportedEmission) *exact.Milligrams {
	if e.Low == nil || e.High == nil {
		return nil
	}
	return new(max(*e.Low, *e.High))
}

// supplierKeyOf is what an import finds a supplier by: its key or, where it has none, its name.
func supplierKeyOf(key, name *string) *string {
	if key == nil {
		return name
	}
	return key
}

func maybeText(s sheet, v *string) {
	if v == nil {
		s.none()
		return
	}
	s.text(*v)
}

func maybeCount(s sheet, v *int32) {
	if v == nil {
		s.none()
		return
	}
	s.count(int64(*v))
}

func maybeAmount[N ~int64](s sheet, v *N) {
	if v == nil {
		s.none()
		return
	}
	s.amount(int64(*v))
}

func putQuantity(s sheet, q *store.Quantity) {
	if q == nil {
		s.none()
		return
	}
	s.amount(int64(q.Value))
}

func putUnit(s sheet, q *store.Quantity) {
	if q == nil {
		s.none()
		return
	}
	s.text(q.Unit)
}

func putMoney(s sheet, m *store.Money) {
	if m == nil {
		s.none()
		return
	}
	s.amount(int64(m.Amount))
}

func putCurrency(s sheet, m *store.Money) {
	if m == nil {
		s.none()
		return
	}
	s.text(m.Currency)
}
