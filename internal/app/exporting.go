package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/internal/config"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

type exportCommand struct {
	settings
	output
	Org    string `required:"" help:"The organization's id or name." placeholder:"O"`
	What   string `required:"" enum:"activities,emissions" help:"What the rows are: activities, or emissions that are current."`
	Format string `default:"csv" enum:"csv,ndjson,parquet" help:"How the file is written: csv, ndjson or parquet."`
	Output string `help:"The file; without one the rows go to standard output." placeholder:"FILE" type:"path"`
}

// written is what came of an export.
type written struct {
	Rows    int     `json:"rows"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// Run writes rows to a file, or to standard output. A file is there when all of it is written, and not before.
func (e *exportCommand) Run(ctx context.Context, w *World) error {
	if e.Output == "" && e.JSON {
		return wrongUse(errors.New("--json prints the result where the rows would go; name a file by --output"))
	}
	return e.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, e.Org)
		if err != nil {
			return err
		}
		im, err := newImporter(st, batch.Options{})
		if err != nil {
			return err
		}
		began := time.Now()
		var done written
		write := func(to io.Writer) error {
			counted := &counting{w: to}
			rows, err := im.Export(ctx, st.Tenant(org.ID), e.asked(), counted, e.telling(w))
			done = written{rows, counted.n, math.Round(time.Since(began).Seconds()*1000) / 1000}
			return err
		}
		if e.Output == "" {
			return toPipe(w.Out, write)
		}
		if err := toFile(e.Output, write); err != nil {
			return err
		}
		return e.print(w, done, fmt.Sprintf("%d rows in %.1f s: %s\n", done.Rows, done.Seconds, e.Output))
	})
}

func (e *exportCommand) asked() batch.Export {
	return batch.Export{What: store.ExportContent(strings.ToUpper(e.What)), Format: store.ExportFormat(strings.ToUpper(e.Format))}
}

// telling says every five seconds how far it is.
func (e *exportCommand) telling(w *World) func(rows, total int) {
	said := time.Now()
	return func(rows, total int) {
		if time.Since(said) >= sayEvery {
			said = time.Now()
			fmt.Fprintf(w.Err, "{\"processed\":%d,\"total\":%d}\n", rows, total)
		}
	}
}

// toPipe writes to whoever reads at the other end.
func toPipe(out io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(out, 64<<10)
	return cannotWrite("standard output", errors.Join(write(b), b.Flush()))
}

// toFile writes beside the file, and puts that in its place when it is whole: what was there before stays where something fails. What is no file, such as a pipe
// that has a name, is written to.
func toFile(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err == nil {
			err = errors.Join(toPipe(f, write), f.Close())
		}
		return cannotWrite(name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return cannotWrite(name, err)
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return cannotWrite(name, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// cannotWrite words what the file system says; what the database says has its words.
func cannotWrite(name string, err error) error {
	var known *fault.Fault
	var p *os.PathError
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || !errors.As(err, &p) {
		return err
	}
	return fault.Wrap(err, fault.Internal, "%s cannot be written: %v.", name, p.Err)
}

// counting counts what goes through it.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
