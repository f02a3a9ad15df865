package broker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// stock stores a dataset of a source: electricity for several places, paper by weight and by money, and ink of one year.
func stock(t testing.TB, st *store.Store, source, version string) map[string]*store.EmissionFactor {
	t.Helper()
	named := map[string]*store.EmissionFactor{}
	var rows []*store.EmissionFactor
	add := func(key, code, name, region, unit string) *store.EmissionFactor {
		f := &store.EmissionFactor{Code: code, Name: name, Region: region, Unit: unit, Value: new(exact.MustDecimal("0.5"))}
		rows, named[key] = append(rows, f), f
		return f
	}
	for _, region := range []string{"GB", "US", "US-CAMX", "GLOBAL", "EU"} {
		add("electricity "+region, "EL", "Electricity", region, "kWh")
	}
	add("paper", "PAPER", "Paper", "GB", "tonne")
	add("paper for money", "322120", "Paper", "US", "USD")
	ink := add("ink", "INK", "Ink", "GB", "kg")
	ink.ValidFrom, ink.ValidTo = new(exact.NewDate(2025, time.January, 1)), new(exact.NewDate(2025, time.December, 31))
	d := &store.FactorDataset{Source: source, Version: version, Name: "Stock", Licence: "CC0", Attribution: "nobody", GwpSet: store.AR5, Digest: source + version}
	if _, _, err := st.PutDataset(t.Context(), d, rows); err != nil {
		t.Fatal(err)
	}
	return named
}

func TestFactorsThatAreNamedAsTheLineIs(t *testing.T) {
	storetest.Each(t, "datasets", func(t *testing.T, st *store.Store) {
		rows := stock(t, st, "acme-labs", "1")
		index := broker.NewIndex(st)
		stock(t, st, store.EPAWithoutMargins, "1") // of the same names and codes, and meant where it is named alone
		b := open(t, broker.Options{Sources: []broker.Guarded{{Source: broker.NewDatasets(index), Policy: broker.Local()}}, Edition: index.Edition})
		for name, tc := range map[string]struct {
			q    broker.Question
			want []string
			tier broker.Tier // of the first
		}{
			"by name, the country first, then the world":  {broker.Question{Description: " electricity ", Country: "GB", Unit: "MWh"}, []string{"electricity GB", "electricity GLOBAL"}, broker.National},
			"a part of the country goes before it":        {broker.Question{Description: "Electricity", Country: "US", Region: "US-CAMX", Unit: "kWh"}, []string{"electricity US-CAMX", "electricity US", "electricity GLOBAL"}, broker.Regional},
			"of another part of the country comes later":  {broker.Question{Description: "Electricity", Country: "US", Region: "US-NEWE", Unit: "kWh"}, []string{"electricity US", "electricity GLOBAL"}, broker.National},
			"a group of countries counts for its members": {broker.Question{Description: "Electricity", Country: "FR", Unit: "kWh"}, []string{"electricity GLOBAL", "electricity EU"}, broker.Global},
			"and for nobody else":                         {broker.Question{Description: "Electricity", Country: "NO", Unit: "kWh"}, []string{"electricity GLOBAL"}, broker.Global},
			"elsewhere is for want of better":             {broker.Question{Description: "paper", Country: "FR", Unit: "kg"}, []string{"paper"}, broker.Proxy},
			"money finds what is counted in money":        {broker.Question{Description: "paper", Country: "US", Unit: "GBP"}, []string{"paper for money"}, broker.National},
			"by the code of a classification":             {broker.Question{Code: "322120", Country: "US", Unit: "USD"}, []string{"paper for money"}, broker.National},
			"an account code is no such code":             {broker.Question{AccountCode: "322120", Country: "US", Unit: "USD"}, nil, 0},
			"another dimension does not fit":              {broker.Question{Description: "Electricity", Country: "GB", Unit: "kg"}, nil, 0},
			"an unknown unit does not fit":                {broker.Question{Description: "Electricity", Country: "GB", Unit: "widgets"}, nil, 0},
			"in its time":                                 {broker.Question{Description: "Ink", Country: "GB", Unit: "kg", On: exact.NewDate(2025, time.December, 31)}, []string{"ink"}, broker.National},
			"in any time":                                 {broker.Question{Description: "Electricity", Country: "GB", Unit: "kWh", On: exact.NewDate(1999, time.July, 1)}, []string{"electricity GB", "electricity GLOBAL"}, broker.National},
			"after its time it stands in":                 {broker.Question{Description: "Ink", Country: "GB", Unit: "kg", On: exact.NewDate(2026, time.January, 1)}, []string{"ink"}, broker.Proxy},
			"before its time it stands in":                {broker.Question{Description: "Ink", Country: "GB", Unit: "kg", On: exact.NewDate(2024, time.December, 31)}, []string{"ink"}, broker.Proxy},
			"nothing is named by nothing":                 {broker.Question{Country: "GB"}, nil, 0},
		} {
			t.Run(name, func(t *testing.T) {
				o := ask(t, b, tc.q)
				got := factorIDs(o)
				var want []store.ID
				for _, key := range tc.want {
					want = append(want, rows[key].ID)
				}
				if len(got) < len(want) || !slices.Equal(got[:len(want)], want) || len(want) == 0 && len(got) > 0 {
					t.Fatalf("answers = %+v; want %v", o.Answers, tc.want)
				}
				if len(want) > 0 && (o.Answers[0].Tier != tc.tier || !strings.Contains(o.Answers[0].Reason, "in acme-labs 1") || strings.Contains(name, "stands in") != strings.HasSuffix(o.Answers[0].Reason, "It is for the year 2025.")) {
					t.Errorf("the first is %s: %s", o.Answers[0].Tier, o.Answers[0].Reason)
				}
				for _, a := range o.Answers[len(want):] {
					if a.Tier != broker.Proxy {
						t.Errorf("also %+v", a)
					}
				}
				if len(want) == 0 && o.Asked[0].Status != broker.Nothing {
					t.Errorf("%+v", o.Asked)
				}
			})
		}
		both := ask(t, b, broker.Question{Description: "Paper", Code: "322120", Country: "US", Unit: "USD"})
		if len(both.Answers) != 1 || both.Answers[0].Confidence.Cmp(exact.MustDecimal("1")) != 0 {
			t.Errorf("by name and code: %+v", both.Answers)
		}
	})
}

