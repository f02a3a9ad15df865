package exec

import (
	"carbongraph/graph/plan"
	"carbongraph/store"
)

// shaper puts the shape of one selection together.
type shaper[T any] struct {
	c      *compiler
	from   *source[T]
	shape  *shape[T]
	open   []op[T] // the segment on the way
	out    *outline
	object *object[T]
}

// outline is a selection as the answer needs it: which segments of a row, and what stands between them.
type outline struct {
	from  *origin
	first int // segment
	links []shower
	price price
}

// shapeOf adds what a field selects on rows of a type to a source.
func shapeOf[T any](c *compiler, from *source[T], of *plan.Field, typeName string) (*outline, error) {
	o, ok := c.engine.objects[typeName].(*object[T])
	if !ok {
		return nil, unknown(NoEncoder, "type %s", typeName)
	}
	s := &shaper[T]{c: c, from: from, shape: &shape[T]{}, out: &outline{from: &from.origin, first: from.segments}, object: o}
	from.shapes = append(from.shapes, s.shape)
	// Segments and links are numbered over all shapes, so each shape must be whole before the next begins: what is below is compiled after.
	var below []func() error
	s.out.price = c.price(of, typeName)
	s.text("{")
	for i, f := range of.Fields(typeName, c.variables) {
		if i > 0 {
			s.text(",")
		}
		s.text(`"` + f.Key + `":`)
		later, err := s.field(f)
		if err != nil {
			return nil, err
		}
		if later != nil {
			below = append(below, later)
		}
	}
	s.text("}")
	s.cut()
	from.segments += len(s.shape.segments)
	for _, later := range below {
		if err := later(); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// field adds one field. What is below a link comes later.
func (s *shaper[T]) field(f *plan.Field) (below func() error, err error) {
	if f.Name() == "__typename" {
		s.text(`"` + s.object.name + `"`)
		return nil, nil
	}
	value, shows, err := s.object.value(s.c, f)
	if err != nil {
		return nil, err
	}
	if value != nil {
		s.open = append(s.open, op[T]{value: value})
		return nil, s.needs(shows)
	}
	r, ok := s.c.engine.relations[s.object.name+"."+f.Name()].(relation[T])
	if !ok {
		return nil, unknown(NoEncoder, "%s.%s", s.object.name, f.Name())
	}
	key, needs := r.key()
	if err := s.needs(needs); err != nil {
		return nil, err
	}
	link, place := s.from.linked, len(s.out.links)
	s.from.linked++
	s.shape.keys = append(s.shape.keys, key)
	s.out.links = append(s.out.links, nil)
	s.cut()
	return func() (err error) {
		s.out.links[place], err = r.link(s.c, s.from, link, f)
		return err
	}, nil
}

// needs has the source read the columns that a field of the row is made of.
func (s *shaper[T]) needs(shows string) error {
	some, ok := store.Showing[T](shows)
	if !ok {
		return unknown(NoEncoder, "no column shows %s of %s", shows, s.object.name)
	}
	s.from.some |= some
	return nil
}

// text adds text to the segment on the way.
func (s *shaper[T]) text(t string) { s.open = appendText(s.open, t) }

func appendText[T any](ops []op[T], t string) []op[T] {
	if n := len(ops); n > 0 && ops[n-1].value == nil {
		ops[n-1].text = append(ops[n-1].text, t...)
		return ops
	}
	return append(ops, op[T]{text: []byte(t)})
}

// cut ends the segment on the way.
func (s *shaper[T]) cut() {
	s.shape.segments = append(s.shape.segments, joined(s.open))
	s.open = nil
}

// joined puts each text together with the value that follows it.
func joined[T any](ops []op[T]) (out []op[T]) {
	for _, o := range ops {
		if n := len(out); n > 0 && o.value != nil && out[n-1].value == nil {
			out[n-1].value = o.value
			continue
		}
		out = append(out, o)
	}
	return out
}

// value gives the encoder of a field that the row alone can tell, and what of the row it shows; nil where there is none.
func (o *object[T]) value(c *compiler, f *plan.Field) (encoder[T], string, error) {
	if l, ok := o.leaves[f.Name()]; ok {
		args := f.Args(c.variables)
		for _, a := range f.Definition.Arguments {
			if a.Type.NonNull && args[a.Name] == nil { // a variable with a default that was sent as null
				return nil, "", unknown(BadArguments, "%s of %s.%s is null", a.Name, o.name, f.Name())
			}
		}
		return l.with(args), l.shows, nil
	}
	if p, ok := o.parts[f.Name()]; ok {
		e := p.plan(c, f)
		return e, p.shows, c.refused
	}
	return nil, "", nil
}

// inline is the encoder of an object that is part of a row; nil where something below it is not.
func inline[C any](c *compiler, of *object[C], f *plan.Field) encoder[C] {
	ops := appendText[C](nil, "{")
	for i, below := range f.Fields(of.name, c.variables) {
		if i > 0 {
			ops = appendText(ops, ",")
		}
		ops = appendText(ops, `"`+below.Key+`":`)
		if below.Name() == "__typename" {
			ops = appendText(ops, `"`+of.name+`"`)
			continue
		}
		value, _, err := of.value(c, below)
		if err != nil {
			c.refused = err
		}
		if value == nil {
			return nil
		}
		ops = append(ops, op[C]{value: value})
	}
	if p := c.price(f, of.name); p.points > 0 || p.varied != nil {
		c.refused = unknown(NoEncoder, "%s is part of a row and weighs something", of.name)
		return nil
	}
	ops = joined(appendText(ops, "}"))
	return func(b []byte, v *C) ([]byte, bool) {
		ok := true
		for i := range ops {
			b = append(b, ops[i].text...)
			if ops[i].value != nil {
				if b, ok = ops[i].value(b, v); !ok {
					return b, false
				}
			}
		}
		return b, true
	}
}

// one is a part that is one object, or none.
func one[T, C any](shows string, of *object[C], nullable bool, get func(*T) (*C, bool)) part[T] {
	return part[T]{shows, func(c *compiler, f *plan.Field) encoder[T] {
		inner := inline(c, of, f)
		if inner == nil {
			return nil
		}
		return func(b []byte, row *T) ([]byte, bool) {
			v, ok := get(row)
			switch {
			case !ok:
				return b, false
			case v == nil:
				return append(b, "null"...), nullable
			}
			return inner(b, v)
		}
	}}
}

// many is a part that is a list of objects.
func many[T, C any](shows string, of *object[C], get func(*T) ([]C, bool)) part[T] {
	return part[T]{shows, func(c *compiler, f *plan.Field) encoder[T] {
		inner := inline(c, of, f)
		if inner == nil {
			return nil
		}
		return func(b []byte, row *T) ([]byte, bool) {
			list, ok := get(row)
			if !ok {
				return b, false
			}
			b = append(b, '[')
			for i := range list {
				if i > 0 {
					b = append(b, ',')
				}
				if b, ok = inner(b, &list[i]); !ok {
					return b, false
				}
			}
			return append(b, ']'), true
		}
	}}
}
