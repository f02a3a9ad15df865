package batch

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"time"

	"carbongraph/internal/factors"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// File is a file to import.
type File struct {
	Name     string    // stands in faults, and may tell a date
	Content  io.Reader // what can be read here and there, as files can, is not copied for formats that need it
	Failures io.Writer // where the records that failed go, in the file's own columns; nil: nowhere
}

// FileOptions say how files are read and what is done with their lines.
type FileOptions struct {
	Columns  *ingest.Columns      // nil: the header names the fields of an activity
	Limits   ingest.Limits        // of what reading may cost
	Mapping  *factors.MappingFile // rules that come before those of the ledger, and are kept there with the first lines
	Mode     store.BatchMode      // what a record that fails takes along; empty: nothing
	DryRun   bool                 // check and calculate everything, write nothing
	Reason   string               // of the calculation run
	Actor    string               // who asks
	Size     int64                // bytes of all files; 0: nobody knows
	Progress func(Progress)       // called after each chunk, never at the same time as itself; nil: nobody is told
}

// Files imports files as one batch and one calculation run. Records that are wrong fail alone; a file that cannot be read on ends the import with a fault, and what came
// before it stays: importing everything again does no harm. The summary tells what was done, also beside a fault.
func (im *Importer) Files(ctx context.Context, t *store.Tenant, files []File, o FileOptions) (*Summary, error) {
	if o.Reason == "" {
		o.Reason = "Import of files"
	}
	f := Flags{DryRun: o.DryRun, Calculate: true, Mode: o.Mode}
	if f.DryRun {
		return im.stream(ctx, t, f, o, func(ctx context.Context, r *run, s *Summary) error { return r.files(ctx, files, o, s) })
	}
	return im.attended(ctx, t, files, f, o)
}

func (r *run) files(ctx context.Context, files []File, o FileOptions, s *Summary) error {
	for _, f := range files {
		if err := r.file(ctx, f, o, s); err != nil {
			return err
		}
	}
	return nil
}

// Stream imports any number of lines as one calculation run, in little memory.
func (im *Importer) Stream(ctx context.Context, t *store.Tenant, lines iter.Seq[store.ActivityInput], f Flags, o FileOptions) (*Summary, error) {
	if o.Reason == "" {
		o.Reason = "Import of activities"
	}
	return im.stream(ctx, t, f, o, func(ctx context.Context, r *run, s *Summary) error {
		next, stop := iter.Pull(lines)
		defer stop()
		ids := newSeen()
		return r.pipeline(ctx, func() (*line, error) {
			in, more := next()
			if !more {
				return nil, io.EOF
			}
			l := r.fromInput(&in)
			l.once(ids)
			return l, nil
		}, r.tally(s, o, func() Progress { return Progress{} }, nil))
	})
}

// stream frames an import of many lines: rules before, the run's end and the time after.
func (im *Importer) stream(ctx context.Context, t *store.Tenant, f Flags, o FileOptions, do func(context.Context, *run, *Summary) error) (*Summary, error) {
	began := im.now()
	r, err := im.begin(ctx, t, f, o.Reason)
	if err != nil {
		return nil, err
	}
	if err := r.bring(ctx, o.Mapping); err != nil {
		return nil, err
	}
	r.began = began
	s := &Summary{}
	err = r.finish(ctx, s, do(ctx, r, s))
	return s, err
}

// copies of rules share nothing with them: the store writes into what it stores, while workers read what they resolve by.
func copies(rules []*store.FactorMapping) []*store.FactorMapping {
	out := make([]*store.FactorMapping, len(rules))
	for i, m := range rules {
		c := *m
		c.AccountCode, c.Description, c.Country, c.Reason = copyOf(m.AccountCode), copyOf(m.Description), copyOf(m.Country), copyOf(m.Reason)
		c.FactorID, c.CategoryNumber = copyOf(m.FactorID), copyOf(m.CategoryNumber)
		out[i] = &c
	}
	return out
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// once fails a line whose key has come before.
func (l *line) once(ids *seen) {
	if l.failure == nil && !ids.add(l.activity.ExternalID) {
		l.fail(duplicate(l.activity.ExternalID))
	}
}

// file imports one file. A key that stands twice in it counts once.
func (r *run) file(ctx context.Context, f File, o FileOptions, s *Summary) (err error) {
	rows, err := ingest.Open(f.Content, f.Name, ingest.Options{Columns: o.Columns, Limits: o.Limits})
	if err != nil {
		return err
	}
	defer func() {
		for _, column := range rows.Ignored() { // at the end: objects may have keys that appear late
			if !slices.Contains(s.Ignored, column) {
				s.Ignored = append(s.Ignored, column)
			}
		}
		err = errors.Join(err, rows.Close())
	}()
	if r.opened != nil {
		if err := r.opened(ctx, rows); err != nil {
			return err
		}
	}
	ids, before := newSeen(), int64(0)
	if r.read != nil {
		before = r.read()
	}
	r.read = func() int64 { return before + rows.BytesRead() }
	next := func() (*line, error) {
		row, err := rows.Next()
		if bad := (*ingest.RowError)(nil); errors.As(err, &bad) {
			return fromRowError(bad), nil
		}
		if err != nil {
			return nil, err
		}
		l := r.fromRow(row)
		l.once(ids)
		return l, nil
	}
	failed := newFailures(f.Failures, layoutOf(rows))
	err = r.pipeline(ctx, next, r.tally(s, o, func() Progress { return Progress{File: f.Name, Bytes: rows.BytesRead()} }, failed))
	return errors.Join(err, failed.flush())
}

// tally counts what became of lines, keeps those that failed and tells how far it is.
func (r *run) tally(s *Summary, o FileOptions, at func() Progress, failed *failures) func([]*line) error {
	return func(lines []*line) error {
		for _, l := range lines {
			s.count(l)
		}
		for _, l := range lines {
			if l.failure != nil {
				if err := failed.write(l); err != nil {
					return err
				}
			}
		}
		if o.Progress != nil {
			p := at()
			p.Rows, p.Failed, p.Elapsed = s.Rows, s.Failed, r.now().Sub(r.began)
			o.Progress(p)
		}
		return failed.flush()
	}
}

// finish stores how the run ended, also when its context has.
func (r *run) finish(ctx context.Context, s *Summary, err error) error {
	s.Seconds = r.now().Sub(r.began).Seconds()
	if !r.started {
		return err
	}
	s.BatchID = store.Global(store.KindCalculationRun, r.record.ID).String()
	r.record.Status = store.RunSucceeded
	if s.Failed > 0 {
		r.record.Status = store.RunPartial
	}
	if err != nil {
		r.record.Status = store.RunFailed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if end := r.tenant.FinishRun(ctx, r.record); err == nil {
		err = end
	}
	return stopped(err)
}
