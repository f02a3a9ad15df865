package store

// Node is a row that clients can fetch again by its global id.
type Node interface{ GlobalID() GlobalID }

// GlobalID names the organization.
func (o *Organization) GlobalID() GlobalID { return Global(KindOrganization, o.ID) }

// GlobalID names the key.
func (k *APIKey) GlobalID() GlobalID { return Global(KindAPIKey, k.ID) }

// GlobalID names the category.
func (c *Category) GlobalID() GlobalID { return CategoryID(int(c.Number)) }

// GlobalID names the supplier.
func (s *Supplier) GlobalID() GlobalID { return Global(KindSupplier, s.ID) }

// GlobalID names the activity.
func (a *Activity) GlobalID() GlobalID { return Global(KindActivity, a.ID) }

// GlobalID names the emission.
func (e *Emission) GlobalID() GlobalID { return Global(KindEmission, e.ID) }

// GlobalID names the factor.
func (f *EmissionFactor) GlobalID() GlobalID { return Global(KindEmissionFactor, f.ID) }

// GlobalID names the dataset.
func (d *FactorDataset) GlobalID() GlobalID { return Global(KindFactorDataset, d.ID) }

// GlobalID names the run.
func (r *CalculationRun) GlobalID() GlobalID { return Global(KindCalculationRun, r.ID) }

// GlobalID names the batch.
func (b *Batch) GlobalID() GlobalID { return Global(KindBatch, b.ID) }

// GlobalID names the mapping.
func (m *FactorMapping) GlobalID() GlobalID { return Global(KindFactorMapping, m.ID) }
