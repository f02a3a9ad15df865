package app

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/graph"
	"carbongraph/graph/generated"
	"carbongraph/graph/plan"
	"carbongraph/graph/scalar"
	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/factors"
	"carbongraph/resolvers"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// schema ties the resolvers to their store, importer and loaders, and plans what runs on them.
func (a *App) schema() (graphql.ExecutableSchema, func(*ast.QueryDocument, *ast.OperationDefinition) (graph.Begin, error), error) {
	im, err := newImporter(a.Store, 0)
	if err != nil {
		return nil, nil, err
	}
	cfg := resolvers.Config(resolvers.Options{Store: a.Store, Importer: im, Revoked: a.Keys.Revoked, NewID: a.Store.NewID})
	cfg.Directives.Requires = graph.Requires
	schema := generated.NewExecutableSchema(cfg)

	prepare := func(doc *ast.QueryDocument, op *ast.OperationDefinition) (graph.Begin, error) {
		p, err := plan.New(schema.Schema(), doc, op)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, variables map[string]any) context.Context {
			return loaders.Begin(ctx, loaders.Options{
				Store: a.Store, Tenant: a.Store.Tenant(auth.From(ctx).Org), Plan: p, Variables: variables, Metrics: a.tel.Loader,
			})
		}, nil
	}
	return schema, prepare, nil
}

// newImporter makes the importer over the factors of the database. One transaction takes so many lines; 0 is the usual number.
func newImporter(st *store.Store, chunkRows int) (*batch.Importer, error) {
	engine, err := factors.Engine()
	if err != nil {
		return nil, err
	}
	return batch.New(batch.Options{Store: st, Catalog: factors.NewCatalog(st, 0), Engine: engine, ChunkRows: chunkRows}), nil
}

// scalars check the variables of the schema's scalars before anything runs.
func scalars() map[string]graph.ScalarCheck {
	return map[string]graph.ScalarCheck{
		"Decimal":      check(scalar.UnmarshalDecimal),
		"Date":         check(scalar.UnmarshalDate),
		"DateTime":     check(scalar.UnmarshalDateTime),
		"CountryCode":  check(scalar.UnmarshalCountryCode),
		"CurrencyCode": check(scalar.UnmarshalCurrencyCode),
	}
}

func check[T any](read func(any) (T, error)) graph.ScalarCheck {
	return func(v any) error {
		_, err := read(v)
		return err
	}
}
