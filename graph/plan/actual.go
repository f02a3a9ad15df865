package plan

import (
	"cmp"
	"maps"
	"slices"
)

// Actual is what an answer cost, by the weights that its cost was known by beforehand: only objects that are in data count, and of a list no more than were
// counted before. It is never more than Cost. data is the JSON of the answer's data, as an engine wrote it.
func (p *Plan) Actual(data []byte, variables map[string]any) int {
	w := newWalk(data, variables)
	if !w.enters('{') {
		return 0
	}
	return w.object(&p.root, p.root.selected(variables), nil)
}

// ItemCost is what one value of the field cost. value is its JSON.
func (f *Field) ItemCost(value []byte, variables map[string]any) int {
	w := newWalk(value, variables)
	return w.item(f)
}

// walk goes through an answer, byte by byte.
type walk struct {
	text      []byte
	at        int
	variables map[string]any
	kinds     map[*Field][]kind
	members   []member
}

func newWalk(text []byte, variables map[string]any) *walk {
	return &walk{text: text, variables: variables, kinds: map[*Field][]kind{}}
}

// kind is a type that a field's values may have, and what is selected on it.
type kind struct {
	object string
	group  *group
	fields []*Field
	most   int // what a value of it costs at most
}

// kindsOf gives the types of a field, the dearest first.
func (w *walk) kindsOf(f *Field) []kind {
	if known, ok := w.kinds[f]; ok {
		return known
	}
	var out []kind
	size := f.Size(w.variables)
	for _, object := range slices.Sorted(maps.Keys(f.children)) {
		g := f.children[object]
		out = append(out, kind{object, g, g.selected(w.variables), g.cost(f, size, w.variables)})
	}
	slices.SortStableFunc(out, func(a, b kind) int { return cmp.Compare(b.most, a.most) })
	w.kinds[f] = out
	return out
}

// Certain tells that a value of this type is told from those of other types by its JSON: by __typename, or by which fields it has.
func (f *Field) Certain(object string, variables map[string]any) bool {
	own := f.Fields(object, variables)
	for other := range f.children {
		if other != object && alike(own, f.Fields(other, variables)) {
			return false
		}
	}
	return true
}

func alike(a, b []*Field) bool {
	return slices.EqualFunc(a, b, func(a, b *Field) bool { return a.Key == b.Key && a.Name() != "__typename" })
}

// item is what a value costs that the walk stands before. Where its type is not certain, it has the dearest of the types that it may have.
func (w *walk) item(f *Field) int {
	kinds := w.kindsOf(f)
	if w.peek() != '{' || len(kinds) == 0 {
		w.skip()
		return 0
	}
	is := kinds[0]
	if len(kinds) > 1 {
		is = w.which(kinds)
	}
	w.at++
	return w.object(is.group, is.fields, f)
}

// member is a name and a value of an object.
type member struct{ name, value []byte }

// which finds the type of the object that the walk stands before, and stays there.
func (w *walk) which(kinds []kind) kind {
	before := w.at
	w.members = w.members[:0]
	w.at++
	for w.more('}') {
		name := w.name()
		from := w.at
		w.skip()
		w.members = append(w.members, member{name, w.text[from:w.at]})
	}
	w.at = before
	for _, k := range kinds {
		if slices.EqualFunc(k.fields, w.members, k.has) {
			return k
		}
	}
	return kinds[0]
}

func (k kind) has(f *Field, m member) bool {
	return f.Key == string(m.name) && (f.Name() != "__typename" || string(m.value) == `"`+k.object+`"`)
}

// object is what an object costs that the field gives. The walk is within it. Fields are in the order of the answer, so that none counts twice.
func (w *walk) object(g *group, fields []*Field, of *Field) int {
	page := 0
	if of.pages() {
		page = of.Size(w.variables)
	}
	cost, rows, longest := 0, 0, none
	for w.more('}') {
		name := w.name()
		i := slices.IndexFunc(fields, func(f *Field) bool { return f.Key == string(name) })
		if i < 0 {
			w.skip()
			continue
		}
		f := fields[i]
		fields = fields[i+1:]
		below, items := w.field(f, page)
		if f.sized {
			rows, longest = plus(rows, below), max(longest, items)
		} else {
			cost = plus(cost, below)
		}
	}
	if of.pages() {
		if longest == none {
			longest = page // nothing shows how many were read
		}
		rows = max(rows, longest)
	}
	return plus(plus(g.weight, cost), rows)
}

const none = -1

// field is what a field costs, and how many values it has. page is how many it may have, where the field above says so.
func (w *walk) field(f *Field, page int) (cost, items int) {
	cost = f.Weight(w.variables)
	switch {
	case f.children == nil:
		w.skip()
		return cost, 0
	case !f.list:
		return plus(cost, w.item(f)), 1
	case !w.enters('['):
		return cost, 0
	}
	if !f.sized {
		page = f.Size(w.variables)
	}
	for w.more(']') {
		below := w.item(f)
		if items < page {
			cost = plus(cost, below)
			items++
		}
	}
	return cost, items
}

// peek gives the next byte that means something; 0 at the end.
func (w *walk) peek() byte {
	for ; w.at < len(w.text); w.at++ {
		switch c := w.text[w.at]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
		default:
			return c
		}
	}
	return 0
}

// enters goes into an object or a list; anything else, which is null, it passes over.
func (w *walk) enters(open byte) bool {
	if w.peek() != open {
		w.skip()
		return false
	}
	w.at++
	return true
}

// more tells whether there is more before the end, which it passes. What is no JSON ends there.
func (w *walk) more(end byte) bool {
	switch c := w.peek(); c {
	case 0:
		return false
	case end:
		w.at++
		return false
	case '}', ']':
		w.at = len(w.text)
		return false
	}
	return true
}

// name reads the name of a member. Those of an answer have nothing escaped.
func (w *walk) name() []byte {
	from := w.at
	w.skip()
	if w.at-from < 2 || w.text[from] != '"' {
		return nil
	}
	name := w.text[from+1 : w.at-1]
	w.peek()
	return name
}

// skip passes over a value.
func (w *walk) skip() {
	w.peek()
	for depth := 0; w.at < len(w.text); w.at++ {
		switch w.text[w.at] {
		case '"':
			if w.quoted(); depth == 0 {
				w.at = min(w.at+1, len(w.text))
				return
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				if depth == 0 {
					w.at++
				}
				return
			}
		case ',', ':':
			if depth == 0 {
				return
			}
		}
	}
}

// quoted goes to the end of a text.
func (w *walk) quoted() {
	text, at := w.text, w.at+1
	for at < len(text) && text[at] != '"' {
		if text[at] == '\\' {
			at++
		}
		at++
	}
	w.at = min(at, len(text))
}
