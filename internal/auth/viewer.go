// Package auth tells who asks: it turns a key or a session into a Viewer, and refuses everybody else.
package auth

import (
	"context"
	"slices"

	"carbongraph/store"
)

// Viewer is who asks: one organization's key, and what it may do.
type Viewer struct {
	Org     store.ID
	Role    store.Role
	KeyName string
	Key     store.ID
}

// roles stand in rising order: each holds the rights of those before it.
func roles() []store.Role {
	return []store.Role{store.Viewer, store.Analyst, store.Editor, store.Admin}
}

// Can tells whether the viewer holds the rights of the role. Nobody holds an unknown one, and a nil Viewer holds none.
func (v *Viewer) Can(role store.Role) bool {
	if v == nil {
		return false
	}
	need := slices.Index(roles(), role)
	return need >= 0 && slices.Index(roles(), v.Role) >= need
}

type viewerKey struct{}

// With gives a context that carries the viewer.
func With(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// From gives the context's viewer, nil where nobody was authenticated.
func From(ctx context.Context) *Viewer {
	v, _ := ctx.Value(viewerKey{}).(*Viewer)
	return v
}
