package model

import "carbongraph/store"

// Viewer is who asks; the organization is read when it is selected.
type Viewer struct {
	Org     store.ID
	Role    store.Role
	KeyName string
}

// UpsertSuppliersInput is the input of upsertSuppliers.
type UpsertSuppliersInput struct {
	IdempotencyKey *string
	Mode           store.BatchMode
	DryRun         bool
	Suppliers      []store.SupplierInput
}

// ImportActivitiesInput is the input of importActivities.
type ImportActivitiesInput struct {
	IdempotencyKey *string
	Mode           store.BatchMode
	DryRun         bool
	Calculate      bool
	Activities     []store.ActivityInput
}

// SetFactorMappingsInput is the input of setFactorMappings.
type SetFactorMappingsInput struct {
	Mappings    []store.FactorMappingInput
	Recalculate bool
}

// SetFactorMappingsPayload is the answer of setFactorMappings.
type SetFactorMappingsPayload struct {
	Batch    *store.Batch
	Mappings []*store.FactorMapping
	Errors   []store.Problem
}

// Tally counts what became of the items of a call.
type Tally struct{ Created, Updated, Unchanged, Failed int }

// Add counts one item.
func (t *Tally) Add(s store.ItemStatus) {
	switch s {
	case store.Created:
		t.Created++
	case store.Updated:
		t.Updated++
	case store.Unchanged:
		t.Unchanged++
	case store.Failed:
		t.Failed++
	}
}

// UpsertSuppliersPayload is the answer of upsertSuppliers.
type UpsertSuppliersPayload struct {
	Results []UpsertSupplierResult
	Tally
}

// UpsertSupplierResult is what became of one supplier.
type UpsertSupplierResult struct {
	Index      int
	ExternalID string
	Status     store.ItemStatus
	Supplier   *store.Supplier
	Error      *store.Problem
}

// ImportActivitiesPayload is the answer of importActivities.
type ImportActivitiesPayload struct {
	Results []ImportActivityResult
	Tally
}

// ImportActivityResult is what became of one activity.
type ImportActivityResult struct {
	Index      int
	ExternalID string
	Status     store.ItemStatus
	Activity   *store.Activity
	Error      *store.Problem
}

// DeletePayload is the answer of a deletion.
type DeletePayload struct {
	DeletedID *store.GlobalID
	Errors    []store.Problem
}

// InvalidateCachePayload is the answer of invalidateCache.
type InvalidateCachePayload struct {
	Invalidated []store.CacheableType
}
