package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"sync"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// A cursor is base64url(version ‖ keys ‖ tag): where a row stands in its order, and a tag that only this database can make and
// that covers everything the place depends on: organization, connection, order, direction and filter. See DESIGN.md.
const (
	cursorVersion = 1
	cursorTag     = 16   // bytes of HMAC-SHA256 that are kept
	cursorLimit   = 8192 // characters; ours are shorter, whatever a name holds
)

// keyKind is the type of a key: how it is written into a cursor and bound in a statement. Never renumber.
type keyKind byte

const (
	keyText keyKind = iota + 1
	keyInt
	keyFloat
	keyInstant
	keyDate
	keyID
)

// key is one value of a place in an order. Numbers, instants and days are integers here, so that nothing is lost on the way round.
type key struct {
	kind keyKind
	text string
	num  int64 // integer, bits of a float, microseconds since 1970, days since 1970
	id   ID
}

func idKey(id ID) key { return key{kind: keyID, id: id} }

const day = 24 * time.Hour

func isNoRow(err error) bool { return errors.Is(err, errNoRow) }

// wire reads the key from Postgres' binary form.
func (k *key) wire(b []byte) (err error) {
	switch k.kind {
	case keyText:
		return wireText(&k.text, b)
	case keyID:
		return wireID(&k.id, b)
	case keyDate:
		err = wireInt(&k.num, b)
		k.num += int64(epoch / day)
	case keyInstant:
		err = wireInt(&k.num, b)
		k.num += epoch.Microseconds()
	default:
		err = wireInt(&k.num, b) // the bits of a float are its binary form
	}
	return err
}

