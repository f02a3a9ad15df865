package graphtest

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The ways that a document is written: as people do, as short as can be, and as odd as the grammar allows.
const (
	pretty = iota
	short
	odd
	styles
)

// writer writes a document. What it can write is what the generator makes.
type writer struct {
	strings.Builder
	style  int
	indent int
}

func written(doc *ast.QueryDocument, style int) string {
	w := &writer{style: style}
	if style == odd {
		w.WriteString("\ufeff# made by a machine\r\n,, ")
	}
	for i, op := range doc.Operations {
		w.definition(i)
		w.operation(op, len(doc.Operations) == 1)
	}
	for _, f := range doc.Fragments {
		w.definition(1)
		w.words("fragment", f.Name, "on", f.TypeCondition)
		w.set(f.SelectionSet)
	}
	return w.String()
}

func (w *writer) definition(nr int) {
	if nr > 0 {
		w.WriteString("\n")
	}
}

func (w *writer) operation(op *ast.OperationDefinition, alone bool) {
	if !alone || op.Name != "" || len(op.VariableDefinitions) > 0 {
		w.words("query")
		if op.Name != "" {
			w.words(" " + op.Name)
		}
	}
	if len(op.VariableDefinitions) > 0 {
		w.WriteByte('(')
		for i, v := range op.VariableDefinitions {
			w.comma(i)
			w.WriteString("$" + v.Variable)
			w.colon()
			w.WriteString(v.Type.String())
			if v.DefaultValue != nil {
				w.WriteString(" = ")
				w.value(v.DefaultValue)
			}
		}
		w.WriteByte(')')
	}
	w.set(op.SelectionSet)
}

func (w *writer) words(words ...string) { w.WriteString(strings.Join(words, " ")) }

func (w *writer) comma(i int) {
	switch {
	case i == 0:
	case w.style == short:
		w.WriteByte(' ')
	case w.style == odd:
		w.WriteString(" ,\n,\t")
	default:
		w.WriteString(", ")
	}
}

func (w *writer) colon() {
	switch w.style {
	case short:
		w.WriteByte(':')
	case odd:
		w.WriteString(" : # ]}\"\n")
	default:
		w.WriteString(": ")
	}
}

func (w *writer) line() {
	switch w.style {
	case short:
		w.WriteByte(' ')
	case odd:
		w.WriteString("\r\n,")
	default:
		w.WriteString("\n" + strings.Repeat("  ", w.indent))
	}
}

func (w *writer) set(set ast.SelectionSet) {
	if w.Len() > 0 {
		w.WriteByte(' ')
	}
	w.WriteByte('{')
	w.indent++
	for _, s := range set {
		w.line()
		switch s := s.(type) {
		case *ast.Field:
			if s.Alias != s.Name {
				w.WriteString(s.Alias)
				w.colon()
			}
			w.WriteString(s.Name)
			w.arguments(s.Arguments)
			w.directives(s.Directives)
			if len(s.SelectionSet) > 0 {
				w.set(s.SelectionSet)
			}
		case *ast.InlineFragment:
			w.WriteString("...")
			if s.TypeCondition != "" {
				w.words(" on", s.TypeCondition)
			}
			w.directives(s.Directives)
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			w.WriteString("..." + s.Name)
			w.directives(s.Directives)
		}
	}
	w.indent--
	w.line()
	w.WriteByte('}')
}

func (w *writer) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.WriteString(" @" + d.Name)
		w.arguments(d.Arguments)
	}
}

func (w *writer) arguments(list ast.ArgumentList) {
	if len(list) == 0 {
		return
	}
	w.WriteByte('(')
	for i, a := range list {
		w.comma(i)
		w.WriteString(a.Name)
		w.colon()
		w.value(a.Value)
	}
	w.WriteByte(')')
}

func (w *writer) value(v *ast.Value) {
	switch v.Kind {
	case ast.Variable:
		w.WriteString("$" + v.Raw)
	case ast.StringValue:
		w.text(v.Raw)
	case ast.BlockValue:
		w.WriteString(`"""` + v.Raw + `"""`)
	case ast.ListValue:
		w.WriteByte('[')
		for i, c := range v.Children {
			w.comma(i)
			w.value(c.Value)
		}
		w.WriteByte(']')
	case ast.ObjectValue:
		w.WriteByte('{')
		for i, c := range v.Children {
			w.comma(i)
			w.WriteString(c.Name)
			w.colon()
			w.value(c.Value)
		}
		w.WriteByte('}')
	default:
		w.WriteString(v.Raw)
	}
}

// text writes a string; in the odd style what need not be escaped is escaped as well.
func (w *writer) text(s string) {
	w.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f || w.style == odd && r < 0xd800 && (r > 0x7f || r%16 == 1):
			fmt.Fprintf(w, `\u%04x`, r)
		default:
			w.WriteRune(r)
		}
	}
	w.WriteByte('"')
}

// key writes arguments so that equal ones are equal text.
func key(list ast.ArgumentList) string {
	w := &writer{style: short}
	w.arguments(list)
	return w.String()
}
