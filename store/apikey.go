package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"carbongraph/internal/fault"
)

// CreateKey stores a key: of its secret only the public prefix and the SHA-256. Id and time are filled in where they are not given.
func (t *Tenant) CreateKey(ctx context.Context, k *APIKey, prefix string, secretHash []byte) error {
	if len(secretHash) != sha256.Size || prefix == "" {
		return fmt.Errorf("store: a key needs a prefix and the SHA-256 of its secret, not %d bytes", len(secretHash))
	}
	k.OrgID = t.org
	if k.ID.IsZero() {
		k.ID = t.store.newID()
	}
	if k.CreatedAt.IsZero() {
		k.CreatedAt = t.store.Now()
	}
	row := apiKeyRow{OrgID: k.OrgID, ID: k.ID, Prefix: prefix, SecretHash: secretHash, Name: k.Name, Role: k.Role, CreatedAt: k.CreatedAt,
		LastUsedAt: k.LastUsedAt, ExpiresAt: k.ExpiresAt}
	_, err := t.store.writes.NewInsert().Model(&row).Exec(ctx)
	return t.store.fault(err, "create key")
}

// RevokeKey removes a key, and tells whether there was one.
func (t *Tenant) RevokeKey(ctx context.Context, id ID) (bool, error) {
	res, err := t.store.writes.NewDelete().Model((*apiKeyRow)(nil)).Where("org_id = ?", t.org).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return false, t.store.fault(err, "revoke key")
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Keys lists the organization's keys, oldest first.
func (t *Tenant) Keys(ctx context.Context) ([]*APIKey, error) {
	var rows []*apiKeyRow
	if err := t.store.db.NewSelect().Model(&rows).Where("org_id = ?", t.org).OrderExpr("created_at, id").Scan(ctx); err != nil {
		return nil, t.store.fault(err, "list keys")
	}
	keys := make([]*APIKey, len(rows))
	for i, r := range rows {
		keys[i] = r.apiKey()
	}
	return keys, nil
}

// KeyByPrefix gives what authentication compares: the SHA-256 of the secret of the key whose public part this is. NOT_FOUND where there is none.
func (s *Store) KeyByPrefix(ctx context.Context, prefix string) (key *APIKey, secretHash []byte, err error) {
	var row apiKeyRow
	err = s.db.NewSelect().Model(&row).Where("prefix = ?", prefix).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, fault.New(fault.NotFound, "There is no such key.")
	}
	if err != nil {
		return nil, nil, s.fault(err, "find key")
	}
	return row.apiKey(), row.SecretHash, nil
}

// TouchKeys notes that keys, of whatever organization, were used just now.
func (s *Store) TouchKeys(ctx context.Context, used map[ID]bool) error {
	var ids []ID
	for id, yes := range used {
		if yes {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := s.writes.NewUpdate().Model((*apiKeyRow)(nil)).Set("last_used_at = ?", s.Now()).Where("id IN (?)", bun.List(ids)).Exec(ctx)
	return s.fault(err, "touch keys")
}
