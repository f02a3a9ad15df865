package app_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	metricNames  = regexp.MustCompile("(?m)^\\| `(carbongraph_\\S+)` \\| (\\w+) ")
	metricSeries = regexp.MustCompile(`(?m)^carbongraph_\S+`)
)

// Every metric that the document lists has a value once requests were answered, and no client can make labels: what it invents adds no series.
func TestMetricsOfAServer(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		r := newRefusing(t, env)
		// A day's work: queries with relations, a mutation, an error, an unknown address.
		work := func(n string) {
			r.ask(t, r.key, `query Q`+n+` { x`+n+`: suppliers { nodes { name emissions(first:1) { totalCount nodes { factor { dataset { name } } } } } } node(id:"`+n+`") { id } }`)
			r.ask(t, r.key, `mutation M`+n+` { importActivities(input:{activities:[{externalId:"`+n+`",description:"`+n+`",occurredOn:"2024-01-01",supplierExternalId:"`+n+`",quantity:{value:1,unit:"t"},factorId:"`+r.steel+`"}]}) { results { activity { emission { factor { name } } } } } }`)
			r.ask(t, "cg_"+n+"aaaa_0123456789abcdef", `{viewer{role}}`)
			r.ask(t, r.key, `{`+n+`}`)
			for _, path := range []string{"/" + n, "/errors/" + n, "/assets/" + n + ".js", "/graphql/" + n} {
				req, _ := http.NewRequest("GET", r.base+path+"?"+n+"="+n, nil)
				req.Header.Set("User-Agent", n)
				r.do(t, req)
			}
			req, _ := http.NewRequest("M"+n, r.base+"/graphql", nil)
			r.do(t, req)
		}
		work("first")
		work("second") // finds what the first left
		before := r.get(t, r.admin+"/metrics").text
		names := metricNames.FindAllStringSubmatch(string(text), -1)
		if len(names) < 8 {
			t.Fatal("the document lists no metrics")
		}
		for _, m := range names {
			name := m[1]
			if m[2] == "histogram" {
				name += "_count"
			}
			pool := strings.HasPrefix(name, "carbongraph_store_pool_") && env["DATABASE_URL"] == "" // SQLite has none
			failed := name == "carbongraph_store_statements_failed_total"                           // none did
			replica := name == "carbongraph_store_replica_reads_total"                              // there is none
			if found := regexp.MustCompile(`(?m)^` + name + `[{ ]`).MatchString(before); !found && !pool && !failed && !replica {
				t.Errorf("%s has no value", name)
			}
		}
		for i := range 20 {
			work(fmt.Sprintf("invented%d", i))
		}
		after := r.get(t, r.admin+"/metrics").text
		was := map[string]bool{}
		for _, s := range metricSeries.FindAllString(before, -1) {
			was[s] = true
		}
		for _, s := range metricSeries.FindAllString(after, -1) {
			touched := strings.Contains(s, `"api_keys"`) // last uses are written when their time has come
			if !was[s] && !touched || strings.Contains(s, "invented") {
				t.Errorf("a new series: %s", s)
			}
		}
	})
}
