package graph

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"carbongraph/internal/fault"
)

// form is how an answer is written: as which media type, and in which coding where it is long enough.
type form struct {
	media  string
	coding coding
}

// formOf is the form that a client wants an answer of a media type in.
func formOf(r *http.Request, media string) form {
	return form{media, accepts(r.Header["Accept-Encoding"])}
}

// fail answers a request that could not be read. Its status stands in both forms.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, form form, why *refusal) {
	code := cmp.Or(why.code, fault.BadUserInput)
	a := &answer{errs: h.refuse(r.Context(), fault.New(code, "%s", why.message)), status: why.status}
	h.measure(a, 0)
	h.send(w, form, why.status, a)
}

// Refuse answers a request that was not let in, as GraphQL errors.
func (h *Handler) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	if f.Code == fault.Internal {
		h.o.Log.ErrorContext(r.Context(), "not authenticated", "err", err)
	}
	if wait := f.RetryAfter(); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	a := &answer{errs: h.refuse(r.Context(), f)}
	h.measure(a, 0)
	h.send(w, formOf(r, negotiate(r.Header.Values("Accept")).one()), f.Code.Status(), a)
}

// write answers a request that could be read. In the older form that is 200, but for methods, forms, time and limits, which proxies must see.
func (h *Handler) write(w http.ResponseWriter, form form, a *answer) {
	status := a.status
	if status == 0 || form.media == mediaJSON && !a.limited && !seen(status) {
		status = http.StatusOK
	}
	if a.retry != "" {
		w.Header().Set("Retry-After", a.retry)
	}
	a.tellCache(w.Header(), time.Now())
	if a.token != "" {
		w.Header()[tokenHeader] = []string{a.token}
	}
	if a.cached != nil && a.cached.unchanged {
		h.unchanged(w)
		return
	}
	h.send(w, form, status, a)
}

// ofTheCopy are headers that say nothing but what a client's copy came with (RFC 9110, 15.4.5).
var ofTheCopy = [...]string{"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy", "X-Content-Type-Options"}

// unchanged tells a client that its copy is good.
func (h *Handler) unchanged(w http.ResponseWriter) {
	header := w.Header()
	for _, name := range ofTheCopy {
		delete(header, name)
	}
	if header["Cache-Control"] == nil {
		header["Cache-Control"] = cacheControl
	}
	varies(header)
	w.WriteHeader(http.StatusNotModified)
}

// seen tells whether a status stands in the older form too.
func seen(status int) bool {
	return status == http.StatusMethodNotAllowed || status == http.StatusNotAcceptable || status == http.StatusGatewayTimeout
}

// serveList answers a list of operations, in their order. The status tells of the request, of the operations their own errors tell: over a limit it is that of the
// limit, unless something ran, which a status that stands for nothing done would hide.
func (h *Handler) serveList(w http.ResponseWriter, r *http.Request, form form, list []*request, terms terms) {
	all, t := h.answerList(r.Context(), list, terms)
	if t != nil {
		t.tell(w.Header())
	} else {
		quoted := 0
		for _, a := range all {
			quoted += a.estimated
		}
		w.Header()[costHeader] = []string{costs(quoted, 0)}
	}
	status, ran := http.StatusOK, false
	var buf bytes.Buffer
	for i, a := range all {
		if i == 0 {
			buf.WriteByte('[')
		} else {
			buf.WriteByte(',')
		}
		if len(a.errs) > 0 {
			w.Header()["Cache-Control"] = noStore
		}
		h.append(&buf, a)
		if a.limited && status == http.StatusOK {
			status = a.status
			if a.retry != "" {
				w.Header().Set("Retry-After", a.retry)
			}
		}
		ran = ran || a.ran
		h.measure(a, a.took)
	}
	buf.WriteByte(']')
	if ran {
		status = http.StatusOK
	}
	h.reply(w, form, status, buf.Bytes())
}

// send writes the reply. Data is written as it stands: encoding it again would cost more than making it.
func (h *Handler) send(w http.ResponseWriter, form form, status int, a *answer) {
	if len(a.errs) > 0 {
		w.Header()["Cache-Control"] = noStore
	}
	switch {
	case a.extended():
	case a.raw != nil:
		h.reply(w, form, status, a.raw)
		return
	case a.body != nil:
		h.reply(w, form, status, a.body.Bytes())
		a.body.Release()
		return
	}
	var buf bytes.Buffer
	h.append(&buf, a)
	h.reply(w, form, status, buf.Bytes())
}

