package batch_test

import (
	"context"
	"fmt"
	"os"

	"carbongraph/internal/batch"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

func ExampleImporter_Files() {
	importLedger := func(ctx context.Context, st *store.Store, tenant *store.Tenant, name string) error {
		engine, err := factors.Engine()
		if err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		im := batch.New(batch.Options{Store: st, Catalog: factors.NewCatalog(st, 0), Engine: engine})
		done, err := im.Files(ctx, tenant, []batch.File{{Name: name, Content: f, Failures: os.Stderr}}, batch.FileOptions{})
		if done != nil {
			fmt.Printf("%d rows, %d of them calculated, %d wrong\n", done.Rows, done.Calculated, done.Failed)
		}
		return err
	}
	_ = importLedger // it needs a database and a file
}
