package graph

import (
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

// parseMessage reads a message, as strictly as a request body: why is empty where it is one.
func parseMessage(text []byte) (m *message, why string) {
	if !json.Valid(text) {
		return nil, "A message is one JSON object"
	}
	if repeats(text) {
		return nil, "An object in the message has the same name twice"
	}
	var in struct {
		ID      *string         `json:"id"`
		Type    *string         `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(text, &in) != nil || in.Type == nil {
		return nil, "A message is an object with a type, and id and type are texts"
	}
	m = &message{kind: *in.Type, payload: in.Payload}
	if in.ID != nil {
		m.id = *in.ID
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
	var all map[string]json.RawMessage
	if json.Unmarshal(m.payload, &all) != nil {
		return "", false
	}
	for name, raw := range all {
		if !strings.EqualFold(name, "authorization") || string(raw) == "null" {
			continue
		}
		if value != "" || json.Unmarshal(raw, &value) != nil { // in two spellings: which is meant?
			return "", false
		}
	}
	return value, true
}
