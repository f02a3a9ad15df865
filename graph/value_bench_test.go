package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func BenchmarkVariables(b *testing.B) {
	many := make([]string, 100_000)
	for i := range many {
		many[i] = fmt.Sprintf(`"n%d":0`, i)
	}
	for name, text := range map[string]string{"few": `{"first":50,"after":"AQIN4LmIUHQUX5rn"}`, "100,000 names": "{" + strings.Join(many, ",") + "}", "objects": `{"input":[` + strings.Repeat(`{"a":1,"b":"x","c":{"d":null}},`, 3000) + `{}]}`} {
		b.Run(name+"/by hand", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				anObject(json.RawMessage(text))
			}
		})
		b.Run(name+"/encoding/json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var m map[string]any
				dec := json.NewDecoder(bytes.NewReader([]byte(text)))
				dec.UseNumber()
				if err := dec.Decode(&m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
