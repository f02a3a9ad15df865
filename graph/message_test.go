package graph

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// Whatever comes over a WebSocket is a message or is not, and a message is written as it was read.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer cg_x"}}`, `{"type":"connection_init","payload":{"Authorization":1}}`, `{"type":"ping","payload":[1,{"a":null}]}`,
		`{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":{"a":[]},"extensions":{"persistedQuery":{"version":1}}}}`, `{"id":"\u0000\ud800","type":"complete"}`,
		`{"id":1,"type":"complete"}`, `{"type":null}`, `{"type":"a","type":"b"}`, `{"TYPE":"a"}`, `[]`, `null`, `""`, `{}`, `{"id":"","type":""}`, "\x00", `{"type":"ping"}{}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, why := parseMessage([]byte(text))
		if (m == nil) != (why != "") {
			t.Fatalf("%q: %v, %q", text, m, why)
		}
		if m == nil {
			return
		}
		m.authorization()
		if m.kind != "subscribe" && m.kind != "ping" { // others are not written with what a client sent
			return
		}
		again, why := parseMessage(m.bytes())
		if why != "" || again.id != m.id || again.kind != m.kind || string(again.payload) != string(m.payload) && !alike(again.payload, m.payload) {
			t.Errorf("%q is written as %s: %s", text, m.bytes(), why)
		}
		if !utf8.ValidString(m.id) {
			t.Errorf("%q: an id that is no text: %q", text, m.id)
		}
		if in, why := parseOne(m.payload); (in == nil) != (why != nil) {
			t.Errorf("%q: %v, %v", text, in, why)
		}
	})
}

func alike(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil
}
