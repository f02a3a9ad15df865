package gate_test

import (
	"context"
	"fmt"
	"time"

	"carbongraph/internal/gate"
)

func ExampleRate_Take() {
	noon := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	r := gate.NewRate(gate.RateOptions{Points: 60_000, Now: func() time.Time { return noon }})
	ctx := context.Background()
	fmt.Println(r.Take(ctx, "nightly import", 50_000).Remaining)
	s := r.Take(ctx, "nightly import", 20_000)
	fmt.Println(s.Allowed, s.Remaining, s.Retry.Round(time.Second))
	r.Return("nightly import", 15_000) // it was cheaper than it looked
	fmt.Println(r.Take(ctx, "nightly import", 20_000).Allowed)
	// Output:
	// 10000
	// false 10000 10s
	// true
}
