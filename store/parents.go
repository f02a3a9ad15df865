package store

import "fmt"

// parentKeys are the parents that children are read for, as one bound array in the order given.
type parentKeys struct {
	name   string // of their type, as the contract has it
	column string // that names the parent in the children's rows
	list   listType
	values any // []ID or []int32
	kind   keyKind
	count  int
}

// newParentKeys reads parents of one kind. belongs tells the column for a kind, "" where there is none.
func newParentKeys(kind Kind, rows []ID, belongs func(Kind) (column, name string)) (parentKeys, error) {
	p := parentKeys{list: listUUID, kind: keyID, count: len(rows), values: rows}
	if p.column, p.name = belongs(kind); p.column == "" && len(rows) > 0 {
		return p, fmt.Errorf("store: rows of kind %d have no such children", kind)
	}
	if kind == KindCategory {
		numbers := make([]int32, len(rows))
		for i, row := range rows {
			numbers[i] = int32(GlobalID{kind, row}.CategoryNumber())
		}
		p.list, p.values, p.kind = listInt, numbers, keyInt
	}
	return p, nil
}

// row is the row of the parent that a key names.
func (k key) row() ID {
	if k.kind == keyInt {
		return CategoryID(int(k.num)).Row
	}
	return k.id
}

// first is the first parent, as a statement binds it.
func (p parentKeys) first() any {
	switch v := p.values.(type) {
	case []int32:
		return int(v[0])
	case []ID:
		return v[0]
	}
	return nil
}
