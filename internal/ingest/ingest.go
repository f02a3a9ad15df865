// Package ingest turns files of every form in which a ledger comes into rows: CSV, JSON, Parquet and workbooks, packed or not, whose columns a columns file
// names, record by record and in little memory.
package ingest

import (
	"fmt"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Row is one record as typed values. Empty texts and zero numbers with a false flag mean that the file gives nothing.
// Whether the values make sense for a ledger is judged by who imports them.
type Row struct {
	Line               int // of the text, or the row of the sheet, or the number of the record in a Parquet file
	ExternalID         string
	SupplierExternalID string
	SupplierName       string
	Category           int32 // 0: none
	Description        string
	AccountCode        string
	OccurredOn         exact.Date
	DateAssumed        bool // the record has no date: it is the fallback of the columns file
	Quantity           exact.Micros
	HasQuantity        bool
	Unit               string
	Amount             exact.Micros
	HasAmount          bool
	Currency           string
	Country            string
	FactorSource       string
	FactorCode         string
	ConversionProperty string
	UncertaintyPercent exact.Micros
	HasUncertainty     bool
	Record             []string // as it stands in the file, under the reader's header
}

// RowError is a record that makes no row. The file is read on after it.
type RowError struct {
	Line       int
	ExternalID string // where the record could be read as far as that
	Field      string // the field of the activity, where one is at fault
	Code       fault.Code
	Message    string
	Record     []string
}

// Error says where and what.
func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s: %s", e.Line, e.Code, e.Message) }
