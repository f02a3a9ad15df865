package app

import (
	"context"
	"strconv"

	"carbongraph/internal/config"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

type checkCommand struct {
	Sums checkSums `cmd:"" help:"Hold the sums behind footprints against the emissions."`
}

type checkSums struct {
	settings
	output
	Org    string `help:"The organization's id or name; without it, all of them." placeholder:"O"`
	Repair bool   `help:"Write what is right."`
}

// wrongSum is a sum that is not what the emissions come to, as it looks from outside.
type wrongSum struct {
	Organization string `json:"organization"`
	Of           string `json:"of"`
	Column       string `json:"column"`
	Kept         int64  `json:"kept"`
	Right        int64  `json:"right"`
}

// Run lists each wrong sum. It fails where there is one that is not put right, so that a script can ask. Servers may go on meanwhile.
func (s *checkSums) Run(ctx context.Context, w *World) error {
	return s.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		orgs, err := s.organizations(ctx, st)
		if err != nil {
			return err
		}
		rows, lines := []wrongSum{}, [][]string{{"ORGANIZATION", "OF", "COLUMN", "KEPT", "RIGHT"}}
		for _, org := range orgs {
			look := st.Tenant(org.ID).CheckSums
			if s.Repair {
				look = st.Tenant(org.ID).RepairSums
			}
			err := look(ctx, func(x store.WrongSum) error {
				rows = append(rows, wrongSum{org.Name, x.Of, x.Column, x.Kept, x.Right})
				lines = append(lines, []string{org.Name, x.Of, x.Column, strconv.FormatInt(x.Kept, 10), strconv.FormatInt(x.Right, 10)})
				return nil
			})
			if err != nil {
				return err
			}
		}
		if err := s.print(w, rows, table(lines...)); err != nil {
			return err
		}
		if len(rows) > 0 && !s.Repair {
			return fault.New(fault.Conflict, "%d sums are wrong. `carbongraph check sums --repair` writes what is right.", len(rows))
		}
		return nil
	})
}

func (s *checkSums) organizations(ctx context.Context, st *store.Store) ([]*store.Organization, error) {
	if s.Org == "" {
		return st.Organizations(ctx)
	}
	org, err := find(ctx, st, s.Org)
	return []*store.Organization{org}, err
}
