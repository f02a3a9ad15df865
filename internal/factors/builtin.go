package factors

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// The built-in files are the originals, compressed; builtin/README.md says where they come from and how they may be used.
//
//go:embed builtin/*.gz builtin/methane.csv builtin/manifest.json
var builtinFiles embed.FS

// manifestEntry is a built-in dataset: enough to tell whether a store has it, without reading its files.
type manifestEntry struct {
	Kind    string   `json:"kind"`
	Source  string   `json:"source"`
	Version string   `json:"version"`
	Factors int      `json:"factors"`
	Digest  string   `json:"digest"`
	Files   []string `json:"files"`
}

func manifest() ([]manifestEntry, error) {
	text, err := builtinFiles.ReadFile("builtin/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("factors: %w", err)
	}
	var all []manifestEntry
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("factors: manifest: %w", err)
	}
	return all, nil
}

func builtinFile(name string) file {
	return file{name, func() (io.ReadCloser, error) { return builtinFiles.Open("builtin/" + name) }}
}

// read reads the dataset of the entry.
func (m manifestEntry) read() (*Import, error) {
	var files []file
	for _, name := range m.Files {
		files = append(files, builtinFile(name))
	}
	all, err := readAll(readerOf(m.Kind), files)
	if err != nil {
		return nil, fmt.Errorf("factors: built-in %s %s: %w", m.Source, m.Version, err)
	}
	return all[0], nil
}

// readEntries reads several datasets at once, in their order.
func readEntries(entries []manifestEntry) ([]*Import, error) {
	out, errs := make([]*Import, len(entries)), make([]error, len(entries))
	var wait sync.WaitGroup
	for i, m := range entries {
		wait.Go(func() { out[i], errs[i] = m.read() })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// builtinWithoutMargins are the built-in tables of the EPA, read for their other column. They are installed where somebody asks for them: beside the others they
// would be a second factor of every name.
func builtinWithoutMargins() ([]manifestEntry, error) {
	all, err := manifest()
	var out []manifestEntry
	for _, m := range all {
		if m.Kind == EPASupplyChain {
			m.Kind, m.Source = EPAWithoutMargins, EPAWithoutMargins
			out = append(out, m)
		}
	}
	return out, err
}

// Builtin gives the built-in datasets, ready to be stored, older versions of a source first.
func Builtin(newID func() store.ID, now exact.Instant) ([]*Import, error) {
	entries, err := manifest()
	if err != nil {
		return nil, err
	}
	all, err := readEntries(entries)
	for _, im := range all {
		im.Stamp(newID, now)
	}
	return all, err
}

// Install stores the built-in datasets that the store lacks, and tells how many those were. Where a release is there already, even with other content,
// it stays: factors that something was calculated with are not changed.
func Install(ctx context.Context, st *store.Store) (installed int, err error) {
	entries, err := manifest()
	if err != nil {
		return 0, err
	}
	return install(ctx, st, entries)
}

// InstallWithoutMargins is Install for the EPA's factors without the margins of trade and transport.
func InstallWithoutMargins(ctx context.Context, st *store.Store) (installed int, err error) {
	entries, err := builtinWithoutMargins()
	if err != nil {
		return 0, err
	}
	return install(ctx, st, entries)
}

func install(ctx context.Context, st *store.Store, entries []manifestEntry) (installed int, err error) {
	have, err := st.Datasets(ctx)
	if err != nil {
		return 0, err
	}
	type release struct{ source, version string }
	there := map[release]bool{}
	for _, d := range have {
		there[release{d.Source, d.Version}] = true
	}
	var missing []manifestEntry
	for _, m := range entries {
		if !there[release{m.Source, m.Version}] {
			missing = append(missing, m)
		}
	}
	all, err := readEntries(missing)
	if err != nil {
		return 0, err
	}
	for _, im := range all {
		_, created, err := im.Put(ctx, st)
		if err != nil {
			return installed, err
		}
		if created {
			installed++
		}
	}
	return installed, nil
}
