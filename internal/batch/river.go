package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"riverqueue.com/riverui"

	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// Carrier hands batches to whichever server has a place, by River, a queue of jobs in Postgres. A job only says that a batch may be begun: who works on it, and from where,
// the batch's own row says. So a batch is not done twice because a job is, and not lost because one is. See docs/decisions/0017-background-batches.md.
type Carrier struct {
	b      *Background
	client *river.Client[pgx.Tx]
	log    *slog.Logger
	swept  time.Time
}

// job is what River keeps of a batch. There is one for each take.
type job struct {
	Org   store.ID       `json:"org"`
	Batch store.GlobalID `json:"batch"`
	Does  string         `json:"kind"`
	Take  int32          `json:"take"`
	// Again counts the jobs before that were given to a server and came to nothing.
	Again int `json:"again,omitempty"`
}

// Kind names jobs of this sort.
func (job) Kind() string { return "batch" }

// InsertOpts: what a job is is told by all of it. A job is tried once: when and how often a batch is begun again is its row's matter.
func (job) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueName, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled}}}
}

const (
	queueName = "batches"
	// pollEvery is how often a server asks for jobs that it has not heard of, and pollDeafEvery how often one that hears of none.
	pollEvery, pollDeafEvery = 10 * time.Second, time.Second
	// sweepEvery is how often jobs are looked for whose server is gone, and stuckAfter how long one must have run to be such.
	sweepEvery, stuckAfter = time.Minute, time.Minute
	// looks is how often a job looks whose turn it is before it stands back, lookPause how long it waits between, and standBack how long it is until another is inserted.
	looks, lookPause, standBack = 3, 50 * time.Millisecond, 250 * time.Millisecond
	// queueDepth is how far down the queue a job looks for its batch.
	queueDepth = 100
)

// Carry has batches carried by River over a pool of connections of its own, from Start on. Where the database does not pass on notifications, servers poll.
func (b *Background) Carry(pool *pgxpool.Pool, listen bool) (*Carrier, error) {
	c := &Carrier{b: b, log: slog.New(quieter{b.log.Handler()}), swept: time.Now()}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &carried{c: c}); err != nil {
		return nil, err
	}
	poll := pollEvery
	if !listen {
		poll = pollDeafEvery
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Logger: c.log, Workers: workers, Queues: map[string]river.QueueConfig{queueName: {MaxWorkers: b.workers}},
		PollOnly: !listen, FetchPollInterval: poll, FetchCooldown: 20 * time.Millisecond,
		JobTimeout: -1, RescueStuckJobsAfter: stuckAfter, // a job without a timeout is rescued only after it was cancelled, which sweep does
	})
	if err != nil {
		return nil, err
	}
	c.client = client
	b.carrier = c
	return c, nil
}

// Start begins to take jobs. They run until Stop, whatever becomes of the context.
func (c *Carrier) Start(ctx context.Context) error {
	return c.client.Start(context.WithoutCancel(ctx))
}

// Stop takes no more jobs, and has those that run give their batches back.
func (c *Carrier) Stop(ctx context.Context) error {
	return c.client.StopAndCancel(ctx)
}

// Pages shows jobs to an operator, below a prefix of the path. It changes nothing unless it is asked to by a method that does.
func (c *Carrier) Pages(prefix string) (http.Handler, error) {
	return riverui.NewHandler(&riverui.HandlerOpts{Endpoints: riverui.NewEndpoints(c.client, nil), Logger: c.log, Prefix: prefix})
}

// look inserts jobs for what may be begun, as many as this server has places: the rest waits in the batches' own table, where organizations take turns.
func (c *Carrier) look(ctx context.Context) error {
	queue, err := c.b.importer.store.Queue(ctx, c.b.atOnce, c.b.workers)
	if err != nil {
		return err
	}
	jobs := make([]job, len(queue))
	for i, q := range queue {
		jobs[i] = job{Org: q.Org, Batch: store.Global(store.KindBatch, q.ID), Does: string(q.Kind), Take: q.Takes + 1}
	}
	if err := c.insert(ctx, jobs); err != nil {
		return err
	}
	return c.sweep(ctx)
}

