package app

import (
	"context"

	"carbongraph/internal/broker"
	"carbongraph/internal/config"
	"carbongraph/internal/exact"
	"carbongraph/internal/match"
	"carbongraph/store"
)

// sources makes the matcher of texts and the broker of the server.
func (a *App) sources() {
	a.matcher = match.NewShelf(a.Store.Datasets, a.Store.DatasetFactors, a.caches.chain)
	a.broker = newBroker(a.o.Config, a.Store, a.matcher, broker.Options{Cache: a.caches.chain, Secret: a.Store.Derive("factor look-ups"), Metrics: a.tel.Broker, Log: a.o.Log})
	a.opened("factor sources", a.broker.Close)
}

// newBroker makes a broker that asks suppliers' own factors, the stored datasets and the matcher of texts, and, where the settings name them, an HTTP source and a
// language model.
func newBroker(c *config.Config, st *store.Store, shelf *match.Shelf, o broker.Options) *broker.Broker {
	index, words := broker.NewIndex(st), matcher{shelf}
	o.Edition = index.Edition
	for _, s := range []broker.Source{broker.NewSuppliers(index), broker.NewDatasets(index), broker.NewText(index, words)} {
		o.Sources = append(o.Sources, broker.Guarded{Source: s, Policy: broker.Local()})
	}
	if f := c.Factors; f.URL != "" {
		o.Sources = append(o.Sources, broker.Guarded{Source: broker.NewHTTP(broker.HTTPOptions{URL: f.URL, Key: f.Key, Index: index}), Policy: broker.Remote()})
	}
	if m := c.Model; m.BaseURL != "" {
		o.Sources = append(o.Sources, broker.Guarded{Policy: broker.Model(), Source: broker.NewLanguageModel(broker.LanguageModelOptions{BaseURL: m.BaseURL, Key: m.Key,
			Model: m.Name, Index: index, Match: words, Metrics: o.Metrics})})
	}
	return broker.New(o)
}

// matcher gives the text's matches as the broker's candidates.
type matcher struct{ shelf *match.Shelf }

// Match matches the question's texts.
func (m matcher) Match(ctx context.Context, q broker.Question, n int) ([]broker.Candidate, error) {
	found, err := m.shelf.Match(ctx, match.Line{Description: q.Description, AccountCode: q.AccountCode, Supplier: q.SupplierName, Country: q.Country, Unit: q.Unit}, n)
	if err != nil {
		return nil, err
	}
	out := make([]broker.Candidate, len(found.Suggestions))
	for i, s := range found.Suggestions {
		out[i] = broker.Candidate{FactorID: s.Factor.ID, Confidence: s.Confidence, Reason: s.Reason}
	}
	return out, nil
}

// askSources asks the broker once for every account that is a purchase by its words, and puts its answer in the place of theirs where it is confident enough. It tells
// how many accounts some source could not be asked for.
func askSources(ctx context.Context, b *broker.Broker, st *store.Store, proposals []match.Proposal, minimum exact.Decimal) (unasked int, err error) {
	var asked []*match.Proposal
	var questions []broker.Question
	for i := range proposals {
		if p := &proposals[i]; !p.NoPurchase {
			asked = append(asked, p)
			questions = append(questions, broker.Question{Description: p.Description, AccountCode: p.AccountCode, Country: p.Country, Unit: p.Unit})
		}
	}
	outcomes := b.Ask(ctx, questions)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var ids []store.ID
	for _, o := range outcomes {
		if len(o.Answers) > 0 {
			ids = append(ids, o.Answers[0].FactorID)
		}
	}
	rows, err := st.FactorsByID(ctx, ids)
	if err != nil {
		return 0, err
	}
	factors := map[store.ID]*store.EmissionFactor{}
	for _, f := range rows {
		factors[f.ID] = f
	}
	for i, o := range outcomes {
		if failed(o) {
			unasked++
		}
		if len(o.Answers) == 0 {
			continue
		}
		if a := o.Answers[0]; factors[a.FactorID] != nil && a.Confidence.Cmp(minimum) >= 0 && (asked[i].Mapping == nil || a.Source != broker.TextMatch) {
			asked[i].Decide(factors[a.FactorID], a.DecidedBy(), a.Confidence, a.Reason)
		}
	}
	return unasked, nil
}

// failed tells whether a source that might have answered did not.
func failed(o broker.Outcome) bool {
	for _, r := range o.Asked {
		switch r.Status {
		case broker.Answered, broker.Nothing, broker.NotNeeded, broker.Hallucinated:
		default:
			return true
		}
	}
	return false
}
