package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"carbongraph/internal/servertest"
)

func hashOfText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// What a client says of its writes and of its variables is believed as far as it can be proved.
func TestTokensAndVariablesOfMalice(t *testing.T) {
	p := newPage(t, nil)
	rival := p.keys[len(p.keys)-1]
	const write = `mutation { upsertSuppliers(input: {suppliers: [{externalId: "new", name: "%s"}]}) { created updated } }`
	mine, theirs := p.by("POST", fmt.Sprintf(write, "one")), p.by("POST", fmt.Sprintf(write, "theirs"), "Authorization", "Bearer "+rival)
	token, foreign := mine.Get("Carbongraph-Version"), theirs.Get("Carbongraph-Version")
	if token == "" || foreign == "" || token == foreign || !strings.Contains(string(mine.body), `"version":"`+token+`"`) {
		t.Fatalf("tokens %q and %q: %s", token, foreign, mine.body)
	}
	const reads = `{ supplier(externalId: "new") { name } }`
	want := string(p.by("GET", reads).body)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	total, size := binary.Uvarint(raw)
	higher := append(binary.AppendUvarint(nil, total+1000), raw[size:]...)
	huge := append(bytes.Repeat([]byte{0xff}, 9), append([]byte{1}, raw[len(raw)-8:]...)...)
	older := func() string { // reads of the database because of a token
		res, err := p.client.Get("http://" + p.app.AdminAddress() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		count := regexp.MustCompile(`(?m)^carbongraph_versions_\w+\{reason="older"\} .*$`).Find(text)
		if count == nil {
			t.Fatal("reads are not counted")
		}
		return string(count)
	}
	before := older()
	for name, value := range map[string]string{
		"its own": token, "another organization's": foreign, "forged": base64.RawURLEncoding.EncodeToString(higher), "a number past all": base64.RawURLEncoding.EncodeToString(huge),
		"cut": token[:len(token)-3], "long": strings.Repeat("A", 100_000), "no base64": "%%%%", "with padding": token + "==", "nothing": "", "spaces": "  ", "a list": token + "," + foreign,
	} {
		for _, method := range []string{"GET", "POST"} {
			if got := p.by(method, reads, "Carbongraph-Version", value); got.status != 200 || string(got.body) != want || got.Get("ETag") == "" {
				t.Errorf("%s by %s: %d %v %s", name, method, got.status, got.Header, got.body)
			}
		}
	}
	if got := p.by("GET", reads, "Carbongraph-Version", foreign, "Carbongraph-Version", token); string(got.body) != want {
		t.Errorf("two tokens: %d %s", got.status, got.body)
	}
	if after := older(); after != before {
		t.Errorf("tokens that nobody gave cost reads: %s, before %s", after, before)
	}
	t.Run("variables of a megabyte", func(t *testing.T) {
		const query = `query($f: SupplierFilter) { suppliers(first: 2, filter: $f) { nodes { name } } }`
		ask := func(filter string) *seen {
			return p.send("POST", "/graphql", fmt.Appendf(nil, `{"query":%q,"variables":{"f":%s}}`, query, filter))
		}
		for name, filter := range map[string]string{
			"one text": `{"search":"` + strings.Repeat("x", 1<<20) + `"}`, "many ids": `{"externalIds":["S01"` + strings.Repeat(`,"S01"`, 1<<17) + `]}`,
			"nothing of ours": `{"` + strings.Repeat("y", 1<<20) + `":1}`, "a tower": strings.Repeat(`{"a":`, 1<<17) + "1" + strings.Repeat("}", 1<<17), "a number": `{"search":` + strings.Repeat("9", 1<<20) + `}`,
		} {
			first, second := ask(filter), ask(filter)
			if first.status >= 500 || second.status != first.status || requestID.ReplaceAllString(string(first.body), "") != requestID.ReplaceAllString(string(second.body), "") {
				t.Errorf("%s: %d and %d: %.300s", name, first.status, second.status, second.body)
			}
		}
		if got := p.by("GET", short); got.status != 200 {
			t.Errorf("afterwards: %d", got.status)
		}
	})
}

// asItWas is how an entry is found that is not spoilt.
const asItWas = "as it was"

// Whatever stands in Redis where answers and documents are kept: what is answered is right.
func TestRedisHoldsNonsense(t *testing.T) {
	r := servertest.NewRedis(t)
	p := newPage(t, map[string]string{"REDIS_URL": r.URL()})
	client := redis.NewClient(&redis.Options{Addr: r.Address()})
	defer client.Close()
	queries := []string{everybodys, own, short, `{ footprint { totals { co2e } } }`, `{ emissionFactors(first: 40) { nodes { id code name value } } }`}
	hash := func(query string) []byte {
		return fmt.Appendf(nil, `{"query":%q,"extensions":{"persistedQuery":{"version":1,"sha256Hash":%q}}}`, query, hashOfText(query))
	}
	right := map[string]string{}
	for _, query := range queries {
		got := p.send("POST", "/graphql", hash(query))
		p.by("GET", query, "Accept-Encoding", "gzip")
		if right[query] = string(got.body); got.status != 200 || strings.Contains(right[query], `"errors"`) {
			t.Fatalf("%s: %d %s", query, got.status, got.body)
		}
	}
	keys := func() []string {
		list, err := client.Keys(t.Context(), "carbongraph:*{*}").Result()
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	eventually(t, "answers and documents are in Redis", func() bool { return len(keys()) >= 2*len(queries) })
	whole, bodies := map[string][]byte{}, [][]byte{}
	for _, key := range keys() {
		if text, err := client.Get(t.Context(), key).Bytes(); err == nil && !strings.Contains(key, ":lease{") {
			whole[key], bodies = text, append(bodies, text)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for _, spoil := range []struct {
		name string
		to   func([]byte) any
	}{
		{asItWas, func(b []byte) any { return b }},
		{"nothing at all", func([]byte) any { return "" }},
		{"nonsense", func([]byte) any { return strings.Repeat("nonsense", 100) }},
		{"half of it", func(b []byte) any { return b[:len(b)/2] }},
		{"a bit more", func(b []byte) any { return append(bytes.Clone(b), 0) }},
		{"another's entry", func([]byte) any { return bodies[random.IntN(len(bodies))] }},
		{"one bit of the head is another", func(b []byte) any { c := bytes.Clone(b); c[random.IntN(41)] ^= 1 << random.IntN(8); return c }},
		{"one bit of the end is another", func(b []byte) any { c := bytes.Clone(b); c[len(c)-1-random.IntN(20)] ^= 1; return c }},
		{"plain JSON", func([]byte) any { return `{"data":{"suppliers":{"nodes":[{"name":"Mallory"}]}}}` }},
		{"a megabyte of zeros", func([]byte) any { return make([]byte, 1<<20) }},
		{"a value of another kind", func([]byte) any { return nil }},
	} {
		name := spoil.name
		for key, was := range whole {
			value := spoil.to(was)
			if b, ok := value.([]byte); ok && bytes.Equal(b, was) && name != asItWas {
				value = ""
			}
			if value == nil {
				client.Del(t.Context(), key)
				client.LPush(t.Context(), key, "a", "b")
			} else if err := client.Set(t.Context(), key, value, 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
		other := newEngine(t, "auto", map[string]string{"DATA_DIR": p.dir, "REDIS_URL": r.URL()}) // which has nothing in memory
		q := &page{engine: other, engines: p.engines, t: t, key: p.key}
		for _, query := range queries {
			for i := range 2 {
				got := q.by("GET", query)
				if fromRedis := strings.Contains(got.Get("Cache-Status"), "detail=L2"); fromRedis != (name == asItWas && i == 0) {
					t.Errorf("%s: %s: answer %d: %s", name, query, i+1, got.Get("Cache-Status"))
				}
				if got.status != 200 || string(got.body) != right[query] {
					t.Errorf("%s: %s: %d %v %.300q", name, query, got.status, got.Header, got.body)
				}
				alone := q.send("POST", "/graphql", fmt.Appendf(nil, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":%q}}}`, hashOfText(query)))
				if text := string(alone.body); text != right[query] && !strings.Contains(text, "PERSISTED_QUERY_NOT_FOUND") {
					t.Errorf("%s: %s by its hash: %d %.300q", name, query, alone.status, text)
				}
			}
			if got := q.send("POST", "/graphql", hash(query)); string(got.body) != right[query] {
				t.Errorf("%s: %s with its text: %d %.300q", name, query, got.status, got.body)
			}
		}
	}
}
