// Package exec runs queries the short way: a plan becomes a few bulk reads, level by level, and their rows become JSON bytes as they come in.
package exec

import "carbongraph/graph/plan"

// encoder appends the JSON of one field of a row. It is false where the field cannot be told, as for a NULL that the schema rules out: the other
// engine then runs the operation, and says why.
type encoder[T any] func(b []byte, row *T) ([]byte, bool)

// leaf is a field that is a scalar, an enum, or a list of those.
type leaf[T any] struct {
	shows string // the field or method of T that gqlgen binds it to
	// with gives the encoder for these arguments, coerced and with the schema's defaults.
	with func(args map[string]any) encoder[T]
}

// part is a field whose object, or list of objects, is part of the row itself.
type part[T any] struct {
	shows string
	plan  func(c *compiler, f *plan.Field) encoder[T]
}

// object is how the rows of one type of the schema are written: each field that its row alone can tell. encoders_gen.go has all of them.
type object[T any] struct {
	name   string
	leaves map[string]leaf[T]
	parts  map[string]part[T]
}

// plain is the leaf of a field without arguments.
func plain[T any](shows string, e encoder[T]) leaf[T] {
	return leaf[T]{shows, func(map[string]any) encoder[T] { return e }}
}

// argument reads an argument whose Go type is a text: an enum.
func argument[E ~string](args map[string]any, name string) E {
	s, _ := args[name].(string)
	return E(s)
}

// maybeArgument reads one that can be null, or left away.
func maybeArgument[E ~string](args map[string]any, name string) *E {
	s, given := args[name].(string)
	if !given {
		return nil
	}
	return new(E(s))
}
