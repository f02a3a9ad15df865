package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"carbongraph/internal/telemetry"
)

// observer measures every statement, and through the metrics counts those of a request.
type observer struct{ metrics *telemetry.Store }

// BeforeQuery has nothing to do: bun notes the start.
func (o observer) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery notes one statement of bun's. Frames of transactions are none.
func (o observer) AfterQuery(ctx context.Context, e *bun.QueryEvent) {
	operation, table := e.Operation(), ""
	switch operation {
	case "BEGIN", "COMMIT", "ROLLBACK":
		return
	}
	if e.IQuery != nil {
		table = e.IQuery.GetTableName()
	}
	o.note(ctx, operation, table, e.StartTime, e.Err)
}

// note measures one statement that began then. Values that are none of ours become "other", so that labels stay few.
func (o observer) note(ctx context.Context, operation, table string, began time.Time, err error) {
	switch operation = strings.ToUpper(operation); operation {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "COPY":
	default:
		operation = "OTHER"
	}
	switch table {
	case "organizations", "api_keys", "suppliers", "categories", "factor_datasets", "emission_factors", "activities", "emissions", "calculation_runs",
		"factor_mappings", "settings", "formulas", "unpublished_runs", "batches", "run_lines", "run_differences", "run_sums", "emission_sums", "reporting_years", "reporting_year_events", "category_statements",
		"batch_failures", "batch_parts", "batch_turns", "work_pieces", "idempotency_keys", "column_files", "versions":
	default:
		table = ""
	}
	o.metrics.Statement(ctx, operation, table, time.Since(began), err != nil && !errors.Is(err, sql.ErrNoRows))
}
