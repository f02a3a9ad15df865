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
	// ActivityCount are the arguments of a count of activities.
	ActivityCount struct{ Filter *store.ActivityFilter }
)

// Order gives the order asked for; an explicit null asks for the schema's own.
func (p EmissionPage) Order() store.EmissionOrder {
	if p.OrderBy == nil {
		return store.EmissionOrder{Field: store.EmissionsByOccurredOn, Direction: store.Desc}
	}
	return *p.OrderBy
}

// Order gives the order asked for; an explicit null asks for the schema's own.
func (p ActivityPage) Order() store.ActivityOrder {
	if p.OrderBy == nil {
		return store.ActivityOrder{Field: store.ActivitiesByOccurredOn, Direction: store.Desc}
	}
	return *p.OrderBy
}

// everyCalculation is the filter of a history: superseded emissions are what it is for.
func everyCalculation() *store.EmissionFilter {
	all := true
	return &store.EmissionFilter{IncludeSuperseded: &all}
}