// Of a dataset that another supersedes nothing is offered any more; what a source outside names by its version is still there.
func TestTheNewestVersionIsMeant(t *testing.T) {
	storetest.Each(t, "versions", func(t *testing.T, st *store.Store) {
		old := stock(t, st, "acme-labs", "1")
		index := broker.NewIndex(st)
		before, err := index.Edition(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now := stock(t, st, "acme-labs", "2")
		deadline := time.Now().Add(10 * time.Second)
		for after := before; after == before; time.Sleep(20 * time.Millisecond) {
			if after, err = index.Edition(t.Context()); err != nil || time.Now().After(deadline) {
				t.Fatalf("the new dataset is not seen: %v", err)
			}
		}
		b := of(t, broker.Local(), broker.NewDatasets(index))
		if got := factorIDs(ask(t, b, broker.Question{Description: "Ink", Country: "GB"})); !slices.Equal(got, []store.ID{now["ink"].ID}) {
			t.Errorf("answers = %v; want that of the new version %v", got, now["ink"].ID)
		}
		text := of(t, broker.Local(), broker.NewText(index, matches(old["ink"].ID, now["paper"].ID)))
		if o := ask(t, text, broker.Question{Country: "GB"}); !slices.Equal(factorIDs(o), []store.ID{now["paper"].ID}) {
			t.Errorf("answers = %v", o)
		}
	})
}

// matcher is a text match that always finds the same.
type matcher struct {
	found []broker.Candidate
	err   error
}

func (m *matcher) Match(context.Context, broker.Question, int) ([]broker.Candidate, error) {
	return m.found, m.err // also more than was asked for
}

func matches(ids ...store.ID) *matcher {
	m := &matcher{}
	for i, id := range ids {
		m.found = append(m.found, broker.Candidate{FactorID: id, Confidence: exact.NewDecimal(int64(90-10*i), -2), Reason: "its words"})
	}
	return m
}

func TestTextMatching(t *testing.T) {
	st := storetest.SQLite(t)
	rows := stock(t, st, "acme-labs", "1")
	index := broker.NewIndex(st)
	gb, us := rows["electricity GB"].ID, rows["electricity US"].ID
	for name, tc := range map[string]struct {
		match  *matcher
		want   []store.ID
		tiers  []broker.Tier
		status broker.Status
	}{
		"what is sure is placed by region":   {matches(us, gb), []store.ID{gb, us}, []broker.Tier{broker.National, broker.Proxy}, broker.Answered},
		"what is not sure is a stand-in":     {&matcher{found: []broker.Candidate{{FactorID: gb, Confidence: exact.MustDecimal("0.49")}}}, []store.ID{gb}, []broker.Tier{broker.Proxy}, broker.Answered},
		"what does not exist is no answer":   {matches(id(7)), nil, nil, broker.Hallucinated},
		"what does not fit is no answer":     {matches(rows["paper"].ID), nil, nil, broker.Nothing},
		"what goes wrong is told":            {&matcher{err: errors.New("?")}, nil, nil, broker.Failed},
		"nothing is found":                   {matches(), nil, nil, broker.Nothing},
		"good ones beside bad ones are kept": {matches(id(7), gb), []store.ID{gb}, []broker.Tier{broker.National}, broker.Answered},
	} {
		t.Run(name, func(t *testing.T) {
			o := ask(t, of(t, broker.Local(), broker.NewText(index, tc.match)), broker.Question{Description: "power", Country: "GB", Unit: "kWh"})
			var tiers []broker.Tier
			for _, a := range o.Answers {
				tiers = append(tiers, a.Tier)
			}
			if !slices.Equal(factorIDs(o), tc.want) || !slices.Equal(tiers, tc.tiers) || o.Asked[0].Status != tc.status {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestADatabaseThatIsAwayIsAFailure(t *testing.T) {
	st := storetest.SQLite(t)
	stock(t, st, "acme-labs", "1")
	index := broker.NewIndex(st)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := index.Edition(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait: %v", err)
	}
	if _, err := index.Edition(t.Context()); err != nil {
		t.Errorf("who waits for the same: %v", err)
	}
	gone := storetest.SQLite(t)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	away := broker.NewIndex(gone)
	b := open(t, broker.Options{Sources: []broker.Guarded{{Source: broker.NewDatasets(away), Policy: broker.Local()}}, Edition: away.Edition})
	if o := ask(t, b, broker.Question{Description: "Ink"}); o.Asked[0].Status != broker.Failed || o.Asked[0].Detail != "the stored factors cannot be read" {
		t.Errorf("%+v", o.Asked)
	}
}
