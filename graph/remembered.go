package graph

import (
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/store"
)

const (
	// rememberedBytes is the memory that requests may take which came before, and longestRemembered how long one may be that is remembered.
	rememberedBytes   = 16 << 20
	longestRemembered = 8 << 10
	// preparedBytes and preparedTimes, somewhat above what was measured, are what a request becomes that is read and prepared: so much, and so many times its length.
	preparedBytes = 2 << 10
	preparedTimes = 12
)

// remembered keeps requests as they were read and prepared, by the bytes that they came in: front ends ask the same over and over, and to read and check it again would take
// longer than to find its answer. A request means the same to all callers of a role.
type remembered struct {
	kept *otter.Cache[requestKey, *prepared]
}

type requestKey struct {
	text        string // the body, or the query part of the address
	role        store.Role
	introspects bool
	safe        bool
}

func newRemembered() *remembered {
	return &remembered{otter.Must(&otter.Options[requestKey, *prepared]{
		MaximumWeight: rememberedBytes, Weigher: func(k requestKey, p *prepared) uint32 {
			return uint32(preparedBytes + preparedTimes*len(k.text) + len(p.text)*astBytes)
		},
	})}
}

// find gives what a request was prepared to.
func (m *remembered) find(key requestKey) *prepared {
	if len(key.text) > longestRemembered {
		return nil
	}
	p, _ := m.kept.GetIfPresent(key)
	return p
}

// keep remembers a query. A text that comes with its hash is to be kept under that each time, and what changes something is rare enough to be read anew.
func (m *remembered) keep(key requestKey, p *prepared) {
	if len(key.text) <= longestRemembered && p.op.def.Operation == ast.Query && (p.in.hash == "" || p.in.query == "") {
		m.kept.Set(key, p)
	}
}
