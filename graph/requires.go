package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Requires is the directive @requires: it runs the field for those alone who hold the role.
func Requires(ctx context.Context, _ any, next graphql.Resolver, role store.Role) (any, error) {
	if !auth.From(ctx).Can(role) {
		return nil, lacks(role)
	}
	return next(ctx)
}

func lacks(role store.Role) *fault.Fault {
	return fault.New(fault.Forbidden, "This asks for the role %s. Use a key that has it.", role)
}

// required is the role that a field asks for, empty where it asks for none.
func required(f *ast.Field) store.Role {
	if f.Definition == nil {
		return ""
	}
	if d := f.Definition.Directives.ForName("requires"); d != nil {
		if a := d.Arguments.ForName("role"); a != nil {
			return store.Role(a.Value.Raw)
		}
	}
	return ""
}

// missing gives the first role that the operation asks for and the viewer lacks. It is asked before anything runs, so that a
// mutation is not half done when its second field turns out to be forbidden. Fields that @skip or @include leave out do not count.
func missing(v *auth.Viewer, set ast.SelectionSet, vars map[string]any, seen map[string]bool) store.Role {
	for _, sel := range set {
		var below ast.SelectionSet
		switch sel := sel.(type) {
		case *ast.Field:
			if left(sel.Directives, vars) {
				continue
			}
			if role := required(sel); role != "" && !v.Can(role) {
				return role
			}
			below = sel.SelectionSet
		case *ast.InlineFragment:
			if left(sel.Directives, vars) {
				continue
			}
			below = sel.SelectionSet
		case *ast.FragmentSpread:
			if seen[sel.Name] || left(sel.Directives, vars) {
				continue
			}
			seen[sel.Name] = true
			below = sel.Definition.SelectionSet
		}
		if role := missing(v, below, vars, seen); role != "" {
			return role
		}
	}
	return ""
}

// left tells whether @skip or @include leaves the selection out.
func left(d ast.DirectiveList, vars map[string]any) bool {
	return is(d.ForName("skip"), true, vars) || is(d.ForName("include"), false, vars)
}

func is(d *ast.Directive, want bool, vars map[string]any) bool {
	if d == nil {
		return false
	}
	a := d.Arguments.ForName("if")
	if a == nil {
		return false
	}
	v, err := a.Value.Value(vars)
	return err == nil && v == want
}
