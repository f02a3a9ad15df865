package app

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// exports answer for files that exports have written.
type exports struct {
	store    *store.Store
	importer *batch.Importer
	patience time.Duration // how long a client may take nothing; 0: for ever
}

// routes puts each address in its place.
func (e *exports) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /exports/{id}", e.get)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, fault.New(fault.NotFound, "There is nothing here. Exports are started over GraphQL, and their files are had by GET /exports/ID."))
	})
	return mux
}

// get answers GET /exports/{id}: the file, as it was before it was compressed to be kept.
func (e *exports) get(w http.ResponseWriter, r *http.Request) {
	b, err := e.of(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	if f := gone(b, e.store.Now().Time()); f != nil {
		refuseGone(w, r, f)
		return
	}
	if err := e.send(w, r, b); err != nil {
		refuse(w, r, err)
	}
}

// of finds the export that an address names, once it has ended well.
func (e *exports) of(r *http.Request) (*store.Batch, error) {
	missing := fault.New(fault.NotFound, "There is no export with this id.")
	id, err := store.ParseGlobalID(r.PathValue("id"))
	if err != nil || id.Kind != store.KindBatch {
		return nil, missing
	}
	rows, err := e.store.Tenant(auth.From(r.Context()).Org).BatchesWith([]store.ID{id.Row}, 0).All(r.Context())
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || rows[0].Kind != store.BatchExport {
		return nil, missing
	}
	b := rows[0]
	switch {
	case b.Status == store.RunFailed && b.Problem != nil:
		return nil, fault.New(fault.Conflict, "The export failed and left no file: %s", b.Problem.Message)
	case b.Ended() && b.Status != store.RunSucceeded:
		return nil, fault.New(fault.Conflict, "The export is %s and left no file; start another.", b.Status)
	case !b.Ended():
		return nil, fault.New(fault.Conflict, "The export is %s: its file is there when it has ended. Ask for it again then.", b.Status)
	}
	return b, nil
}

// gone is the fault of an export whose file is kept no more; nil where it is.
func gone(b *store.Batch, now time.Time) *fault.Fault {
	if b.Downloadable(now) {
		return nil
	}
	return fault.New(fault.NotFound, "The file was kept for a day after the export's end, until %s; start another export.", b.FinishedAt.Time().Add(store.FileLife).Format(time.RFC3339))
}

// refuseGone tells that there was something: asking again is of no use.
func refuseGone(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	id := ""
	if req := telemetry.RequestFrom(r.Context()); req != nil {
		id = req.ID
	}
	fault.WriteProblem(w, http.StatusGone, f, id)
}

// matches tells whether one of the tags that a client has is this one. The comparison is the weak one, as the header asks.
func matches(had []string, tag string) bool {
	for t := range strings.SplitSeq(strings.Join(had, ","), ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == tag {
			return true
		}
	}
	return false
}

// send writes the file. An error is one before its first byte.
func (e *exports) send(w http.ResponseWriter, r *http.Request, b *store.Batch) error {
	name, media, err := batch.ExportName(b)
	if err != nil {
		return err
	}
	tag := `"` + b.GlobalID().String() + `"` // what an export has written stays as it is
	h := w.Header()
	h.Set("Cache-Control", "private, no-store")
	h.Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	f, err := e.importer.ExportFile(r.Context(), e.store.Tenant(auth.From(r.Context()).Org), b)
	if err != nil {
		return err
	}
	defer f.Close()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	if b.Size != nil {
		h.Set("Content-Length", strconv.FormatInt(*b.Size, 10))
	}
	if r.Method == http.MethodHead {
		return nil
	}
	out := &patientWriter{w: w, rc: http.NewResponseController(w), wait: e.patience}
	if _, err := io.Copy(out, f); err != nil {
		if !out.begun {
			for _, name := range []string{"Content-Disposition", "Content-Length", "ETag"} {
				h.Del(name)
			}
			return err
		}
		panic(http.ErrAbortHandler) // so that half a file is not taken for a whole one
	}
	return nil
}
