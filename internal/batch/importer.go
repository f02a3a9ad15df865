// Package batch takes many items and gives a result for each, in their order: it checks them, finds their factors, calculates on every core,
// and writes chunk by chunk, several at a time where the database can. What nobody waits for, files in and out and recalculations, it does in the background.
package batch

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// chunkRows is how many lines one transaction writes.
const chunkRows = 1000

// Options are what an importer works with.
type Options struct {
	Store     *store.Store
	Catalog   *factors.Catalog
	Engine    *calc.Engine
	Now       func() time.Time // nil: time.Now. What happens after its day, in UTC, is in the future
	Workers   int              // goroutines that calculate; 0: one for each core
	Writers   int              // transactions that write at once; 0: as many as the store finds sensible, within a quarter of its connections
	ChunkRows int              // lines in one transaction; 0: 1,000 of a list, and of a file what turns out to be fastest
	// Asked counts the operations that somebody waits for: while there are new ones, imports in the background rest between transactions. nil: nobody asks here.
	Asked func() uint64
}

// Importer imports suppliers and activities. It is safe for concurrent use.
type Importer struct {
	store   *store.Store
	catalog *factors.Catalog
	engine  *calc.Engine
	now     func() time.Time
	workers int
	writers int
	chunk   int
	fixed   bool // the size of chunks, which is found otherwise while a file is imported
	most    int  // rows that a transaction of a file may have, where its size is found
	slots   *slots
	asked   func() uint64
}

// New makes an importer.
func New(o Options) *Importer {
	im := &Importer{store: o.Store, catalog: o.Catalog, engine: o.Engine, now: o.Now, workers: o.Workers, writers: o.Writers, chunk: o.ChunkRows, fixed: o.ChunkRows > 0, most: mostRows, asked: o.Asked}
	if im.now == nil {
		im.now = time.Now
	}
	if im.workers <= 0 {
		im.workers = runtime.GOMAXPROCS(0)
	}
	most := im.writers
	if im.writers <= 0 {
		im.writers, most = im.store.Writers(), im.store.Share()
	}
	if im.chunk <= 0 {
		im.chunk = chunkRows
	}
	im.slots = newSlots(most)
	return im
}

// Flags say what an import does with lines that are right.
type Flags struct {
	DryRun    bool            // check and calculate everything, write nothing
	Calculate bool            // calculate emissions; otherwise the lines alone are kept
	Mode      store.BatchMode // what a line that fails takes along; empty: nothing
	Key       string          // an idempotency key; empty: none
}

// run is one import on its way: what it needs of the organization, read once.
type run struct {
	*Importer
	course
	tenant     *store.Tenant
	flags      Flags
	today      exact.Date
	org        *store.Organization
	calculator *calc.Calculator
	rules      []*factors.Resolver    // the import's own before the ledger's
	pending    []*store.FactorMapping // the import's own, until a chunk takes them along
	codes      *codes
	record     *store.CalculationRun
	started    bool // the record is stored
	began      time.Time
	suppliers  map[string]store.ID // by external id: those that are stored, as far as this import has met them; for one goroutine at a time
}

// course is how lines go through an import, and who is told on the way.
type course struct {
	urgent   bool          // somebody waits for the end
	whole    bool          // all lines are one chunk
	patience time.Duration // how long it waits for a database that is away
	sizer    *sizer        // finds the size of chunks; nil: it is fixed
	yields   *yielding     // to those who ask; nil: it goes on all the time
	at       int           // the place of the next line, among all files
	read     func() int64  // bytes of the files so far; nil: there are none
	foreign  bool          // the file has other columns than its batch
	stored   []store.Piece // what an earlier attempt has stored, in order
	// opened is told of each file whose header is read, note of each piece in the transaction that stores it, and recall tells the lines of a chunk that an earlier
	// attempt has stored what became of them. Each may be nil.
	opened func(context.Context, *ingest.Reader) error
	note   func(context.Context, *store.Writer, *piece) error
	recall func(context.Context, *chunk) error
}

// begin reads what the import needs.
func (im *Importer) begin(ctx context.Context, t *store.Tenant, f Flags, reason string) (*run, error) {
	org, err := t.Organization(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := t.Mappings(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{
		Importer: im, tenant: t, flags: f, org: org, today: exact.DateOf(im.now()),
		rules:     []*factors.Resolver{factors.NewResolver(stored)},
		codes:     newCodes(im.store),
		record:    &store.CalculationRun{ID: im.store.NewID(), Reason: reason, GwpSet: org.GwpSet},
		suppliers: map[string]store.ID{},
	}
	r.calculator = r.calculatorBy(org.GwpSet)
	return r, nil
}

// calculatorBy calculates as the organization does, by a set of potentials.
func (r *run) calculatorBy(set store.GwpSet) *calc.Calculator {
	how := factors.Settings(r.org)
	how.GwpSet = string(set)
	return r.engine.Calculator(how)
}

// start stores the run before its first emission, so that an import that calculates nothing leaves none.
func (r *run) start(ctx context.Context) error {
	if r.started || r.flags.DryRun {
		return nil
	}
	r.started = true
	return r.tenant.StartRun(ctx, r.record)
}

// parallel calls f for each of n pieces of work on the importer's workers.
func (im *Importer) parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(im.workers)
	for i := range n {
		g.Go(guarded(func() error { return f(ctx, i) }))
	}
	return g.Wait()
}
