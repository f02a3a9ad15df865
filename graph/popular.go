package graph

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/store"
)

// AskedID names an operation with its variables, of one organization and role, asked of one release of the program.
type AskedID [sha256.Size]byte

// MarshalText writes it in hexadecimal.
func (id AskedID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads it.
func (id *AskedID) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err == nil && copy(id[:], b) != len(b) {
		err = hex.ErrLength
	}
	return err
}

// Asked is an operation whose answer is kept, and how often it was asked lately.
type Asked struct {
	ID        AskedID         `json:"id"`
	Org       store.ID        `json:"org"`
	Role      store.Role      `json:"role"`
	Document  string          `json:"document"`
	Operation string          `json:"operation,omitempty"`
	Variables json.RawMessage `json:"variables,omitempty"`
	Score     float64         `json:"score"` // how often, as of At: what is older counts less
	At        time.Time       `json:"at"`
}

const (
	// halfLife is after how long having been asked counts half.
	halfLife = time.Hour
	// popularFrom is the score from which an operation is popular: asked twice, and not long ago.
	popularFrom = 1.5
	// mostAsked are the operations that are remembered, mostOfOne those of one organization, and mostText the bytes of one's document and of its variables.
	mostAsked, mostOfOne = 2000, 200
	mostText             = 8 << 10
	// mostScore is more than anything is asked in an hour.
	mostScore = 1e9
)

// score is the score at a later moment.
func (a *Asked) score(now time.Time) float64 {
	return a.Score * math.Exp2(-max(0, now.Sub(a.At).Seconds())/halfLife.Seconds())
}

// Popular remembers which operations are asked most, of each organization by itself: where there is no room, an organization that has more than its share makes it.
type Popular struct {
	now func() time.Time

	mu    sync.Mutex
	of    map[store.ID]map[AskedID]*Asked
	count int
}

func newPopular(now func() time.Time) *Popular {
	return &Popular{now: now, of: map[store.ID]map[AskedID]*Asked{}}
}

// asked counts an operation once. New ones are made by the func.
func (p *Popular) asked(org store.ID, id AskedID, made func() *Asked) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.of[org][id]; a != nil {
		a.Score, a.At = a.score(now)+1, now
		return
	}
	if a := made(); a != nil {
		a.ID, a.Org, a.Score, a.At = id, org, 1, now
		p.put(a, now)
	}
}

// learn takes over what another server, or this one before it was started, has counted. To learn the same again changes nothing.
func (p *Popular) learn(a *Asked) {
	now := p.now()
	a.Score = min(a.Score, mostScore) // it comes from elsewhere
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.of[a.Org][a.ID]; have != nil {
		if score := a.score(now); score > have.score(now) {
			have.Score, have.At = score, now
		}
		return
	}
	p.put(a, now)
}

// put remembers an operation, where need be in the place of the one that its organization asks least, or that the largest does.
func (p *Popular) put(a *Asked, now time.Time) {
	own := p.of[a.Org]
	if own == nil {
		own = map[AskedID]*Asked{}
		p.of[a.Org] = own
	}
	switch full := p.count >= mostAsked; {
	case len(own) >= mostOfOne || full && len(own)*len(p.of) >= mostAsked:
		p.forgetLeast(a.Org, now)
	case full:
		largest := a.Org
		for org, all := range p.of {
			if len(all) > len(p.of[largest]) {
				largest = org
			}
		}
		p.forgetLeast(largest, now)
	}
	own[a.ID] = a
	p.of[a.Org] = own // it may have gone with its last
	p.count++
}

func (p *Popular) forgetLeast(org store.ID, now time.Time) {
	var least *Asked
	for _, a := range p.of[org] {
		if least == nil || a.score(now) < least.score(now) {
			least = a
		}
	}
	if least != nil {
		p.remove(least.Org, least.ID)
	}
}

func (p *Popular) remove(org store.ID, id AskedID) {
	if p.of[org][id] == nil {
		return
	}
	delete(p.of[org], id)
	p.count--
	if len(p.of[org]) == 0 {
		delete(p.of, org)
	}
}

// forget forgets an operation.
func (p *Popular) forget(org store.ID, id AskedID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(org, id)
}

// Organizations gives those that have asked something.
func (p *Popular) Organizations() []store.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]store.ID, 0, len(p.of))
	for org := range p.of {
		all = append(all, org)
	}
	return all
}

// Most gives the popular operations of an organization, the one asked most first, so many at most.
func (p *Popular) Most(org store.ID, most int) []*Asked {
	now := p.now()
	p.mu.Lock()
	all := make([]*Asked, 0, len(p.of[org]))
	for _, a := range p.of[org] {
		if a.score(now) >= popularFrom {
			copied := *a
			all = append(all, &copied)
		}
	}
	p.mu.Unlock()
	slices.SortFunc(all, func(a, b *Asked) int { return cmp.Compare(b.score(now), a.score(now)) })
	return all[:min(len(all), most)]
}

// All gives every operation that is remembered.
func (p *Popular) All() []*Asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*Asked, 0, p.count)
	for _, own := range p.of {
		for _, a := range own {
			copied := *a
			all = append(all, &copied)
		}
	}
	return all
}

// Known tells how many operations are remembered.
func (p *Popular) Known() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// knows tells whether an operation is remembered.
func (p *Popular) knows(org store.ID, id AskedID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[org][id] != nil
}

// note counts an operation of somebody who waits for it, where its answer is kept.
func (p *Popular) note(v *auth.Viewer, o *prepared, s *slot) {
	p.asked(v.Org, s.asked, func() *Asked {
		given := map[string]any{}
		for _, def := range o.op.def.VariableDefinitions {
			if v, ok := o.in.variables[def.Variable]; ok {
				given[def.Variable] = v
			}
		}
		variables, err := json.Marshal(given)
		if err != nil || len(o.text) > mostText || len(variables) > mostText {
			return nil
		}
		return &Asked{Role: v.Role, Document: strings.Clone(o.text), Operation: strings.Clone(o.in.name), Variables: variables} // of the request nothing is held
	})
}
