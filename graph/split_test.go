package graph

import (
	"bytes"
	"encoding/json"
	"reflect"
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
		if !json.Valid(text) || unclear(text) {
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

// A name is found twice where a reader of tokens finds it twice.
func FuzzRepeats(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`, `{"a":1,"a":2}`, `{"a":{"b":1,"c":{"b":2}},"b":"a"}`, `[{"x":"y","y":"x"},{"x":[],"\u0078":0}]`, `"a"`, `{"":0,"":1}`,
		`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"a":0}`, `{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"i":0}`, "{\"\xff\":1,\"\ufffd\":2}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		if want, got := twice(t, dec), unclear(text); got != want {
			t.Errorf("%q: twice %t, want %t", text, got, want)
		}
	})
}

// twice reads a value, and tells whether an object in it has a name twice.
func twice(t *testing.T, dec *json.Decoder) (found bool) {
	next := func() json.Token {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	open := next()
	if open != json.Delim('{') && open != json.Delim('[') {
		return false
	}
	names := map[string]bool{}
	for dec.More() {
		if open == json.Delim('{') {
			name := next().(string)
			found = found || names[name]
			names[name] = true
		}
		found = twice(t, dec) || found
	}
	next()
	return found
}

// A value that is read by hand is the one that encoding/json reads.
func FuzzValue(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.50e+3,{"b":null,"c":[true,false,[]]},{}],"d":"x\\u00e9\\n"}`, `[[[]],{"":""}]`, ` {"a" : 1 , "b" : [ 1 , 2 ] } `, `12345678901234567890123`, `"x"`, `null`, `true`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || unclear(text) {
			return
		}
		text = bytes.Trim(text, " \t\r\n")
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got, rest := aValue(text); !reflect.DeepEqual(got, want) || len(rest) > 0 {
			t.Errorf("%q is %#v and then %q, want %#v", text, got, rest, want)
		}
	})
}

func unclear(text []byte) bool {
	twice, many := repeats(text)
	return twice || many
}
