package graph

import (
	"mime"
	"strconv"
	"strings"
)

// The forms of an answer, as GraphQL over HTTP has them. In the first an answer to a readable request is 200 whatever it says. The third tells what happens as
// it happens.
const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
	mediaEvents  = "text/event-stream"
)

// accepted is what a client takes.
type accepted struct {
	form   string // of one answer; empty where only events are taken
	events bool
}

// none tells whether the client takes nothing that there is.
func (a accepted) none() bool { return a.form == "" && !a.events }

// one is the form of an answer to a client that may take events alone: its refusals have no other.
func (a accepted) one() string {
	if a.form == "" {
		return mediaJSON
	}
	return a.form
}

// negotiate reads Accept. The form with the greater weight is taken; between equals the one that was named before one that anything would do for, then the one
// that was named first, and application/json, which older clients expect, where nothing tells.
func negotiate(accept []string) accepted {
	if len(accept) == 1 {
		switch accept[0] { // as nearly everybody sends it
		case mediaJSON, "*/*":
			return accepted{mediaJSON, accept[0] == "*/*"}
		case mediaGraphQL:
			return accepted{form: mediaGraphQL}
		}
	}
	list := strings.Join(accept, ",")
	if strings.TrimSpace(list) == "" {
		return accepted{form: mediaJSON}
	}
	json, graphql, events := preference{}, preference{}, preference{}
	at := 0
	for entry := range strings.SplitSeq(list, ",") {
		kind, params, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		weight := 1.0
		if s, given := params["q"]; given {
			if weight, err = strconv.ParseFloat(s, 64); err != nil || weight < 0 || weight > 1 {
				continue
			}
		}
		at++
		json.meet(mediaJSON, kind, weight, at)
		graphql.meet(mediaGraphQL, kind, weight, at)
		events.meet(mediaEvents, kind, weight, at)
	}
	got := accepted{events: events.weight > 0}
	switch {
	case json.weight <= 0 && graphql.weight <= 0:
	case graphql.before(json):
		got.form = mediaGraphQL
	default:
		got.form = mediaJSON
	}
	return got
}

// preference is how much a client likes a form: by the range that names it best, as RFC 9110 has it.
type preference struct {
	weight   float64
	exact    int // 3 for the type itself, 2 for all of its kind, 1 for anything, 0: nothing names it
	position int
}

func (p *preference) meet(form, kind string, weight float64, at int) {
	exact := 0
	switch {
	case kind == form:
		exact = 3
	case kind == "*/*":
		exact = 1
	case strings.HasSuffix(kind, "/*") && strings.HasPrefix(form, kind[:len(kind)-1]):
		exact = 2
	}
	if exact > p.exact {
		*p = preference{weight, exact, at}
	}
}

// before tells whether it is liked better than the other.
func (p preference) before(o preference) bool {
	switch {
	case p.weight != o.weight:
		return p.weight > o.weight
	case p.exact != o.exact:
		return p.exact > o.exact
	}
	return p.exact == 3 && p.position < o.position
}
