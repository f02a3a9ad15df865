package store

import (
	"context"
	"maps"
	"slices"
)

// CacheableType is a type of rows, as who drops kept answers names it.
type CacheableType string

// The types, in the order of CacheableTypes.
const (
	CacheOrganization   CacheableType = "ORGANIZATION"
	CacheSupplier       CacheableType = "SUPPLIER"
	CacheActivity       CacheableType = "ACTIVITY"
	CacheEmission       CacheableType = "EMISSION"
	CacheEmissionFactor CacheableType = "EMISSION_FACTOR"
	CacheFactorMapping  CacheableType = "FACTOR_MAPPING"
	CacheBatch          CacheableType = "BATCH"
	CacheSavedQuery     CacheableType = "SAVED_QUERY"
	CacheReportingYear  CacheableType = "REPORTING_YEAR"
	CacheCalculationRun CacheableType = "CALCULATION_RUN"
)

// CacheableTypes lists them.
func CacheableTypes() []CacheableType {
	return []CacheableType{CacheOrganization, CacheSupplier, CacheActivity, CacheEmission, CacheEmissionFactor, CacheFactorMapping, CacheBatch, CacheSavedQuery, CacheReportingYear, CacheCalculationRun}
}

// kinds are the types of the graph that answers about rows of a type are made of. No answer about batches or saved queries is kept so far.
func (c CacheableType) kinds() []string {
	switch c {
	case CacheOrganization:
		return []string{"Organization"}
	case CacheSupplier:
		return []string{"Supplier"}
	case CacheActivity:
		return []string{"Activity"}
	case CacheEmission:
		return []string{"Emission"}
	case CacheEmissionFactor:
		return []string{"EmissionFactor", "FactorDataset"}
	case CacheFactorMapping:
		return []string{"FactorMapping"}
	case CacheBatch:
		return []string{"Batch"}
	case CacheSavedQuery:
		return []string{"SavedQuery"}
	case CacheReportingYear:
		return []string{"ReportingYear", "CategoryStatement"}
	case CacheCalculationRun:
		return []string{"CalculationRun", "RunDifference"}
	}
	return nil
}

// Cacheable gives the type of rows of a kind; empty where there is none by which their answers are dropped.
func (k Kind) Cacheable() CacheableType {
	switch k {
	case KindOrganization:
		return CacheOrganization
	case KindSupplier:
		return CacheSupplier
	case KindActivity:
		return CacheActivity
	case KindEmission:
		return CacheEmission
	case KindEmissionFactor, KindFactorDataset:
		return CacheEmissionFactor
	case KindFactorMapping:
		return CacheFactorMapping
	case KindBatch:
		return CacheBatch
	case KindCalculationRun:
		return CacheCalculationRun
	}
	return ""
}

// Invalidate has every answer to the organization made anew that is made of rows of these types; without any, every answer. It gives the types in their order. What is
// everybody's is dropped for this organization alone: a key of an answer holds the organization's own version of a type beside everybody's.
func (t *Tenant) Invalidate(ctx context.Context, types []CacheableType) ([]CacheableType, error) {
	kinds := map[string]bool{}
	for _, of := range types {
		for _, kind := range of.kinds() {
			kinds[kind] = true
		}
	}
	if len(types) == 0 {
		types = CacheableTypes()
		for _, what := range raised {
			kinds[what.kind] = true
		}
	}
	err := t.store.transact(ctx, "invalidate cached answers", t.org, func(ctx context.Context, tx *transaction) error {
		tx.raises.kinds = map[raising]*reach{}
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			tx.raises.kinds[raising{kind: kind}] = nil
		}
		return nil
	})
	all := CacheableTypes()
	return slices.DeleteFunc(all, func(of CacheableType) bool { return !slices.Contains(types, of) }), err
}
