package app

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"carbongraph/internal/batch"
	"carbongraph/internal/config"
	"carbongraph/internal/factors"
	"carbongraph/internal/seed"
	"carbongraph/store"
)

type seedCommand struct {
	settings
	output
	Org        string `required:"" help:"The organization's id or name." placeholder:"O"`
	Suppliers  int    `default:"400" help:"How many suppliers." placeholder:"N"`
	Activities int    `default:"50000" help:"How many activities." placeholder:"N"`
	Seed       uint64 `default:"1" help:"The same seed gives the same ledger." placeholder:"S"`
}

// Run fills an organization.
func (s *seedCommand) Run(ctx context.Context, w *World) error {
	if s.Suppliers < 1 || s.Activities < 0 {
		return wrongUse(fmt.Errorf("--suppliers is at least 1, --activities at least 0"))
	}
	return s.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, s.Org)
		if err != nil {
			return err
		}
		if _, err := factors.Install(ctx, st); err != nil {
			return err
		}
		sum, err := sow(ctx, st, org, seed.Options{Suppliers: s.Suppliers, Activities: s.Activities, Seed: s.Seed}, w.Err)
		if err != nil {
			return err
		}
		return s.print(w, done(sum), told(sum, false))
	})
}

// sowAtOnce is how many lines of a synthetic ledger one transaction takes. Nobody waits for the first of them to be seen, and large
// transactions cost SQLite a third less.
const sowAtOnce = 5000

// sow imports a synthetic ledger. It can be repeated: what is there stays as it is.
func sow(ctx context.Context, st *store.Store, org *store.Organization, o seed.Options, out io.Writer) (*batch.Summary, error) {
	t := st.Tenant(org.ID)
	mapping, err := factors.ReadMapping(bytes.NewReader(seed.Mapping()))
	if err != nil {
		return nil, err
	}
	rules, err := mapping.Rules(ctx, st, st.NewID)
	if err != nil {
		return nil, err
	}
	if err := t.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rules) }); err != nil {
		return nil, err
	}
	im, err := newImporter(st, batch.Options{ChunkRows: sowAtOnce, Writers: st.Writers()})
	if err != nil {
		return nil, err
	}
	ledger := seed.New(o)
	if _, err := im.Suppliers(ctx, t, ledger.Suppliers(), batch.Flags{}); err != nil {
		return nil, err
	}
	return im.Stream(ctx, t, ledger.Activities(), batch.Flags{Calculate: true}, batch.FileOptions{
		Reason: fmt.Sprintf("Synthetic ledger, seed %d", o.Seed), Progress: newProgress(out, nil).rows,
	})
}
