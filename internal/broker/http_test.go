package broker_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"carbongraph/cachex"
	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// What an HTTP source is sent: the questions and the key, and nothing that names the organization, the supplier's row or the day.
func TestWhatAnHTTPSourceIsSent(t *testing.T) {
	w := newWorld(t)
	s := serve(t, writes(`{"answers":[[],[]]}`))
	policy := quick()
	policy.Batch = 2
	b := of(t, policy, broker.NewHTTP(broker.HTTPOptions{URL: s.URL + "/look-ups", Key: secret, Index: w.index}))
	b.Ask(t.Context(), []broker.Question{
		{Organization: id(1), Description: "Copier paper", AccountCode: "4711", Code: "322120", SupplierName: "Quill & Co", SupplierID: id(2), Country: "GB", Region: "GB-LON", Unit: "kg",
			On: exact.NewDate(2025, time.July, 9)},
		{Organization: id(1), Description: strings.Repeat("é", 400)},
	})
	asked := s.asked()
	if len(asked) != 1 {
		t.Fatalf("%d requests; want one for both questions", len(asked))
	}
	want := `{"questions":[{"description":"Copier paper","accountCode":"4711","code":"322120","supplierName":"Quill \u0026 Co","country":"GB","region":"GB-LON","unit":"kg","year":2025},` +
		`{"description":"` + strings.Repeat("é", 250) + `"}]}`
	r := asked[0]
	if r.body != want || r.method != "POST" || r.path != "/look-ups" || r.contentType != "application/json" || r.authorization != "Bearer "+secret {
		t.Errorf("%+v\nwant %s", r, want)
	}
	open := serve(t, writes(`{"answers":[[]]}`))
	ask(t, of(t, quick(), broker.NewHTTP(broker.HTTPOptions{URL: open.URL, Index: w.index})), line)
	if a := open.asked()[0].authorization; a != "" {
		t.Errorf("without a key %q is sent", a)
	}
}

// Days of one year are one question to a source outside.
func TestOnlyTheYearIsSeen(t *testing.T) {
	w := newWorld(t)
	s := serve(t, writes(`{"answers":[[]]}`))
	policy := quick()
	policy.Strategy = cachex.Named(cachex.EmissionFactors)
	b := of(t, policy, broker.NewHTTP(broker.HTTPOptions{URL: s.URL, Index: w.index}))
	for _, day := range []exact.Date{exact.NewDate(2024, 1, 1), exact.NewDate(2025, 1, 1), exact.NewDate(2025, 12, 31)} {
		ask(t, b, broker.Question{Description: "Ink", On: day})
	}
	if n := len(s.asked()); n != 2 {
		t.Errorf("%d requests; want one for each year", n)
	}
}

