package store

import (
	"context"
	"fmt"
)

// parentKeys are the parents that children are read for, as one bound array in the order given.
type parentKeys struct {
	name   string // of their type, as the contract has it
	column string // that names the parent in the children's rows
	list   listType
	values any // []string or []int32
	keys   []key
	count  int
}

// newParentKeys reads parents of one kind. belongs tells the column for a kind, "" where there is none. A parent of another kind than the first
// has no children.
func newParentKeys(parents []GlobalID, belongs func(Kind) (column, name string)) (parentKeys, error) {
	p := parentKeys{list: listUUID, count: len(parents), keys: make([]key, len(parents))}
	if len(parents) == 0 {
		return p, nil
	}
	kind := parents[0].Kind
	if p.column, p.name = belongs(kind); p.column == "" {
		return p, fmt.Errorf("store: rows of kind %d have no such children", kind)
	}
	if kind == KindCategory {
		numbers := make([]int32, len(parents))
		for i, g := range parents {
			numbers[i] = int32(g.CategoryNumber())
			p.keys[i] = key{kind: keyInt, num: int64(numbers[i])}
		}
		p.list, p.values = listInt, numbers
		return p, nil
	}
	rows := make([]string, len(parents))
	for i, g := range parents {
		if g.Kind != kind {
			g.Row = ID{}
		}
		rows[i], p.keys[i] = g.Row.String(), idKey(g.Row)
	}
	p.values = rows
	return p, nil
}

// grouped reads aggregates of the children of each parent in one statement. dest gives what one parent's aggregates are scanned to, keep gets
// each place at which that parent stands.
func (p parentKeys) grouped(ctx context.Context, s *Store, b *statement, table, alias, aggregates string, dest []any, keep func(at int)) error {
	if p.count == 0 {
		return nil
	}
	at := make(map[key][]int, p.count)
	for i, k := range p.keys {
		at[k] = append(at[k], i)
	}
	b.in(p.column, p.list, p.values)
	text := "SELECT " + p.column + ", " + aggregates + " FROM " + table + " AS " + alias + " WHERE " + b.all() + " GROUP BY " + p.column
	parent := key{kind: p.keys[0].kind}
	dest = append([]any{&parent}, dest...)
	return s.read(ctx, table, text, b, func(scan scanner) error {
		if err := scan(dest...); err != nil {
			return err
		}
		for _, i := range at[parent] {
			keep(i)
		}
		return nil
	})
}
