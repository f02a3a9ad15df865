package resolvers

import (
	"carbongraph/graph/model"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// SetCategoryStatement says something of a category.
func (r *mutationResolver) SetCategoryStatement(ctx context.Context, input store.SetCategoryStatementInput) (*model.SetCategoryStatementPayload, error) {
	s, err := r.tenant(ctx).SetCategoryStatement(ctx, input)
	if p := refusal(err); p != nil {
		return &model.SetCategoryStatementPayload{Errors: []store.Problem{*p}}, nil
	}
	if err != nil {
		return nil, err
	}
	out := &model.CategoryStatement{CategoryStatement: s, Sums: r.categorySums(ctx, s.Year)}
	loaders.Rows(ctx, []*model.CategoryStatement{out}, "statement")
	return &model.SetCategoryStatementPayload{Statement: out, Errors: []store.Problem{}}, nil
}

// CategoryStatements gives what is said of each category.
func (r *queryResolver) CategoryStatements(ctx context.Context, year int32) ([]*model.CategoryStatement, error) {
	said, err := r.tenant(ctx).CategoryStatements(ctx, year)
	sums, out := r.categorySums(ctx, year), make([]*model.CategoryStatement, len(said))
	for i, s := range said {
		out[i] = &model.CategoryStatement{CategoryStatement: s, Sums: sums}
	}
	loaders.Rows(ctx, out)
	return out, err
}
