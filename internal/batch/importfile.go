package batch

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

const (
	// patience is how long work that nobody waits for waits for a database that is away.
	patience = time.Minute
	// maxAtomicRows is how many records of a file are kept or lost together: they are one transaction, and held in memory until then.
	maxAtomicRows = 50_000
)

// importFile imports the file of a batch that the caller holds, from its last piece on.
func (im *Importer) importFile(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) error {
	var spec importSpec
	if err := json.Unmarshal([]byte(b.Spec), &spec); err != nil {
		return err
	}
	parts := &partReader{}
	var err error
	if parts.left, err = t.Part(ctx, b.ID, store.FileIn, 0); err != nil {
		return err
	}
	if parts.left == nil {
		return fault.New(fault.BadUserInput, "The command that read the file was stopped before its end. Import the file again: lines that are in already stay as they are.")
	}
	parts.n = 1
	columns, mapping, err := spec.parse()
	if err != nil {
		return err
	}
	r, err := im.beside().resume(ctx, t, b, holder, Flags{DryRun: spec.DryRun, Calculate: spec.Calculate, Mode: spec.Mode}, spec.Reason)
	if err != nil {
		return err
	}
	parts.part = func(n int) (content []byte, err error) {
		err = r.patiently(ctx, func() error { content, err = t.Part(ctx, b.ID, store.FileIn, n); return err })
		return content, err
	}
	content, err := zstd.NewReader(parts, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return err
	}
	defer content.Close()
	if err := r.bring(ctx, mapping); err != nil {
		return err
	}
	r.opened = func(ctx context.Context, rows *ingest.Reader) error {
		if spec.Header != nil {
			return nil
		}
		spec.layout = layoutOf(rows)
		text, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		return t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
			return w.DescribeBatch(ctx, b.ID, holder, string(text))
		})
	}
	s := &Summary{}
	if err := r.file(ctx, File{Name: spec.Name, Content: content}, FileOptions{Columns: columns}, s); err != nil {
		return err
	}
	return t.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.EndImport(ctx, b, holder, "", nil) })
}

// besideRows is how many rows a transaction may have beside those who read: they feel one of several times as many, and are not better off with fewer (docs/performance.md).
const besideRows = 1000

// beside is the importer for work that nobody waits for, on a server that answers those who do: it takes half of the cores and of what writes at once, and
// its transactions are short. While somebody asks it also rests between them (yielding).
func (im *Importer) beside() *Importer {
	half := *im
	half.workers, half.writers, half.most = (im.workers+1)/2, (im.writers+1)/2, besideRows
	return &half
}

// resume begins an import that notes each piece in its batch, or goes on with one.
func (im *Importer) resume(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID, f Flags, reason string) (*run, error) {
	r, err := im.begin(ctx, t, f, reason)
	if err != nil {
		return nil, err
	}
	r.began, r.patience, r.record.ID = im.now(), patience, b.ID
	r.yields = newYielding(im.asked)
	if r.stored, err = t.Pieces(ctx, b.ID); err != nil {
		return nil, err
	}
	if r.started, err = t.HasRun(ctx, b.ID); err != nil {
		return nil, err
	}
	switch {
	case f.Mode == store.ModeAtomic:
		r.chunk = maxAtomicRows
	case f.Mode != store.ModeChunk && !im.fixed:
		r.sizer = newSizer(im.now, im.most)
	}
	r.note = func(ctx context.Context, w *store.Writer, p *piece) error { return r.advance(ctx, w, b, holder, p) }
	return r, nil
}

// advance notes what became of a piece: in the batch's counts, and of each record that failed.
func (r *run) advance(ctx context.Context, w *store.Writer, b *store.Batch, holder store.ID, p *piece) error {
	s := store.Step{Piece: store.Piece{First: p.first, Items: len(p.lines)}, Read: p.read}
	if p.run {
		s.Run = &r.record.ID
	}
	var failed []*store.BatchFailure
	for i, f := range p.became {
		l := p.lines[i]
		switch f.status {
		case store.Created:
			s.Created++
		case store.Updated:
			s.Updated++
		case store.Unchanged:
			s.Unchanged++
		default:
			s.Failed++
			record := &store.BatchFailure{Place: int32(p.first + i), Line: int32(l.row), ExternalID: given(l.activity.ExternalID), Problem: *f.problem}
			if !r.foreign {
				record.Record = l.record
			}
			failed = append(failed, record)
			continue
		}
		switch {
		case l.emission != nil:
			s.Calculated++
		case l.excluded:
			s.Excluded++
		}
	}
	if err := w.PutFailures(ctx, b.ID, failed); err != nil {
		return err
	}
	return w.Advance(ctx, b.ID, holder, lease, s)
}

// bring puts the rules that came with an import before those of the ledger.
func (r *run) bring(ctx context.Context, mapping *factors.MappingFile) error {
	if mapping == nil {
		return nil
	}
	own, err := mapping.Rules(ctx, r.store, r.store.NewID)
	if err != nil {
		return err
	}
	r.rules = append([]*factors.Resolver{factors.NewResolver(own)}, r.rules...)
	r.pending = copies(own)
	return nil
}

// BatchFailures writes the records of a batch that failed, as CSV in their own columns, with line and reason: to be corrected and sent again. Nothing is written
// where none did.
func (im *Importer) BatchFailures(ctx context.Context, t *store.Tenant, b *store.Batch, to io.Writer) error {
	var spec importSpec
	if err := json.Unmarshal([]byte(b.Spec), &spec); err != nil {
		return err
	}
	out := newFailures(to, spec.layout)
	for from := int32(0); ; {
		rows, err := t.Failures(ctx, b.ID, from, chunkRows)
		if err != nil {
			return err
		}
		for _, f := range rows {
			if err := out.write(&line{row: int(f.Line), record: f.Record, failure: &f.Problem}); err != nil {
				return err
			}
			from = f.Place + 1
		}
		if len(rows) < chunkRows {
			return out.flush()
		}
	}
}

// KeepColumns keeps the text of a columns file under a name, in the place of what had it.
func (im *Importer) KeepColumns(ctx context.Context, t *store.Tenant, name, text string) error {
	if strings.TrimSpace(name) == "" || wrongText(name, maxName) != "" {
		return fault.New(fault.BadUserInput, "A columns file is kept under a name of at most %d characters.", maxName).At("name")
	}
	if _, err := ingest.ParseColumns(strings.NewReader(text)); err != nil {
		return err
	}
	return t.PutColumnFile(ctx, name, text)
}
