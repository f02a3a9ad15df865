package app

import (
	"context"
	"io"
	"net/http"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
	"carbongraph/store"
)

// imports answer for files that come by HTTP.
type imports struct {
	store    *store.Store
	importer *batch.Importer
	rate     *gate.Rate
	begun    func()
	patience time.Duration // how long a client may send nothing; 0: for ever
}

const (
	// importPoints is what a file costs of what a key may spend: its lines cost nothing more, since they wait their turn.
	importPoints = 10
	// maxPreview is how much of a file is taken for a look at it. A workbook or a Parquet file has to be whole.
	maxPreview = 16 << 20
	// maxForm bounds the fields of a form beside the file, each of which is a text written by hand.
	maxForm = 1 << 20
)

// routes puts each address in its place.
func (i *imports) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /imports", i.editor(i.post))
	mux.Handle("POST /imports/preview", i.editor(i.preview))
	mux.Handle("GET /imports/{id}", i.viewer(i.get))
	mux.Handle("GET /imports/{id}/failures.csv", i.viewer(i.failures))
	mux.Handle("GET /imports/columns", i.viewer(i.columnFiles))
	mux.Handle("PUT /imports/columns/{name}", i.editor(i.keepColumns))
	mux.Handle("/", i.viewer(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.NotFound, "There is nothing here. Files are sent by POST /imports, looked at by POST /imports/preview, and followed by GET /imports/ID.")
	}))
	return mux
}

// editor lets those in who may import.
func (i *imports) editor(next func(http.ResponseWriter, *http.Request) error) http.Handler {
	return i.viewer(func(w http.ResponseWriter, r *http.Request) error {
		if !auth.From(r.Context()).Can(store.Editor) {
			return fault.New(fault.Forbidden, "This asks for the role %s. Use a key that has it.", store.Editor)
		}
		return next(w, r)
	})
}

func (i *imports) viewer(next func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := next(w, r); err != nil {
			f := fault.Of(err)
			if wait := f.RetryAfter(); wait != "" {
				w.Header().Set("Retry-After", wait)
			}
			refuse(w, r, err)
		}
	})
}

func (i *imports) tenant(r *http.Request) *store.Tenant {
	return i.store.Tenant(auth.From(r.Context()).Org)
}

// charge takes what a file costs, unless its answer is known.
func (i *imports) charge(ctx context.Context, t *store.Tenant, key string) error {
	if key != "" {
		if done, err := t.Answered(ctx, []string{key}); err == nil && done {
			return nil
		}
	}
	caller := auth.From(ctx).Caller()
	if s := i.rate.Take(ctx, caller, importPoints); !s.Allowed {
		return fault.New(fault.RateLimited, "A file costs %d points, and this key has %d of %d left. Send it again later.", importPoints, s.Remaining, s.Limit).After(s.Retry)
	}
	return nil
}

// post answers POST /imports: it takes a file of any size, and answers with the batch that imports it.
func (i *imports) post(w http.ResponseWriter, r *http.Request) error {
	ctx, t := r.Context(), i.tenant(r)
	u := batch.Upload{Calculate: true, Actor: auth.From(ctx).KeyName, Key: r.Header.Get("Idempotency-Key")}
	if err := i.charge(ctx, t, u.Key); err != nil {
		return err
	}
	if err := i.options(r, t, &u); err != nil {
		return err
	}
	// However long the whole takes, each piece of it has to come soon. The answer has the time that answers have, from here on.
	body := &patient{r: r.Body, rc: http.NewResponseController(w), wait: i.patience}
	if err := i.body(r, body, &u); err != nil {
		return err
	}
	b, err := i.importer.Accept(ctx, t, u)
	if err != nil {
		return err
	}
	i.begun()
	rows, err := t.BatchesWith([]store.ID{b.ID}, 0).All(ctx)
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fault.New(fault.NotFound, "The batch is not there any more.")
	}
	out := batchTold(rows[0])
	w.Header().Set("Location", out.URL)
	reply(w, http.StatusAccepted, out)
	return nil
}

