package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Export is what is to be written out.
type Export struct {
	What       store.ExportContent
	Format     store.ExportFormat
	Activities *store.ActivityFilter // which, where activities are written; nil: all
	Emissions  *store.EmissionFilter // which, where emissions are written; nil: all that are current
	Actor      string                // who asks
	Key        string                // an idempotency key; empty: none
}

// exportSpec is an Export as its batch keeps it.
type exportSpec struct {
	What       store.ExportContent   `json:"what"`
	Format     store.ExportFormat    `json:"format"`
	Activities *store.ActivityFilter `json:"activities,omitempty"`
	Emissions  *store.EmissionFilter `json:"emissions,omitempty"`
}

// StartExport stores what is to be written out and gives the batch; Background does it.
func (im *Importer) StartExport(ctx context.Context, t *store.Tenant, x Export) (*store.Batch, error) {
	spec := exportSpec{x.What, x.Format, x.Activities, x.Emissions}
	k, err := im.claim(ctx, t, x.Key, "startExport", spec)
	if err != nil {
		return nil, err
	}
	if k.finished {
		return &store.Batch{ID: k.work}, nil
	}
	b, err := startExport(ctx, t, x, spec, k)
	if err != nil && k.named() {
		err = k.end(ctx, err)
	}
	return b, err
}

func startExport(ctx context.Context, t *store.Tenant, x Export, spec exportSpec, k *keyed) (*store.Batch, error) {
	if err := x.check(t); err != nil {
		return nil, err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	n, err := x.count(ctx, t)
	if err != nil {
		return nil, err
	}
	b := &store.Batch{ID: k.work, Kind: store.BatchExport, Spec: string(text), Actor: x.Actor, Total: new(int32(n))}
	return b, t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		if err := w.QueueBatch(ctx, b); err != nil {
			return err
		}
		return k.finish(ctx, w)
	})
}

// check refuses what cannot be written out.
func (x *Export) check(t *store.Tenant) error {
	switch {
	case x.What != store.ExportActivities && x.Activities != nil:
		return fault.New(fault.BadUserInput, "activityFilter narrows activities, and emissions are asked for; give emissionFilter.").At("activityFilter")
	case x.What != store.ExportEmissions && x.Emissions != nil:
		return fault.New(fault.BadUserInput, "emissionFilter narrows emissions, and activities are asked for; give activityFilter.").At("emissionFilter")
	}
	if err := t.CheckActivityFilter(x.Activities); err != nil {
		return inFilter("activityFilter", err)
	}
	if err := t.CheckEmissionFilter(x.Emissions); err != nil {
		return inFilter("emissionFilter", err)
	}
	return nil
}

// count tells how many rows there are now. What is written is counted again at its own moment.
func (x *Export) count(ctx context.Context, t *store.Tenant) (int, error) {
	if x.What == store.ExportEmissions {
		return t.CountEmissions(ctx, x.Emissions)
	}
	return t.CountActivities(ctx, x.Activities)
}

// inFilter points at the part of a filter that is known here by another name.
func inFilter(name string, err error) error {
	f := *fault.Of(err)
	if len(f.Path) > 0 && f.Path[0] == "filter" {
		f.Path = f.Path[1:]
	}
	return f.At(name)
}

// writing is an export while its rows come in. A sheet fills the buffer; between statements it is taken along.
type writing struct {
	sheet  sheet
	buffer bytes.Buffer
	total  func(n int) error
	page   func(rows int) error
	most   int // rows that one statement reads
	rows   int
}

// exportChunks is how many chunks of an import's lines one statement of an export reads.
const exportChunks = 4

// write walks through what is to be written out, and gives the buffer to page after so many rows.
func (x *Export) write(ctx context.Context, t *store.Tenant, w *writing) error {
	if x.What == store.ExportEmissions {
		return writeWalk(w, x.Format, emissionFields(), func(walk store.Walk[store.ExportedEmission]) error { return t.WalkEmissions(ctx, x.Emissions, walk) })
	}
	return writeWalk(w, x.Format, activityFields(), func(walk store.Walk[store.ExportedActivity]) error { return t.WalkActivities(ctx, x.Activities, walk) })
}

func writeWalk[T any](w *writing, format store.ExportFormat, fields []field[T], through func(store.Walk[T]) error) (err error) {
	if w.sheet, err = newSheet(format, fields, &w.buffer); err != nil {
		return err
	}
	err = through(store.Walk[T]{
		Most:  w.most,
		Total: w.total,
		Row: func(row *T) error {
			w.rows++
			for i := range fields {
				fields[i].put(w.sheet, row)
			}
			return w.sheet.endRow()
		},
		Page: func() error { return w.page(w.rows) },
	})
	if err != nil {
		return err
	}
	if err := w.sheet.end(); err != nil {
		return err
	}
	return w.page(w.rows)
}

