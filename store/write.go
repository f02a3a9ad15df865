package store

import (
	"context"
)

// Writer writes a tenant's rows inside one transaction.
type Writer struct {
	t  *Tenant
	tx *transaction
}

// Write runs f in one transaction, retried where the database asks for it (serialization, deadlock, busy). There is no other way to write a ledger's rows.
func (t *Tenant) Write(ctx context.Context, f func(context.Context, *Writer) error) error {
	return t.store.transact(ctx, "write", func(ctx context.Context, tx *transaction) error {
		return f(ctx, &Writer{t: t, tx: tx})
	})
}
