package ingest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"carbongraph/internal/ingest"
)

func ExampleOpen() {
	columns, err := ingest.ParseColumns(strings.NewReader(`
columns:
  externalId: { template: "{Ref}/{Line}" }
  description: [Expense Type, Category]
  occurredOn: { from: Paid, formats: [DD/MM/YYYY] }
  amount: Amount
constants: { currency: GBP }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	file := "Ref;Line;expense_type;Paid;Amount\nA7;1;Stationery;31/01/2024;504\nA7;2;Postage;30/02/2024;12.50\n"
	rows, err := ingest.Open(strings.NewReader(file), "payments.csv", ingest.Options{Columns: columns})
	for err == nil {
		var row *ingest.Row
		row, err = rows.Next()
		if bad := (*ingest.RowError)(nil); errors.As(err, &bad) {
			fmt.Printf("line %d: %s\n", bad.Line, bad.Message)
			err = nil
		} else if err == nil {
			fmt.Println(row.ExternalID, row.Description, row.OccurredOn, row.Amount, row.Currency)
		}
	}
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// A7/1 Stationery 2024-01-31 504 GBP
	// line 3: "30/02/2024" is not a date written as DD/MM/YYYY.
	// true
}

func ExamplePropose() {
	p, err := ingest.Propose(strings.NewReader("Beleg Nr;Buchungsdatum;Lieferant;Buchungstext;Betrag (€)\n4711;31.01.2024;Müller GmbH;Stahl;1.204,50\n4712;01.02.2024;Öl AG;Heizöl;80,00\n"), "spend.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(p.ColumnsFile())
	// Output:
	// columns:
	//   externalId: "Beleg Nr"
	//   supplierExternalId: "Lieferant"
	//   supplierName: "Lieferant"
	//   description: "Buchungstext"
	//   occurredOn: { from: "Buchungsdatum", formats: ["DD.MM.YYYY"] }
	//   amount: { from: "Betrag (€)", numbers: "1.234,56" }
	// constants: { currency: "EUR" }
}
