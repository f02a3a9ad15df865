package batch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// maxIdempotencyKey is the longest idempotency key, in bytes.
const maxIdempotencyKey = 256

// keyed is work that a client may have named by an idempotency key.
type keyed struct {
	tenant   *store.Tenant
	name     string // empty: nobody named it
	holder   store.ID
	work     store.ID
	pieces   []store.Piece // what is stored of it already
	finished bool          // all of it
}

func (k *keyed) named() bool { return k.name != "" }

// claim takes work on. Whoever comes first with a key does the work; whoever comes meanwhile, to any server, waits for its end, and gets what the first got. Where
// the first has gone without ending, the next goes on from what is stored.
func (im *Importer) claim(ctx context.Context, t *store.Tenant, name, operation string, input any) (*keyed, error) {
	k := &keyed{tenant: t, name: name, holder: im.store.NewID()}
	if name == "" {
		return k, nil
	}
	if f := checkKey(name); f != nil {
		return nil, f
	}
	text, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(text)
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		c, err := t.ClaimKey(ctx, name, operation, digest[:], k.holder, lease)
		if err == nil && (c.Mine || c.Finished) {
			k.work, k.finished = c.Work, c.Finished
			if k.pieces, err = t.Pieces(ctx, c.Work); err == nil {
				return k, nil
			}
		}
		if fault.CodeOf(err) == fault.IdempotencyKeyReused {
			return nil, err
		}
		if err != nil { // it may be held all the same
			return nil, k.end(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil, fault.Wrap(ctx.Err(), fault.Timeout, "The work of this idempotency key is still being done; send it again in a while for its answer.")
		case <-time.After(wait):
		}
	}
}

// How often a key is looked at whose work another does: soon at first, for most work is short.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = 200 * time.Millisecond
)

func checkKey(name string) *fault.Fault {
	switch {
	case strings.TrimSpace(name) == "":
		return fault.New(fault.BadUserInput, "The idempotency key is empty; leave it out where there is none.").At("idempotencyKey")
	case len(name) > maxIdempotencyKey || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fault.New(fault.BadUserInput, "An idempotency key is text of at most %d bytes, without control characters; a UUID is a good one.", maxIdempotencyKey).At("idempotencyKey")
	}
	return nil
}

// note stores what became of lines, in the transaction that stores them.
func (k *keyed) note(ctx context.Context, w *store.Writer, p *piece) error {
	return k.keep(ctx, w, p.first, p.became)
}

// keep stores what became of items from a place on; nothing where nobody named the work.
func (k *keyed) keep(ctx context.Context, w *store.Writer, first int, became []fate) error {
	if !k.named() {
		return nil
	}
	if err := w.HoldKey(ctx, k.name, k.holder, lease, false); err != nil {
		return err
	}
	o := outcome{Problems: map[int]*store.Problem{}}
	for i, f := range became {
		o.Statuses += string(letters[f.status])
		if f.problem != nil {
			o.Problems[i] = f.problem
		}
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return w.PutPiece(ctx, k.work, store.Piece{First: first, Items: len(became), Outcome: text})
}

// parts cuts items into what transactions write: those that are stored already, and chunks of the rest.
func (k *keyed) parts(items, chunk int) iter.Seq2[store.Piece, bool] {
	return func(yield func(store.Piece, bool) bool) {
		stored := k.pieces
		for at := 0; at < items; {
			part, kept := store.Piece{First: at, Items: min(chunk, items-at)}, false
			if len(stored) > 0 {
				if part.Items = min(part.Items, stored[0].First-at); part.Items == 0 {
					part, kept, stored = stored[0], true, stored[1:]
				}
			}
			if at += part.Items; !yield(part, kept) {
				return
			}
		}
	}
}

// recall tells lines that are stored what became of them.
func (k *keyed) recall(ctx context.Context, c *chunk) error {
	was, err := outcomeOf([]store.Piece{{Items: c.kept.Items, Outcome: c.kept.Outcome}}, len(c.lines))
	if err != nil {
		return err
	}
	keys := make([]string, len(c.lines))
	for i, l := range c.lines {
		keys[i] = l.activity.ExternalID
	}
	now, err := activitiesBy(ctx, k.tenant, keys, len(keys))
	if err != nil {
		return err
	}
	for i, l := range c.lines {
		l.status, l.failure = was.status(i), nil
		switch a := now[keys[i]]; {
		case l.status == store.Failed:
			l.failure = was.Problems[i]
		case a != nil:
			l.activity = *a
			l.activity.Problem = was.Problems[i]
		}
	}
	return nil
}

// end closes the work, or gives the key back where it failed, and passes the error on.
func (k *keyed) end(ctx context.Context, err error) error {
	if !k.named() {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err == nil {
		if err = k.tenant.Write(ctx, k.finish); err == nil {
			return nil
		}
	}
	if errors.Is(err, store.ErrNotHeld) {
		return fault.Wrap(err, fault.Conflict, "The work took so long that another request with the same idempotency key went on with it; send it again for the answer.")
	}
	return errors.Join(err, k.tenant.LeaveKey(ctx, k.name, k.holder))
}

// finish closes the work in a transaction.
func (k *keyed) finish(ctx context.Context, w *store.Writer) error {
	if !k.named() {
		return nil
	}
	return w.HoldKey(ctx, k.name, k.holder, lease, true)
}

// letters are what pieces of work keep of statuses.
var letters = map[store.ItemStatus]byte{store.Created: 'C', store.Updated: 'U', store.Unchanged: '=', store.Failed: 'F'}

// outcome is what became of items, as pieces of work keep it: a letter for each one's status, and the problems by place.
type outcome struct {
	Statuses string                 `json:"s"`
	Problems map[int]*store.Problem `json:"p,omitempty"`
}

// status is what became of an item.
func (o *outcome) status(i int) store.ItemStatus {
	for s, letter := range letters {
		if o.Statuses[i] == letter {
			return s
		}
	}
	return store.Failed
}

// outcomeOf puts the pieces of finished work together.
func outcomeOf(pieces []store.Piece, items int) (*outcome, error) {
	all := &outcome{Problems: map[int]*store.Problem{}}
	for _, p := range pieces {
		var o outcome
		if err := json.Unmarshal(p.Outcome, &o); err != nil {
			return nil, fmt.Errorf("batch: outcome of a piece: %w", err)
		}
		for i, problem := range o.Problems {
			all.Problems[p.First+i] = problem
		}
		all.Statuses += o.Statuses
	}
	if len(all.Statuses) != items {
		return nil, fmt.Errorf("batch: the pieces of finished work hold %d items of %d", len(all.Statuses), items)
	}
	return all, nil
}