func TestAnswersOfAnHTTPSource(t *testing.T) {
	w := newWorld(t)
	paper, gb := w.rows["paper"].ID, w.rows["electricity GB"].ID
	entry := func(code, region, unit, confidence string) string {
		return fmt.Sprintf(`{"source":"acme-labs","version":"1","code":%q,"region":%q,"unit":%q,"confidence":%s,"reason":"so\u202e\n\tit <is>"}`, code, region, unit, confidence)
	}
	good := entry("PAPER", "GB", "tonne", `"0.9"`)
	for name, tc := range map[string]struct {
		answers      string
		want         []store.ID
		status       broker.Status
		hallucinated int
		detail       string
	}{
		"a stored factor":                    {good, []store.ID{paper}, broker.Answered, 0, ""},
		"a number that is no text":           {entry("PAPER", "GB", "tonne", `0.9`), []store.ID{paper}, broker.Answered, 0, ""},
		"a code that does not exist":         {entry("PARER", "GB", "tonne", `1`), nil, broker.Hallucinated, 1, "every factor that it named does not exist"},
		"a region that does not exist":       {entry("PAPER", "FR", "tonne", `1`), nil, broker.Hallucinated, 1, ""},
		"a unit that it is not stored in":    {entry("PAPER", "GB", "kg", `1`), nil, broker.Hallucinated, 1, ""},
		"nothing but a confidence":           {`{"confidence":1}`, nil, broker.Hallucinated, 1, ""},
		"a factor of another unit":           {entry("EL", "GB", "kWh", `1`), nil, broker.Nothing, 0, "what it has is of another unit, or of another supplier"},
		"good ones beside bad ones":          {entry("X", "GB", "t", `1`) + "," + good + "," + entry("Y", "GB", "t", `1`), []store.ID{paper}, broker.Answered, 2, ""},
		"none":                               {"", nil, broker.Nothing, 0, ""},
		"a confidence that is missing":       {`{"source":"acme-labs","version":"1","code":"PAPER","region":"GB","unit":"tonne"}`, nil, broker.Malformed, 0, "an answer without a confidence"},
		"a confidence of nothing":            {entry("PAPER", "GB", "tonne", `null`), nil, broker.Malformed, 0, "an answer without a confidence"},
		"a confidence beyond all":            {entry("PAPER", "GB", "tonne", `1.5`), nil, broker.Malformed, 0, "a confidence of 1.5"},
		"a confidence that is none":          {entry("PAPER", "GB", "tonne", `"sure"`), nil, broker.Malformed, 0, "its answer is not what was agreed on"},
		"a confidence too large to write":    {entry("PAPER", "GB", "tonne", `1e999999`), nil, broker.Malformed, 0, "its answer is not what was agreed on"},
		"more than anybody asked for":        {strings.TrimSuffix(strings.Repeat(good+",", 11), ","), nil, broker.Malformed, 0, "more than 10 answers to a question"},
		"lists for more than was asked for":  {good + "],[", nil, broker.Malformed, 0, "2 lists of answers to 1 questions"},
		"something behind the end of it all": {good + "]]} {\"answers\":[[", nil, broker.Malformed, 0, "its answer is not what was agreed on"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, writes(`{"answers":[[`+tc.answers+`]],"more":"is ignored"}`))
			o := ask(t, of(t, quick(), broker.NewHTTP(broker.HTTPOptions{URL: s.URL, Index: w.index})), line)
			r := o.Asked[0]
			if !slices.Equal(factorIDs(o), tc.want) || r.Status != tc.status || r.Hallucinated != tc.hallucinated || tc.detail != "" && r.Detail != tc.detail {
				t.Errorf("%+v", o)
			}
			for _, a := range o.Answers {
				if a.Reason != "so it <is>" || a.Tier != broker.National || a.Confidence.String() != "0.9" || a.Region != "GB" {
					t.Errorf("%+v", a)
				}
			}
		})
	}
	if gb.IsZero() {
		t.Fatal("the stock has no ids")
	}
}

// A redirect may lead anywhere, with the ledger's text and the key: nobody there is asked.
func TestNoRedirectIsFollowed(t *testing.T) {
	w := newWorld(t)
	elsewhere := serve(t, writes(`{}`))
	for _, p := range w.protocols() {
		for _, status := range []int{301, 302, 303, 307, 308} {
			s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) { http.Redirect(w, r, elsewhere.URL, status) })
			if r := ask(t, of(t, quick(), p.source(s.URL)), line).Asked[0]; r.Status != broker.Refused {
				t.Errorf("%s, %d: %+v", p.name, status, r)
			}
		}
	}
	if n := len(elsewhere.asked()); n > 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

func FuzzAnswersOfAnHTTPSource(f *testing.F) {
	factor := &broker.Factor{ID: id(1), Source: "acme-labs", Version: "1", Code: "PAPER", Region: "GB", Unit: "tonne"}
	f.Add([]byte(`{"answers":[[{"source":"acme-labs","version":"1","code":"PAPER","region":"GB","unit":"tonne","confidence":"0.9","reason":"x"}],[]]}`))
	f.Add([]byte(`{"answers":[null,[{"confidence":1e40}]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := broker.DecodeAnswers(text, factor, 2)
		if err != nil {
			return
		}
		if len(found) != 2 || !json.Valid(text) {
			t.Fatalf("%d answers of %q", len(found), text)
		}
		for _, one := range found {
			for _, a := range one.Answers {
				if a.FactorID != factor.ID || !utf8.ValidString(a.Reason) || len(a.Reason) > 300 || strings.ContainsAny(a.Reason, "\n\r\x00\x1b") {
					t.Fatalf("%+v", a)
				}
			}
		}
	})
}
