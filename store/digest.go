package store

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
)

// digest stands for what a line says, so that saying it again is found out by sixteen bytes. The zero digest says nothing, and is NULL in SQL.
type digest [16]byte

// Value writes the digest for SQL.
func (d digest) Value() (driver.Value, error) {
	if d == (digest{}) {
		return nil, nil
	}
	return d[:], nil
}

// Scan reads the digest from SQL.
func (d *digest) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = digest{}
		return nil
	case []byte:
		if copy(d[:], v) == len(d) && len(v) == len(d) {
			return nil
		}
	}
	return fmt.Errorf("store: cannot read a digest from %T", src)
}

// said gathers what is digested: each value with its length before it, so that no two lists of values look alike.
type said []byte

func (s *said) text(v string) {
	*s = binary.AppendUvarint(*s, uint64(len(v))+1)
	*s = append(*s, v...)
}

func (s *said) maybe(v *string) {
	if v == nil {
		*s = append(*s, 0)
		return
	}
	s.text(*v)
}

func (s *said) number(v int64) { *s = binary.AppendVarint(append(*s, 8), v) }

func (s *said) id(v *ID) {
	if v == nil {
		*s = append(*s, 0)
		return
	}
	*s = append(append(*s, 16), v[:]...)
}

func (s said) digest() digest {
	sum := sha256.Sum256(s)
	return digest(sum[:16])
}

// contentDigest stands for what the ledger says of a line. The external id is not in it: it is what lines are matched by.
func contentDigest(a *Activity) digest {
	s := make(said, 0, 256)
	s.id(a.SupplierID)
	s.number(int64(a.CategoryNumber))
	s.text(a.Description)
	s.maybe(a.AccountCode)
	s.text(a.OccurredOn.String())
	if a.Quantity != nil {
		s.number(int64(a.Quantity.Value))
		s.text(a.Quantity.Unit)
	}
	s = append(s, '|')
	if a.Money != nil {
		s.number(int64(a.Money.Amount))
		s.text(a.Money.Currency)
	}
	s.maybe(a.Country)
	if a.FactorID != nil {
		s.text("factor")
		s.id(a.FactorID)
	}
	if a.GivenCategory != nil {
		s.text("category")
		s.number(int64(*a.GivenCategory))
	}
	if a.ConversionProperty != nil {
		s.text("property")
		s.text(*a.ConversionProperty)
	}
	if a.UncertaintyPercent != nil {
		s.text("uncertainty")
		s.number(int64(*a.UncertaintyPercent))
	}
	return s.digest()
}
