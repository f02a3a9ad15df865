package app

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// options reads what the address says of the file.
func (i *imports) options(r *http.Request, t *store.Tenant, u *batch.Upload) error {
	for name, values := range r.URL.Query() {
		if len(values) != 1 {
			return fault.New(fault.BadUserInput, "%.40q is given %d times; give it once.", name, len(values)).At(name)
		}
		value := values[0]
		switch name {
		case "mode":
			if u.Mode = store.BatchMode(value); !u.Mode.Known() {
				return fault.New(fault.BadUserInput, "%.40q is no mode; it is ITEM, CHUNK or ATOMIC.", value).At(name)
			}
		case "dryRun", "calculate":
			yes := value == "true"
			if !yes && value != "false" {
				return fault.New(fault.BadUserInput, "%s is true or false, not %.40q.", name, value).At(name)
			}
			if name == "dryRun" {
				u.DryRun = yes
			} else {
				u.Calculate = yes
			}
		case "name":
			u.Name = fileName(value)
		case "columns":
			kept, err := t.ColumnFiles(r.Context(), value)
			if err != nil {
				return err
			}
			if value == "" || len(kept) == 0 {
				return fault.New(fault.NotFound, "No columns file is kept under the name %.80q. PUT /imports/columns/NAME keeps one.", value).At(name)
			}
			u.Columns = kept[0].Content
		default:
			return fault.New(fault.BadUserInput, "%.40q is not known here; known are columns, mode, dryRun, calculate and name.", name).At(name)
		}
	}
	return nil
}

// fileName is a name without folders.
func fileName(name string) string {
	return path.Base(strings.ReplaceAll(name, `\`, "/"))
}

// body finds the file in the request: all of its body, or the last field of a form, whose other fields are texts about it.
func (i *imports) body(r *http.Request, body io.Reader, u *batch.Upload) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		if u.Name == "" {
			u.Name = "upload"
		}
		u.Content = body
		return nil
	}
	if params["boundary"] == "" {
		return fault.New(fault.BadUserInput, "The form has no boundary in its Content-Type.")
	}
	form := multipart.NewReader(body, params["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return fault.New(fault.BadUserInput, "The form has no field \"file\".")
		}
		if err != nil {
			return fault.Wrap(err, fault.BadUserInput, "The form cannot be read: it broke off, or its boundary is another.")
		}
		switch part.FormName() {
		case "file":
			if u.Name == "" {
				u.Name = fileName(part.FileName())
			}
			u.Content = &lastField{part, form}
			return nil
		case "columns":
			u.Columns, err = text(part)
		case "mapping":
			u.Mapping, err = text(part)
		default:
			err = fault.New(fault.BadUserInput, "The form has a field %.40q; known are columns and mapping, and file behind them.", part.FormName())
		}
		if err != nil {
			return err
		}
	}
}

func text(part *multipart.Part) (string, error) {
	b, err := io.ReadAll(io.LimitReader(part, maxForm+1))
	if err != nil {
		return "", fault.Wrap(err, fault.BadUserInput, "The field %s broke off before its end.", part.FormName())
	}
	if len(b) > maxForm {
		return "", fault.New(fault.BadUserInput, "The field %s is larger than %d bytes; is it the data?", part.FormName(), maxForm)
	}
	return string(b), nil
}

// lastField is the file of a form. What stands behind it would be read too late.
type lastField struct {
	part *multipart.Part
	form *multipart.Reader
}

func (l *lastField) Read(p []byte) (int, error) {
	n, err := l.part.Read(p)
	if errors.Is(err, io.EOF) {
		if _, more := l.form.NextPart(); more == nil {
			return n, fault.New(fault.BadUserInput, "A field stands behind the file; put the file last.")
		} else if !errors.Is(more, io.EOF) {
			return n, more
		}
	}
	return n, err
}

// patient gives the client time for each piece that it sends, rather than for all of them.
type patient struct {
	r    io.Reader
	rc   *http.ResponseController
	wait time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if p.wait > 0 {
		now := time.Now()
		if err := errors.Join(p.rc.SetReadDeadline(now.Add(p.wait)), p.rc.SetWriteDeadline(now.Add(2*p.wait))); err != nil {
			return 0, err
		}
	}
	return p.r.Read(b)
}

// patientWriter gives the client time for each piece that it takes.
type patientWriter struct {
	w     io.Writer
	rc    *http.ResponseController
	wait  time.Duration
	begun bool
}

func (p *patientWriter) Write(b []byte) (int, error) {
	p.begun = true
	if p.wait > 0 {
		if err := p.rc.SetWriteDeadline(time.Now().Add(p.wait)); err != nil {
			return 0, err
		}
	}
	return p.w.Write(b)
}
