package loaders

import "carbongraph/store"

// The arguments of fields that are read in bulk. Names are those of the schema, whatever their case.
type (
	// EmissionPage are the arguments of a connection of emissions.
	EmissionPage struct {
		store.Page
		Filter  *store.EmissionFilter
		OrderBy *store.EmissionOrder
	}
	// ActivityPage are the arguments of a connection of activities.
	ActivityPage struct {
		store.Page
		Filter  *store.ActivityFilter
		OrderBy *store.ActivityOrder
	}
	// HistoryPage are the arguments of an activity's history.
	HistoryPage struct{ store.Page }
	// EmissionSum are the arguments of sums over emissions.
	EmissionSum struct{ Filter *store.EmissionFilter }
	// DifferencePage are the arguments of a run's differences.
	DifferencePage struct {
		store.Page
		GroupBy store.FootprintDimension
	}
	// DifferenceCount are the arguments of a count of differences.
	DifferenceCount struct{ GroupBy store.FootprintDimension }
	// FailurePage are the arguments of a batch's failures, and FailureCount those of their count.
	FailurePage  struct{ store.Page }
	FailureCount struct{}
	// ActivityCount are the arguments of a count of activities.
	ActivityCount struct{ Filter *store.ActivityFilter }
)

// Given gives what was asked for, and where that is nothing the zero value: the store's orders take it as the schema's default.
func Given[T any](v *T) T {
	if v == nil {
		return *new(T)
	}
	return *v
}

// EveryCalculation is the filter of a history: superseded emissions are what it is for.
func EveryCalculation() *store.EmissionFilter {
	all := true
	return &store.EmissionFilter{IncludeSuperseded: &all}
}
