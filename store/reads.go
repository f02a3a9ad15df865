package store

import "context"

// This file pins the signatures while the rooms are being built in parallel.

var errTodo = "store: not built yet"

func (t *Tenant) Organization(ctx context.Context) (*Organization, error) { panic(errTodo) }

// Pages. Every one is a single statement; a bad page is BAD_USER_INPUT, a bad cursor INVALID_CURSOR.
func (t *Tenant) Suppliers(ctx context.Context, f *SupplierFilter, o SupplierOrder, p Page) (*Connection[Supplier], error) {
	panic(errTodo)
}
func (t *Tenant) Activities(ctx context.Context, f *ActivityFilter, o ActivityOrder, p Page) (*Connection[Activity], error) {
	panic(errTodo)
}
func (t *Tenant) Emissions(ctx context.Context, f *EmissionFilter, o EmissionOrder, p Page) (*Connection[Emission], error) {
	panic(errTodo)
}
func (t *Tenant) Footprint(ctx context.Context, f *EmissionFilter, by []FootprintDimension, o FootprintOrder, p Page) (*Connection[FootprintRow], error) {
	panic(errTodo)
}

// Pages of children, for many parents in one statement; results stand in the order of the parents, an empty connection where there is nothing.
// Parents are all of one kind: emissions of suppliers, categories or activities, activities of suppliers.
func (t *Tenant) ActivitiesOf(ctx context.Context, parents []GlobalID, f *ActivityFilter, o ActivityOrder, p Page) ([]*Connection[Activity], error) {
	panic(errTodo)
}
func (t *Tenant) EmissionsOf(ctx context.Context, parents []GlobalID, f *EmissionFilter, o EmissionOrder, p Page) ([]*Connection[Emission], error) {
	panic(errTodo)
}

// Counts and sums, asked for only where a document selects them.
func (t *Tenant) CountSuppliers(ctx context.Context, f *SupplierFilter) (int, error)  { panic(errTodo) }
func (t *Tenant) CountActivities(ctx context.Context, f *ActivityFilter) (int, error) { panic(errTodo) }
func (t *Tenant) EmissionTotals(ctx context.Context, f *EmissionFilter) (*FootprintTotals, error) {
	panic(errTodo)
}
func (t *Tenant) CountFootprint(ctx context.Context, f *EmissionFilter, by []FootprintDimension) (int, error) {
	panic(errTodo)
}

// The same per parent, in the order of the parents. EmissionTotalsOf gives the count of emissions too.
func (t *Tenant) CountActivitiesOf(ctx context.Context, parents []GlobalID, f *ActivityFilter) ([]int, error) {
	panic(errTodo)
}
func (t *Tenant) EmissionTotalsOf(ctx context.Context, parents []GlobalID, f *EmissionFilter) ([]*FootprintTotals, error) {
	panic(errTodo)
}

// Rows by key: found rows in any order, each once; what is not there, or is another organization's, is missing.
func (t *Tenant) SuppliersByID(ctx context.Context, ids []ID) ([]*Supplier, error)  { panic(errTodo) }
func (t *Tenant) ActivitiesByID(ctx context.Context, ids []ID) ([]*Activity, error) { panic(errTodo) }
func (t *Tenant) EmissionsByID(ctx context.Context, ids []ID) ([]*Emission, error)  { panic(errTodo) }
func (t *Tenant) RunsByID(ctx context.Context, ids []ID) ([]*CalculationRun, error) { panic(errTodo) }
func (t *Tenant) APIKeysByID(ctx context.Context, ids []ID) ([]*APIKey, error)      { panic(errTodo) }

// CurrentEmissions gives the emission that is not superseded of each activity that has one.
func (t *Tenant) CurrentEmissions(ctx context.Context, activities []ID) ([]*Emission, error) {
	panic(errTodo)
}
func (t *Tenant) SuppliersByExternalID(ctx context.Context, externalIDs []string) ([]*Supplier, error) {
	panic(errTodo)
}

// Mappings gives all of the organization's factor mappings.
func (t *Tenant) Mappings(ctx context.Context) ([]*FactorMapping, error) { panic(errTodo) }

