package app

import (
	"context"
	"fmt"

	"carbongraph/internal/config"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// open opens the database of the settings. The embedded one has no operator, so it is migrated on the way.
func open(ctx context.Context, o store.Options, c *config.Config) (*store.Store, error) {
	o.DatabaseURL, o.DataDir = c.DatabaseURL, c.DataDir
	o.SkipMigrationCheck = o.SkipMigrationCheck || c.DatabaseURL == ""
	st, err := store.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if c.DatabaseURL == "" {
		if _, err := st.MigrateUp(ctx); err != nil {
			st.Close()
			return nil, err
		}
	}
	return st, nil
}

// withStore runs f on the database of the settings, and closes it.
func (s *settings) withStore(ctx context.Context, w *World, f func(*config.Config, *store.Store) error) (err error) {
	c, err := load(w, s.Config, s.flags())
	if err != nil {
		return err
	}
	st, err := open(ctx, store.Options{Log: w.quiet(c)}, c)
	if err != nil {
		return err
	}
	defer func() {
		if closed := st.Close(); err == nil {
			err = closed
		}
	}()
	return f(c, st)
}

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Apply what is missing."`
	Down   migrateDown   `cmd:"" help:"Take back what was applied last."`
	Status migrateStatus `cmd:"" help:"List the migrations and whether they are applied."`
}

type migrateUp struct {
	settings
	output
}

type migrateDown struct {
	settings
	output
}

type migrateStatus struct {
	settings
	output
}

// Run applies what is missing.
func (m *migrateUp) Run(ctx context.Context, w *World) error {
	return m.withUnmigrated(ctx, w, func(st *store.Store) error {
		n, err := st.MigrateUp(ctx)
		if err != nil {
			return err
		}
		return m.print(w, map[string]int{"applied": n}, fmt.Sprintf("%d applied\n", n))
	})
}

// Run takes back what was applied last.
func (m *migrateDown) Run(ctx context.Context, w *World) error {
	return m.withUnmigrated(ctx, w, func(st *store.Store) error {
		n, err := st.MigrateDown(ctx)
		if err != nil {
			return err
		}
		return m.print(w, map[string]int{"reverted": n}, fmt.Sprintf("%d taken back\n", n))
	})
}

// Run lists the migrations. It fails where something is missing, so that a script can ask.
func (m *migrateStatus) Run(ctx context.Context, w *World) error {
	return m.withUnmigrated(ctx, w, func(st *store.Store) error {
		all, err := st.Migrations(ctx)
		if err != nil {
			return err
		}
		type row struct {
			Name    string `json:"name"`
			Applied bool   `json:"applied"`
		}
		rows, lines, missing := []row{}, [][]string{{"MIGRATION", "STATE"}}, 0
		for _, one := range all {
			state := "applied"
			if !one.Applied {
				state = "missing"
				missing++
			}
			rows, lines = append(rows, row{one.Name, one.Applied}), append(lines, []string{one.Name, state})
		}
		if err := m.print(w, rows, table(lines...)); err != nil {
			return err
		}
		if missing > 0 {
			return fault.New(fault.Conflict, "%d migrations are missing. Run `carbongraph migrate up`.", missing)
		}
		return nil
	})
}

// withUnmigrated opens a database as it is, behind or not.
func (s *settings) withUnmigrated(ctx context.Context, w *World, f func(*store.Store) error) error {
	c, err := load(w, s.Config, s.flags())
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{DatabaseURL: c.DatabaseURL, DataDir: c.DataDir, Log: w.quiet(c), SkipMigrationCheck: true})
	if err != nil {
		return err
	}
	defer st.Close()
	return f(st)
}
