package broker_test

import (
	"context"
	"fmt"

	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// own is a source of factors that a supplier gave for its own products.
type own struct{ factor store.ID }

func (own) Name() string      { return "supplier" }
func (own) Tier() broker.Tier { return broker.SupplierSpecific }
func (s own) Look(_ context.Context, q broker.Question) (broker.Found, error) {
	if q.SupplierName != "Quill & Co" {
		return broker.Found{}, nil
	}
	return broker.Found{Answers: []broker.Answer{{FactorID: s.factor, Confidence: exact.MustDecimal("1"), Reason: "Its own footprint.", Tier: broker.SupplierSpecific}}}, nil
}

func ExampleBroker_Ask() {
	// With a store there would be broker.NewDatasets(index), broker.NewHTTP and broker.NewLanguageModel beside it.
	b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: own{factor: store.ID{15: 7}}, Policy: broker.Local()}}})
	defer b.Close()
	for _, o := range b.Ask(context.Background(), []broker.Question{{Description: "Paper", SupplierName: "Quill & Co"}, {Description: "Paper", SupplierName: "Ream Ltd"}}) {
		for _, a := range o.Answers {
			fmt.Println(a.FactorID, a.Tier, a.Confidence, a.Reason)
		}
		for _, r := range o.Asked {
			fmt.Println(r.Source, r.Status)
		}
	}
	// Output:
	// 00000000-0000-0000-0000-000000000007 supplier-specific 1 Its own footprint.
	// supplier answered
	// supplier nothing
}