// Reference data, shared by all organizations.
func (s *Store) Factors(ctx context.Context, f *EmissionFactorFilter, o EmissionFactorOrder, p Page) (*Connection[EmissionFactor], error) {
	panic(errTodo)
}
func (s *Store) CountFactors(ctx context.Context, f *EmissionFactorFilter) (int, error) {
	panic(errTodo)
}
func (s *Store) FactorsByID(ctx context.Context, ids []ID) ([]*EmissionFactor, error) { panic(errTodo) }
func (s *Store) Datasets(ctx context.Context) ([]*FactorDataset, error)               { panic(errTodo) }
func (s *Store) DatasetsByID(ctx context.Context, ids []ID) ([]*FactorDataset, error) { panic(errTodo) }
func (s *Store) DatasetFactors(ctx context.Context, dataset ID) ([]*EmissionFactor, error) {
	panic(errTodo)
}

// SupersededBy gives, for each factor that has one, the factor of the same code, region and unit in the dataset that supersedes its own.
func (s *Store) SupersededBy(ctx context.Context, ids []ID) (map[ID]*EmissionFactor, error) {
	panic(errTodo)
}

// PutDataset stores a dataset with all its factors, whole or not at all. A dataset with the same source and version and the same digest is left as it is
// (the stored one comes back, created false); another digest is a CONFLICT. A later version of a source supersedes the one before.
func (s *Store) PutDataset(ctx context.Context, d *FactorDataset, factors []*EmissionFactor) (stored *FactorDataset, created bool, err error) {
	panic(errTodo)
}

// Organizations and keys, for the command line and for authentication: the only reads that no tenant handle stands before.
func (s *Store) CreateOrganization(ctx context.Context, o *Organization) error { panic(errTodo) }
func (s *Store) FindOrganization(ctx context.Context, idOrName string) (*Organization, error) {
	panic(errTodo)
}

// KeyByPrefix gives what authentication compares: the SHA-256 of the secret of the key whose public part this is.
func (s *Store) KeyByPrefix(ctx context.Context, prefix string) (key *APIKey, secretHash []byte, err error) {
	panic(errTodo)
}
func (s *Store) TouchKeys(ctx context.Context, used map[ID]bool) error { panic(errTodo) }

func (t *Tenant) CreateKey(ctx context.Context, k *APIKey, prefix string, secretHash []byte) error {
	panic(errTodo)
}
func (t *Tenant) RevokeKey(ctx context.Context, id ID) (bool, error) { panic(errTodo) }
func (t *Tenant) Keys(ctx context.Context) ([]*APIKey, error)        { panic(errTodo) }

// StartRun and FinishRun frame the emissions of one import.
func (t *Tenant) StartRun(ctx context.Context, r *CalculationRun) error  { panic(errTodo) }
func (t *Tenant) FinishRun(ctx context.Context, r *CalculationRun) error { panic(errTodo) }

// UpsertSuppliers matches by external id. It sets ID and CreatedAt of rows that were there, and tells for each what became of it.
// Fields that are nil leave what is stored where keep is true (a supplier named on an activity), and clear it where it is false (upsertSuppliers).
func (w *Writer) UpsertSuppliers(ctx context.Context, rows []*Supplier, keep bool) ([]ItemStatus, error) {
	panic(errTodo)
}

// Line is an activity together with its calculation.
type Line struct {
	Activity *Activity
	Emission *Emission // nil where there is none; then Activity.Problem says why, or nobody asked
}

// PutLines matches activities by external id. A line that says nothing new, neither in the activity nor in its calculation, is UNCHANGED; where either is new
// the stored emission is superseded and the new one stands beside it. Suppliers' sums are kept. It sets ID and CreatedAt of activities that were there.
func (w *Writer) PutLines(ctx context.Context, lines []*Line) ([]ItemStatus, error) { panic(errTodo) }

// PutMappings replaces mappings of the same (account code, description, country).
func (w *Writer) PutMappings(ctx context.Context, rows []*FactorMapping) error { panic(errTodo) }