// insert inserts jobs that are not there. One that was given to a server which then did not take the batch stands in the way of no other.
func (c *Carrier) insert(ctx context.Context, jobs []job) error {
	for len(jobs) > 0 {
		params := make([]river.InsertManyParams, len(jobs))
		for i, j := range jobs {
			params[i] = river.InsertManyParams{Args: j, InsertOpts: &river.InsertOpts{Priority: store.BatchKind(j.Does).Rank()}}
		}
		inserted, err := c.client.InsertMany(ctx, params)
		if err != nil {
			return fmt.Errorf("insert jobs: %w", err)
		}
		var again []job
		for i, r := range inserted {
			if r.UniqueSkippedAsDuplicate && r.Job.State == rivertype.JobStateRunning && r.Job.AttemptedAt != nil && time.Since(*r.Job.AttemptedAt) > lease {
				jobs[i].Again++
				again = append(again, jobs[i])
			}
		}
		jobs = again
	}
	return nil
}

// sweep cancels jobs that run nowhere, now and then: those whose batch is not held, or by a later take. River would show them as running for ever.
func (c *Carrier) sweep(ctx context.Context) error {
	if time.Since(c.swept) < sweepEvery {
		return nil
	}
	c.swept = time.Now()
	running, err := c.client.JobList(ctx, river.NewJobListParams().Queues(queueName).States(rivertype.JobStateRunning).First(1000))
	if err != nil || len(running.Jobs) == 0 {
		return err
	}
	held, err := c.b.importer.store.HeldBatches(ctx)
	if err != nil {
		return err
	}
	alive := map[string]int64{} // the latest job of each take that goes on
	for _, h := range held {
		alive[fmt.Sprint(store.Global(store.KindBatch, h.ID), h.Takes)] = 0
	}
	of := func(row *rivertype.JobRow) string {
		var j job
		_ = json.Unmarshal(row.EncodedArgs, &j) // what is none of ours is of no batch that is held
		return fmt.Sprint(j.Batch, j.Take)
	}
	for _, row := range running.Jobs {
		if latest, goesOn := alive[of(row)]; goesOn {
			alive[of(row)] = max(latest, row.ID)
		}
	}
	for _, row := range running.Jobs {
		if row.AttemptedAt == nil || time.Since(*row.AttemptedAt) < stuckAfter || alive[of(row)] == row.ID {
			continue
		}
		if _, err := c.client.JobCancel(ctx, row.ID); err != nil && !errors.Is(err, river.ErrNotFound) {
			return err
		}
	}
	return nil
}

// carried does the batches of jobs.
type carried struct {
	river.WorkerDefaults[job]
	c *Carrier
}

// errLeft stands in a job for what stands in the log.
var errLeft = errors.New("left for later; the log says why, by the id of the batch")

// Work begins the batch of a job, if it is still to be begun and its organization's turn, and does it.
func (w *carried) Work(ctx context.Context, j *river.Job[job]) error {
	b := w.c.b
	var h *held
	ours, err := b.turn(ctx, j.Args)
	if ours {
		h, err = b.take(ctx, j.Args.Org, j.Args.Batch.Row)
	}
	if err != nil {
		b.log.WarnContext(ctx, "batch not taken", "batch", j.Args.Batch.String(), "err", err)
		return errLeft
	}
	if h == nil {
		time.AfterFunc(standBack, b.Wake)
		return river.RecordOutput(ctx, "not begun: another server was faster, or it was another organization's turn")
	}
	b.Wake() // there may be a place for the next
	result := b.do(ctx, h)
	b.Wake()
	switch {
	case result != telemetry.BatchLeft:
		return river.RecordOutput(ctx, result)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return errLeft
}

// turn tells whether the batch of a job may be begun, by this job and none that came after it, and no other organization has more of a claim. Others that are about to
// be begun, here or elsewhere, are given a moment.
func (b *Background) turn(ctx context.Context, j job) (bool, error) {
	for look := 1; ; look++ {
		queue, err := b.importer.store.Queue(ctx, b.atOnce, queueDepth)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(queue, func(q store.Queued) bool { return q.ID == j.Batch.Row && q.Org == j.Org && q.Takes+1 == j.Take })
		if i >= 0 && !queue[0].Before(queue[i]) {
			return true, nil
		}
		if i < 0 || look == looks {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(lookPause):
		}
	}
}

// quieter is a log for River: what it does is of interest to who looks for a fault in it, and what it fails at it does again.
type quieter struct{ slog.Handler }

func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, lower(level))
}

func (q quieter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lower(r.Level)
	return q.Handler.Handle(ctx, r)
}

func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}

func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

func lower(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
