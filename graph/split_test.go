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