// Export writes rows to a file at once, and tells how many, as it goes on too.
func (im *Importer) Export(ctx context.Context, t *store.Tenant, x Export, to io.Writer, progress func(rows, total int)) (int, error) {
	if err := x.check(t); err != nil {
		return 0, err
	}
	total := 0
	w := &writing{most: exportChunks * im.chunk, total: func(n int) error { total = n; return nil }}
	w.page = func(rows int) error {
		progress(rows, total)
		_, err := w.buffer.WriteTo(to)
		return err
	}
	err := x.write(ctx, t, w)
	return w.rows, err
}

// exporting is one batch at work.
type exporting struct {
	tenant *store.Tenant
	batch  *store.Batch
	holder store.ID
	most   int       // rows that one statement reads
	noted  time.Time // when progress was last noted
}

// noteEvery is how often progress is noted while no part is stored: often enough for whoever looks, or cancels.
const noteEvery = 250 * time.Millisecond

// export writes the file of a batch that the caller holds. Where another has begun it, it begins anew: the rows are those of one moment, and that moment is gone.
func (im *Importer) export(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) error {
	var spec exportSpec
	if err := json.Unmarshal([]byte(b.Spec), &spec); err != nil {
		return err
	}
	e := &exporting{tenant: t, batch: b, holder: holder, most: exportChunks * im.chunk}
	b.Processed, b.Position = 0, nil
	if err := e.put(ctx, func(ctx context.Context, w *store.Writer) error { return w.DropParts(ctx, b.ID, store.FileOut) }); err != nil {
		return err
	}
	size, err := e.write(ctx, Export{What: spec.What, Format: spec.Format, Activities: spec.Activities, Emissions: spec.Emissions})
	if err == nil {
		return t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
			return w.EndExport(ctx, b, holder, im.store.Now(), size)
		})
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrNotHeld) { // half a file is of no use, and takes room that the end of the batch may need
		err = errors.Join(err, t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
			if err := w.Holds(ctx, b, holder); err != nil {
				return err
			}
			return w.DropParts(ctx, b.ID, store.FileOut)
		}))
	}
	return err
}

// write writes the file in parts, compressed, and gives the size that it has without that.
func (e *exporting) write(ctx context.Context, x Export) (size int64, err error) {
	parts := &partWriter{ctx: ctx, size: partSize, put: func(n int, content []byte) error {
		return e.put(ctx, func(ctx context.Context, w *store.Writer) error {
			return w.PutPart(ctx, e.batch.ID, store.FileOut, n, content)
		})
	}}
	z, err := zstd.NewWriter(parts, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return 0, err
	}
	w := &writing{most: e.most}
	w.total = func(n int) error {
		e.batch.Total = new(int32(n))
		return e.note(ctx)
	}
	w.page = func(rows int) error {
		e.batch.Processed = int32(rows)
		n, err := w.buffer.WriteTo(z)
		size += n
		if err == nil && time.Since(e.noted) >= noteEvery {
			err = e.note(ctx)
		}
		return err
	}
	if err := x.write(ctx, e.tenant, w); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return size, parts.flush()
}

// note notes progress.
func (e *exporting) note(ctx context.Context) error {
	return e.put(ctx, func(context.Context, *store.Writer) error { return nil })
}

// put stores something, and how far the batch is, in one transaction. Whoever does not hold the batch any more, or holds one that was cancelled, stores nothing.
func (e *exporting) put(ctx context.Context, what func(context.Context, *store.Writer) error) error {
	e.noted = time.Now()
	return e.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		if err := w.Progress(ctx, e.batch, e.holder, lease); err != nil {
			return err
		}
		return what(ctx, w)
	})
}

// tidyExport removes the file of an export that has not ended well.
func tidyExport(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) error {
	rows, err := t.BatchesWith([]store.ID{b.ID}, 0).All(ctx)
	if err != nil {
		return err
	}
	if len(rows) == 1 && (rows[0].Status == store.RunFailed || rows[0].Status == store.RunCancelled) {
		if err := t.DropParts(ctx, b.ID, store.FileOut); err != nil {
			return err
		}
	}
	return t.TidyBatch(ctx, b, holder)
}

// ExportName is the name of an export's file.
func ExportName(b *store.Batch) (name, mediaType string, err error) {
	var spec exportSpec
	if err := json.Unmarshal([]byte(b.Spec), &spec); err != nil {
		return "", "", err
	}
	name = "activities"
	if spec.What == store.ExportEmissions {
		name = "emissions"
	}
	if b.FinishedAt != nil {
		name += "-" + b.FinishedAt.Time().Format(time.DateOnly)
	}
	switch spec.Format {
	case store.ExportParquet:
		return name + ".parquet", "application/vnd.apache.parquet", nil
	case store.ExportNDJSON:
		return name + ".ndjson", "application/x-ndjson", nil
	}
	return name + ".csv", "text/csv; charset=utf-8; header=present", nil
}

// ExportFile gives the file of an export that has ended. It is to be closed.
func (im *Importer) ExportFile(ctx context.Context, t *store.Tenant, b *store.Batch) (io.ReadCloser, error) {
	parts := &partReader{part: func(n int) ([]byte, error) { return t.Part(ctx, b.ID, store.FileOut, n) }}
	z, err := zstd.NewReader(parts, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}
