// Package auth tells who asks: it turns a key, a JWT or a session into a Viewer, and refuses everybody else.
package auth

import (
	"context"
	"slices"

	"carbongraph/store"
)

// Viewer is who asks: one organization's key, or whom a JWT names, and what they may do.
type Viewer struct {
	Org     store.ID
	Role    store.Role
	KeyName string   // of a JWT: the beginning of its subject
	Key     store.ID // zero for a JWT
	Subject string   // whom a JWT names; empty for a key
}

// Caller tells this key, or this subject of a JWT, from all others; empty for a nil Viewer.
func (v *Viewer) Caller() string {
	if v == nil {
		return ""
	}
	if v.Subject != "" {
		return "jwt:" + v.Org.String() + ":" + v.Subject
	}
	return v.Key.String()
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
