// Package resolvers answers the schema's fields: who asks, and what for. What a field means is decided one floor down.
package resolvers

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/broker"
	"carbongraph/internal/estimate"
	"carbongraph/internal/fault"
	"carbongraph/internal/match"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// Options are what resolvers answer from.
type Options struct {
	Store     *store.Store
	Importer  Importer
	Estimator Estimator
	Matcher   Matcher        // nil: the text alone, matched with the store's factors
	Broker    Broker         // nil: no source is asked but the text
	Revoked   func(store.ID) // told of a key after it was revoked; nil: nobody
	// Standing tells what a caller may still spend, and in what time all will be there again; nil: there is no bound.
	Standing func(ctx context.Context, caller string) (limit, remaining int, reset time.Duration)
	NewID    func() store.ID  // nil: UUIDv7
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: none
	Begun    func()           // told of a batch that was stored; nil: nobody
}

// Importer takes many items, and tells of each what became of it, in the order of the items.
type Importer interface {
	Activities(ctx context.Context, t *store.Tenant, in []store.ActivityInput, how batch.Flags) ([]batch.ItemResult, error)
	Suppliers(ctx context.Context, t *store.Tenant, in []store.SupplierInput, how batch.Flags) ([]batch.SupplierResult, error)
	Delete(ctx context.Context, t *store.Tenant, externalIDs []string, key string) ([]*store.Problem, error)
	// StartRecalculation stores what is to be calculated anew; it is done in the background.
	StartRecalculation(ctx context.Context, t *store.Tenant, r batch.Recalculation) (*store.Batch, error)
	// StartExport stores what is to be written to a file; it is done in the background.
	StartExport(ctx context.Context, t *store.Tenant, x batch.Export) (*store.Batch, error)
	Mappings(ctx context.Context, t *store.Tenant, in []store.FactorMappingInput) ([]batch.MappingResult, error)
}

// Estimator calculates amounts by an organization's settings, and stores nothing: a result for each, in their order.
type Estimator interface {
	Estimate(ctx context.Context, org *store.Organization, in []*estimate.Input) ([]estimate.Result, error)
}

// Broker asks every source of factors that there is.
type Broker interface {
	Ask(ctx context.Context, qs []broker.Question) []broker.Outcome
}

// Matcher tells which factors a line may mean, best first.
type Matcher interface {
	Match(ctx context.Context, line match.Line, first int) (match.Answer, error)
}

//go:generate go run ../graph/generate

// Resolver is the root that gqlgen hangs each type's resolvers on.
type Resolver struct {
	o       Options
	runs    *watches[*store.CalculationRun]
	batches *watches[*store.Batch]
}

// Config is what gqlgen's engine is made of, but for the directives: those belong to whoever knows the viewer's rights.
func Config(o Options) generated.Config {
	if o.NewID == nil {
		o.NewID = newID
	}
	if o.Begun == nil {
		o.Begun = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Matcher == nil {
		o.Matcher = match.NewShelf(o.Store.Datasets, o.Store.DatasetFactors, nil)
	}
	if o.Standing == nil {
		o.Standing = func(context.Context, string) (int, int, time.Duration) { return 0, 0, 0 }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return generated.Config{Resolvers: &Resolver{
		o:       o,
		runs:    newWatches(store.KindCalculationRun, "calculation run", runsOf(o.Store), o.Log),
		batches: newWatches(store.KindBatch, "batch", batchesOf(o.Store), o.Log),
	}}
}

// tenant is the viewer's ledger: the only one that a resolver can reach.
func (r *Resolver) tenant(ctx context.Context) *store.Tenant {
	return r.o.Store.Tenant(auth.From(ctx).Org)
}

// How many items a mutation takes, and how many estimates and suggestions a query.
const (
	maxItems       = 10_000
	maxMappings    = 1_000
	maxEstimates   = 1_000
	maxSuggestions = 100
)

func tooMany(what string, got, most int) error {
	if got <= most {
		return nil
	}
	return fault.New(fault.BadUserInput, "%d %s are too many; pass at most %d at a time.", got, what, most)
}

// itemProblem is an item's problem with the path from the argument on. The problem itself stays as it is: a stored activity shows it too.
func itemProblem(p *store.Problem, list string, index int) *store.Problem {
	if p == nil {
		return nil
	}
	out := *p
	out.Path = append([]string{"input", list, strconv.Itoa(index)}, p.Path...)
	return &out
}

// page warms what the operation asks for below a root connection, and adds what is counted when it is selected.
func page[T any](ctx context.Context, c *store.Connection[T], err error, count func(context.Context) (int, error)) (*model.Connection[T], error) {
	if err != nil {
		return nil, err
	}
	loaders.Page(ctx, c)
	return &model.Connection[T]{Connection: c, Count: count}, nil
}

// emissionPage is a connection of emissions whose count and totals come from one statement, shared by both.
func emissionPage(c *store.Connection[store.Emission], totals func(context.Context) (*store.FootprintTotals, error)) *model.EmissionConnection {
	return &model.EmissionConnection{
		Connection: c,
		Count: func(ctx context.Context) (int, error) {
			t, err := totals(ctx)
			if err != nil {
				return 0, err
			}
			return int(t.EmissionCount), nil
		},
		Sum: totals,
	}
}

// childEmissions is the connection of emissions that hangs on a row.
func childEmissions(parent store.GlobalID, f *store.EmissionFilter, c *store.Connection[store.Emission], err error) (*model.EmissionConnection, error) {
	if err != nil {
		return nil, err
	}
	return emissionPage(c, func(ctx context.Context) (*store.FootprintTotals, error) {
		return loaders.Of(ctx, loaders.EmissionSums.Read, parent, loaders.EmissionSum{Filter: f})
	}), nil
}

// once lets several fields of a connection share one statement.
func once[V any](ctx context.Context, read func(context.Context) (V, error)) func(context.Context) (V, error) {
	shared := sync.OnceValues(func() (V, error) { return read(ctx) })
	return func(context.Context) (V, error) { return shared() }
}

// totals sums the emissions of a filter, once for all fields that show a part of the sums.
func (r *Resolver) totals(ctx context.Context, f *store.EmissionFilter) func(context.Context) (*store.FootprintTotals, error) {
	return once(ctx, func(ctx context.Context) (*store.FootprintTotals, error) { return r.tenant(ctx).EmissionTotals(ctx, f) })
}