// toldBatch is a batch as REST shows it.
type toldBatch struct {
	ID            string          `json:"id"`
	URL           string          `json:"url"`
	Kind          store.BatchKind `json:"kind"`
	Status        store.RunStatus `json:"status"`
	Total         *int32          `json:"total"`
	Processed     int32           `json:"processed"`
	Created       int32           `json:"created"`
	Updated       int32           `json:"updated"`
	Unchanged     int32           `json:"unchanged"`
	Failed        int32           `json:"failed"`
	Calculated    int32           `json:"calculated"`
	Excluded      int32           `json:"excluded"`
	SecondsLeft   *int32          `json:"estimatedSecondsLeft"`
	Problem       *toldProblem    `json:"problem"`
	FailedRowsURL *string         `json:"failedRowsUrl"`
}

type toldProblem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func batchTold(b *store.Batch) toldBatch {
	id := b.GlobalID().String()
	out := toldBatch{ID: id, URL: "/imports/" + id, Kind: b.Kind, Status: b.Status, Total: b.Total, Processed: b.Processed, Created: b.Created, Updated: b.Updated,
		Unchanged: b.Unchanged, Failed: b.Failed, Calculated: b.Calculated, Excluded: b.Excluded, SecondsLeft: b.EstimatedSecondsLeft(), FailedRowsURL: b.FailedRowsURL()}
	if p := b.Problem; p != nil {
		out.Problem = &toldProblem{p.Code, p.Message}
	}
	return out
}

// of finds the import that an address names.
func (i *imports) of(r *http.Request) (*store.Tenant, *store.Batch, error) {
	t := i.tenant(r)
	missing := fault.New(fault.NotFound, "There is no import with this id.")
	id, err := store.ParseGlobalID(r.PathValue("id"))
	if err != nil || id.Kind != store.KindBatch {
		return nil, nil, missing
	}
	rows, err := t.BatchesWith([]store.ID{id.Row}, 0).All(r.Context())
	if err != nil {
		return nil, nil, err
	}
	if len(rows) != 1 || rows[0].Kind != store.BatchImport {
		return nil, nil, missing
	}
	return t, rows[0], nil
}

// get answers GET /imports/{id}: how far it is.
func (i *imports) get(w http.ResponseWriter, r *http.Request) error {
	_, b, err := i.of(r)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, batchTold(b))
	return nil
}

// failures answers GET /imports/{id}/failures.csv: the records that failed so far, as they came, with line and reason.
func (i *imports) failures(w http.ResponseWriter, r *http.Request) error {
	t, b, err := i.of(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="failures.csv"`)
	h.Set("Cache-Control", "no-store")
	out := &patientWriter{w: w, rc: http.NewResponseController(w), wait: i.patience}
	if err := i.importer.BatchFailures(r.Context(), t, b, out); err != nil {
		if !out.begun {
			h.Del("Content-Disposition")
			return err
		}
		panic(http.ErrAbortHandler) // so that half an answer is not taken for a whole one
	}
	return nil
}

// columnFiles answers GET /imports/columns: the columns files that are kept.
func (i *imports) columnFiles(w http.ResponseWriter, r *http.Request) error {
	kept, err := i.tenant(r).ColumnFiles(r.Context(), "")
	if err != nil {
		return err
	}
	type toldFile struct {
		Name      string `json:"name"`
		UpdatedAt string `json:"updatedAt"`
		Content   string `json:"content"`
	}
	out := []toldFile{}
	for _, c := range kept {
		out = append(out, toldFile{c.Name, c.UpdatedAt.String(), c.Content})
	}
	reply(w, http.StatusOK, out)
	return nil
}

// keepColumns answers PUT /imports/columns/{name}: it keeps a columns file under a name, once it is read without a fault.
func (i *imports) keepColumns(w http.ResponseWriter, r *http.Request) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return fault.Wrap(err, fault.BadUserInput, "The columns file broke off, or is larger than %d bytes.", maxForm)
	}
	if err := i.importer.KeepColumns(r.Context(), i.tenant(r), r.PathValue("name"), string(b)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
