package graph

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"carbongraph/cachex"
	"carbongraph/graph/plan"
)

// cached is how an answer came about, where one might have been kept.
type cached struct {
	state     cacheState
	layer     string // that it comes from
	reason    string // why it is not kept
	kept      bool   // it is now
	unchanged bool   // the client's copy is good: there is no body
	tag       string // the validator; empty: none
	coding    coding // of the body
	stored    time.Time
	ttl       time.Duration
}

// cacheState is what Cache-Status says first (RFC 9211).
type cacheState string

const (
	stateHit    cacheState = "hit"
	stateStale  cacheState = "stale"
	stateMiss   cacheState = "miss"
	stateBypass cacheState = "bypass"
)

// The headers that tell of kept answers, as net/http spells them.
const (
	cacheStatusHeader = "Cache-Status"
	asOfHeader        = "Carbongraph-As-Of"
)

// status is the header Cache-Status.
func (c *cached) status() string {
	b := make([]byte, 0, 64)
	b = append(b, "carbongraph; "...)
	switch c.state {
	case stateHit:
		b = append(b, "hit"...)
		if c.ttl > 0 {
			b = strconv.AppendInt(append(b, "; ttl="...), int64(c.ttl/time.Second), 10)
		}
		return string(append(append(b, "; detail="...), c.layer...))
	case stateStale:
		b = append(b, "fwd=stale"...)
	case stateMiss:
		b = append(b, "fwd=miss"...)
	default:
		b = append(b, "fwd=bypass"...)
	}
	if c.kept {
		b = append(b, "; stored"...)
	}
	if c.reason != "" {
		b = append(append(b, "; detail="...), c.reason...)
	}
	return string(b)
}

// note says of an answer for which nothing was kept why that is so.
func (a *answer) note() *cached {
	if a.cached != nil {
		return a.cached
	}
	reason := turnedOff
	if a.slot != nil {
		reason = a.slot.reason
	}
	return &cached{state: stateBypass, reason: reason}
}

// fresh tells whether the answer came from the engines now.
func (c *cached) fresh() bool { return c.state == stateMiss || c.state == stateBypass }

// tellCache writes what the headers say of how the answer came about, and for how long it may be kept elsewhere.
func (a *answer) tellCache(header http.Header, now time.Time) {
	if a.slot == nil {
		return
	}
	c := a.note()
	values := make([]string, 0, 6) // of all headers together: an allocation for each would take longer than to find the answer
	set := func(name, value string) {
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	set(cacheStatusHeader, c.status())
	if len(a.errs) > 0 || a.slot.reason != "" {
		return
	}
	if !a.extended() {
		if c.tag != "" {
			set("Etag", c.tag)
		}
		if c.coding != plain && !c.unchanged {
			set("Content-Encoding", string(c.coding))
		}
	}
	asOf := now
	if !c.stored.IsZero() {
		asOf = c.stored
		if !c.fresh() {
			set("Age", strconv.FormatInt(max(0, int64(now.Sub(c.stored)/time.Second)), 10))
		}
	}
	set(asOfHeader, asOf.UTC().Format("2006-01-02T15:04:05.000000Z"))
	if !a.slot.reads.Private && !a.extended() { // what is told to one client is not for others
		set("Cache-Control", public(a.slot.reads))
	}
}

// public is the header Cache-Control of what is everybody's.
func public(r *plan.Reads) string {
	b := strconv.AppendInt([]byte("public, max-age="), int64(r.MaxAge), 10)
	if r.StaleWhileRevalidate > 0 {
		b = strconv.AppendInt(append(b, ", stale-while-revalidate="...), int64(r.StaleWhileRevalidate), 10)
	}
	return string(b)
}

// cacheReport is extensions.cache.
type cacheReport struct {
	Status   cacheState                `json:"status"`
	Layer    string                    `json:"layer,omitempty"`
	Reason   string                    `json:"reason,omitempty"`
	Stored   bool                      `json:"stored"`
	Key      *cacheKey                 `json:"key,omitempty"`
	MaxAge   int                       `json:"maxAge"`
	Stale    int                       `json:"staleWhileRevalidate"`
	Scope    string                    `json:"scope"`
	Age      int                       `json:"age"`
	TTL      int                       `json:"ttl"`
	AsOf     *time.Time                `json:"asOf,omitempty"`
	Versions map[string]subjectVersion `json:"versions,omitempty"`
}

// cacheKey are the parts that the key is made of.
type cacheKey struct {
	Document  string `json:"document"` // the SHA-256 of schema, document and operation
	Variables string `json:"variables"`
	Role      string `json:"role"`
}

// subjectVersion is the version of a type, or of a part of it, for the organization's own rows and for everybody's: another number after each write.
type subjectVersion struct {
	Organization int64 `json:"organization"`
	Everybody    int64 `json:"everybody"`
}

// explained is extensions.cache of an answer.
func (h *Handler) explained(a *answer) []byte {
	c := a.note()
	r := cacheReport{Status: c.state, Layer: c.layer, Reason: c.reason, Stored: c.kept, Scope: "PRIVATE", TTL: int(c.ttl / time.Second)}
	if s := a.slot; s != nil && s.reason == "" {
		r.Key, r.MaxAge, r.Stale = s.parts, s.reads.MaxAge, s.reads.StaleWhileRevalidate
		r.Versions = versionsOf(s.reads.Subjects, s.vector)
		if !s.reads.Private {
			r.Scope = "PUBLIC"
		}
		if !c.stored.IsZero() {
			at := c.stored.UTC().Truncate(time.Microsecond)
			r.AsOf, r.Age = &at, max(0, int(h.responses.Now().Sub(at)/time.Second))
		}
	}
	text, err := json.Marshal(r)
	if err != nil { // it holds nothing that JSON cannot
		return []byte("null")
	}
	return text
}

func versionsOf(subjects []string, v *cachex.Vector) map[string]subjectVersion {
	all := make(map[string]subjectVersion, len(subjects))
	for _, name := range subjects {
		all[name] = subjectVersion{v.Own[name], v.All[name]}
	}
	return all
}
