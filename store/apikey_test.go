package store_test

import (
	"crypto/sha256"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestAPIKeys(t *testing.T) {
	storetest.Each(t, "are kept as hashes and found by their prefix", func(t *testing.T, st *store.Store) {
		acme, other := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Other")
		hash := sha256.Sum256([]byte("secret"))
		expires := st.Now()
		k := &store.APIKey{Name: "ci", Role: store.Editor, ExpiresAt: &expires}
		if err := acme.CreateKey(t.Context(), k, "prefix", hash[:]); err != nil {
			t.Fatal(err)
		}
		got, stored, err := st.KeyByPrefix(t.Context(), "prefix")
		if err != nil || got.ID != k.ID || got.OrgID != acme.ID() || got.Role != store.Editor || *got.ExpiresAt != expires || string(stored) != string(hash[:]) {
			t.Errorf("key %+v, %x, %v", got, stored, err)
		}
		if _, _, err := st.KeyByPrefix(t.Context(), "prefiy"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("an unknown prefix gives %v", err)
		}
		if err := st.TouchKeys(t.Context(), map[store.ID]bool{k.ID: true}); err != nil {
			t.Error(err)
		}
		if keys, err := acme.Keys(t.Context()); err != nil || len(keys) != 1 || keys[0].LastUsedAt == nil {
			t.Errorf("keys %+v, %v; want one that was used", keys, err)
		}
		if keys, err := other.Keys(t.Context()); err != nil || len(keys) != 0 {
			t.Errorf("the other organization sees %d keys, %v", len(keys), err)
		}
		if was, err := other.RevokeKey(t.Context(), k.ID); was || err != nil {
			t.Errorf("the other organization revoked the key: %v, %v", was, err)
		}
		if was, err := acme.RevokeKey(t.Context(), k.ID); !was || err != nil {
			t.Errorf("revoked %v, %v", was, err)
		}
		if was, err := acme.RevokeKey(t.Context(), k.ID); was || err != nil {
			t.Errorf("revoked twice: %v, %v", was, err)
		}
		if _, _, err := st.KeyByPrefix(t.Context(), "prefix"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("a revoked key gives %v", err)
		}
	})
	storetest.Each(t, "with anything but a hash are refused", func(t *testing.T, st *store.Store) {
		if err := storetest.Organization(t, st, "Acme").CreateKey(t.Context(), &store.APIKey{}, "prefix", []byte("secret")); err == nil {
			t.Error("a secret in clear was stored")
		}
	})
	storetest.Each(t, "of two prefixes alike are a conflict", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		hash := sha256.Sum256(nil)
		for i, want := range []fault.Code{"", fault.Conflict} {
			if err := acme.CreateKey(t.Context(), &store.APIKey{}, "prefix", hash[:]); fault.CodeOf(err) != want {
				t.Errorf("key %d: %v", i, err)
			}
		}
	})
}
