package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"carbongraph/store/storetest"
)

// refusing is a server over a ledger with two factors, one per tonne and one per dollar, and two suppliers.
type refusing struct {
	*served
	key   string
	steel string // ids of the factors
	spend string
}

const refusingFactors = `source,version,gwpSet,code,name,region,unit,value,priceYear,priceBasis
acme-labs,2026,AR6,STEEL-1,Steel,GB,tonne,1890,,
acme-labs,2026,AR6,SPEND-1,Anything,US,USD,0.5,2022,PURCHASER
`

func newRefusing(t *testing.T, env map[string]string) *refusing {
	t.Helper()
	must := func(args ...string) string {
		t.Helper()
		code, out, errs := run(t, env, args...)
		if code != 0 {
			t.Fatalf("%v: %d %s", args, code, errs)
		}
		return out
	}
	must("migrate", "up")
	must("factors", "import", "--dataset", "csv", write(t, t.TempDir(), "own.csv", []byte(refusingFactors)))
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(must("org", "create", "--name", "Acme", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	r := &refusing{served: start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json"), key: made.Key}
	ids := regexp.MustCompile(`"id":"([^"]+)"`).FindAllStringSubmatch(r.ask(t, r.key, `{emissionFactors(orderBy:{field:CODE}){nodes{id}}}`).text, -1)
	if len(ids) != 2 {
		t.Fatal("the factors are not there")
	}
	r.spend, r.steel = ids[0][1], ids[1][1]
	if got := r.ask(t, r.key, `mutation{upsertSuppliers(input:{suppliers:[{externalId:"S1",name:"Alum"},{externalId:"S2",name:"Borax"}]}){created}}`); !strings.Contains(got.text, `"created":2`) {
		t.Fatal(got.text)
	}
	return r
}

// eachDatabase runs a test on a server over SQLite and on one over Postgres.
func eachDatabase(t *testing.T, f func(t *testing.T, env map[string]string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, map[string]string{"DATA_DIR": t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) {
		f(t, map[string]string{"DATABASE_URL": storetest.EmptyPostgresURL(t), "DATA_DIR": "/nowhere"})
	})
}

// result is what importActivities says of a line.
type result struct {
	ExternalID, Status string
	Activity           *struct {
		Emission         *struct{ Co2e string }
		CalculationError *struct{ Code string }
	}
	Error *struct {
		Code, Message string
		Path          []string
	}
}

// A bad line among good ones gets its code, and nothing of the others is lost: where the line can be kept, it is, with the reason and without a figure.
func TestABadLineLosesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		r := newRefusing(t, env)
		stored := 0
		for i, tc := range []struct {
			name, line string // after externalId and description
			code, path string
			kept       bool
		}{
			{"unknown unit", `occurredOn:"2024-01-01",quantity:{value:1,unit:"furlong"},factorId:"` + r.steel + `"`, "UNKNOWN_UNIT", "quantity.unit", true},
			{"unit of another dimension", `occurredOn:"2024-01-01",quantity:{value:1,unit:"kWh"},factorId:"` + r.steel + `"`, "UNIT_MISMATCH", "quantity.unit", true},
			{"currency without a rate", `occurredOn:"2024-01-01",money:{amount:1,currency:"XTS"},factorId:"` + r.spend + `"`, "NO_EXCHANGE_RATE", "money", true},
			{"no factor for the line", `occurredOn:"2024-01-01",money:{amount:1,currency:"USD"}`, "NO_FACTOR", "", true},
			{"future date", `occurredOn:"2999-01-01",money:{amount:1,currency:"USD"},factorId:"` + r.spend + `"`, "BAD_USER_INPUT", "occurredOn", false},
			{"factor that does not exist", `occurredOn:"2024-01-01",money:{amount:1,currency:"USD"},factorId:"` + r.spend[:len(r.spend)-4] + `AAAA"`, "NOT_FOUND", "factorId", false},
			{"supplier that does not exist", `occurredOn:"2024-01-01",money:{amount:1,currency:"USD"},supplierId:"` + r.spend + `"`, "NOT_FOUND", "supplierId", false},
			{"neither quantity nor money", `occurredOn:"2024-01-01"`, "BAD_USER_INPUT", "money", false},
			{"category 16", `occurredOn:"2024-01-01",money:{amount:1,currency:"USD"},category:16`, "BAD_USER_INPUT", "category", false},
		} {
			t.Run(tc.name, func(t *testing.T) {
				good := func(n string) string {
					return fmt.Sprintf(`{externalId:"%s%d",description:"x",occurredOn:"2024-01-01",quantity:{value:2,unit:"t"},factorId:%q}`, n, i, r.steel)
				}
				bad := fmt.Sprintf(`{externalId:"bad%d",description:"x",%s}`, i, tc.line)
				got := r.importing(t, good("before"), bad, good("after"))
				for _, n := range []int{0, 2} {
					if g := got[n]; g.Status != "CREATED" || g.Error != nil || g.Activity == nil || g.Activity.Emission == nil || g.Activity.Emission.Co2e != "3780" {
						t.Errorf("a good line beside it: %+v %+v", g, g.Error)
					}
				}
				b := got[1]
				path := fmt.Sprintf("input.activities.1.%s", tc.path)
				if b.Error == nil || b.Error.Code != tc.code || !strings.HasPrefix(strings.Join(b.Error.Path, ".")+".", strings.TrimSuffix(path, ".")+".") || !strings.HasSuffix(b.Error.Message, ".") {
					t.Fatalf("%+v, error %+v; want %s at %s", b, b.Error, tc.code, path)
				}
				if stored += 2; tc.kept {
					stored++
					if b.Status != "CREATED" || b.Activity == nil || b.Activity.Emission != nil || b.Activity.CalculationError == nil || b.Activity.CalculationError.Code != tc.code {
						t.Errorf("%+v; want it kept, with its reason and without an emission", b)
					}
				} else if b.Status != "FAILED" || b.Activity != nil {
					t.Errorf("%+v; want it FAILED", b)
				}
				r.holds(t, stored)
			})
		}
		t.Run("an empty external id, and one twice", func(t *testing.T) {
			line := func(id string, value int) string {
				return fmt.Sprintf(`{externalId:%q,description:"x",occurredOn:"2024-01-01",quantity:{value:%d,unit:"t"},factorId:%q}`, id, value, r.steel)
			}
			got := r.importing(t, line("twice", 2), line("", 2), line("twice", 3))
			if got[0].Status != "CREATED" || got[0].Activity.Emission.Co2e != "3780" {
				t.Errorf("the first of two: %+v; it is the one that counts", got[0])
			}
			for _, b := range got[1:] {
				if b.Status != "FAILED" || b.Error == nil || b.Error.Code != "BAD_USER_INPUT" || b.Error.Path[len(b.Error.Path)-1] != "externalId" {
					t.Errorf("%+v %+v", b, b.Error)
				}
			}
			stored++
			r.holds(t, stored)
		})
	})
}

