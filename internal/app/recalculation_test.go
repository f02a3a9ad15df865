package app_test

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// A recalculation is asked for, followed and understood over GraphQL, and goes on when the server that began it is gone.
func TestARecalculationOverGraphQL(t *testing.T) {
	t.Parallel()
	dir, keys := ledger(t, "Acme")
	if code, _, errs := run(t, nil, "factors", "builtin", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	s := serve(t, dir, nil)
	ask := func(query string, into any) *reply {
		t.Helper()
		r := s.ask(t, keys[0], query)
		if into != nil {
			if err := json.Unmarshal(r.Data, into); err != nil || len(r.Errors) > 0 {
				t.Fatalf("%s: %v %s", query, err, r.text)
			}
		}
		return r
	}
	var factors struct {
		EmissionFactors struct{ Nodes []struct{ ID string } }
		FactorDatasets  []struct{ ID, Source, Version string }
	}
	ask(`{ emissionFactors(filter: {codes: ["334111"]}) { nodes { id } } factorDatasets { id source version } }`, &factors)
	earlier, later := "", ""
	for _, d := range factors.FactorDatasets {
		switch d.Source + d.Version {
		case "epa-supply-chain1.2":
			earlier = d.ID
		case "epa-supply-chain1.3":
			later = d.ID
		}
	}
	ask(`mutation { importActivities(input: {activities: [{externalId: "A", description: "Laptops", occurredOn: "2024-05-01", money: {amount: "1000", currency: "USD"}, factorId: "`+
		factors.EmissionFactors.Nodes[0].ID+`"}]}) { created } }`, nil)
	type batch struct {
		ID, Status string
		Failed     int
		Problem    *struct{ Message string }
		Run        struct {
			ID          string
			Differences struct {
				TotalCount int
				Nodes      []struct {
					Key, Before, After, Change string
					Causes                     []struct{ Cause, Change string }
				}
			}
		}
	}
	start := func(more string) (b batch) {
		t.Helper()
		var data struct{ StartRecalculation struct{ Batch batch } }
		ask(`mutation { startRecalculation(input: {reason: "test" `+more+`}) { batch { id status run { id } } } }`, &data)
		return data.StartRecalculation.Batch
	}
	await := func(b batch) batch {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			var data struct{ Node batch }
			ask(`{ node(id: "`+b.ID+`") { ... on Batch { id status failed problem { message } run { id differences(groupBy: DATASET) { totalCount nodes { key before after change causes { cause change } } } } } } }`, &data)
			if !strings.Contains("QUEUED RUNNING", data.Node.Status) {
				return data.Node
			}
			if time.Now().After(deadline) {
				t.Fatalf("it does not end: %+v", data.Node)
			}
		}
	}
	for _, release := range []string{earlier, later, earlier} {
		b := start(`datasetIds: ["` + release + `"]`)
		if release == later { // it is done by whoever comes next
			s.stop()
			s = serve(t, dir, nil)
		}
		await(b)
	}
	preview := await(start(`datasetIds: ["` + later + `"], preview: true`))
	moved := preview.Run.Differences
	if preview.Status != "SUCCEEDED" || moved.TotalCount != 2 || len(moved.Nodes) != 2 {
		t.Fatalf("preview %+v", preview)
	}
	for _, d := range moved.Nodes {
		if len(d.Causes) != 1 || d.Causes[0].Cause != "FACTOR_VERSION" || d.Causes[0].Change != d.Change || (d.Key == later) != (d.Before == "0") || (d.Key == earlier) != (d.After == "0") {
			t.Errorf("difference %+v", d)
		}
	}
	var history struct {
		Activities struct {
			Nodes []struct {
				History struct {
					Nodes []struct {
						Superseded bool
						Co2e       string
						Factor     struct{ Dataset struct{ ID string } }
						Provenance []struct{ Output string }
					}
				}
			}
		}
	}
	ask(`{ activities { nodes { history { nodes { superseded co2e factor { dataset { id } } provenance { output } } } } } }`, &history)
	past := history.Activities.Nodes[0].History.Nodes
	if len(past) < 3 || past[0].Superseded || past[0].Factor.Dataset.ID != earlier {
		t.Errorf("history %+v", past)
	}
	for i, e := range past {
		if e.Superseded != (i > 0) || e.Provenance[len(e.Provenance)-1].Output != e.Co2e {
			t.Errorf("calculation %d: %+v", i, e)
		}
	}
	if r := ask(`mutation { cancelBatch(id: "`+preview.ID+`") { batch { status } } }`, nil); len(r.Errors) > 0 || !strings.Contains(r.text, "SUCCEEDED") {
		t.Errorf("cancelled after its end: %s", r.text)
	}
	for query, code := range map[string]string{
		`mutation { startRecalculation(input: {reason: ""}) { batch { id } } }`:                                      "BAD_USER_INPUT",
		`mutation { startRecalculation(input: {reason: "x", datasetIds: ["` + preview.ID + `"]}) { batch { id } } }`: "NOT_FOUND",
		`mutation { cancelBatch(id: "` + preview.Run.ID + `") { batch { id } } }`:                                    "NOT_FOUND",
	} {
		if r := ask(query, nil); r.code() != code {
			t.Errorf("%s: %s, want %s", query, r.text, code)
		}
	}
}

