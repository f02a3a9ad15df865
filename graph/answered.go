package graph

import (
	"context"

	"github.com/vektah/gqlparser/v2/ast"
)

// answered tells whether an operation is done already: every field of a mutation names its work by an idempotency key, and all that work is finished. The first
// answer was paid for; to be told it again, by a client whose connection broke, must not depend on what it may still spend or on how busy the server is.
func (h *Handler) answered(ctx context.Context, p *prepared) bool {
	if h.o.Answered == nil || p.op.def.Operation != ast.Mutation {
		return false
	}
	keys, all := keysOf(p.op.def.SelectionSet, p.vars, nil)
	if !all || len(keys) == 0 {
		return false
	}
	done, err := h.o.Answered(ctx, keys)
	return err == nil && done // otherwise it goes the usual way, and fails there
}

// keysOf gives the idempotency keys of root fields; all tells whether each has one.
func keysOf(set ast.SelectionSet, vars map[string]any, keys []string) (_ []string, all bool) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__typename" || left(sel.Directives, vars) {
				continue
			}
			input, _ := sel.ArgumentMap(vars)["input"].(map[string]any)
			key, _ := input["idempotencyKey"].(string)
			if key == "" {
				return nil, false
			}
			keys = append(keys, key)
		case *ast.InlineFragment:
			if keys, all = keysOf(sel.SelectionSet, vars, keys); !all {
				return nil, false
			}
		case *ast.FragmentSpread:
			if keys, all = keysOf(sel.Definition.SelectionSet, vars, keys); !all {
				return nil, false
			}
		}
	}
	return keys, true
}
