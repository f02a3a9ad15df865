// Package model holds what GraphQL shows that is no row: connections, inputs and payloads.
package model

import (
	"context"

	"carbongraph/store"
)

// Connection is a page of rows that also tells how many there are on all pages, to whoever selects that.
type Connection[T any] struct {
	*store.Connection[T]
	Count func(context.Context) (int, error)
}

// TotalCount gives the number of rows on all pages.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// Summed is a connection that also gives sums over all pages, to whoever selects them.
type Summed[T any] struct {
	*store.Connection[T]
	Count func(context.Context) (int, error)
	Sum   func(context.Context) (*store.FootprintTotals, error)
}

// TotalCount gives the number of rows on all pages.
func (c *Summed[T]) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// Totals gives the sums over all pages.
func (c *Summed[T]) Totals(ctx context.Context) (*store.FootprintTotals, error) { return c.Sum(ctx) }

// The connections and edges of the schema.
type (
	SupplierConnection       = Connection[store.Supplier]
	SupplierEdge             = store.Edge[store.Supplier]
	ActivityConnection       = Connection[store.Activity]
	ActivityEdge             = store.Edge[store.Activity]
	EmissionConnection       = Summed[store.Emission]
	EmissionEdge             = store.Edge[store.Emission]
	CalculationRunConnection = Connection[store.CalculationRun]
	CalculationRunEdge       = store.Edge[store.CalculationRun]
	BatchConnection          = Connection[store.Batch]
	BatchEdge                = store.Edge[store.Batch]
	BatchFailureConnection   = Connection[store.BatchFailure]
	BatchFailureEdge         = store.Edge[store.BatchFailure]
	EmissionFactorConnection = Connection[store.EmissionFactor]
	EmissionFactorEdge       = store.Edge[store.EmissionFactor]
	RunDifferenceConnection  = Connection[store.RunDifference]
	RunDifferenceEdge        = store.Edge[store.RunDifference]
	FactorMappingConnection  = Connection[store.FactorMapping]
	FactorMappingEdge        = store.Edge[store.FactorMapping]
	FootprintConnection      = Summed[store.FootprintRow]
	FootprintEdge            = store.Edge[store.FootprintRow]
)
