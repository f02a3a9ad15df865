package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"carbongraph/internal/seed"
	"carbongraph/store"
)

const importDocument = `mutation Import($input: ImportActivitiesInput!) { importActivities(input: $input) { created failed } }`

// mutations times importActivities over one connection, in calls of new lines.
func (b *bench) mutations(ctx context.Context) error {
	const calls, size = 10, 5_000 // 10,000 lines would not fit the body limit
	lines := slices.Collect(seed.New(seed.Options{Suppliers: b.suppliers, Activities: calls * size, Seed: 2}).Activities())
	conn, err := dial(ctx, b.auto.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	var took time.Duration
	for i := range calls {
		body, err := importBody(lines[i*size : (i+1)*size])
		if err != nil {
			return err
		}
		request := b.auto.request("", body)
		var answer bytes.Buffer
		start := time.Now()
		_, err = conn.ask(request, &answer)
		took += time.Since(start)
		if err != nil {
			return err
		}
		if want := fmt.Appendf(nil, `"created":%d,"failed":0`, size); !bytes.Contains(answer.Bytes(), want) {
			return fmt.Errorf("importActivities answered %.300s, want %s in it", answer.Bytes(), want)
		}
	}
	rate := calls * size / took.Seconds()
	b.add(figure{"importActivities, rows/s calculated and stored", fmt.Sprintf("%.0f (%d calls of %d)", rate, calls, size), ">= 5000", rate >= 5000})
	return nil
}

func importBody(lines []store.ActivityInput) ([]byte, error) {
	inputs := make([]map[string]any, len(lines))
	for i, l := range lines {
		in := map[string]any{"externalId": "B-" + l.ExternalID, "category": *l.Category, "description": l.Description, "accountCode": *l.AccountCode,
			"occurredOn": l.OccurredOn.String(), "country": *l.Country}
		if l.SupplierExternalID != nil {
			in["supplierExternalId"] = *l.SupplierExternalID
		}
		if l.Quantity != nil {
			in["quantity"] = map[string]any{"value": l.Quantity.Value.String(), "unit": l.Quantity.Unit}
		}
		if l.Money != nil {
			in["money"] = map[string]any{"amount": l.Money.Amount.String(), "currency": l.Money.Currency}
		}
		inputs[i] = in
	}
	return json.Marshal(map[string]any{"query": importDocument, "variables": map[string]any{"input": map[string]any{"activities": inputs}}})
}
