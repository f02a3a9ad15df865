package graph

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/fault"
)

// The forms of an answer, as GraphQL over HTTP has them. In the first an answer to a readable request is 200 whatever it says.
const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
)

// refusal is why a request could not even be read.
type refusal struct {
	status  int
	message string
	code    fault.Code // "": BAD_USER_INPUT
}

// readPost reads a JSON body: one object, nothing after it. What is wrong is told without a word of the body.
func (h *Handler) readPost(w http.ResponseWriter, r *http.Request) (*request, *refusal) {
	if why := wrongMedia(r.Header); why != "" {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, message: why}
	}
	body := r.Body
	if h.o.Limits.Body > 0 {
		body = http.MaxBytesReader(w, r.Body, h.o.Limits.Body)
	}
	text := make([]byte, 0, 512)
	if n := r.ContentLength; n > 0 && (h.o.Limits.Body == 0 || n <= h.o.Limits.Body) {
		text = make([]byte, 0, n+1) // and one more, so that the end is found without growing
	}
	buf := bytes.NewBuffer(text)
	_, err := buf.ReadFrom(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal{http.StatusRequestEntityTooLarge,
			"The body is larger than " + strconv.FormatInt(h.o.Limits.Body, 10) + " bytes. Send fewer rows at once.", fault.CostLimitExceeded}
	case err != nil:
		return nil, &refusal{status: http.StatusBadRequest, message: "The body ended too early."}
	}
	return parse(buf.Bytes())
}

func wrongMedia(h http.Header) string {
	if len(h["Content-Encoding"]) == 0 && h.Get("Content-Type") == mediaJSON {
		return "" // as nearly everybody sends it
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != mediaJSON {
		return "Send JSON, with Content-Type: application/json."
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return "Send JSON in UTF-8."
	}
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return "Send the body without Content-Encoding."
	}
	return ""
}

// parts are the members of a request, as they stand in the body.
type parts struct{ Query, OperationName, Variables, Extensions json.RawMessage }

// parse reads the object that a request is.
func parse(text []byte) (*request, *refusal) {
	if !json.Valid(text) {
		return nil, &refusal{status: http.StatusBadRequest, message: "The body is not JSON: one object, and nothing after it."}
	}
	parts, ok := split(bytes.Trim(text, " \t\r\n"))
	if !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `The body is not a JSON object with a "query".`}
	}
	in := &request{}
	if in.query, ok = aText(parts.Query); !ok || in.query == "" {
		return nil, &refusal{status: http.StatusBadRequest, message: `"query" is missing, or no text: it holds the document.`}
	}
	if in.name, ok = aText(parts.OperationName); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"operationName" is a text or null.`}
	}
	if in.variables, ok = anObject(parts.Variables); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"variables" is an object or null.`}
	}
	if _, ok = anObject(parts.Extensions); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"extensions" is an object or null.`}
	}
	return in, nil
}

// split finds the members of an object that is known to be JSON; of equal names the last counts, and others are ignored. It is false for what is no object.
func split(text []byte) (p parts, ok bool) {
	if len(text) == 0 || text[0] != '{' {
		return p, false
	}
	rest := text[1:]
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			return p, true
		}
		end := valueEnd(rest)
		name := rest[:end]
		rest = bytes.TrimLeft(rest[end:], " \t\r\n:")
		end = valueEnd(rest)
		value := json.RawMessage(rest[:end])
		rest = rest[end:]
		text, _ := aText(json.RawMessage(name))
		switch text {
		case "query":
			p.Query = value
		case "operationName":
			p.OperationName = value
		case "variables":
			p.Variables = value
		case "extensions":
			p.Extensions = value
		}
	}
}

// valueEnd tells where the value ends that valid JSON begins with.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of what holds the value
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

func aText(raw json.RawMessage) (s string, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	if raw[0] == '"' && utf8.Valid(raw) {
		if s, ok := unquoted(raw[1 : len(raw)-1]); ok {
			return s, true
		}
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// unquoted reads what stands between the quotes of valid JSON, with no escapes but those of documents in several lines. It is false on any other.
func unquoted(raw []byte) (string, bool) {
	if bytes.IndexByte(raw, '\\') < 0 { // as it stands
		return string(raw), true
	}
	out := make([]byte, 0, len(raw))
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return string(append(out, raw...)), true
		}
		out = append(out, raw[:i]...)
		switch raw[i+1] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case '"', '\\', '/':
			out = append(out, raw[i+1])
		default:
			return "", false
		}
		raw = raw[i+2:]
	}
}

// anObject reads an object, its numbers digit by digit, so that none is rounded.
func anObject(raw json.RawMessage) (m map[string]any, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if raw[0] != '{' || dec.Decode(&m) != nil {
		return nil, false
	}
	return m, true
}

// readGet reads the query part of an address.
func readGet(r *http.Request) (*request, *refusal) {
	q := r.URL.Query()
	in := &request{query: q.Get("query"), name: q.Get("operationName"), safe: true}
	if in.query == "" {
		return nil, &refusal{status: http.StatusBadRequest, message: "The parameter query is missing: it holds the document."}
	}
	var ok bool
	if in.variables, ok = anObject(jsonOf(q.Get("variables"))); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: "The parameter variables is a JSON object."}
	}
	if _, ok = anObject(jsonOf(q.Get("extensions"))); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: "The parameter extensions is a JSON object."}
	}
	return in, nil
}

// jsonOf keeps what is JSON; anything else becomes what no object is.
func jsonOf(s string) json.RawMessage {
	s = strings.TrimSpace(s)
	if s != "" && !json.Valid([]byte(s)) {
		return json.RawMessage("0")
	}
	return json.RawMessage(s)
}

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

// send writes the reply. Data is written as it stands: encoding it again would cost more than making it.
func (h *Handler) send(w http.ResponseWriter, form string, status int, a *answer) {
	if a.body != nil {
		reply(w, form, status, a.body.Bytes())
		a.body.Release()
		return
	}
	var buf bytes.Buffer
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
	reply(w, form, status, buf.Bytes())
}

// The headers of every answer, made once. Nobody may change them.
var (
	contentTypes = map[string][]string{mediaJSON: {mediaJSON + "; charset=utf-8"}, mediaGraphQL: {mediaGraphQL + "; charset=utf-8"}}
	cacheControl = []string{"private, no-cache"}
	vary         = []string{"Accept, Accept-Encoding, Authorization, Cookie"}
)

func reply(w http.ResponseWriter, form string, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = contentTypes[form]
	header["Cache-Control"] = cacheControl
	header["Vary"] = vary
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body) // a client that is gone needs no answer
}
