package store

// Tenant is one organization's view of a store: the only door to a ledger's rows.
type Tenant struct {
	store *Store
	org   ID
}

// Tenant gives the handle of an organization. Whether there is such an organization is not asked.
func (s *Store) Tenant(org ID) *Tenant { return &Tenant{s, org} }

// ID is the organization's key.
func (t *Tenant) ID() ID { return t.org }