// append adds the key as cursors have it.
func (k key) append(b []byte) []byte {
	b = append(b, byte(k.kind))
	switch k.kind {
	case keyText:
		return append(binary.AppendUvarint(b, uint64(len(k.text))), k.text...)
	case keyID:
		return append(b, k.id[:]...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(k.num))
}

// errNoRow is what scanning NULL into a key fails with. Keys of rows are never NULL: a NULL stands where a page has no row.
var errNoRow = errors.New("store: no row")

// Scan reads the key from SQL, as the kind that was set before.
func (k *key) Scan(src any) error {
	if src == nil {
		return errNoRow
	}
	switch k.kind {
	case keyInstant:
		var i exact.Instant
		err := i.Scan(src)
		k.num = i.Time().UnixMicro()
		return err
	case keyDate:
		var d exact.Date
		err := d.Scan(src)
		k.num = d.Time().Unix() / int64(day/time.Second)
		return err
	case keyID:
		return k.id.Scan(src)
	}
	switch v := src.(type) {
	case string:
		k.text = v
	case []byte:
		k.text = string(v)
	case int64:
		k.num = v
	case float64:
		k.num = int64(math.Float64bits(v))
	default:
		return fmt.Errorf("store: cannot read a sort key from %T", src)
	}
	return nil
}

// arg is the key as a statement binds it.
func (k key) arg() any {
	switch k.kind {
	case keyInt:
		return k.num
	case keyFloat:
		return math.Float64frombits(uint64(k.num))
	case keyInstant:
		return exact.InstantOf(time.UnixMicro(k.num)).String()
	case keyDate:
		return exact.DateOf(time.Unix(k.num*int64(day/time.Second), 0)).String()
	case keyID:
		return k.id.String()
	}
	return k.text
}

// place is where a row stands: the keys of its order, the last of which tells rows of the same rank apart.
type place []key

func (p place) append(b []byte) []byte {
	for _, k := range p {
		b = k.append(b)
	}
	return b
}

// parsePlace reads what append wrote. It is false on anything else.
func parsePlace(b []byte) (place, bool) {
	var p place
	for len(b) > 0 {
		k := key{kind: keyKind(b[0])}
		b = b[1:]
		switch k.kind {
		case keyText:
			n, used := binary.Uvarint(b)
			if used <= 0 || n > uint64(len(b)-used) {
				return nil, false
			}
			k.text, b = string(b[used:used+int(n)]), b[used+int(n):]
		case keyID:
			if len(b) < len(k.id) {
				return nil, false
			}
			k.id, b = ID(b[:len(k.id)]), b[len(k.id):]
		case keyInt, keyFloat, keyInstant, keyDate:
			if len(b) < 8 {
				return nil, false
			}
			k.num, b = int64(binary.BigEndian.Uint64(b)), b[8:]
		default:
			return nil, false
		}
		p = append(p, k)
	}
	return p, true
}

// scope is what cursors of one connection are bound to. Its methods may be called at once from many goroutines.
type scope struct {
	mu     sync.Mutex
	mac    hash.Hash
	signed []byte // memory for the cursor on the way
	kinds  []keyKind
}

// newScope derives the key of a connection's cursors from the database's. The filter is the canonical one: equal questions, equal scope.
func newScope(secret []byte, org ID, connection string, o order, filter any, kinds ...keyKind) *scope {
	canonical, err := json.Marshal(filter)
	if err != nil {
		panic("store: a filter that is no JSON: " + err.Error()) // filters are plain structs
	}
	digest := sha256.Sum256(canonical)
	m := hmac.New(sha256.New, secret)
	m.Write(org[:])
	for _, s := range []string{connection, o.name, string(o.direction())} {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		m.Write([]byte(s))
	}
	m.Write(digest[:])
	return &scope{mac: hmac.New(sha256.New, m.Sum(nil)), kinds: kinds}
}

// binding is what cursors of a read are bound to, before any is read or written: to make its scope costs as much as to make its statement.
type binding struct {
	secret     []byte
	org        ID
	connection string
	by         order
	filter     any
	kinds      []keyKind
	made       *scope
}

func (t *Tenant) binding(connection string, by order, filter any, kinds ...keyKind) *binding {
	return t.store.binding(t.org, connection, by, filter, kinds...)
}

func (s *Store) binding(org ID, connection string, by order, filter any, kinds ...keyKind) *binding {
	if kinds == nil {
		kinds = []keyKind{by.kind, keyID}
	}
	return &binding{secret: s.cursorKey, org: org, connection: connection, by: by, filter: filter, kinds: kinds}
}

// scope gives the scope. It is called by one goroutine alone.
func (b *binding) scope() *scope {
	if b.made == nil {
		b.made = newScope(b.secret, b.org, b.connection, b.by, b.filter, b.kinds...)
	}
	return b.made
}

func (s *scope) tag(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mac.Reset()
	s.mac.Write(b)
	return s.mac.Sum(nil)[:cursorTag]
}

// cursor writes a place for clients.
func (s *scope) cursor(p place) string { return string(s.append(nil, p.append([]byte{cursorVersion}))) }

// append adds the cursor of a place that is written already.
func (s *scope) append(b, place []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = append(s.signed[:0], place...)
	s.mac.Reset()
	s.mac.Write(place)
	s.signed = s.mac.Sum(s.signed)
	return base64.RawURLEncoding.AppendEncode(b, s.signed[:len(place)+cursorTag])
}

// parse reads a cursor that cursor wrote in the same scope. Everything else is INVALID_CURSOR: it never silently means the first page.
func (s *scope) parse(text, argument string) (place, error) {
	bad := func() (place, error) {
		return nil, fault.New(fault.InvalidCursor,
			"The cursor in %q was not given by this connection with this filter and order; start again without it.", argument).At(argument)
	}
	if len(text) > cursorLimit {
		return bad()
	}
	b, err := decode(text)
	if err != nil || len(b) < 1+cursorTag || b[0] != cursorVersion {
		return bad()
	}
	body, tag := b[:len(b)-cursorTag], b[len(b)-cursorTag:]
	if !hmac.Equal(tag, s.tag(body)) {
		return bad()
	}
	p, ok := parsePlace(body[1:])
	if !ok || len(p) != len(s.kinds) {
		return bad()
	}
	for i, k := range p {
		if k.kind != s.kinds[i] {
			return bad()
		}
	}
	return p, nil
}
