package graph

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/cachex"
	"carbongraph/graph/plan"
	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// ResponseOptions are what answers are kept with.
type ResponseOptions struct {
	Cache    *cachex.Chain
	Versions *cachex.Versions
	Strategy *cachex.Strategy // its lifetime bounds every answer's
	Secret   []byte           // that validators and tokens are made with: the same on every server
	Now      func() time.Time // nil: time.Now
}

// largest is how long an answer may be that is kept.
const largest = 1 << 20

// responses keeps answers of queries under the versions of what they were made of: an answer whose rows have changed is never found again, on any server. The same
// versions make its validator, so that a client's copy is found good without looking for ours. docs/decisions/0022-responses.md tells why it is so.
type responses struct {
	ResponseOptions
	inputs  inputs
	packer  *packer
	hashes  sync.Pool // of HMAC with the secret
	popular *Popular
	// long is when something was answered with more than is kept: who asks for it waits for nobody else who does.
	long *otter.Cache[AskedID, time.Time]
}

// mostLong and longFor bound what is known of long answers: of so many, and for so long, since the next one may be shorter.
const (
	mostLong = 4096
	longFor  = time.Minute
)

func newResponses(o *ResponseOptions, schema *ast.Schema, packer *packer) *responses {
	if o == nil {
		return nil
	}
	r := &responses{ResponseOptions: *o, inputs: inputs{schema}, packer: packer}
	if r.Now == nil {
		r.Now = time.Now
	}
	r.popular = newPopular(r.Now)
	r.long = otter.Must(&otter.Options[AskedID, time.Time]{MaximumSize: mostLong})
	r.hashes.New = func() any { return hmac.New(sha256.New, r.Secret) }
	return r
}

// Why no answer is kept, in words of Cache-Status and of metrics.
const (
	notAQuery   = "method"     // a mutation or a subscription
	mayNotKeep  = "max-age-0"  // something that it shows may not be kept
	wentAround  = "no-store"   // the client wants none
	unversioned = "no-version" // what it is made of cannot be told
	turnedOff   = "off"        // RESPONSE_CACHE
	wasError    = "error"      // it is one, or has some
	tooLong     = "too-large"  // for what is kept
	hasMoved    = "changed"    // what it is made of changed while it was made
)

