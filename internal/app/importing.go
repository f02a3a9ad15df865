package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"carbongraph/internal/batch"
	"carbongraph/internal/config"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

type importCommand struct {
	settings
	output
	Org     string   `required:"" help:"The organization's id or name." placeholder:"O"`
	Columns string   `help:"YAML file that tells which column is what, or the name that one is kept under." placeholder:"C.yml"`
	Keep    string   `name:"keep-columns" help:"Keep the columns file in the ledger under a name, for later imports." placeholder:"NAME"`
	Mapping string   `help:"YAML file that maps accounts and descriptions to factors." placeholder:"M.yml" type:"path"`
	Mode    string   `enum:"ITEM,CHUNK,ATOMIC" default:"ITEM" help:"What a row that fails takes along: nothing, its chunk of 1,000 rows, or everything (at most 49,999 rows)."`
	Rows    string   `name:"chunk-rows" enum:"auto,small,medium,large" default:"auto" help:"Rows in one transaction: 100, 1000 or 10000, or what turns out to be fastest."`
	Propose bool     `help:"Import nothing: print a columns file that is proposed for the file, from its header and first rows."`
	DryRun  bool     `name:"dry-run" help:"Check and calculate everything, store nothing; rows that fail are written to their file all the same."`
	File    []string `arg:"" help:"CSV, NDJSON, Parquet or XLSX files, packed with gzip or zstd too." type:"path"`
}

// imported is what came of an import, in the words of the contract.
type imported struct {
	BatchID    string  `json:"batchId"`
	Rows       int     `json:"rows"`
	Created    int     `json:"created"`
	Updated    int     `json:"updated"`
	Unchanged  int     `json:"unchanged"`
	Failed     int     `json:"failed"`
	Calculated int     `json:"calculated"`
	Excluded   int     `json:"excluded"`
	Seconds    float64 `json:"seconds"`
}

// Run imports files as one batch. Rows that failed stand in a file beside each, in their own columns and with the reason.
func (i *importCommand) Run(ctx context.Context, w *World) error {
	if i.Propose {
		return i.propose(w)
	}
	defer tuneImport()()
	mapping, err := i.read()
	if err != nil {
		return err
	}
	in, err := openInputs(i.File)
	defer in.close()
	if err != nil {
		return err
	}
	return i.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, i.Org)
		if err != nil {
			return err
		}
		t := st.Tenant(org.ID)
		im, err := newImporter(st, batch.Options{ChunkRows: map[string]int{"small": 100, "medium": 1000, "large": 10_000}[i.Rows], Writers: st.Writers()})
		if err != nil {
			return err
		}
		columns, err := i.columns(ctx, im, t)
		if err != nil {
			return err
		}
		p := newProgress(w.Err, in.sizes)
		sum, err := im.Files(ctx, t, in.files, batch.FileOptions{
			Columns: columns, Mapping: mapping, Mode: store.BatchMode(i.Mode), DryRun: i.DryRun, Reason: "Import of " + in.names(), Actor: "command line",
			Size: in.size(), Progress: p.rows,
		})
		p.end()
		if err = errors.Join(err, in.close()); err != nil {
			if sum != nil && sum.Rows > 0 && !i.DryRun {
				fmt.Fprintf(w.Err, "%d rows were read before the error and are kept; importing the file again does not repeat them\n", sum.Rows)
			}
			return err
		}
		return i.end(w, sum, in)
	})
}

// propose prints a columns file for each file, or all that was seen, and why it was taken for what.
func (i *importCommand) propose(w *World) error {
	for _, name := range i.File {
		f, err := os.Open(name)
		if err != nil {
			return cannotRead(name, err)
		}
		p, err := ingest.Propose(f, filepath.Base(name))
		f.Close() // was only read
		if err != nil {
			return err
		}
		for _, missing := range p.Missing {
			fmt.Fprintln(w.Err, missing)
		}
		if err := i.print(w, proposed(p), p.ColumnsFile()); err != nil {
			return err
		}
	}
	return nil
}

// end tells what was done, and whether some of it was not.
func (i *importCommand) end(w *World, sum *batch.Summary, in *inputs) error {
	if sum.Rows == 0 {
		fmt.Fprintf(w.Err, "there are no rows under the header of %s\n", in.names())
	}
	for _, column := range sum.Ignored {
		fmt.Fprintf(w.Err, "column %q is not used\n", column)
	}
	if sum.DatesAssumed > 0 {
		fmt.Fprintf(w.Err, "%d rows have no date of their own and took that of the columns file\n", sum.DatesAssumed)
	}
	for _, name := range in.failed() {
		fmt.Fprintf(w.Err, "rows that failed are in %s: correct it and import it again\n", name)
	}
	if err := i.print(w, done(sum), told(sum, i.DryRun)); err != nil {
		return err
	}
	if sum.Failed > 0 {
		return &exit{code: ExitPartly}
	}
	return nil
}

func done(s *batch.Summary) imported {
	return imported{s.BatchID, s.Rows, s.Created, s.Updated, s.Unchanged, s.Failed, s.Calculated, s.Excluded, math.Round(s.Seconds*1000) / 1000}
}

