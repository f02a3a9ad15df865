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
	"carbongraph/internal/broker"
	"carbongraph/internal/config"
	"carbongraph/internal/factors"
	"carbongraph/internal/match"
	"carbongraph/resolvers"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// schema ties the resolvers to their store and importer.
func (a *App) schema() (graphql.ExecutableSchema, error) {
	cfg := resolvers.Config(resolvers.Options{Store: a.Store, Importer: a.importer, Matcher: a.matcher, Broker: a.broker, Begun: a.batches.Wake, Revoked: a.Keys.Revoked, NewID: a.Store.NewID, Log: a.o.Log,
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

// sources makes the matcher of texts, and the broker that asks it beside the stored datasets, an HTTP source and a language model: the latter two where the
// settings name them.
func (a *App) sources() {
	index := broker.NewIndex(a.Store)
	a.matcher = match.NewShelf(a.Store.Datasets, a.Store.DatasetFactors)
	words := matcher{a.matcher}
	all := []broker.Guarded{{Source: broker.NewDatasets(index), Policy: broker.Local()}, {Source: broker.NewText(index, words), Policy: broker.Local()}}
	if f := a.o.Config.Factors; f.URL != "" {
		all = append(all, broker.Guarded{Source: broker.NewHTTP(broker.HTTPOptions{URL: f.URL, Key: f.Key, Index: index}), Policy: broker.Remote()})
	}
	if m := a.o.Config.Model; m.BaseURL != "" {
		all = append(all, broker.Guarded{Policy: broker.Model(), Source: broker.NewLanguageModel(broker.LanguageModelOptions{BaseURL: m.BaseURL, Key: m.Key, Model: m.Name,
			Index: index, Match: words, Metrics: a.tel.Broker})})
	}
	a.broker = broker.New(broker.Options{Sources: all, Edition: index.Edition, Metrics: a.tel.Broker, Log: a.o.Log})
	a.opened("factor sources", a.broker.Close)
}

// matcher gives the text's matches as the broker's candidates.
type matcher struct{ shelf *match.Shelf }

// Match matches the question's texts.
func (m matcher) Match(ctx context.Context, q broker.Question, n int) ([]broker.Candidate, error) {
	found, err := m.shelf.Match(ctx, match.Line{Description: q.Description, AccountCode: q.AccountCode, Supplier: q.SupplierName, Country: q.Country, Unit: q.Unit}, n)
	if err != nil {
		return nil, err
	}
	out := make([]broker.Candidate, len(found.Suggestions))
	for i, s := range found.Suggestions {
		out[i] = broker.Candidate{FactorID: s.Factor.ID, Confidence: s.Confidence, Reason: s.Reason}
	}
	return out, nil
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
