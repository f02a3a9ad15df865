package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
	"strings"
)

// CreateAPIKey makes a key and shows its secret.
func (r *mutationResolver) CreateAPIKey(ctx context.Context, input model.CreateAPIKeyInput) (*model.CreateAPIKeyPayload, error) {
	now := exact.InstantOf(r.o.Now())
	if err := checkKey(input, now); err != nil {
		return nil, err
	}
	secret := auth.NewSecret()
	key := &store.APIKey{OrgID: auth.From(ctx).Org, ID: r.o.NewID(), Name: strings.TrimSpace(input.Name), Role: input.Role, CreatedAt: now, ExpiresAt: input.ExpiresAt}
	if err := r.tenant(ctx).CreateKey(ctx, key, secret.Prefix, secret.Hash); err != nil {
		return nil, err
	}
	return &model.CreateAPIKeyPayload{APIKey: key, Secret: secret.Text}, nil
}

// RevokeAPIKey ends a key.
func (r *mutationResolver) RevokeAPIKey(ctx context.Context, id store.GlobalID) (*model.DeletePayload, error) {
	revoked := false
	if id.Kind == store.KindAPIKey {
		var err error
		if revoked, err = r.tenant(ctx).RevokeKey(ctx, id.Row); err != nil {
			return nil, err
		}
	}
	if !revoked {
		return &model.DeletePayload{Errors: []store.Problem{{Code: string(fault.NotFound), Message: "There is no such key.", Path: []string{"id"}}}}, nil
	}
	if r.o.Revoked != nil {
		r.o.Revoked(id.Row)
	}
	return &model.DeletePayload{DeletedID: &id, Errors: []store.Problem{}}, nil
}

// Viewer gives who asks.
func (r *queryResolver) Viewer(ctx context.Context) (*model.Viewer, error) {
	v := auth.From(ctx)
	out := &model.Viewer{Org: v.Org, Role: v.Role, KeyName: v.KeyName}
	loaders.Rows(ctx, []*model.Viewer{out})
	return out, nil
}

// Organization gives the viewer's organization.
func (r *viewerResolver) Organization(ctx context.Context, obj *model.Viewer) (*store.Organization, error) {
	return loaders.ViewerOrganization.Of(ctx, obj)
}

// RateLimit gives what the viewer may still spend.
func (r *viewerResolver) RateLimit(ctx context.Context, obj *model.Viewer) (*model.RateLimit, error) {
	limit, remaining, reset := r.o.Standing(ctx, auth.From(ctx).Caller())
	return &model.RateLimit{Limit: int32(limit), Remaining: int32(remaining), ResetAt: exact.InstantOf(r.o.Now().Add(reset))}, nil
}

func (r *Resolver) Viewer() generated.ViewerResolver { return &viewerResolver{r} }

type viewerResolver struct{ *Resolver }