// told words a summary for people, with the money behind each count: lines alone say little of a ledger.
func told(s *batch.Summary, dry bool) string {
	var b strings.Builder
	verb := "done"
	if dry {
		verb = "dry run, nothing stored"
	}
	fmt.Fprintf(&b, "%s in %.1f s: %d rows · %d created · %d updated · %d unchanged · %d failed\n", verb, s.Seconds, s.Rows, s.Created, s.Updated, s.Unchanged, s.Failed)
	fmt.Fprintf(&b, "%d calculated · %d excluded · %d kept without an emission\n", s.Calculated, s.Excluded, s.Uncalculated)
	for _, m := range s.Money {
		fmt.Fprintf(&b, "%s %s calculated · %s excluded · %s without an emission\n", m.Currency, m.Calculated.Round(2), m.Excluded.Round(2), m.Uncalculated.Round(2))
	}
	return b.String()
}

// read reads the mapping file, before anything is opened. So is a columns file that is a file.
func (i *importCommand) read() (mapping *factors.MappingFile, err error) {
	if i.Columns != "" {
		if _, err := os.Stat(i.Columns); err == nil {
			if _, err := readWith(i.Columns, ingest.ParseColumns); err != nil {
				return nil, err
			}
		}
	}
	if i.Mapping != "" {
		mapping, err = readWith(i.Mapping, factors.ReadMapping)
	}
	return mapping, err
}

// columns gives the columns file: a file, or one that is kept in the ledger, where there is no such file.
func (i *importCommand) columns(ctx context.Context, im *batch.Importer, t *store.Tenant) (*ingest.Columns, error) {
	if i.Columns == "" {
		if i.Keep != "" {
			return nil, wrongUse(errors.New("--keep-columns keeps what --columns names; give both"))
		}
		return nil, nil
	}
	columns, err := readWith(i.Columns, ingest.ParseColumns)
	if errors.Is(err, os.ErrNotExist) {
		kept, other := t.ColumnFiles(ctx, i.Columns)
		if other != nil {
			return nil, other
		}
		if len(kept) == 0 {
			return nil, fault.Wrap(err, fault.NotFound, "%s is neither a file nor the name of a columns file that is kept.", i.Columns)
		}
		columns, err = ingest.ParseColumns(strings.NewReader(kept[0].Content))
	}
	if err == nil && i.Keep != "" {
		err = im.KeepColumns(ctx, t, i.Keep, columns.Text())
	}
	return columns, err
}

// readWith parses a file.
func readWith[T any](name string, parse func(io.Reader) (*T, error)) (*T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, cannotRead(name, err)
	}
	defer f.Close()
	out, err := parse(f)
	if err != nil {
		return nil, fault.Wrap(err, fault.CodeOf(err), "%s: %s", name, oneLine(err))
	}
	return out, nil
}

func cannotRead(name string, err error) error {
	why := err
	var p *os.PathError
	if errors.As(err, &p) {
		why = p.Err
	}
	return fault.Wrap(err, fault.BadUserInput, "%s cannot be read: %v.", name, why)
}

// inputs are the files of an import, open.
type inputs struct {
	files    []batch.File
	sizes    []int64
	failures []*failedRows
	open     []*os.File
}

// openInputs opens all files before anything is imported, so that a name that is mistyped costs nothing.
func openInputs(names []string) (*inputs, error) {
	in := &inputs{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return in, cannotRead(name, err)
		}
		in.open = append(in.open, f)
		info, err := f.Stat()
		if err != nil {
			return in, cannotRead(name, err)
		}
		if info.IsDir() {
			return in, fault.New(fault.BadUserInput, "%s is a folder; name the files in it.", name)
		}
		failures := &failedRows{name: failedName(name)}
		in.failures = append(in.failures, failures)
		in.sizes = append(in.sizes, info.Size())
		in.files = append(in.files, batch.File{Name: filepath.Base(name), Content: f, Failures: failures})
	}
	return in, nil
}

// size is that of all files.
func (in *inputs) size() (n int64) {
	for _, size := range in.sizes {
		n += size
	}
	return n
}

func (in *inputs) names() string {
	var names []string
	for _, f := range in.files {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// failed names the files that took rows that failed.
func (in *inputs) failed() []string {
	var names []string
	for _, f := range in.failures {
		if f.made {
			names = append(names, f.name)
		}
	}
	return names
}

// close closes what is open; closing again does nothing.
func (in *inputs) close() error {
	var errs []error
	for _, f := range in.failures {
		errs = append(errs, f.close())
	}
	for _, f := range in.open {
		f.Close() // was only read
	}
	in.open = nil
	return errors.Join(errs...)
}

// failedName is the file beside the input that takes the rows that failed.
func failedName(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return strings.TrimSuffix(name, filepath.Ext(name)) + ".failed.csv"
}

// failedRows makes its file with the first row, so that an import without failures leaves none.
type failedRows struct {
	name string
	made bool
	file *os.File
}

// Write writes to the file, making it first.
func (f *failedRows) Write(b []byte) (int, error) {
	if f.file == nil {
		file, err := os.Create(f.name)
		if err != nil {
			return 0, fault.Wrap(err, fault.BadUserInput, "%s, for rows that fail, cannot be written. Make its folder writable, or copy the input elsewhere.", f.name)
		}
		f.file, f.made = file, true
	}
	return f.file.Write(b)
}

func (f *failedRows) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
