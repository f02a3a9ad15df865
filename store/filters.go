package store

import "carbongraph/internal/exact"

// OrderDirection is ASC or DESC.
type OrderDirection string

// The directions.
const (
	Asc  OrderDirection = "ASC"
	Desc OrderDirection = "DESC"
)

// SupplierFilter narrows suppliers. Nil and empty parts ask for nothing.
type SupplierFilter struct {
	Search      *string
	Countries   []string
	NaicsPrefix *string
	Tiers       []int32
	ExternalIds []string
}

// SupplierOrderField is what suppliers are ordered by.
type SupplierOrderField string

// The order fields of suppliers.
const (
	SuppliersByName      SupplierOrderField = "NAME"
	SuppliersByCountry   SupplierOrderField = "COUNTRY"
	SuppliersByCreatedAt SupplierOrderField = "CREATED_AT"
	SuppliersByUpdatedAt SupplierOrderField = "UPDATED_AT"
	SuppliersByCO2e      SupplierOrderField = "CO2E"
)

// SupplierOrder is an order of suppliers; ties are broken by id in the same direction, nulls stand last in both.
type SupplierOrder struct {
	Field     SupplierOrderField
	Direction OrderDirection
}

// ActivityFilter narrows activities.
type ActivityFilter struct {
	SupplierIds  []GlobalID
	Categories   []int32
	OccurredFrom *exact.Date
	OccurredTo   *exact.Date // inclusive
	Countries    []string
	AccountCodes []string
	Calculated   *bool
	Search       *string
}

// ActivityOrderField is what activities are ordered by.
type ActivityOrderField string

// The order fields of activities.
const (
	ActivitiesByOccurredOn ActivityOrderField = "OCCURRED_ON"
	ActivitiesByCreatedAt  ActivityOrderField = "CREATED_AT"
	ActivitiesByMoney      ActivityOrderField = "MONEY"
)

// ActivityOrder is an order of activities.
type ActivityOrder struct {
	Field     ActivityOrderField
	Direction OrderDirection
}

// EmissionFilter narrows emissions. Superseded ones are left out unless IncludeSuperseded is true.
type EmissionFilter struct {
	SupplierIds       []GlobalID
	Categories        []int32
	OccurredFrom      *exact.Date
	OccurredTo        *exact.Date // inclusive
	Methods           []CalculationMethod
	Countries         []string
	DatasetIds        []GlobalID
	FactorIds         []GlobalID
	RunID             *GlobalID
	IncludeSuperseded *bool
}

// EmissionOrderField is what emissions are ordered by.
type EmissionOrderField string

// The order fields of emissions.
const (
	EmissionsByOccurredOn   EmissionOrderField = "OCCURRED_ON"
	EmissionsByCO2e         EmissionOrderField = "CO2E"
	EmissionsByCalculatedAt EmissionOrderField = "CALCULATED_AT"
)

// EmissionOrder is an order of emissions.
type EmissionOrder struct {
	Field     EmissionOrderField
	Direction OrderDirection
}

// EmissionFactorFilter narrows factors. Current true keeps datasets that no later release supersedes.
type EmissionFactorFilter struct {
	Search     *string
	DatasetIds []GlobalID
	Regions    []string
	Units      []string
	Codes      []string
	Current    *bool
}

// EmissionFactorOrderField is what factors are ordered by.
type EmissionFactorOrderField string

// The order fields of factors. Relevance needs a search.
const (
	FactorsByName      EmissionFactorOrderField = "NAME"
	FactorsByCode      EmissionFactorOrderField = "CODE"
	FactorsByValue     EmissionFactorOrderField = "VALUE"
	FactorsByRelevance EmissionFactorOrderField = "RELEVANCE"
)

// EmissionFactorOrder is an order of factors.
type EmissionFactorOrder struct {
	Field     EmissionFactorOrderField
	Direction OrderDirection
}

// FactorMappingFilter narrows factor mappings. MaxConfidence keeps those that are at most so confident.
type FactorMappingFilter struct {
	Reviewed      *bool
	MaxConfidence *exact.Decimal
	Search        *string
}

// BatchFilter narrows batches. Nil and empty parts ask for nothing.
type BatchFilter struct {
	Kinds    []BatchKind
	Statuses []RunStatus
}

// FootprintDimension is what a footprint is grouped by.
type FootprintDimension string

// The dimensions.
const (
	ByCategory    FootprintDimension = "CATEGORY"
	BySupplier    FootprintDimension = "SUPPLIER"
	ByCountry     FootprintDimension = "COUNTRY"
	ByMonth       FootprintDimension = "MONTH"
	ByQuarter     FootprintDimension = "QUARTER"
	ByYear        FootprintDimension = "YEAR"
	ByMethod      FootprintDimension = "METHOD"
	ByDataset     FootprintDimension = "DATASET"
	ByFactor      FootprintDimension = "FACTOR"
	ByAccountCode FootprintDimension = "ACCOUNT_CODE"
)

// FootprintOrderField is what the groups of a footprint are ordered by.
type FootprintOrderField string

// The order fields of footprint groups.
const (
	FootprintByCO2e          FootprintOrderField = "CO2E"
	FootprintByActivityCount FootprintOrderField = "ACTIVITY_COUNT"
	FootprintBySpend         FootprintOrderField = "SPEND"
	FootprintByPeriod        FootprintOrderField = "PERIOD"
)

// FootprintOrder is an order of groups; ties are broken by the group's key.
type FootprintOrder struct {
	Field     FootprintOrderField
	Direction OrderDirection
}

// FootprintRow is one group. Only the parts grouped by are set, and even those are nil where the emissions have none.
type FootprintRow struct {
	CategoryNumber *int32
	SupplierID     *ID
	Country        *string
	Period         *exact.Date // first day of the month, quarter or year
	Method         *CalculationMethod
	DatasetID      *ID
	FactorID       *ID
	AccountCode    *string
	Totals         FootprintTotals
	WholeCO2e      exact.Milligrams // of the whole filter: what share divides by
}

// SupplierInput is a supplier as a client gives it.
type SupplierInput struct {
	ExternalID string
	Name       string
	Country    *string
	NaicsCode  *string
	Duns       *string
	Lei        *string
	Tier       *int32
}

// QuantityInput is a quantity as a client gives it.
type QuantityInput struct {
	Value exact.Decimal
	Unit  string
}

// MoneyInput is an amount as a client gives it.
type MoneyInput struct {
	Amount   exact.Decimal
	Currency string
}

// ActivityInput is a line of the ledger as a client or a file gives it, before anything is checked.
type ActivityInput struct {
	ExternalID         string
	SupplierID         *GlobalID
	SupplierExternalID *string
	SupplierName       *string
	Category           *int32
	Description        string
	AccountCode        *string
	OccurredOn         exact.Date
	Quantity           *QuantityInput
	Money              *MoneyInput
	Country            *string
	FactorID           *GlobalID
	ConversionProperty *string
	UncertaintyPercent *exact.Decimal
}

// FactorMappingInput is a mapping as a client gives it.
type FactorMappingInput struct {
	AccountCode *string
	Description *string
	Country     *string
	FactorID    *GlobalID
	Category    *int32
	Exclude     bool
	Reason      *string
}
