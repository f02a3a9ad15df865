package graph

import (
	"bytes"
	"encoding/json"
	"strings"
)

// message is one of graphql-transport-ws, either way.
type message struct {
	id      string
	kind    string
	payload json.RawMessage
}

// maxID bounds the name that a client gives to an operation.
const maxID = 128

// parseMessage reads a message, as strictly as a request body, or tells why it is none.
func parseMessage(text []byte) (*message, string) {
	if !json.Valid(text) {
		return nil, "A message is one JSON object"
	}
	switch twice, many := repeats(text); {
	case twice:
		return nil, "An object in the message has the same name twice"
	case many:
		return nil, "An object in the message has too many names"
	}
	m, texts := &message{}, true
	object := eachMember(bytes.Trim(text, blank), func(name string, value json.RawMessage) {
		switch name {
		case "id":
			texts = texts && value[0] == '"'
			m.id, _ = aText(value)
		case "type":
			texts = texts && value[0] == '"'
			m.kind, _ = aText(value)
		case "payload":
			m.payload = value
		}
	})
	if !object || !texts || m.kind == "" {
		return nil, "A message is an object with a type, and id and type are texts"
	}
	if len(m.id) > maxID {
		return nil, "An id has at most 128 bytes"
	}
	return m, ""
}

// bytes writes the message.
func (m *message) bytes() []byte {
	out := make([]byte, 0, len(m.payload)+len(m.id)+64)
	out = append(out, '{')
	if m.id != "" {
		id, _ := json.Marshal(m.id) // texts always marshal
		out = append(append(append(out, `"id":`...), id...), ',')
	}
	out = append(append(append(out, `"type":"`...), m.kind...), '"')
	if len(m.payload) > 0 {
		out = append(append(out, `,"payload":`...), m.payload...)
	}
	return append(out, '}')
}

// authorization is what connection_init says of who is there, by the name of the header; empty where it says nothing.
func (m *message) authorization() (value string, ok bool) {
	if len(m.payload) == 0 || string(m.payload) == "null" {
		return "", true
	}
	ok = true
	object := eachMember(m.payload, func(name string, raw json.RawMessage) {
		if !strings.EqualFold(name, "authorization") || string(raw) == "null" {
			return
		}
		if value != "" || raw[0] != '"' { // in two spellings: which is meant?
			ok = false
			return
		}
		value, ok = aText(raw)
	})
	return value, ok && object
}
