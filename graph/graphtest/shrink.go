package graphtest

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Shrink gives the smallest document it finds that still fails, within so many tries. It drops operations, selections, directives, arguments and
// parts of their values, the largest first.
func (d *Document) Shrink(tries int, fails func(*Document) bool) *Document {
	d = &Document{Seed: d.Seed, Index: d.Index, Rash: d.Rash, OperationName: d.OperationName, Variables: d.Variables, query: d.query, operation: d.operation, style: pretty}
	for progress := true; progress; {
		progress = false
		for at := 0; ; {
			edits := d.edits()
			if at >= len(edits) {
				break
			}
			if tries--; tries < 0 {
				return d.tidied()
			}
			undo := edits[at]()
			if fails(d.tidied()) {
				progress = true
				continue
			}
			undo()
			at++
		}
	}
	return d.tidied()
}

// tidied gives the document as it is sent. What it drops stays in the original, where it may be needed again.
func (d *Document) tidied() *Document {
	c := *d
	query := *d.query
	c.query = &query
	c.query.Operations = slices.Clone(d.query.Operations)
	for i, op := range c.query.Operations {
		own := *op
		c.query.Operations[i] = &own
		if op == d.operation {
			c.operation = &own
		}
	}
	c.finish()
	return &c
}

// edit changes a document and gives what changes it back.
type edit func() (undo func())

// edits lists what can be dropped.
func (d *Document) edits() (list []edit) {
	for i, op := range d.query.Operations {
		if op != d.operation {
			list = append(list, without(&d.query.Operations, i))
		}
	}
	for _, op := range d.query.Operations {
		list = append(list, d.setEdits(&op.SelectionSet)...)
	}
	for _, f := range d.query.Fragments {
		list = append(list, d.setEdits(&f.SelectionSet)...)
	}
	return list
}

func without[S ~[]E, E any](list *S, i int) edit {
	return func() func() {
		was := *list
		*list = slices.Delete(slices.Clone(was), i, i+1)
		return func() { *list = was }
	}
}

// instead puts others in the place of one selection.
func instead(set *ast.SelectionSet, i int, others ...ast.Selection) edit {
	return func() func() {
		was := *set
		*set = slices.Insert(slices.Delete(slices.Clone(was), i, i+1), i, others...)
		return func() { *set = was }
	}
}

func (d *Document) setEdits(set *ast.SelectionSet) (list []edit) {
	for i, s := range *set {
		f, isField := s.(*ast.Field)
		switch {
		case len(*set) > 1:
			list = append(list, without(set, i))
		case !isField || f.Name != typename.Name:
			list = append(list, instead(set, i, &ast.Field{Alias: typename.Name, Name: typename.Name}))
		}
	}
	for i, s := range *set {
		switch s := s.(type) {
		case *ast.Field:
			list = append(list, d.setEdits(&s.SelectionSet)...)
			list = append(list, listEdits(&s.Directives)...)
			list = append(list, listEdits(&s.Arguments)...)
			for _, a := range s.Arguments {
				list = append(list, valueEdits(a.Value)...)
			}
		case *ast.InlineFragment:
			list = append(list, instead(set, i, s.SelectionSet...))
			list = append(list, d.setEdits(&s.SelectionSet)...)
			list = append(list, listEdits(&s.Directives)...)
		case *ast.FragmentSpread:
			if f := d.query.Fragments.ForName(s.Name); f != nil {
				list = append(list, instead(set, i, &ast.InlineFragment{TypeCondition: f.TypeCondition, Directives: s.Directives, SelectionSet: f.SelectionSet}))
			}
			list = append(list, listEdits(&s.Directives)...)
		}
	}
	return list
}

func listEdits[S ~[]E, E any](from *S) (list []edit) {
	for i := range *from {
		list = append(list, without(from, i))
	}
	return list
}

func valueEdits(v *ast.Value) (list []edit) {
	list = listEdits(&v.Children)
	for _, c := range v.Children {
		list = append(list, valueEdits(c.Value)...)
	}
	return list
}