// append adds the reply, which either engine made, or an error.
func (h *Handler) append(buf *bytes.Buffer, a *answer) {
	at := buf.Len()
	switch {
	case a.raw != nil:
		buf.Write(a.raw[:len(a.raw)-1]) // without the brace that closes it
	case a.body != nil:
		buf.Write(a.body.Bytes())
		a.body.Release()
		buf.Truncate(buf.Len() - 1)
	default:
		buf.Grow(len(a.data) + 64)
		buf.WriteByte('{')
		if len(a.errs) > 0 {
			buf.WriteString(`"errors":`)
			buf.Write(h.errors(a.errs))
		}
		if a.data != nil {
			if len(a.errs) > 0 {
				buf.WriteByte(',')
			}
			buf.WriteString(`"data":`)
			buf.Write(a.data)
		}
	}
	if a.extended() {
		if buf.Len() > at+1 {
			buf.WriteByte(',')
		}
		h.extend(buf, a)
	}
	buf.WriteByte('}')
}

// extended tells whether the answer has extensions.
func (a *answer) extended() bool { return a.report || a.quoted || a.explain || a.token != "" }

// extend adds the extensions that were asked for, and the token that a client of a mutation needs.
func (h *Handler) extend(buf *bytes.Buffer, a *answer) {
	before := `"extensions":{`
	if a.report || a.quoted {
		fmt.Fprintf(buf, `%s"cost":{"estimated":%d`, before, a.estimated)
		if a.report {
			fmt.Fprintf(buf, `,"actual":%d`, a.actual)
		}
		buf.WriteByte('}')
		before = ","
	}
	if a.explain {
		buf.WriteString(before + `"cache":`)
		buf.Write(h.explained(a))
		before = ","
	}
	if a.token != "" {
		fmt.Fprintf(buf, `%s"version":%q`, before, a.token)
	}
	buf.WriteByte('}')
}

// settle puts an answer that either engine made without errors into its final form, which may be shared.
func (a *answer) settle() {
	switch {
	case len(a.errs) > 0:
	case a.body != nil:
		a.raw = bytes.Clone(a.body.Bytes())
		a.body.Release()
		a.body = nil
	case a.data != nil:
		a.raw = append(append([]byte(`{"data":`), a.data...), '}')
		a.data = nil
	}
}

// errors writes a list of errors.
func (h *Handler) errors(errs gqlerror.List) []byte {
	text, err := json.Marshal(errs)
	if err != nil {
		h.o.Log.ErrorContext(context.Background(), "errors not written", "err", err)
		return []byte(`[{"message":"Something went wrong on our side.","extensions":{"code":"INTERNAL"}}]`)
	}
	return text
}

// The headers of every answer, made once. Nobody may change them.
var (
	contentTypes = map[string][]string{mediaJSON: {mediaJSON + "; charset=utf-8"}, mediaGraphQL: {mediaGraphQL + "; charset=utf-8"}}
	cacheControl = []string{"private, no-cache"}
	noStore      = []string{"no-store"} // errors pass
	noCost       = []string{"estimated=0, actual=0"}
	vary         = []string{"Accept, Accept-Encoding, Authorization, Cookie"}
	varyOrigin   = []string{"Accept, Accept-Encoding, Authorization, Cookie, Origin"}
)

// reply writes an answer. One that is not kept is packed here, for HEAD too, whose headers are those of GET.
func (h *Handler) reply(w http.ResponseWriter, form form, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = contentTypes[form.media]
	if form.coding != plain && len(body) >= smallest && header["Content-Encoding"] == nil {
		body = h.packer.pack(form.coding, body)
		header["Content-Encoding"] = []string{string(form.coding)}
	}
	if header["Cache-Control"] == nil {
		header["Cache-Control"] = cacheControl
	}
	if header[costHeader] == nil {
		header[costHeader] = noCost
	}
	varies(header)
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body) // a client that is gone needs no answer
}

// varies says by what the answer differs.
func varies(header http.Header) {
	if slices.Contains(header["Vary"], "Origin") { // by CORS
		header["Vary"] = varyOrigin
		return
	}
	header["Vary"] = vary
}