func (r *refusing) importing(t *testing.T, lines ...string) []result {
	t.Helper()
	got := r.ask(t, r.key, `mutation{importActivities(input:{activities:[`+strings.Join(lines, ",")+`]}){results{externalId status activity{emission{co2e} calculationError{code}} error{code message path}}}}`)
	var answer struct{ ImportActivities struct{ Results []result } }
	if err := json.Unmarshal(got.Data, &answer); err != nil || len(answer.ImportActivities.Results) != len(lines) {
		t.Fatalf("%v: %s", err, got.text)
	}
	return answer.ImportActivities.Results
}

// holds tells whether the ledger has so many lines.
func (r *refusing) holds(t *testing.T, lines int) {
	t.Helper()
	if got := r.ask(t, r.key, `{activities{totalCount}}`).text; !strings.Contains(got, fmt.Sprintf(`"totalCount":%d}`, lines)) {
		t.Errorf("the ledger: %s; want %d lines", got, lines)
	}
}

// A request that is bad as a whole gets its code, and nothing is run: not even the good lines beside it.
func TestABadRequestRunsNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		r := newRefusing(t, env)
		cursor := func(query string) string {
			m := regexp.MustCompile(`"endCursor":"([^"]+)"`).FindStringSubmatch(r.ask(t, r.key, query).text)
			if m == nil {
				t.Fatalf("no cursor from %s", query)
			}
			return m[1]
		}
		c := cursor(`{suppliers(first:1){pageInfo{endCursor}}}`)
		line := func(part string) string {
			return `mutation{importActivities(input:{activities:[{externalId:"good",description:"x",occurredOn:"2024-01-01",money:{amount:1,currency:"USD"}},{externalId:"bad",description:"x",` + part + `}]}){created}}`
		}
		for name, tc := range map[string]struct {
			query, variables string
			code             string
			says             string
		}{
			"a malformed date":            {query: line(`occurredOn:"2024-02-30",money:{amount:1,currency:"USD"}`), code: "BAD_USER_INPUT", says: "2024-02-30"},
			"a date that is no day":       {query: line(`occurredOn:"yesterday",money:{amount:1,currency:"USD"}`), code: "BAD_USER_INPUT", says: "yesterday"},
			"text where a number stands":  {query: line(`occurredOn:"2024-01-01",money:{amount:"ten",currency:"USD"}`), code: "BAD_USER_INPUT", says: "ten"},
			"text for a category":         {query: line(`occurredOn:"2024-01-01",category:"six"`), code: "GRAPHQL_VALIDATION_FAILED", says: "Int"},
			"a currency of another form":  {query: line(`occurredOn:"2024-01-01",money:{amount:1,currency:"dollars"}`), code: "BAD_USER_INPUT", says: "dollars"},
			"a malformed id in a line":    {query: line(`occurredOn:"2024-01-01",factorId:"nope"`), code: "BAD_USER_INPUT", says: "nope"},
			"a malformed date, variable":  {query: `query($d:Date){activities(filter:{occurredFrom:$d}){totalCount}}`, variables: `{"d":"2024-13-01"}`, code: "BAD_USER_INPUT", says: "$d"},
			"a number, variable":          {query: `mutation($a:Decimal!){importActivities(input:{activities:[{externalId:"v",description:"x",occurredOn:"2024-01-01",money:{amount:$a,currency:"USD"}}]}){created}}`, variables: `{"a":"ten"}`, code: "BAD_USER_INPUT", says: "$a"},
			"page size 0":                 {query: `{suppliers(first:0){totalCount}}`, code: "BAD_USER_INPUT", says: "1 to 500"},
			"page size −1":                {query: `{suppliers(last:-1){totalCount}}`, code: "BAD_USER_INPUT", says: "1 to 500"},
			"page size 501":               {query: `{suppliers(first:501){totalCount}}`, code: "BAD_USER_INPUT", says: "1 to 500"},
			"page size by a variable":     {query: `query($n:Int){suppliers(first:$n){totalCount}}`, variables: `{"n":501}`, code: "BAD_USER_INPUT", says: "1 to 500"},
			"first with last":             {query: `{suppliers(first:1,last:1){totalCount}}`, code: "BAD_USER_INPUT", says: "first"},
			"an altered cursor":           {query: `{suppliers(after:"` + c[:len(c)-3] + other(c[len(c)-3]) + c[len(c)-2:] + `"){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"a cursor cut short":          {query: `{suppliers(after:"` + c[:len(c)-4] + `"){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"an empty cursor":             {query: `{suppliers(after:""){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"a cursor of another field":   {query: `{activities(after:"` + c + `"){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"a cursor of another order":   {query: `{suppliers(after:"` + c + `",orderBy:{field:CREATED_AT}){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"a cursor of the other way":   {query: `{suppliers(after:"` + c + `",orderBy:{field:NAME,direction:DESC}){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"a cursor of another filter":  {query: `{suppliers(after:"` + c + `",filter:{search:"a"}){nodes{id}}}`, code: "INVALID_CURSOR", says: "after"},
			"an altered cursor, backward": {query: `{suppliers(last:1,before:"` + other(c[0]) + c[1:] + `"){nodes{id}}}`, code: "INVALID_CURSOR", says: "before"},
			"a malformed id":              {query: `{node(id:"nope"){id}}`, code: "BAD_USER_INPUT", says: "nope"},
			"an empty id":                 {query: `{supplier(id:""){id}}`, code: "BAD_USER_INPUT", says: "id"},
			"an id of no kind":            {query: `{node(id:"_wAAAAAAAAAAAAAAAAAAAAA"){id}}`, code: "BAD_USER_INPUT", says: "id"},
		} {
			t.Run(name, func(t *testing.T) {
				if tc.variables == "" {
					tc.variables = "null"
				}
				got := r.send(t, fmt.Sprintf(`{"query":%s,"variables":%s}`, quoted(t, tc.query), tc.variables))
				if len(got.Errors) != 1 || got.code() != tc.code || !strings.Contains(got.Errors[0].Message, tc.says) {
					t.Errorf("%s; want %s alone, with %q", got.text, tc.code, tc.says)
				}
				r.holds(t, 0)
			})
		}
		t.Run("3 MB of body", func(t *testing.T) {
			got := r.send(t, fmt.Sprintf(`{"query":%s}`, quoted(t, line(`occurredOn:"2024-01-01"`)+strings.Repeat(" ", 3<<20))))
			if got.status != http.StatusRequestEntityTooLarge || got.code() != "COST_LIMIT_EXCEEDED" || len(got.Data) > 0 {
				t.Errorf("%d %.300s", got.status, got.text)
			}
			r.holds(t, 0)
		})
		t.Run("the server answers as before", func(t *testing.T) {
			if got := r.ask(t, r.key, `{suppliers(after:"`+c+`"){nodes{name}}}`); string(got.Data) != `{"suppliers":{"nodes":[{"name":"Borax"}]}}` {
				t.Error(got.text)
			}
		})
	})
}

func other(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// send posts a body as it is.
func (r *refusing) send(t *testing.T, body string) *reply {
	t.Helper()
	req, err := http.NewRequest("POST", r.base+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+r.key)
	return r.do(t, req)
}