// slot is where the answer to an operation is kept, or why none is.
type slot struct {
	reason string         // empty: one is kept
	vector *cachex.Vector // that it holds at
	key    string
	asked  AskedID     // what is asked, whatever the versions
	tag    string      // the validator's text, without its coding
	reads  *plan.Reads // what it hangs on, and for how long it may be kept
	parts  *cacheKey   // of the key, where they are asked for
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// slot finds where the answer to an operation is kept. A failure to tell versions is no failure of the request: it goes round what is kept.
func (h *Handler) slot(ctx context.Context, p *prepared, c *conditions, form string) *slot {
	r := h.responses
	switch {
	case r == nil:
		return &slot{reason: turnedOff}
	case p.op.def.Operation != ast.Query:
		return &slot{reason: notAQuery}
	}
	reads := p.hangsOn()
	switch {
	case reads.MaxAge == 0 || p.op.introspects:
		return &slot{reason: mayNotKeep}
	case c.around:
		return &slot{reason: wentAround}
	}
	v := auth.From(ctx)
	vector, err := r.vector(ctx, v, c)
	if err != nil {
		h.o.Log.WarnContext(ctx, "versions cannot be read; the answer is not kept", "err", err)
		return &slot{reason: unversioned}
	}
	s := &slot{vector: vector, reads: reads}
	if f := p.found.Load(); f != nil && !c.explain && f.org == v.Org && f.vector == vector.Number() && f.form == form {
		s.key, s.asked, s.tag = f.key, f.asked, f.tag
		return s
	}
	r.name(s, p, v, form, c.explain)
	if p.reads != nil {
		p.found.Store(&found{v.Org, vector.Number(), form, s.key, s.asked, s.tag})
	}
	return s
}

// found is how a slot was named. Until the organization is written to it is named so again; the role is one for all who send a remembered request.
type found struct {
	org    [16]byte
	vector uint64
	form   string
	key    string
	asked  AskedID
	tag    string
}

// vector gives the versions that an answer is looked for under: those of memory, or, where the client has seen a newer one or wants to be sure, the database's.
func (r *responses) vector(ctx context.Context, v *auth.Viewer, c *conditions) (*cachex.Vector, error) {
	switch total, ok := r.total(v, c.token); {
	case c.anew:
		return r.Versions.AtLeast(ctx, v.Org, math.MaxInt64)
	case ok:
		return r.Versions.AtLeast(ctx, v.Org, total)
	}
	return r.Versions.Of(ctx, v.Org)
}

// name gives the slot its key, which is of everything that the answer depends on: the program's schema and the document (operation.sum), the variables, whose ledger,
// with which rights, and the versions of what it is made of; and its validator, which nobody can make or read anything from without the secret.
func (r *responses) name(s *slot, p *prepared, v *auth.Viewer, form string, explain bool) {
	b := make([]byte, 0, 512)
	b = append(b, p.op.sum[:]...)
	b = append(b, v.Org[:]...)
	b = append(append(b, v.Role...), 0)
	at := len(b)
	if p.form != nil {
		b = append(append(b, p.form...), 0)
	} else {
		b = append(r.inputs.canonical(b, p), 0)
	}
	if explain {
		s.parts = &cacheKey{hex.EncodeToString(p.op.sum[:]), string(b[at : len(b)-1]), string(v.Role)}
	}
	s.asked = sha256.Sum256(b)
	b = versions(append(b[:0], s.asked[:]...), s.reads.Subjects, s.vector)
	s.key = string(r.seal(b)) // of this database: another over the same Redis may have organizations and versions of the same names
	s.tag = base64.RawURLEncoding.EncodeToString(r.seal([]byte(s.key), []byte(form))[:15])
}

// seal is what nobody else can make of these parts.
func (r *responses) seal(parts ...[]byte) []byte {
	mac := r.hashes.Get().(hash.Hash)
	defer r.hashes.Put(mac)
	mac.Reset()
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(make([]byte, 0, sha256.Size))
}

// hangsOn tells what the answer to the operation hangs on.
func (p *prepared) hangsOn() *plan.Reads {
	if p.reads != nil {
		return p.reads
	}
	r := p.plan.Reads(p.vars, rowOf)
	return &r
}

// rowOf tells which row a global id names.
func rowOf(id string) plan.Row {
	g, err := store.ParseGlobalID(id)
	if err != nil {
		return plan.Row{}
	}
	row := plan.Row{Kind: g.Kind.Type()}
	if g.Kind == store.KindSupplier {
		row.Part = store.SupplierPart(g.Row)
	}
	return row
}

// versions adds those of what an answer is made of: the organization's own rows, and everybody's.
func versions(b []byte, subjects []string, v *cachex.Vector) []byte {
	for _, name := range subjects {
		b = append(append(b, name...), 0)
		b = binary.BigEndian.AppendUint64(b, uint64(v.Own[name]))
		b = binary.BigEndian.AppendUint64(b, uint64(v.All[name]))
	}
	return b
}

// still tells whether what the answer is made of is as it was when the slot was found, as far as this server knows.
func (r *responses) still(ctx context.Context, s *slot) bool {
	now, err := r.Versions.Of(ctx, auth.From(ctx).Org)
	return err == nil && (now == s.vector || string(versions(nil, s.reads.Subjects, now)) == string(versions(nil, s.reads.Subjects, s.vector)))
}

// etag is the validator of an answer in a coding: strong, and so another for each.
func etag(tag string, c coding) string {
	if c == plain {
		return `"` + tag + `"`
	}
	return `"` + tag + "-" + string(c) + `"`
}

// held gives the kept answer to an operation, or tells that the client's copy is still good; nil where there is neither.
func (h *Handler) held(ctx context.Context, p *prepared, s *slot, c *conditions) *answer {
	if s.reason != "" {
		return nil
	}
	r := h.responses
	for _, tag := range [...]string{etag(s.tag, c.coding), etag(s.tag, plain)} {
		if len(c.match) > 0 && matches(c.match, tag) {
			return &answer{op: p.op, slot: s, cached: &cached{state: stateHit, layer: "versions", tag: tag, unchanged: true}}
		}
	}
	if c.anew {
		return nil
	}
	if c.coding != plain {
		if e, ok := r.Cache.Here(ctx, r.Strategy, s.key+string(c.coding)); ok && r.serves(e, c) {
			return r.hit(p, s, c, e, e.Body, c.coding, cachex.L1)
		}
	}
	e, layer, ok := r.look(ctx, s, c)
	if !ok || !r.serves(e, c) {
		return nil
	}
	body, in := r.coded(s, c.coding, e)
	return r.hit(p, s, c, e, body, in, layer)
}

// look looks for a kept answer in the process; in Redis is looked when it is made (load), or where none is to be made.
func (r *responses) look(ctx context.Context, s *slot, c *conditions) (*cachex.Entry, cachex.Layer, bool) {
	if c.only {
		return r.Cache.Get(ctx, r.Strategy, s.key)
	}
	e, ok := r.Cache.Here(ctx, r.Strategy, s.key)
	return e, cachex.L1, ok
}

// serves tells whether a kept answer is new enough.
func (r *responses) serves(e *cachex.Entry, c *conditions) bool {
	now := r.Now()
	return now.Before(e.Soft) && !(c.limited && now.Sub(e.Stored).Truncate(time.Second) > c.oldest)
}

// hit answers with what is kept.
func (r *responses) hit(p *prepared, s *slot, c *conditions, e *cachex.Entry, body []byte, in coding, layer cachex.Layer) *answer {
	return &answer{op: p.op, slot: s, raw: body, cached: &cached{state: stateHit, layer: string(layer), tag: etag(s.tag, in), coding: in, stored: e.Stored, ttl: e.Hard.Sub(r.Now()),
		unchanged: c.anything()}}
}

// coded gives a kept answer in a coding, where it is long enough to be worth it, and keeps it in that too.
func (r *responses) coded(s *slot, c coding, e *cachex.Entry) ([]byte, coding) {
	if c == plain || len(e.Body) < smallest {
		return e.Body, plain
	}
	packed := *e
	packed.Body = r.packer.pack(c, e.Body)
	r.Cache.PutHere(r.Strategy, s.key+string(c), packed)
	return packed.Body, c
}

// unkept is an answer that is given to all who waited for it, and not kept.
type unkept struct {
	answer *answer
	reason string
}

func (*unkept) Error() string { return "graph: an answer that is not kept" }

// fill runs an operation and keeps its answer. Of those who ask the same at once one runs it, and all get what came of it.
func (h *Handler) fill(ctx context.Context, p *prepared, s *slot, c *conditions) *answer {
	r := h.responses
	var cost atomic.Int64 // where this one runs it
	e, how, err := r.load(ctx, s, c, h.maker(p, s, &cost))
	var not *unkept
	switch {
	case errors.As(err, &not):
		a := *not.answer
		a.actual = int(cost.Load())
		a.slot, a.cached = s, &cached{state: stateMiss, reason: not.reason}
		if not.reason == hasMoved { // newer than the versions that it would be kept under
			sum := sha256.Sum256(a.raw)
			if c.coding != plain && len(a.raw) >= smallest {
				a.raw, a.cached.coding = r.packer.pack(c.coding, a.raw), c.coding
			}
			a.cached.tag = etag(base64.RawURLEncoding.EncodeToString(sum[:15])+"-x", a.cached.coding)
			a.cached.unchanged = c.anything()
		}
		return &a
	case err != nil:
		return h.refused(ctx, p.op, h.faultOf(ctx, err))
	}
	a := &answer{op: p.op, slot: s, raw: e.Body, actual: int(cost.Load()), cached: &cached{state: stateMiss, kept: true, stored: e.Stored, ttl: e.Hard.Sub(r.Now()), unchanged: c.anything()}}
	if how.Layer != "" {
		a.cached.state, a.cached.layer = stateHit, string(how.Layer)
	}
	if r.Now().After(e.Soft) {
		a.cached.state = stateStale
	}
	a.raw, a.cached.coding = r.coded(s, c.coding, e)
	a.cached.tag = etag(s.tag, a.cached.coding)
	return a
}

// maker runs an operation and gives its answer as an entry, one that is not to be kept as an unkept. What it costs is told where somebody wants to know.
func (h *Handler) maker(p *prepared, s *slot, cost *atomic.Int64) func(context.Context) (*cachex.Entry, error) {
	return func(ctx context.Context) (*cachex.Entry, error) {
		a := h.run(ctx, p, s.vector)
		if cost != nil {
			cost.Store(int64(a.actual))
		}
		a.settle()
		why := ""
		switch {
		case len(a.errs) > 0:
			why = wasError
		case len(a.raw) > largest:
			why = tooLong
			h.responses.long.Set(s.asked, h.responses.Now())
		case !h.responses.still(ctx, s):
			why = hasMoved
		}
		if why != "" {
			return nil, &unkept{a, why}
		}
		now := h.responses.Now()
		return &cachex.Entry{Body: a.raw, Stored: now, Soft: now.Add(seconds(s.reads.MaxAge)), Hard: now.Add(seconds(s.reads.MaxAge + s.reads.StaleWhileRevalidate))}, nil
	}
}

// load takes what is kept by now, or has it made; or has it made whatever is kept, where the client wants it new, or nothing is going to be kept.
func (r *responses) load(ctx context.Context, s *slot, c *conditions, load func(context.Context) (*cachex.Entry, error)) (*cachex.Entry, cachex.Outcome, error) {
	if at, long := r.long.GetIfPresent(s.asked); !c.anew && !c.limited && !(long && r.Now().Sub(at) < longFor) {
		return r.Cache.Load(ctx, r.Strategy, s.key, load)
	}
	e, err := load(ctx)
	if err == nil {
		r.Cache.Put(ctx, r.Strategy, s.key, *e)
	}
	return e, cachex.Outcome{}, err
}

// missing answers a client that wants a kept answer or none.
func (h *Handler) missing(ctx context.Context, p *prepared, s *slot) *answer {
	a := h.refused(ctx, p.op, fault.New(fault.NotFound, "No answer to this is kept, and by only-if-cached no other is wanted."))
	a.status, a.slot, a.cached = http.StatusGatewayTimeout, s, &cached{state: stateMiss}
	return a
}

// token is what a client that wrote gives back to see what it wrote: how often its ledger has been written to, and proof that we said so.
func (r *responses) token(ctx context.Context) string {
	if r == nil {
		return ""
	}
	v := auth.From(ctx)
	vector, err := r.Versions.Of(ctx, v.Org)
	if err != nil {
		return ""
	}
	b := binary.AppendUvarint(nil, uint64(vector.Total))
	return base64.RawURLEncoding.EncodeToString(append(b, r.proof(v, b)...))
}

// total reads a token.
func (r *responses) total(v *auth.Viewer, token string) (int64, bool) {
	if token == "" || len(token) > 64 {
		return 0, false
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, false
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || !hmac.Equal(b[size:], r.proof(v, b[:size])) {
		return 0, false
	}
	return int64(n), true
}

// proof is what nobody else can put behind a count.
func (r *responses) proof(v *auth.Viewer, count []byte) []byte {
	return r.seal([]byte("token\x00"), v.Org[:], count)[:8]
}
