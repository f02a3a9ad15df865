package main

import (
	"bufio"
	"encoding/csv"
	"os"

	"carbongraph/internal/seed"
)

// writeLedger writes a synthetic ledger as a CSV file under the importer's own column names, and its mapping file.
func writeLedger(ledgerFile, mappingFile string, suppliers, activities int) error {
	if err := os.WriteFile(mappingFile, seed.Mapping(), 0o600); err != nil {
		return err
	}
	f, err := os.Create(ledgerFile)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := csv.NewWriter(buffered)
	l := seed.New(seed.Options{Suppliers: suppliers, Activities: activities, Seed: 1})
	names := map[string]string{}
	for _, s := range l.Suppliers() {
		names[s.ExternalID] = s.Name
	}
	if err := w.Write([]string{"externalId", "supplierExternalId", "supplierName", "category", "description", "accountCode", "occurredOn", "quantity", "unit", "amount", "currency", "country"}); err != nil {
		return err
	}
	for a := range l.Activities() {
		row := []string{a.ExternalID, "", "", string('0' + rune(*a.Category%10)), a.Description, *a.AccountCode, a.OccurredOn.String(), "", "", "", "", *a.Country}
		if *a.Category >= 10 {
			row[3] = "1" + row[3]
		}
		if a.SupplierExternalID != nil {
			row[1], row[2] = *a.SupplierExternalID, names[*a.SupplierExternalID]
		}
		if a.Quantity != nil {
			row[7], row[8] = a.Quantity.Value.String(), a.Quantity.Unit
		}
		if a.Money != nil {
			row[9], row[10] = a.Money.Amount.String(), a.Money.Currency
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}
