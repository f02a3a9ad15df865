package app

import (
	"context"
	"net/http"

	"carbongraph/internal/batch"
	"carbongraph/internal/fault"
)

// jobsPath is where the admin listener shows jobs, and jobsConns how many connections they have beside the store's: one to hear by, and two to act.
const (
	jobsPath  = "/riverui"
	jobsConns = 3
)

// inBackground begins to do batches: those of every server over Postgres, by River; on the embedded database in the process, which is the only one.
func (a *App) inBackground(ctx context.Context) error {
	c := a.o.Config.Batches
	a.batches = batch.NewBackground(batch.BackgroundOptions{Importer: a.importer, Log: a.o.Log, Metrics: a.tel.Batch, Workers: c.Workers, AtOnce: c.AtOnce})
	pool, err := a.Store.Pool(ctx, jobsConns)
	if err != nil {
		return err
	}
	if pool == nil {
		a.jobs = http.HandlerFunc(noJobs)
		a.opened("batches", background(ctx, a.batches.Run))
		return nil
	}
	carrier, err := a.batches.Carry(pool, c.Listen)
	if err == nil {
		a.jobs, err = carrier.Pages(jobsPath)
	}
	if err == nil {
		err = carrier.Start(ctx)
	}
	if err != nil {
		pool.Close()
		return fault.Wrap(err, fault.Internal, "Batches cannot be begun: %v. See that the database is reachable and migrated.", err)
	}
	a.jobs = lookOnly(a.jobs)
	a.opened("jobs", func() error {
		ctx, cancel := within(a.o.Config.Timeouts.Stop)
		defer cancel()
		if err := carrier.Stop(ctx); err != nil {
			return err // whoever has not stopped still uses the pool
		}
		pool.Close()
		return nil
	})
	a.opened("batches", background(ctx, a.batches.Run))
	return nil
}

// noJobs says why there are none to see.
func noJobs(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, fault.New(fault.NotFound, "On the embedded database batches are done in the process, and there is no queue of jobs to show. Ask for the batch itself, by node(id:) over GraphQL."))
}

// jobsPolicy lets the pages load what is part of the program alone. Styles are also set by their scripts.
const jobsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// lookOnly keeps from the admin listener, which asks for no key, what would change something.
func lookOnly(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", jobsPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			refuse(w, r, fault.New(fault.Forbidden, "Jobs can be looked at here and not changed. cancelBatch stops a batch."))
			return
		}
		pages.ServeHTTP(w, r)
	})
}
