package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// Upload is a file that is to be imported in the background.
type Upload struct {
	Name      string // stands in faults, and may tell a date
	Content   io.Reader
	Columns   string // the text of a columns file; empty: the header names the fields of an activity
	Mapping   string // the text of a mapping file; empty: the ledger's own rules alone
	Mode      store.BatchMode
	DryRun    bool
	Calculate bool
	Reason    string // of the calculation run; empty: one that names the file
	Actor     string // who asks
	Key       string // an idempotency key; empty: none
}

// importSpec is an upload as its batch keeps it, beside the content.
type importSpec struct {
	Name      string          `json:"name"`
	Columns   string          `json:"columns,omitempty"`
	Mapping   string          `json:"mapping,omitempty"`
	Mode      store.BatchMode `json:"mode,omitempty"`
	DryRun    bool            `json:"dryRun,omitempty"`
	Calculate bool            `json:"calculate"`
	Reason    string          `json:"reason"`
	layout
}

const (
	// partSize is how much of a file, compressed, one row of the database holds.
	partSize = 512 << 10
	// headSize is how much of a file is looked at before the rest is taken.
	headSize = 256 << 10
)

// Accept stores an upload as a batch and gives that; Background imports it. A file whose beginning shows that it cannot be imported is refused at once, and what
// broke off before its end leaves nothing. The reader is read no faster than the database takes what it gives.
func (im *Importer) Accept(ctx context.Context, t *store.Tenant, u Upload) (*store.Batch, error) {
	spec := importSpec{Name: u.Name, Columns: u.Columns, Mapping: u.Mapping, Mode: u.Mode, DryRun: u.DryRun, Calculate: u.Calculate, Reason: u.Reason}
	if spec.Reason == "" {
		spec.Reason = "Import of " + u.Name
	}
	if reason := wrongText(spec.Reason, maxDescription); reason != "" {
		return nil, fault.New(fault.BadUserInput, "The file's name %s.", reason)
	}
	if u.DryRun {
		u.Key = ""
	}
	if u.Key != "" {
		if f := checkKey(u.Key); f != nil {
			return nil, f
		}
	}
	columns, _, err := spec.parse()
	if err != nil {
		return nil, err
	}
	content, err := checkHead(u.Content, u.Name, columns)
	if err != nil {
		return nil, err
	}
	b := &store.Batch{ID: im.store.NewID(), Kind: store.BatchImport, Actor: u.Actor}
	digest, size, err := im.spool(ctx, t, b.ID, content)
	queued := b.ID
	if err == nil {
		b.Size = &size
		queued, err = im.queue(ctx, t, b, &spec, u.Key, digest)
	}
	if (err != nil || queued != b.ID) && !errors.Is(err, store.ErrUncertain) {
		_ = t.DropParts(context.WithoutCancel(ctx), b.ID, store.FileIn) // where the database is away, they are swept
	}
	if err != nil {
		return nil, err
	}
	return &store.Batch{ID: queued}, nil
}

func (s *importSpec) parse() (columns *ingest.Columns, mapping *factors.MappingFile, err error) {
	if s.Columns != "" {
		if columns, err = ingest.ParseColumns(strings.NewReader(s.Columns)); err != nil {
			return nil, nil, err
		}
	}
	if s.Mapping != "" {
		mapping, err = factors.ReadMapping(strings.NewReader(s.Mapping))
	}
	return columns, mapping, err
}

// checkHead refuses what cannot be imported, as far as the beginning shows, and gives the whole to be read on.
func checkHead(r io.Reader, name string, columns *ingest.Columns) (io.Reader, error) {
	head, from := make([]byte, headSize), &reading{r: r}
	n, _ := io.ReadFull(from, head) // its own error is also that of a file which is shorter
	if from.err != nil {
		return nil, brokeOff(from.err)
	}
	head = head[:n]
	if n < headSize || !inParts(head) {
		rows, err := ingest.Open(bytes.NewReader(head), name, ingest.Options{Columns: columns})
		if err != nil {
			return nil, err
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return io.MultiReader(bytes.NewReader(head), r), nil
}

// inParts tells of files whose beginning says nothing without the rest: those that are read from their end, and those that are compressed.
func inParts(head []byte) bool {
	for _, magic := range []string{"PAR1", "PK\x03\x04", "\x1f\x8b", "\x28\xb5\x2f\xfd"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// brokeOff words why a file could not be read to its end, unless that is worded already.
func brokeOff(err error) error {
	if f := (*fault.Fault)(nil); errors.As(err, &f) {
		return err
	}
	return fault.Wrap(err, fault.BadUserInput, "The file broke off before its end; send it again.")
}

// spool stores a file in parts, compressed, and gives its digest and size.
func (im *Importer) spool(ctx context.Context, t *store.Tenant, batch store.ID, content io.Reader) (digest string, size int64, err error) {
	hash := sha256.New()
	parts := &partWriter{ctx: ctx, size: partSize, put: func(n int, content []byte) error { return t.PutPart(ctx, batch, store.FileIn, n, content) }}
	z, err := zstd.NewWriter(parts, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return "", 0, err
	}
	from := &reading{r: io.TeeReader(content, hash)}
	size, err = io.Copy(z, from)
	if err == nil {
		err = z.Close()
	} else {
		z.Reset(nil)
	}
	if err == nil {
		err = parts.flush()
	}
	if from.err != nil {
		err = brokeOff(from.err)
	}
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

// reading remembers that it was the reader that failed, and not who was given what it read.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// partWriter cuts what is written into parts.
type partWriter struct {
	ctx  context.Context
	size int
	put  func(n int, content []byte) error
	n    int
	buf  []byte
}

func (w *partWriter) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	for len(w.buf) >= w.size {
		if err := w.store(w.size); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (w *partWriter) store(n int) error {
	if err := w.put(w.n, w.buf[:n]); err != nil {
		return err
	}
	w.n++
	w.buf = append(w.buf[:0], w.buf[n:]...)
	return nil
}

func (w *partWriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	return w.store(len(w.buf))
}

// queue stores the batch of a file that is stored, and tells which batch it is: that of the first time where the key has come before.
func (im *Importer) queue(ctx context.Context, t *store.Tenant, b *store.Batch, spec *importSpec, key, digest string) (store.ID, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return b.ID, err
	}
	b.Spec = string(text)
	k, err := im.claim(ctx, t, key, "imports", []string{b.Spec, digest})
	if err != nil {
		return b.ID, err
	}
	if k.finished {
		return store.ID(k.pieces[0].Outcome), nil
	}
	err = t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		if err := w.QueueBatch(ctx, b); err != nil {
			return err
		}
		if !k.named() {
			return nil
		}
		if err := w.PutPiece(ctx, k.work, store.Piece{Items: 1, Outcome: b.ID[:]}); err != nil {
			return err
		}
		return k.finish(ctx, w)
	})
	if err != nil {
		err = k.end(ctx, err)
	}
	return b.ID, err
}

// partReader reads a file that is stored in parts.
type partReader struct {
	part func(n int) ([]byte, error)
	n    int
	left []byte
}

func (r *partReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		content, err := r.part(r.n)
		if err != nil {
			return 0, err
		}
		if content == nil {
			return 0, io.EOF
		}
		r.left = content
		r.n++
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}