// What the page about recalculations shows works in the order in which it stands there.
func TestWhatIsShownOfRecalculations(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, nil).serve(t)
	l := storetest.NewLedger(t, f.st, "Shown", 3, nil)
	secret := auth.NewSecret()
	if err := l.Tenant.CreateKey(t.Context(), &store.APIKey{Name: "shown", Role: store.Editor}, secret.Prefix, secret.Hash); err != nil {
		t.Fatal(err)
	}
	f.key = secret.Text
	ids := map[string]string{`["…"]`: `["` + l.Dataset.GlobalID().String() + `"]`}
	saw := map[string]bool{}
	for _, document := range shown(t, "../../docs/recalculation.md") {
		for placeholder, id := range ids {
			document = strings.ReplaceAll(document, placeholder, id)
		}
		if strings.Contains(document, "…") {
			t.Fatalf("what does it mean? %s", document)
		}
		if f.asks = document; strings.HasPrefix(document, "subscription") {
			res, err := f.events(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			res.Body.Close()
			run := regexp.MustCompile(`"SUCCEEDED".*"run":\{"id":"([^"]+)"`).FindSubmatch(text)
			if err != nil || run == nil || !strings.HasSuffix(string(text), "event: complete\ndata:\n\n") {
				t.Fatalf("%s: %v: %s", document, err, text)
			}
			ids["…the run's id…"], saw["batchProgress"] = string(run[1]), true
			continue
		}
		r := f.ask(t, f.key, document)
		if r.status != 200 || len(r.Errors) > 0 {
			t.Fatalf("%s: %s", document, r.text)
		}
		var data struct {
			StartRecalculation struct{ Batch struct{ ID string } }
			Batches            *struct{ TotalCount int }
			CalculationRuns    *struct{ Nodes []struct{ Preview bool } }
			Node               *struct{ Differences struct{ Nodes []any } }
		}
		if err := json.Unmarshal(r.Data, &data); err != nil {
			t.Fatal(err)
		}
		if id := data.StartRecalculation.Batch.ID; id != "" {
			ids["…the batch's id…"] = id
		}
		if c := data.CalculationRuns; c != nil {
			if saw["calculationRuns"] = true; len(c.Nodes) != 2 || !c.Nodes[0].Preview || c.Nodes[1].Preview {
				t.Errorf("runs: %s", r.text)
			}
		}
		saw["batches"], saw["node"] = saw["batches"] || data.Batches != nil, saw["node"] || data.Node != nil
	}
	for _, field := range []string{"batches", "batchProgress", "calculationRuns", "node"} {
		if !saw[field] {
			t.Errorf("%s is not shown", field)
		}
	}
}
