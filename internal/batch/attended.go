package batch

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// attended is a batch whose files are read by whoever waits for its end: nobody else could go on with it.
type attended struct {
	*run
	batch  *store.Batch
	holder store.ID
	spec   importSpec
	begun  bool
	beats  sync.WaitGroup
	stop   context.CancelFunc
}

// attended imports files that only the caller can read, as a batch that everybody sees.
func (im *Importer) attended(ctx context.Context, t *store.Tenant, files []File, f Flags, o FileOptions) (*Summary, error) {
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = file.Name
	}
	a := &attended{batch: &store.Batch{ID: im.store.NewID(), Kind: store.BatchImport, Actor: o.Actor}, holder: im.store.NewID(),
		spec: importSpec{Name: strings.Join(names, ", "), Mode: f.Mode, Calculate: true, Reason: o.Reason}}
	if o.Size > 0 {
		a.batch.Size = &o.Size
	}
	var err error
	if a.run, err = im.resume(ctx, t, a.batch, a.holder, f, o.Reason); err != nil {
		return nil, err
	}
	if err := a.bring(ctx, o.Mapping); err != nil {
		return nil, err
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	a.stop, a.opened = stop, a.begin
	s := &Summary{}
	err = a.files(working, files, o, s)
	if ctx.Err() == nil && working.Err() != nil {
		err = store.ErrNotHeld
	}
	stop()
	a.beats.Wait()
	return s, a.end(ctx, s, err)
}

// begin stores the batch when the first file turns out to be one. Failed records are kept in the columns of that file: those of a file with others have their line
// and reason alone there, and stand as they came in the file of failures.
func (a *attended) begin(ctx context.Context, rows *ingest.Reader) error {
	if a.begun {
		a.foreign = !slices.Equal(rows.Header(), a.spec.Header)
		return nil
	}
	a.spec.layout = layoutOf(rows)
	text, err := json.Marshal(a.spec)
	if err != nil {
		return err
	}
	a.batch.Spec = string(text)
	err = a.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.BeginBatch(ctx, a.batch, a.holder, lease) })
	if err != nil {
		return err
	}
	a.begun = true
	a.beats.Go(func() { keep(ctx, a.stop, a.tenant, a.batch.ID, a.holder) })
	return nil
}

// end stores how the batch ended, also when its context has.
func (a *attended) end(ctx context.Context, s *Summary, err error) error {
	s.Seconds = a.now().Sub(a.began).Seconds()
	if !a.begun {
		return err
	}
	s.BatchID = store.Global(store.KindBatch, a.batch.ID).String()
	status, problem := store.RunStatus(""), (*store.Problem)(nil)
	switch {
	case errors.Is(err, store.ErrNotHeld):
		status, err = store.RunCancelled, fault.New(fault.Conflict, "The batch was cancelled; lines that are in stay. Import again to go on where it ended.")
	case ctx.Err() != nil:
		status = store.RunCancelled
	case err != nil:
		status, problem = store.RunFailed, problemOf(fault.Of(err))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	end := a.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		return w.EndImport(ctx, a.batch, a.holder, status, problem)
	})
	if end == nil {
		end = a.tenant.TidyBatch(ctx, a.batch, a.holder)
	}
	if err == nil {
		err = end
	}
	return stopped(err)
}

// stopped words the end of an import whose context ended.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) && fault.CodeOf(err) == fault.Internal {
		return fault.Wrap(err, fault.Timeout, "The import was stopped; import again to go on where it ended.")
	}
	return err
}
