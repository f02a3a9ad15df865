package loaders

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// Arguments are read alike the short way round and through JSON.
func TestArgumentsOfAPage(t *testing.T) {
	number := rapid.SampledFrom([]any{nil, json.Number("1"), json.Number("-7"), json.Number("500"), json.Number("2147483648"), json.Number("1e2"), json.Number("-0"), true, "5"})
	text := rapid.SampledFrom([]any{nil, "", "AQ==", `a "quoted" café`, json.Number("3"), []any{"a"}})
	filter := rapid.SampledFrom([]any{nil, map[string]any{}, map[string]any{"countries": []any{"GB"}}, map[string]any{"includeSuperseded": true}, "none"})
	rapid.Check(t, func(r *rapid.T) {
		args := map[string]any{}
		for name, values := range map[string]*rapid.Generator[any]{"first": number, "last": number, "after": text, "before": text, "filter": filter} {
			if rapid.Bool().Draw(r, name+" given") {
				args[name] = values.Draw(r, name)
			}
		}
		var want EmissionPage
		b, err := json.Marshal(args)
		if err != nil {
			r.Fatal(err)
		}
		wrong := json.Unmarshal(b, &want)
		got, err := decode[EmissionPage](args)
		if (err == nil) != (wrong == nil) || err == nil && !reflect.DeepEqual(got, want) {
			r.Fatalf("%s: %+v %v, want %+v %v", b, got, err, want, wrong)
		}
	})
}
