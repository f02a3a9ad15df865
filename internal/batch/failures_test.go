package batch_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"carbongraph/internal/batch"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// A row that failed is written as CSV in UTF-8, whatever the ledger was, and read again by the same columns file.
func TestRowsThatFailComeBackFromEveryForm(t *testing.T) {
	const fields = "columns: { externalId: Id, description: What, occurredOn: Day, amount: { from: Sum, numbers: \"1.234,56\" } }\nconstants: { currency: USD }\n"
	windows, err := charmap.Windows1252.NewEncoder().String("Id;What;Day;Sum\na1;=Stühle|'x'!A1;2022-03-01;?\na2;Steel;2022-03-01;1.234,5\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ content, columns, escaped string }{
		"objects": {`{"Id":"a1","What":"=Stühle|'x'!A1","Day":"2022-03-01","Sum":"?"}` + "\n" + `{"Id":"a2","What":"Steel","Day":"2022-03-01","Sum":1234.5}` + "\n",
			"file: { format: NDJSON }\n" + fields, "a1,'=Stühle|'x'!A1,2022-03-01,?,1,"},
		"Windows-1252": {windows, "file: { encoding: Windows-1252 }\n" + fields, "a1;'=Stühle|'x'!A1;2022-03-01;?;2;"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			send := func(content string, failures *bytes.Buffer) *batch.Summary {
				s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "l", Content: strings.NewReader(content), Failures: failures}},
					batch.FileOptions{Columns: columns(t, tc.columns), Mapping: w.mapping(t, ledgerMapping)})
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			var failures, none bytes.Buffer
			if s := send(tc.content, &failures); s.Created != 1 || s.Failed != 1 || !strings.Contains(failures.String(), tc.escaped) {
				t.Fatalf("%+v, failures:\n%s\nwant one with %s", s, failures.String(), tc.escaped)
			}
			if s := send(strings.Replace(failures.String(), "?", `"7,5"`, 1), &none); s.Created != 1 || s.Failed != 0 {
				t.Fatalf("corrected: %+v\n%s", s, none.String())
			}
			page, err := w.tenant.Activities(t.Context(), nil, store.ActivityOrder{Field: store.ActivitiesByCreatedAt, Direction: store.Asc}, store.Page{First: new(int32(10))})
			if err != nil || len(page.Nodes) != 2 {
				t.Fatalf("%v, %v", page, err)
			}
			for _, a := range page.Nodes {
				if want := map[string]string{"a1": "=Stühle|'x'!A1 7.5", "a2": "Steel 1234.5"}[a.ExternalID]; a.Description+" "+a.Money.Amount.String() != want {
					t.Errorf("%s is %s %s; want %s", a.ExternalID, a.Description, a.Money.Amount, want)
				}
			}
		})
	}
}
