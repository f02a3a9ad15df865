package cachex_test

import (
	"context"
	"fmt"

	"carbongraph/cachex"
)

func ExampleChain_Load() {
	c := cachex.New(cachex.Options{})
	defer c.Close()
	factors := cachex.Named(cachex.EmissionFactors)
	steel := func(context.Context) (*cachex.Entry, error) {
		fmt.Println("looked up")
		return &cachex.Entry{Body: []byte("2.3 kg CO2e per kg")}, nil
	}
	for range 2 {
		e, out, err := c.Load(context.Background(), factors, "acme steel GB", steel) // whose it is stands in the key
		fmt.Println(string(e.Body), out.Layer, out.Result, err)
	}
	// Output:
	// looked up
	// 2.3 kg CO2e per kg  miss <nil>
	// 2.3 kg CO2e per kg L1 hit <nil>
}
