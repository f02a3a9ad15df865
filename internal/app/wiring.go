package app

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"carbongraph/graph"
	"carbongraph/graph/exec"
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/graph/plan"
	"carbongraph/graph/scalar"
	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/config"
	"carbongraph/internal/estimate"
	"carbongraph/internal/factors"
	"carbongraph/resolvers"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// schema ties the resolvers to their store and importer.
func (a *App) schema() (graphql.ExecutableSchema, error) {
	cfg := resolvers.Config(resolvers.Options{Store: a.Store, Importer: a.importer, Estimator: a.estimator, Matcher: a.matcher, Broker: a.broker, Begun: a.batches.Wake, Revoked: a.Keys.Revoked, NewID: a.Store.NewID, Log: a.o.Log,
		Standing: func(ctx context.Context, caller string) (limit, remaining int, reset time.Duration) {
			s := a.rate.Look(ctx, caller)
			return s.Limit, s.Remaining, s.Reset
		}})
	cfg.Directives.Requires = graph.Requires
	made := generated.NewExecutableSchema(cfg)
	return made, plan.CheckCosts(made.Schema())
}

// begin gives gqlgen's engine the loaders of one run.
func (a *App) begin(ctx context.Context, p *plan.Plan, variables map[string]any) context.Context {
	return loaders.Begin(ctx, loaders.Options{
		Store: a.Store, Tenant: a.Store.Tenant(auth.From(ctx).Org), Plan: p, Variables: variables, Metrics: a.tel.Loader,
	})
}

// tokens checks the JWTs of the settings' identity provider; nil where they name none.
func (a *App) tokens() *auth.Tokens {
	j := a.o.Config.JWT
	if j == (config.JWT{}) {
		return nil
	}
	return auth.NewTokens(auth.TokenOptions{
		Issuer: j.Issuer, Audience: j.Audience, KeySet: j.KeySet, Log: a.o.Log,
		Organization: func(ctx context.Context, id store.ID) (*store.Organization, error) {
			return a.Store.Tenant(id).Organization(ctx)
		},
	})
}

// limits are those of the settings.
func limits(l config.Limits) graph.Limits {
	return graph.Limits{Body: l.Body, List: l.List, Tokens: l.Tokens, Nesting: l.Nesting, Aliases: l.Aliases, RootFields: l.RootFields, Directives: l.Directives,
		Repeats: l.Repeats, Cost: l.Cost, Operations: l.Operations}
}

// shortWay makes the other engine from the same relations; nil where the settings rule it out.
func (a *App) shortWay() *exec.Engine {
	if a.o.Config.Engine == "gqlgen" {
		return nil
	}
	return exec.New(exec.Options{Relations: loaders.Relations(), Roots: loaders.Roots(), Joins: a.Store.Joins()})
}

// ledger is what the short way reads from, for whoever asks.
func (a *App) ledger(ctx context.Context) exec.Ledger {
	v := auth.From(ctx)
	return exec.Ledger{Store: a.Store, Tenant: a.Store.Tenant(v.Org), Viewer: &model.Viewer{Org: v.Org, Role: v.Role, KeyName: v.KeyName}}
}

// newImporter makes the importer over the factors of the database.
func newImporter(st *store.Store, o batch.Options) (*batch.Importer, error) {
	engine, err := factors.Engine()
	if err != nil {
		return nil, err
	}
	o.Store, o.Catalog, o.Engine = st, factors.NewCatalog(st, 0), engine
	return batch.New(o), nil
}

// calculating makes what calculates: the importer, and the estimator with what it keeps.
func (a *App) calculating() error {
	engine, err := factors.Engine()
	if err != nil {
		return err
	}
	tables, err := factors.Tables()
	if err != nil {
		return err
	}
	catalog := factors.NewCatalog(a.Store, 0)
	a.importer = batch.New(batch.Options{Store: a.Store, Catalog: catalog, Engine: engine, Asked: a.asked.Load})
	a.estimator = estimate.New(estimate.Options{Store: a.Store, Catalog: catalog, Engine: engine, Tables: tables, Cache: a.caches.chain, Secret: a.Store.Derive("estimates")})
	return nil
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
