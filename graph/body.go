package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/fault"
)

// refusal is why a request could not even be read.
type refusal struct {
	status  int
	message string
	code    fault.Code // "": BAD_USER_INPUT
}

// mostAtOnce is how much memory is made ready for a body on its own word for its length.
const mostAtOnce = 2 << 20

// readPost reads the body. What is wrong is told without a word of it.
func (h *Handler) readPost(w http.ResponseWriter, r *http.Request) (text []byte, why *refusal) {
	if why := wrongMedia(r.Header); why != "" {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, message: why}
	}
	body := r.Body
	if most := h.o.Limits.Body; most > 0 && (r.ContentLength < 0 || r.ContentLength > most) { // a body is never longer than it says
		body = http.MaxBytesReader(w, r.Body, most)
	}
	text = make([]byte, 0, 512)
	if n := min(r.ContentLength, mostAtOnce); n > 0 && (h.o.Limits.Body == 0 || n <= h.o.Limits.Body) {
		text = make([]byte, 0, n+1) // and one more, so that the end is found without growing
	}
	buf := bytes.NewBuffer(text)
	_, err := buf.ReadFrom(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal{http.StatusRequestEntityTooLarge,
			"The body is larger than " + strconv.FormatInt(h.o.Limits.Body, 10) + " bytes. Send fewer rows at once.", fault.CostLimitExceeded}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{status: http.StatusRequestTimeout, message: "The body took too long to come."}
	case err != nil:
		return nil, &refusal{status: http.StatusBadRequest, message: "The body ended too early."}
	}
	return buf.Bytes(), nil
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

// parse reads a body: the object that a request is, or a list of them.
func (l Limits) parse(text []byte) (list []*request, listed bool, why *refusal) {
	if !json.Valid(text) {
		return nil, false, &refusal{status: http.StatusBadRequest, message: "The body is not JSON: one object, and nothing after it."}
	}
	switch twice, many := repeats(text); {
	case twice:
		return nil, false, &refusal{status: http.StatusBadRequest, message: "An object in the body has the same name twice. Write each name once."}
	case many:
		return nil, false, &refusal{http.StatusBadRequest, "An object in the body has more than " + strconv.Itoa(maxNames) + " names.", fault.CostLimitExceeded}
	}
	text = bytes.Trim(text, " \t\r\n")
	if text[0] != '[' {
		in, why := parseOne(text)
		return []*request{in}, false, why
	}
	for rest := text[1:]; ; {
		if rest = bytes.TrimLeft(rest, " \t\r\n,"); rest[0] == ']' {
			break
		}
		if over(len(list)+1, l.List) {
			return nil, true, &refusal{http.StatusBadRequest, "A list holds at most " + strconv.Itoa(l.List) + " operations.", fault.CostLimitExceeded}
		}
		end := valueEnd(rest)
		in, why := parseOne(rest[:end])
		if why != nil {
			why.message = "Operation " + strconv.Itoa(len(list)+1) + " of the list: " + why.message
			return nil, true, why
		}
		list, rest = append(list, in), rest[end:]
	}
	if len(list) == 0 {
		return nil, true, &refusal{status: http.StatusBadRequest, message: "The list holds no operation."}
	}
	return list, true, nil
}

// parseOne reads the object that a request is.
func parseOne(text []byte) (*request, *refusal) {
	parts, ok := split(text)
	if !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `Send a JSON object with a "query".`}
	}
	in := &request{}
	if in.query, ok = aText(parts.Query); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"query" is a text: it holds the document.`}
	}
	if in.name, ok = aText(parts.OperationName); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"operationName" is a text or null.`}
	}
	if in.variables, ok = anObject(parts.Variables); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"variables" is an object or null.`}
	}
	extensions, ok := anObject(parts.Extensions)
	if !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: `"extensions" is an object or null.`}
	}
	if in.hash, ok = hashOf(extensions); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: badHash}
	}
	if in.query == "" && in.hash == "" {
		return nil, &refusal{status: http.StatusBadRequest, message: `"query" is missing: it holds the document.`}
	}
	return in, nil
}

// split finds the members of a request; others are ignored. It is false for what is no object.
func split(text []byte) (p parts, ok bool) {
	ok = eachMember(text, func(name string, value json.RawMessage) {
		switch name {
		case "query":
			p.Query = value
		case "operationName":
			p.OperationName = value
		case "variables":
			p.Variables = value
		case "extensions":
			p.Extensions = value
		}
	})
	return p, ok
}

// eachMember gives the members of an object that is known to be JSON and to have no name twice. It is false for what is no object. Names are taken as they are:
// encoding/json would take "Query" for "query".
func eachMember(text []byte, visit func(name string, value json.RawMessage)) bool {
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	rest := text[1:]
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			return true
		}
		end := valueEnd(rest)
		name := rest[:end]
		rest = bytes.TrimLeft(rest[end:], " \t\r\n:")
		end = valueEnd(rest)
		visit(aName(name), json.RawMessage(rest[:end]))
		rest = rest[end:]
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

// anObject reads an object of valid JSON.
func anObject(raw json.RawMessage) (m map[string]any, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	if raw[0] != '{' {
		return nil, false
	}
	m, _ = members(raw)
	return m, true
}

// readGet reads the query part of an address.
func readGet(raw string) (*request, *refusal) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, message: "The query part of the address is not well formed."}
	}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		if len(q[name]) > 1 {
			return nil, &refusal{status: http.StatusBadRequest, message: "The parameter " + name + " is given more than once."}
		}
	}
	in := &request{query: q.Get("query"), name: q.Get("operationName"), safe: true}
	var ok bool
	if in.variables, ok = anObject(jsonOf(q.Get("variables"))); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: "The parameter variables is a JSON object, with no name twice and no more than 10000 in one object."}
	}
	extensions, ok := anObject(jsonOf(q.Get("extensions")))
	if !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: "The parameter extensions is a JSON object, with no name twice and no more than 10000 in one object."}
	}
	if in.hash, ok = hashOf(extensions); !ok {
		return nil, &refusal{status: http.StatusBadRequest, message: badHash}
	}
	if in.query == "" && in.hash == "" {
		return nil, &refusal{status: http.StatusBadRequest, message: "The parameter query is missing: it holds the document."}
	}
	return in, nil
}

// jsonOf keeps what is JSON with no name twice in an object; anything else becomes what no object is.
func jsonOf(s string) json.RawMessage {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	if !json.Valid([]byte(s)) {
		return json.RawMessage("0")
	}
	if twice, many := repeats([]byte(s)); twice || many {
		return json.RawMessage("0")
	}
	return json.RawMessage(s)
}
