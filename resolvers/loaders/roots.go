package loaders

import (
	"carbongraph/graph/exec"
	"carbongraph/graph/model"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// The arguments of root fields.
type (
	supplierPage struct {
		store.Page
		Filter  *store.SupplierFilter
		OrderBy *store.SupplierOrder
	}
	factorPage struct {
		store.Page
		Filter  *store.EmissionFactorFilter
		OrderBy *store.EmissionFactorOrder
	}
	mappingPage struct {
		store.Page
		Filter *store.FactorMappingFilter
	}
	batchPage struct {
		store.Page
		Filter *store.BatchFilter
	}
	footprintPage struct {
		store.Page
		Filter  *store.EmissionFilter
		GroupBy []store.FootprintDimension
		OrderBy *store.FootprintOrder
	}
)

// Roots gives the root fields of queries for the short way: what resolvers answer, read from the same places.
func Roots() []exec.Root {
	return []exec.Root{
		exec.Page[store.Supplier]{Field: "suppliers", Connection: exec.Connection[store.Supplier]{
			Pages: page(func(from Ledger, a *supplierPage, some store.Columns) (*store.Select[store.Supplier], error) {
				return from.Tenant.SupplierPage(a.Filter, Given(a.OrderBy), a.Page, some)
			}),
			Count: count(func(from Ledger, a *supplierPage) (*store.Select[int], error) {
				return from.Tenant.SupplierCount(a.Filter)
			}),
		}},
		exec.Page[store.Activity]{Field: "activities", Connection: exec.Connection[store.Activity]{
			Pages: page(func(from Ledger, a *ActivityPage, some store.Columns) (*store.Select[store.Activity], error) {
				return from.Tenant.ActivityPage(a.Filter, Given(a.OrderBy), a.Page, some)
			}),
			Count: count(func(from Ledger, a *ActivityPage) (*store.Select[int], error) {
				return from.Tenant.ActivityCount(a.Filter)
			}),
		}},
		exec.Page[store.Emission]{Field: "emissions", Connection: exec.Connection[store.Emission]{
			Pages: page(func(from Ledger, a *EmissionPage, some store.Columns) (*store.Select[store.Emission], error) {
				return from.Tenant.EmissionPage(a.Filter, Given(a.OrderBy), a.Page, some)
			}),
			Totals: totals(func(from Ledger, a *EmissionPage) (*store.Select[store.FootprintTotals], error) {
				return from.Tenant.EmissionSum(a.Filter)
			}),
		}},
		exec.Page[store.EmissionFactor]{Field: "emissionFactors", Connection: exec.Connection[store.EmissionFactor]{
			Pages: page(func(from Ledger, a *factorPage, some store.Columns) (*store.Select[store.EmissionFactor], error) {
				return from.Store.FactorPage(a.Filter, Given(a.OrderBy), a.Page, some)
			}),
			Count: count(func(from Ledger, a *factorPage) (*store.Select[int], error) { return from.Store.FactorCount(a.Filter) }),
		}},
		exec.Page[store.FactorMapping]{Field: "factorMappings", Connection: exec.Connection[store.FactorMapping]{
			Pages: page(func(from Ledger, a *mappingPage, some store.Columns) (*store.Select[store.FactorMapping], error) {
				return from.Tenant.FactorMappingPage(a.Filter, a.Page, some)
			}),
			Count: count(func(from Ledger, a *mappingPage) (*store.Select[int], error) {
				return from.Tenant.FactorMappingCount(a.Filter)
			}),
		}},
		exec.Page[store.Batch]{Field: "batches", Connection: exec.Connection[store.Batch]{
			Pages: page(func(from Ledger, a *batchPage, some store.Columns) (*store.Select[store.Batch], error) {
				return from.Tenant.BatchPage(a.Filter, a.Page, some)
			}),
			Count: count(func(from Ledger, a *batchPage) (*store.Select[int], error) { return from.Tenant.BatchCount(a.Filter) }),
		}},
		exec.Page[store.CalculationRun]{Field: "calculationRuns", Connection: exec.Connection[store.CalculationRun]{
			Pages: page(func(from Ledger, a *store.Page, some store.Columns) (*store.Select[store.CalculationRun], error) {
				return from.Tenant.CalculationRunPage(*a, some)
			}),
			Count: count(func(from Ledger, _ *struct{}) (*store.Select[int], error) {
				return from.Tenant.CalculationRunCount(), nil
			}),
		}},
		exec.Page[store.FootprintRow]{Field: "footprint", Connection: exec.Connection[store.FootprintRow]{
			Pages: page(func(from Ledger, a *footprintPage, _ store.Columns) (*store.Select[store.FootprintRow], error) {
				return from.Tenant.FootprintPage(a.Filter, a.GroupBy, Given(a.OrderBy), a.Page)
			}),
			Totals: totals(func(from Ledger, a *footprintPage) (*store.Select[store.FootprintTotals], error) {
				return from.Tenant.EmissionSum(a.Filter)
			}),
			Count: count(func(from Ledger, a *footprintPage) (*store.Select[int], error) {
				return from.Tenant.FootprintCount(a.Filter, a.GroupBy)
			}, "groupBy"),
		}},
		exec.List[store.FactorDataset]{Field: "factorDatasets", Query: func(from Ledger, some store.Columns) *store.Select[store.FactorDataset] {
			return from.Store.AllDatasets(some)
		}},
		exec.List[store.Category]{Field: "categories", Held: func(Ledger) []*store.Category { return store.Categories() }},
		exec.Held[model.Viewer]{Field: "viewer", Row: func(from Ledger) *model.Viewer { return from.Viewer }},
		exec.Single[store.Supplier]{Field: "supplier", Kind: store.KindSupplier, Read: Suppliers.Keyed, ByID: "id", Other: supplierByKey},
		nodes("node", "id"), nodes("nodes", "ids"),
	}
}

// supplierByKey finds a supplier by its external id, or by its id where both arguments are written and only that one is given.
func supplierByKey(args map[string]any) (func(from Ledger, some store.Columns) *store.Select[store.Supplier], error) {
	text, byID := args["id"].(string)
	key, byKey := args["externalId"].(string)
	if byID == byKey || byKey && args["id"] != nil || byID && args["externalId"] != nil {
		return nil, fault.New(fault.BadUserInput, "Pass exactly one of id and externalId, each as a text.")
	}
	if byID {
		id, err := store.ParseGlobalID(text)
		if err != nil {
			return nil, err
		}
		var rows []store.ID
		if id.Kind == store.KindSupplier {
			rows = append(rows, id.Row)
		}
		return func(from Ledger, some store.Columns) *store.Select[store.Supplier] {
			return from.Tenant.SuppliersWith(rows, some)
		}, nil
	}
	return func(from Ledger, some store.Columns) *store.Select[store.Supplier] {
		return from.Tenant.SuppliersKnownAs([]string{key}, some)
	}, nil
}

func nodes(field, argument string) exec.Nodes {
	out := exec.Nodes{Field: field, Argument: argument, Most: MaxNodes,
		Hidden: func(from Ledger, kind store.Kind) bool { return !Visible(kind, from.Viewer.Role) }}
	for _, t := range nodeTypes {
		out.Kinds = append(out.Kinds, t.NodeKind)
	}
	return out
}

// page reads the page of a root field with decoded arguments.
func page[A, V any](read func(from Ledger, a *A, some store.Columns) (*store.Select[V], error)) func(map[string]any) (exec.Pages[V], error) {
	return decoded(func(a *A) exec.Pages[V] {
		return func(from Ledger, _ []store.ID, some store.Columns) (*store.Select[V], error) {
			return read(from, a, some)
		}
	})
}

// count reads how many rows a root field has, which the filter tells, and maybe more.
func count[A any](read func(from Ledger, a *A) (*store.Select[int], error), more ...string) *exec.Aggregate[int] {
	return beside("count", read, more)
}

// totals reads the sums of a root field.
func totals[A any](read func(from Ledger, a *A) (*store.Select[store.FootprintTotals], error)) *exec.Aggregate[store.FootprintTotals] {
	return beside("totals", read, nil)
}

func beside[A, V any](name string, read func(from Ledger, a *A) (*store.Select[V], error), more []string) *exec.Aggregate[V] {
	return &exec.Aggregate[V]{Read: name, Uses: append([]string{"filter"}, more...), Sums: decoded(func(a *A) exec.Sums[V] {
		return func(from Ledger, _ []store.ID) (*store.Select[V], error) { return read(from, a) }
	})}
}
