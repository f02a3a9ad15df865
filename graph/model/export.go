package model

import "carbongraph/store"

// StartExportInput is the input of startExport.
type StartExportInput struct {
	IdempotencyKey *string
	What           store.ExportContent
	Format         store.ExportFormat
	ActivityFilter *store.ActivityFilter
	EmissionFilter *store.EmissionFilter
}
