package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"carbongraph/internal/config"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

type factorsCommand struct {
	Import  factorsImport  `cmd:"" help:"Import a dataset of emission factors."`
	List    factorsList    `cmd:"" help:"List the datasets."`
	Builtin factorsBuiltin `cmd:"" help:"Install the datasets that come with the program."`
}

type factorsImport struct {
	settings
	output
	Dataset string   `required:"" enum:"epa-supply-chain,epa-supply-chain-without-margins,desnz,oefdb,epa-ghg-hub,csv" help:"epa-supply-chain, epa-supply-chain-without-margins, desnz, oefdb, epa-ghg-hub or csv." placeholder:"D"`
	File    []string `arg:"" help:"The file, or folder of files." type:"path"`
}

// dataset is what an imported dataset looks like from outside.
type dataset struct {
	Source  string       `json:"source"`
	Version string       `json:"version"`
	Name    string       `json:"name"`
	GwpSet  store.GwpSet `json:"gwpSet"`
	Factors int32        `json:"factors"`
	Created bool         `json:"created"`
	LeftOut []string     `json:"leftOut,omitempty"`
}

// Run imports a dataset: whole, or not at all. One that is there already stays as it is.
func (f *factorsImport) Run(ctx context.Context, w *World) error {
	all, err := factors.ReadDatasets(f.Dataset, f.File...)
	if err != nil {
		return err
	}
	return f.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		var done []dataset
		for _, im := range all {
			stored, created, err := im.Put(ctx, st)
			if err != nil {
				return err
			}
			done = append(done, shown(stored, created, im.Reasons()))
		}
		return f.print(w, done, datasetsTold(done))
	})
}

func shown(d *store.FactorDataset, created bool, leftOut []string) dataset {
	return dataset{Source: d.Source, Version: d.Version, Name: d.Name, GwpSet: d.GwpSet, Factors: d.FactorCount, Created: created, LeftOut: leftOut}
}

func datasetsTold(done []dataset) string {
	var b strings.Builder
	for _, d := range done {
		state := "was there already"
		if d.Created {
			state = "imported"
		}
		fmt.Fprintf(&b, "%s %s  %d factors  %s\n", d.Source, d.Version, d.Factors, state)
		for _, why := range d.LeftOut {
			b.WriteString("  left out: " + why + "\n")
		}
	}
	return b.String()
}

type factorsList struct {
	settings
	output
}

// Run lists the datasets.
func (f *factorsList) Run(ctx context.Context, w *World) error {
	return f.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		all, err := st.Datasets(ctx)
		if err != nil {
			return err
		}
		type row struct {
			dataset
			Licence     string `json:"licence"`
			Attribution string `json:"attribution"`
		}
		rows, lines := []row{}, [][]string{{"DATASET", "VERSION", "GWP", "FACTORS", "LICENCE", "NAME"}}
		for _, d := range all {
			rows = append(rows, row{shown(d, false, nil), d.Licence, d.Attribution})
			lines = append(lines, []string{d.Source, d.Version, string(d.GwpSet), strconv.Itoa(int(d.FactorCount)), d.Licence, d.Name})
		}
		return f.print(w, rows, table(lines...))
	})
}

type factorsBuiltin struct {
	settings
	output
	WithoutMargins bool `help:"Install the EPA's supply chain factors without the margins of trade and transport, as the dataset epa-supply-chain-without-margins."`
}

// Run installs the datasets that come with the program.
func (f *factorsBuiltin) Run(ctx context.Context, w *World) error {
	return f.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		install := factors.Install
		if f.WithoutMargins {
			install = factors.InstallWithoutMargins
		}
		n, err := install(ctx, st)
		if err != nil {
			return err
		}
		return f.print(w, map[string]int{"installed": n}, fmt.Sprintf("%d datasets installed\n", n))
	})
}
