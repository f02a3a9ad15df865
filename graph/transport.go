package graph

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"carbongraph/internal/fault"
)

// The forms of an answer, as GraphQL over HTTP has them. In the first an answer to a readable request is 200 whatever it says.
const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
)

// negotiate picks the form of the answer by Accept. Between equals, and where anything will do, it is application/json, which older clients expect.
func negotiate(accept []string) (form string, ok bool) {
	if len(accept) == 1 && (accept[0] == mediaJSON || accept[0] == mediaGraphQL || accept[0] == "*/*") {
		if accept[0] == mediaGraphQL {
			return mediaGraphQL, true
		}
		return mediaJSON, true
	}
	list := strings.Join(accept, ",")
	if strings.TrimSpace(list) == "" {
		return mediaJSON, true
	}
	best := 0.0
	for entry := range strings.SplitSeq(list, ",") {
		kind, params, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		q := 1.0
		if s, given := params["q"]; given {
			if q, err = strconv.ParseFloat(s, 64); err != nil {
				continue
			}
		}
		switch kind {
		case "*/*", "application/*":
			kind = mediaJSON
			q -= 0.0001 // what is named goes before what is not
		case mediaJSON, mediaGraphQL:
		default:
			continue
		}
		if q > best {
			form, best = kind, q
		}
	}
	return form, form != ""
}

// fail answers a request that could not be read. Its status stands in both forms.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, form string, why *refusal) {
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
	form, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		form = mediaJSON
	}
	a := &answer{errs: h.refuse(r.Context(), f)}
	h.measure(a, 0)
	h.send(w, form, f.Code.Status(), a)
}

// write answers a request that could be read. In the older form that is 200, but for methods, time and limits, which proxies must see.
func (h *Handler) write(w http.ResponseWriter, form string, a *answer) {
	status := a.status
	if status == 0 || form == mediaJSON && !a.limited && status != http.StatusMethodNotAllowed && status != http.StatusGatewayTimeout {
		status = http.StatusOK
	}
	h.send(w, form, status, a)
}

// writeList answers a list of operations, in their order. The status tells of the request, of the operations their own errors tell: over a limit it is that of the
// limit, unless something ran, which a status that stands for nothing done would hide.
func (h *Handler) writeList(w http.ResponseWriter, form string, all []*answer) {
	status, ran := http.StatusOK, false
	var buf bytes.Buffer
	for i, a := range all {
		if i == 0 {
			buf.WriteByte('[')
		} else {
			buf.WriteByte(',')
		}
		if a.body != nil {
			buf.Write(a.body.Bytes())
			a.body.Release()
		} else {
			h.append(&buf, a)
		}
		if a.limited && status == http.StatusOK {
			status = a.status
		}
		ran = ran || a.ran
		h.measure(a, a.took)
	}
	buf.WriteByte(']')
	if ran {
		status = http.StatusOK
	}
	reply(w, form, status, buf.Bytes())
}

// send writes the reply. Data is written as it stands: encoding it again would cost more than making it.
func (h *Handler) send(w http.ResponseWriter, form string, status int, a *answer) {
	if a.body != nil {
		reply(w, form, status, a.body.Bytes())
		a.body.Release()
		return
	}
	var buf bytes.Buffer
	h.append(&buf, a)
	reply(w, form, status, buf.Bytes())
}

// append adds the reply that gqlgen's engine made, or an error.
func (h *Handler) append(buf *bytes.Buffer, a *answer) {
	buf.Grow(len(a.data) + 64)
	buf.WriteByte('{')
	if len(a.errs) > 0 {
		errs, err := json.Marshal(a.errs)
		if err != nil {
			h.o.Log.ErrorContext(context.Background(), "errors not written", "err", err)
			errs = []byte(`[{"message":"Something went wrong on our side.","extensions":{"code":"INTERNAL"}}]`)
		}
		buf.WriteString(`"errors":`)
		buf.Write(errs)
	}
	if a.data != nil {
		if len(a.errs) > 0 {
			buf.WriteByte(',')
		}
		buf.WriteString(`"data":`)
		buf.Write(a.data)
	}
	buf.WriteByte('}')
}

// The headers of every answer, made once. Nobody may change them.
var (
	contentTypes = map[string][]string{mediaJSON: {mediaJSON + "; charset=utf-8"}, mediaGraphQL: {mediaGraphQL + "; charset=utf-8"}}
	cacheControl = []string{"private, no-cache"}
	vary         = []string{"Accept, Accept-Encoding, Authorization, Cookie"}
	varyOrigin   = []string{"Accept, Accept-Encoding, Authorization, Cookie, Origin"}
)

func reply(w http.ResponseWriter, form string, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = contentTypes[form]
	header["Cache-Control"] = cacheControl
	if slices.Contains(header["Vary"], "Origin") { // by CORS
		header["Vary"] = varyOrigin
	} else {
		header["Vary"] = vary
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body) // a client that is gone needs no answer
}
