package factors_test

import (
	"fmt"

	"carbongraph/internal/factors"
	"carbongraph/store"
)

func ExampleResolver() {
	tax := "taxes are not purchases"
	r := factors.NewResolver([]*store.FactorMapping{{Description: new("Business rates*"), Exclude: true, Reason: &tax}})
	fmt.Println(r.Resolve("8010", "Business rates, second quarter", "GB").Reason)
	// Output: taxes are not purchases
}
