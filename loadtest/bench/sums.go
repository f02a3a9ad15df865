package main

import (
	"context"
	"encoding/json"
	"time"
)

// sums times footprints that are read from kept sums, and one that reads the emissions, for want of a sum by country.
func (b *bench) sums(ctx context.Context) error {
	asked := []struct {
		name, arguments string
		goal            time.Duration
	}{
		{"footprint by category", `groupBy: [CATEGORY]`, 5 * time.Millisecond},
		{"footprint by month", `groupBy: [MONTH]`, 5 * time.Millisecond},
		{"footprint by supplier, the ten largest", `groupBy: [SUPPLIER], first: 10`, 10 * time.Millisecond},
		{"the same of one year and two categories", `groupBy: [SUPPLIER], first: 10, filter: {occurredFrom: "2024-01-01", occurredTo: "2024-12-31", categories: [1, 4]}`, 0},
		{"footprint by category of one country, from the emissions", `groupBy: [CATEGORY], filter: {countries: ["DE"]}`, 400 * time.Millisecond},
		{"the ten largest suppliers of one country, from the emissions", `groupBy: [SUPPLIER], first: 10, filter: {countries: ["DE"]}`, 0},
	}
	all := &target{server: b.auto}
	for _, a := range asked {
		body, err := json.Marshal(map[string]any{"query": `{ footprint(` + a.arguments +
			`) { nodes { category { number } supplier { name } period totals { co2e activityCount spend dataQualityScore uncertainty { low high } } share } } }`})
		if err != nil {
			return err
		}
		all.requests = append(all.requests, b.auto.request("", body))
	}
	times, err := all.timings(ctx, 30)
	if err != nil {
		return err
	}
	for i, a := range asked {
		f := figure{name: a.name, value: milliseconds(times[i])}
		if a.goal > 0 {
			f.goal, f.met = "< "+a.goal.String(), times[i] < a.goal
		}
		b.add(f)
	}
	return nil
}
