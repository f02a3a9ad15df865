package store

import (
	"context"
	"encoding/json"
	"time"
	"unicode/utf8"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Step is what one piece of an import adds to its batch.
type Step struct {
	Piece                                                     Piece
	Created, Updated, Unchanged, Failed, Calculated, Excluded int32
	Read                                                      int64 // bytes of the file that are done with, at least
	Run                                                       *ID   // of the calculations; nil: none yet
}

// Advance notes a piece of an import and renews the lease, in the transaction of the piece's rows and last in it: what the batch counts is what is stored, whatever happens to who
// works on it. Whoever does not hold the batch any more, or holds one that was cancelled, gets ErrNotHeld, and nothing of the transaction stays.
func (w *Writer) Advance(ctx context.Context, batch, holder ID, lease time.Duration, s Step) error {
	if err := w.PutPiece(ctx, batch, s.Piece); err != nil {
		return err
	}
	w.last = append(w.last, func(ctx context.Context) error { return w.step(ctx, batch, holder, lease, s) })
	return nil
}

func (w *Writer) step(ctx context.Context, batch, holder ID, lease time.Duration, s Step) error {
	now := w.t.store.Now()
	n, err := w.affected(ctx, "batches", `UPDATE batches SET lease_until = $4, updated_at = $5, processed = processed + $6, created = created + $7, updated = updated + $8,
		unchanged = unchanged + $9, failed = failed + $10, calculated = calculated + $11, excluded = excluded + $12,
		read_bytes = CASE WHEN read_bytes < $13 THEN $13 ELSE read_bytes END, run_id = COALESCE(run_id, $14)
		WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NULL AND NOT cancelled`,
		w.t.org, batch, holder, later(now, lease), now, s.Piece.Items, s.Created, s.Updated, s.Unchanged, s.Failed, s.Calculated, s.Excluded, s.Read, s.Run)
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	return err
}

// DescribeBatch replaces what is known of the work of a batch. Only its holder does.
func (w *Writer) DescribeBatch(ctx context.Context, batch, holder ID, spec string) error {
	n, err := w.affected(ctx, "batches", "UPDATE batches SET spec = $4 WHERE org_id = $1 AND id = $2 AND holder = $3", w.t.org, batch, holder, spec)
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	return err
}

// EndImport stores how an import ended; what it counted stands there already. An empty status is told by the count: all lines are counted then. Only its holder ends it.
func (w *Writer) EndImport(ctx context.Context, b *Batch, holder ID, status RunStatus, problem *Problem) error {
	var code, message *string
	if problem != nil {
		code, message = &problem.Code, &problem.Message
	}
	now := w.t.store.Now()
	n, err := w.affected(ctx, "batches", `UPDATE batches SET status = CASE WHEN $4 <> '' THEN $4 WHEN failed > 0 THEN 'PARTIAL' ELSE 'SUCCEEDED' END,
		problem_code = $5, problem_message = $6, finished_at = $7, total = CASE WHEN $4 = '' THEN processed END
		WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NULL`, w.t.org, b.ID, holder, string(status), code, message, now)
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	if err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE", "calculation_runs", `UPDATE calculation_runs SET finished_at = $3, status = (SELECT b.status FROM batches AS b WHERE b.org_id = $1 AND b.id = $2)
		WHERE org_id = $1 AND id = $2`, w.t.org, b.ID, now)
}

// BatchFailure is a record of a file that was not stored, as it came.
type BatchFailure struct {
	ID         ID
	Place      int32 // among the records of the batch, from 0
	Line       int32 // in its file
	ExternalID *string
	Problem    Problem
	Record     []string

	path, record string // while the row is read
}

var failureRelation = newRelation("batch_failures", "f", (*BatchFailure).decode,
	idColumn("f.id", "ID", func(f *BatchFailure) *ID { return &f.ID }),
	intColumn("f.place", "Place", func(f *BatchFailure) *int32 { return &f.Place }),
	intColumn("f.line", "Line", func(f *BatchFailure) *int32 { return &f.Line }),
	maybeText("f.external_id", "ExternalID", func(f *BatchFailure) **string { return &f.ExternalID }),
	textColumn("f.code", "Error", func(f *BatchFailure) *string { return &f.Problem.Code }),
	textColumn("f.message", "Error", func(f *BatchFailure) *string { return &f.Problem.Message }),
	textColumn("f.path", "Error", func(f *BatchFailure) *string { return &f.path }),
	textColumn("f.record", "Record", func(f *BatchFailure) *string { return &f.record }),
)

func failures() *relation[BatchFailure] { return failureRelation }

var failureCount = newCount("batch_failures", "f")

// Error is why the record was not stored.
func (f *BatchFailure) Error() *Problem { return &f.Problem }

func (f *BatchFailure) decode() {
	f.Problem.Path, f.Record = nil, nil
	_ = json.Unmarshal([]byte(f.path), &f.Problem.Path) // written by PutFailures
	var fields []field
	_ = json.Unmarshal([]byte(f.record), &fields)
	for _, text := range fields {
		f.Record = append(f.Record, string(text))
	}
	f.path, f.record = "", ""
}

// field is a text as it came, which need be no text at all: JSON would replace its bytes.
type field string

// MarshalJSON writes bytes that are no text as a list of them, in base64.
func (f field) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(f)) {
		return json.Marshal(string(f))
	}
	return json.Marshal([][]byte{[]byte(f)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *field) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(f))
	}
	var bytes [][]byte
	err := json.Unmarshal(b, &bytes)
	if len(bytes) == 1 {
		*f = field(bytes[0])
	}
	return err
}

// PutFailures stores records that failed, in the transaction that counts them.
func (w *Writer) PutFailures(ctx context.Context, batch ID, rows []*BatchFailure) error {
	columns := []string{"org_id", "batch_id", "id", "place", "line", "external_id", "code", "message", "path", "record"}
	texts := make([][2]string, len(rows))
	for i, f := range rows {
		path, err := json.Marshal(f.Problem.Path)
		if err != nil {
			return err
		}
		fields := make([]field, len(f.Record))
		for j, text := range f.Record {
			fields[j] = field(text)
		}
		record, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		if f.ID.IsZero() {
			f.ID = w.t.store.newID()
		}
		if f.ExternalID != nil && storable("externalId", *f.ExternalID) != nil {
			f.ExternalID = nil // it stands in the record
		}
		texts[i] = [2]string{string(path), string(record)}
	}
	return w.insert(ctx, "batch_failures", columns, len(rows), func(i int) []any {
		f := rows[i]
		return []any{w.t.org, batch, f.ID, f.Place, f.Line, f.ExternalID, f.Problem.Code, f.Problem.Message, texts[i][0], texts[i][1]}
	})
}

func failureParents(kind Kind) (column, name string) {
	if kind == KindBatch {
		return "f.batch_id", "Batch"
	}
	return "", ""
}

// FailurePages is the read of one page of what failed of each batch, in the order of the file: rows in the order of the batches.
func (t *Tenant) FailurePages(kind Kind, batches []ID, p Page, some Columns) (*Select[BatchFailure], error) {
	if p.Last != nil || p.Before != nil {
		return nil, fault.New(fault.BadUserInput, "Failures are read forwards: pass first and after.").At("last")
	}
	of, err := newParentKeys(kind, batches, failureParents)
	if err != nil {
		return nil, err
	}
	o := order{"PLACE", "f.place", keyInt, false}
	return pagesOf(t.store, t.statement("f"), failures(), of, o, p, some, t.binding(of.name+".failures", o, nil))
}

// FailureCounts is the read of how many records of each batch failed; batches of which none did are missing.
func (t *Tenant) FailureCounts(kind Kind, batches []ID) (*Select[int], error) {
	of, err := newParentKeys(kind, batches, failureParents)
	if err != nil {
		return nil, err
	}
	return grouped(t.store, t.statement("f"), failureCount, countRows, of), nil
}

// Failures gives so many records of a batch that failed, from a place on, in the order of the file.
func (t *Tenant) Failures(ctx context.Context, batch ID, from int32, most int) (all []*BatchFailure, err error) {
	b := t.statement("f")
	b.is("f.batch_id", "=", batch)
	b.is("f.place", ">=", from)
	rel := failures()
	text := "SELECT " + rel.columns + " FROM batch_failures AS f WHERE " + b.all() + " ORDER BY f.place LIMIT " + b.bind(most)
	err = t.store.read(ctx, "batch_failures", text, b, func(scan scanner) error {
		f, err := rel.row(scan)
		all = append(all, f)
		return err
	})
	return all, err
}

// Direction is which way a file goes.
type Direction string

// The directions.
const (
	FileIn  Direction = "IN"
	FileOut Direction = "OUT"
)

// PutPart stores a part of a file that belongs to a batch, which need not be there yet.
func (t *Tenant) PutPart(ctx context.Context, batch ID, d Direction, n int, content []byte) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error { return w.PutPart(ctx, batch, d, n, content) })
}

// PutPart is Tenant.PutPart within a transaction.
func (w *Writer) PutPart(ctx context.Context, batch ID, d Direction, n int, content []byte) error {
	return w.exec(ctx, "INSERT", "batch_parts", "INSERT INTO batch_parts (org_id, batch_id, direction, part, content) VALUES ($1, $2, $3, $4, $5)", w.t.org, batch, string(d), n, content)
}

// Part gives a part of a file; nil after the last.
func (t *Tenant) Part(ctx context.Context, batch ID, d Direction, n int) (content []byte, err error) {
	b := t.statement("p")
	b.is("p.batch_id", "=", batch)
	b.is("p.direction", "=", string(d))
	b.is("p.part", "=", n)
	err = t.store.read(ctx, "batch_parts", "SELECT p.content FROM batch_parts AS p WHERE "+b.all(), b, func(scan scanner) error { return scan(&content) })
	return content, err
}

// DropParts removes a file.
func (t *Tenant) DropParts(ctx context.Context, batch ID, d Direction) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		return w.exec(ctx, "DELETE", "batch_parts", "DELETE FROM batch_parts WHERE org_id = $1 AND batch_id = $2 AND direction = $3", t.org, batch, string(d))
	})
}

// ColumnFile is a columns file that is kept under a name.
type ColumnFile struct {
	Name      string
	Content   string
	UpdatedAt exact.Instant
}

// PutColumnFile keeps a columns file, in the place of what had its name.
func (t *Tenant) PutColumnFile(ctx context.Context, name, content string) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		return w.exec(ctx, "INSERT", "column_files", `INSERT INTO column_files (org_id, name, content, updated_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (org_id, name) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at`, t.org, name, content, t.store.Now())
	})
}

// ColumnFiles gives the columns files that are kept, by name; of one name alone where that is not empty.
func (t *Tenant) ColumnFiles(ctx context.Context, name string) (all []ColumnFile, err error) {
	b := t.statement("c")
	if name != "" {
		b.is("c.name", "=", name)
	}
	err = t.store.read(ctx, "column_files", "SELECT c.name, c.content, c.updated_at FROM column_files AS c WHERE "+b.all()+" ORDER BY c.name", b, func(scan scanner) error {
		var c ColumnFile
		err := scan(&c.Name, &c.Content, &c.UpdatedAt)
		all = append(all, c)
		return err
	})
	return all, err
}
