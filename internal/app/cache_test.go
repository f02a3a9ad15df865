package app_test

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Questions whose answers are made of one type each.
const (
	askSuppliers  = `{suppliers{nodes{id name}}}`
	askActivities = `{activities{totalCount}}`
	askFactors    = `{emissionFactors{nodes{code}}}`
)

// kept tells whether the answer to a question was found, and how it came about.
func (s *served) kept(t *testing.T, key, query string) (bool, string) {
	t.Helper()
	got := s.ask(t, key, query)
	if len(got.Errors) > 0 {
		t.Fatalf("%s: %s", query, got.text)
	}
	status := got.header.Get("Cache-Status")
	return strings.Contains(status, "; hit"), status
}

// expect asks each question, and tells where an answer was kept that must not be, or the other way round.
func (s *served) expect(t *testing.T, key string, want map[string]bool) {
	t.Helper()
	for query, kept := range want {
		if got, status := s.kept(t, key, query); got != kept {
			t.Errorf("%s: %q; want it kept: %t", query, status, kept)
		}
	}
}

// fill asks until answers are kept.
func (s *served) fill(t *testing.T, key string, queries ...string) {
	t.Helper()
	for _, query := range queries {
		eventually(t, query+" is kept", func() bool { kept, _ := s.kept(t, key, query); return kept })
	}
}

// idIn gives the first id of an answer.
func (s *served) idIn(t *testing.T, key, query string) string {
	t.Helper()
	got := s.ask(t, key, query).text
	found := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(got)
	if found == nil {
		t.Fatalf("no id in %s", got)
	}
	return found[1]
}

// What invalidateCache names is made anew, what it does not name is kept, and so is all that other organizations have, though it be of the same factors.
func TestInvalidateCache(t *testing.T) {
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		f := newFiled(t, env)
		other := f.organization(t, "Bolt")
		s := f.serve(t)
		if got := s.ask(t, f.key, `mutation{upsertSuppliers(input:{suppliers:[{externalId:"S1",name:"Alum"}]}){created}}`); !strings.Contains(got.text, `"created":1`) {
			t.Fatal(got.text)
		}
		supplier, factor, category := s.idIn(t, f.key, askSuppliers), s.idIn(t, other, `{emissionFactors(first:1){nodes{id}}}`), s.idIn(t, f.key, `{categories{id}}`)
		all := map[string]bool{askSuppliers: true, askActivities: true, askFactors: true}
		for _, tc := range []struct{ name, args, told, anew string }{
			{"a type", `types:[SUPPLIER]`, `["SUPPLIER"]`, askSuppliers},
			{"everybody's", `types:[EMISSION_FACTOR,BATCH,SAVED_QUERY]`, `["EMISSION_FACTOR","BATCH","SAVED_QUERY"]`, askFactors},
			{"a row", `ids:["` + supplier + `","` + factor + `","` + supplier + `"]`, `["SUPPLIER","EMISSION_FACTOR"]`, askSuppliers + askFactors},
			{"a row and a type", `types:[ACTIVITY],ids:["` + supplier + `"]`, `["SUPPLIER","ACTIVITY"]`, askSuppliers + askActivities},
			{"everything", `ids:[]`, `["ORGANIZATION","SUPPLIER","ACTIVITY","EMISSION","EMISSION_FACTOR","FACTOR_MAPPING","BATCH","SAVED_QUERY","REPORTING_YEAR","CALCULATION_RUN"]`, askSuppliers + askActivities + askFactors},
		} {
			t.Run(tc.name, func(t *testing.T) {
				for query := range all {
					s.fill(t, f.key, query)
					s.fill(t, other, query)
				}
				got := s.ask(t, f.key, `mutation{invalidateCache(`+tc.args+`){invalidated}}`)
				if want := `{"invalidateCache":{"invalidated":` + tc.told + `}}`; string(got.Data) != want {
					t.Errorf("told %s; want %s", got.text, want)
				}
				want := maps.Clone(all)
				for query := range want {
					want[query] = !strings.Contains(tc.anew, query)
				}
				s.expect(t, f.key, want)
				s.expect(t, other, all)
			})
		}
		for _, tc := range []struct{ name, key, args, code string }{
			{"a row of another organization", other, `types:[SUPPLIER],ids:["` + supplier + `"]`, "NOT_FOUND"},
			{"an id of nothing", f.key, `types:[SUPPLIER],ids:["` + supplier[:len(supplier)-4] + `AAAA"]`, "NOT_FOUND"},
			{"no id", f.key, `types:[SUPPLIER],ids:["nope"]`, "BAD_USER_INPUT"},
			{"a category", f.key, `types:[SUPPLIER],ids:["` + category + `"]`, "BAD_USER_INPUT"},
			{"too many ids", f.key, `types:[SUPPLIER],ids:[` + strings.Repeat(`"`+supplier+`",`, 101) + `]`, "BAD_USER_INPUT"},
			{"a type that is none", f.key, `types:[SUPPLIER,CATEGORY]`, "GRAPHQL_VALIDATION_FAILED"},
		} {
			t.Run(tc.name, func(t *testing.T) {
				s.fill(t, tc.key, askSuppliers)
				if got := s.ask(t, tc.key, `mutation{invalidateCache(`+tc.args+`){invalidated}}`); got.code() != tc.code {
					t.Errorf("%s; want %s", got.text, tc.code)
				}
				s.expect(t, tc.key, map[string]bool{askSuppliers: true})
			})
		}
		_, editor, _ := run(t, env, "key", "create", "--org", "Acme", "--role", "EDITOR")
		if got := s.ask(t, strings.TrimSpace(editor), `mutation{invalidateCache{invalidated}}`); got.code() != "FORBIDDEN" {
			t.Errorf("an EDITOR drops answers: %s", got.text)
		}
	})
}

// What is dropped at one server is dropped at the others within a second, with Redis and without.
func TestInvalidateCacheOverServers(t *testing.T) {
	for name, redis := range map[string]string{"with Redis": redisOf(t), "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := onPostgres(t)
			if redis != "" {
				env["REDIS_URL"] = redis
			}
			f := newFiled(t, env)
			first, second := f.serve(t), f.serve(t)
			second.fill(t, f.key, askSuppliers, askActivities)
			if got := first.ask(t, f.key, `mutation{invalidateCache(types:[SUPPLIER]){invalidated}}`); len(got.Errors) > 0 {
				t.Fatal(got.text)
			}
			time.Sleep(time.Second)
			second.expect(t, f.key, map[string]bool{askSuppliers: false, askActivities: true})
		})
	}
}

// redisOf gives the address of the Redis that tests share.
func redisOf(t *testing.T) string {
	t.Helper()
	address := os.Getenv("TEST_REDIS_URL")
	if address == "" {
		t.Skip("TEST_REDIS_URL is not set: give the address of a Redis server, or run the tests by `make test`")
	}
	return address
}
