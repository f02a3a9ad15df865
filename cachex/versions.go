package cachex

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"carbongraph/internal/telemetry"
)

// Vector is how often what answers are made of was changed, by subject, at one moment. It is never changed.
type Vector struct {
	Own   map[string]int64 // of the organization
	All   map[string]int64 // of what is everybody's
	Total int64            // of all that is the organization's own: with each of its writes it grows

	number uint64
}

// Number is of no other vector of the process.
func (v *Vector) Number() uint64 { return v.number }

// VersionsOptions are what a mirror of versions needs.
type VersionsOptions struct {
	// Read gives an organization's versions as they are committed when it begins, or later.
	Read func(ctx context.Context, org [16]byte) (*Vector, error)
	// Changes tells whose versions may have changed since it was asked last without an error; all: anybody's.
	Changes func(ctx context.Context) (orgs [][16]byte, all bool, err error)
	// Compact has the database keep fewer rows; called every ten seconds. Nil: somebody else does.
	Compact func(ctx context.Context) error
	Redis   redis.UniversalClient // carries word of commits to other servers; nil: they find out by Changes
	Every   time.Duration         // between two questions for changes; 0: 300 ms
	Trust   time.Duration         // since a question was asked that was answered, after which memory is not used; 0: 900 ms
	Now     func() time.Time      // nil: time.Now
	Log     *slog.Logger
	Metrics *telemetry.Versions
	Most    int // organizations in memory; 0: 10,000
	// Dropped is told whose versions were dropped from memory, zero: everybody's; nil: nobody wants to know. It must not wait.
	Dropped func(org [16]byte)
}

// Versions keeps organizations' versions in memory and drops them when they change. In the process that commits a change that is at once: who asks after the commit never
// gets versions of before. In others it is when word of the commit comes by Redis, and when the database, asked now and then, tells: never later than Trust and a little.
type Versions struct {
	o    VersionsOptions
	held *otter.Cache[[16]byte, *Vector]
	// polled is when the last question for changes began that was answered, and applied to memory.
	polled atomic.Pointer[time.Time]

	mu     sync.Mutex // what is put into held, or dropped, is so under it
	reads  map[[16]byte]*reading
	word   map[[16]byte]bool // whose commits others are to hear of
	waking chan struct{}
	last   uint64 // number of a vector
	self   string // names this mirror among those on Redis
	missed bool   // a question for changes was not answered
}

const (
	// patience is how long a read of versions may take.
	patience = 5 * time.Second
	// compactEvery is a compromise: what is raised in between is added up by every read.
	compactEvery = 10 * time.Second
	// mostWord bounds whose commits wait to be told; more are left to the database.
	mostWord = 1000
)

// NewVersions makes a mirror. Until it runs, memory is not trusted, and each caller reads.
func NewVersions(o VersionsOptions) *Versions {
	if o.Every == 0 {
		o.Every = 300 * time.Millisecond
	}
	if o.Trust == 0 {
		o.Trust = 900 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Most == 0 {
		o.Most = 10_000
	}
	if o.Dropped == nil {
		o.Dropped = func([16]byte) {}
	}
	return &Versions{o: o, held: otter.Must(&otter.Options[[16]byte, *Vector]{MaximumSize: o.Most}), reads: map[[16]byte]*reading{},
		word: map[[16]byte]bool{}, waking: make(chan struct{}, 1), self: newName()}
}

// Of gives an organization's versions: no older than the last commit in this process, and no older than Trust before it is asked.
func (v *Versions) Of(ctx context.Context, org [16]byte) (*Vector, error) {
	trusted := v.trusted()
	if trusted {
		if found, ok := v.held.GetIfPresent(org); ok {
			return found, nil
		}
		return v.read(ctx, org, telemetry.VersionsAbsent)
	}
	return v.read(ctx, org, telemetry.VersionsUntrusted)
}

// AtLeast is Of for who has seen a Total: where memory is older than that, it is read anew.
func (v *Versions) AtLeast(ctx context.Context, org [16]byte, total int64) (*Vector, error) {
	if !v.trusted() {
		return v.read(ctx, org, telemetry.VersionsUntrusted)
	}
	if found, ok := v.held.GetIfPresent(org); ok && found.Total >= total {
		return found, nil
	}
	return v.read(ctx, org, telemetry.VersionsOlder)
}

// Committed is to be called after a commit in this process and before its writer hears of it, with whose versions it raised; zero: everybody's. It drops them from memory,
// has other servers told, and waits for nothing.
func (v *Versions) Committed(org [16]byte) {
	v.drop(org, telemetry.DroppedByCommit)
	v.tell(org)
}

// trusted tells whether memory may be used.
func (v *Versions) trusted() bool {
	at := v.polled.Load()
	return at != nil && v.o.Now().Sub(*at) <= v.o.Trust
}

// VersionsState is how a mirror stands.
type VersionsState struct {
	Trusted       bool // memory is used
	Organizations int  // in memory
}

// State tells how the mirror stands.
func (v *Versions) State() VersionsState { return VersionsState{v.trusted(), v.held.EstimatedSize()} }

// drop forgets an organization's versions, zero: all. What is on its way from the database is for those alone who came before.
func (v *Versions) drop(org [16]byte, why telemetry.VersionDrop) {
	v.o.Metrics.Drop(why)
	defer v.o.Dropped(org) // when they are gone
	v.mu.Lock()
	defer v.mu.Unlock()
	if org == ([16]byte{}) {
		v.held.InvalidateAll()
		clear(v.reads)
		return
	}
	v.held.Invalidate(org)
	delete(v.reads, org)
}

// Run asks the database for changes, and tells and hears of commits by Redis, until the context ends.
func (v *Versions) Run(ctx context.Context) {
	var all sync.WaitGroup
	if v.o.Redis != nil {
		all.Go(func() { v.telling(ctx) })
		all.Go(func() { v.hearing(ctx) })
	}
	if v.o.Compact != nil {
		all.Go(func() { v.compacting(ctx) })
	}
	tick := time.NewTicker(v.o.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		v.poll(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	all.Wait()
}

// compacting has the database keep fewer rows, until the context ends.
func (v *Versions) compacting(ctx context.Context) {
	for pause(ctx, compactEvery); ctx.Err() == nil; pause(ctx, compactEvery) {
		if err := v.o.Compact(ctx); err != nil && ctx.Err() == nil {
			v.o.Log.DebugContext(ctx, "versions are not compacted", "err", err) // they are right as they are, and the next time may do it
		}
	}
}

// poll asks the database once what has changed.
func (v *Versions) poll(ctx context.Context) {
	began := v.o.Now()
	asking, cancel := context.WithTimeout(ctx, v.o.Trust)
	defer cancel()
	orgs, all, err := v.o.Changes(asking)
	switch {
	case err != nil && ctx.Err() != nil:
		return
	case err != nil:
		if !v.missed {
			v.o.Log.WarnContext(ctx, "the database does not tell of changes; each request reads versions", "err", err)
		}
		v.missed = true
		v.o.Metrics.Trusted(v.trusted())
		return
	case v.missed: // another server may answer by now, one that does not know what the first had told
		v.o.Log.InfoContext(ctx, "the database tells of changes again")
		v.drop([16]byte{}, telemetry.DroppedByGap)
	case all:
		v.drop([16]byte{}, telemetry.DroppedByPoll)
	}
	v.missed = false
	for _, org := range orgs {
		v.drop(org, telemetry.DroppedByPoll)
	}
	v.polled.Store(&began)
	v.o.Metrics.Trusted(true)
}
