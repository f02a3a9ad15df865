package graph

import (
	"bytes"
	"encoding/json"
	"testing"
)

// What is split by hand is what encoding/json finds in an object.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, ` { "query" : "{a}" , "variables":{"a":[1,{"b":"}\"]"}]} } `, `{"query":null,"query":"last"}`, `{"\u0071uery":"x","extensions":1e5,"operationName":true}`,
		`{"Query":"no","x":{"query":"deeper"},"variables":"\\"}`, `"query"`, `{"a":-1.5,"b":[[],{}],"query":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		text = bytes.Trim(text, " \t\r\n")
		var want map[string]json.RawMessage
		isObject := text[0] == '{' && json.Unmarshal(text, &want) == nil
		got, ok := split(text)
		if ok != isObject {
			t.Fatalf("%q: an object %t, want %t", text, ok, isObject)
		}
		for name, value := range map[string]json.RawMessage{"query": got.Query, "operationName": got.OperationName, "variables": got.Variables, "extensions": got.Extensions} {
			if !bytes.Equal(value, want[name]) {
				t.Errorf("%q: %s is %q, want %q", text, name, value, want[name])
			}
		}
	})
}

// A text that is read by hand is the one that encoding/json reads.
func FuzzText(f *testing.F) {
	for _, s := range []string{`""`, `"plain"`, `"{\n\ta(b: \"c\")\n}"`, `"\\\\n"`, `"\u00e9"`, `"\ud83d\ude80 \ud83d"`, `"a\/b\r\f\b"`, "\"\xff\"", `null`, `1`, `["a"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		raw = bytes.Trim(raw, " \t\r\n")
		var want string
		wrong := json.Unmarshal(raw, &want)
		got, ok := aText(raw)
		if ok != (wrong == nil) || ok && got != want {
			t.Errorf("%q is %q %t, want %q %v", raw, got, ok, want, wrong)
		}
	})
}
