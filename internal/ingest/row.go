package ingest

import (
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// fill reads every field; it gives the name of the one that failed.
func (r *Reader) fill(row *Row) (string, error) {
	texts := [...]struct {
		target int
		into   *string
	}{
		{externalID, &row.ExternalID}, {supplierExternalID, &row.SupplierExternalID}, {supplierName, &row.SupplierName},
		{description, &row.Description}, {accountCode, &row.AccountCode}, {unit, &row.Unit}, {currency, &row.Currency},
		{country, &row.Country}, {factorSource, &row.FactorSource}, {factorCode, &row.FactorCode},
		{conversionProperty, &row.ConversionProperty},
	}
	for _, t := range texts {
		text, err := r.fields[t.target].text(row.Record)
		if err != nil {
			return r.fields[t.target].name, err
		}
		*t.into = text
	}
	if err := r.fillCategory(row); err != nil {
		return r.fields[category].name, err
	}
	if err := r.fillDate(row); err != nil {
		return r.fields[occurredOn].name, err
	}
	var err error
	if row.Quantity, row.HasQuantity, err = r.number(quantity, row.Record); err != nil {
		return r.fields[quantity].name, err
	}
	if row.Amount, row.HasAmount, err = r.number(amount, row.Record); err != nil {
		return r.fields[amount].name, err
	}
	if row.UncertaintyPercent, row.HasUncertainty, err = r.number(uncertaintyPercent, row.Record); err != nil {
		return r.fields[uncertaintyPercent].name, err
	}
	return "", nil
}

// number reads a number. A point in it is a decimal point for certain where the file says itself that it is a number, or is written as this room writes.
func (r *Reader) number(target int, record []string) (exact.Micros, bool, error) {
	f := &r.fields[target]
	if f.source == nil {
		return 0, false, nil
	}
	return f.number(record, r.plain || f.column >= 0 && r.records.IsNumber(f.column))
}

func (r *Reader) fillCategory(row *Row) error {
	text, err := r.fields[category].text(row.Record)
	if err == nil && text != "" {
		row.Category, err = parseCategory(text)
	}
	return err
}

// fillDate reads the day. A record without one takes the columns file's fallback, and says that it did.
func (r *Reader) fillDate(row *Row) error {
	f := &r.fields[occurredOn]
	text, given := f.given(row.Record)
	var err error
	switch {
	case given:
		row.OccurredOn, err = parseDate(text, f.formats)
	case f.source == nil || f.otherwise == "":
		return fault.New(fault.BadUserInput, "The record has no date.")
	case f.otherwise != fromFileName:
		row.OccurredOn, err = exact.ParseDate(f.otherwise)
		row.DateAssumed = true
	case !r.hasName:
		return fault.New(fault.BadUserInput, "The record has no date, and the name of %s tells none; name it like ledger-2014-q2.csv or ledger-2014-05.csv.", r.name)
	default:
		row.OccurredOn, row.DateAssumed = r.named, true
	}
	return err
}
