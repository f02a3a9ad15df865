package store

import (
	"database/sql/driver"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"carbongraph/internal/fault"
)

// ID is a row's key: a UUIDv7 that the program makes.
type ID uuid.UUID

// String writes the canonical UUID text.
func (id ID) String() string { return uuid.UUID(id).String() }

// IsZero tells whether the id was never set.
func (id ID) IsZero() bool { return id == ID{} }

// Value writes the id for SQL as UUID text.
func (id ID) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.String(), nil
}

// Scan reads the id from SQL.
func (id *ID) Scan(src any) error { return (*uuid.UUID)(id).Scan(src) }

// MarshalText writes the canonical UUID text, for JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads UUID text.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}

// ParseID reads UUID text.
func ParseID(s string) (ID, error) {
	u, err := uuid.Parse(s)
	if err != nil {
		return ID{}, fault.New(fault.BadUserInput, "%.60q is not a UUID.", s)
	}
	return ID(u), nil
}

// Kind names the type that a global id stands for. Its values are part of every id ever given out: never renumber.
type Kind byte

// The kinds of node.
const (
	KindOrganization Kind = iota + 1
	KindCategory
	KindSupplier
	KindActivity
	KindEmission
	KindEmissionFactor
	KindFactorDataset
	KindCalculationRun
	KindAPIKey
	KindBatch
	KindFactorMapping
	kindEnd
)

// Type is the name that the graph has for rows of the kind.
func (k Kind) Type() string {
	names := [...]string{KindOrganization: "Organization", KindCategory: "Category", KindSupplier: "Supplier", KindActivity: "Activity", KindEmission: "Emission",
		KindEmissionFactor: "EmissionFactor", KindFactorDataset: "FactorDataset", KindCalculationRun: "CalculationRun", KindAPIKey: "ApiKey", KindBatch: "Batch",
		KindFactorMapping: "FactorMapping"}
	if int(k) >= len(names) {
		return ""
	}
	return names[k]
}

// GlobalID is an id as clients see it: opaque, of one type and one row. It hides nothing: whoever decodes one still asks through a Tenant.
type GlobalID struct {
	Kind Kind
	Row  ID
}

// Global makes the global id of a row.
func Global(kind Kind, row ID) GlobalID { return GlobalID{kind, row} }

// String writes the id for clients.
func (g GlobalID) String() string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{byte(g.Kind)}, g.Row[:]...))
}

// ParseGlobalID reads an id that a client sent; what is none is BAD_USER_INPUT.
func ParseGlobalID(s string) (GlobalID, error) {
	b, err := decode(s)
	if err != nil || len(b) != 17 || Kind(b[0]) == 0 || Kind(b[0]) >= kindEnd {
		return GlobalID{}, fault.New(fault.BadUserInput, "%.60q is not an id of this server; pass an id as it was given in an answer.", s)
	}
	return GlobalID{Kind(b[0]), ID(b[1:])}, nil
}

// errNotAsGiven is what a text fails with that only reads as one of ours.
var errNotAsGiven = errors.New("store: not as it was given out")

// decode reads the base64 of ids and cursors. Each has one text alone: Go's decoder would pass over line breaks.
func decode(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err == nil && base64.RawURLEncoding.EncodedLen(len(b)) != len(s) {
		err = errNotAsGiven
	}
	return b, err
}

// MarshalText writes the id for clients, for JSON.
func (g GlobalID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads an id that a client sent.
func (g *GlobalID) UnmarshalText(b []byte) (err error) {
	*g, err = ParseGlobalID(string(b))
	return err
}

// CategoryID is the global id of a category: its number stands where rows have a UUID.
func CategoryID(number int) GlobalID {
	g := GlobalID{Kind: KindCategory}
	g.Row[15] = byte(number)
	return g
}

// CategoryNumber gives the number that CategoryID put in; 0 where the id is of another kind or of no category.
func (g GlobalID) CategoryNumber() int {
	if n := int(g.Row[15]); g.Kind == KindCategory && n >= 1 && n <= 15 && g == CategoryID(n) {
		return n
	}
	return 0
}

// GoString eases reading test failures.
func (g GlobalID) GoString() string { return fmt.Sprintf("GlobalID(%d:%s)", g.Kind, g.Row) }
