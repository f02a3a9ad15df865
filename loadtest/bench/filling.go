package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"carbongraph/internal/seed"
)

// verb runs a command of the program and gives what it printed, with what the operating system counted of it.
func (b *bench) verb(ctx context.Context, args ...string) ([]byte, *os.ProcessState, error) {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+b.database)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 3 {
		err = nil // some rows failed: the summary tells
	}
	if err != nil {
		err = fmt.Errorf("carbongraph %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out, cmd.ProcessState, err
}

// fill makes the organization and imports the generated file: the import is itself a measurement.
func (b *bench) fill(ctx context.Context) error {
	if _, _, err := b.verb(ctx, "migrate", "up"); err != nil {
		return err
	}
	out, _, err := b.verb(ctx, "org", "create", "--name", "Bench", "--currency", "GBP", "--gwp", "AR5", "--json")
	if err != nil {
		return err
	}
	var made struct{ ID, Key string }
	if err := json.Unmarshal(out, &made); err != nil {
		return err
	}
	b.org, b.key = made.ID, made.Key
	if _, _, err := b.verb(ctx, "factors", "builtin"); err != nil {
		return err
	}
	if err := writeLedger(b.path("ledger.csv"), b.path("mapping.yml"), b.suppliers, b.rows); err != nil {
		return err
	}
	out, state, err := b.verb(ctx, "import", b.path("ledger.csv"), "--org", b.org, "--mapping", b.path("mapping.yml"), "--json")
	if err != nil {
		return err
	}
	var summary struct {
		Rows, Created, Failed, Calculated int
		Seconds                           float64
	}
	if err := json.Unmarshal(out, &summary); err != nil {
		return fmt.Errorf("the import's summary: %w: %s", err, out)
	}
	if summary.Created != b.rows {
		return fmt.Errorf("the import created %d of %d rows: %s", summary.Created, b.rows, out)
	}
	rate := float64(summary.Rows) / summary.Seconds
	b.add(figure{"import, rows/s calculated and stored", fmt.Sprintf("%.0f (%d rows, %d calculated, %.1f s)", rate, summary.Rows, summary.Calculated, summary.Seconds), ">= 5000", rate >= 5000})
	resident := float64(maxResident(state)) / (1 << 20)
	b.add(figure{fmt.Sprintf("import of %d rows, peak resident", b.rows), fmt.Sprintf("%.0f MB", resident), "< 256 MB", resident < 256})
	return nil
}

// maxResident is the largest resident set of a finished process, in bytes.
func maxResident(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

// writeLedger writes a synthetic ledger as a CSV file under the importer's own column names, and its mapping file.
func writeLedger(ledgerFile, mappingFile string, suppliers, activities int) error {
	if err := os.WriteFile(mappingFile, seed.Mapping(), 0o600); err != nil {
		return err
	}
	f, err := os.Create(ledgerFile)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := csv.NewWriter(buffered)
	l := seed.New(seed.Options{Suppliers: suppliers, Activities: activities, Seed: 1})
	names := map[string]string{}
	for _, s := range l.Suppliers() {
		names[s.ExternalID] = s.Name
	}
	if err := w.Write([]string{"externalId", "supplierExternalId", "supplierName", "category", "description", "accountCode", "occurredOn", "quantity", "unit", "amount", "currency", "country"}); err != nil {
		return err
	}
	for a := range l.Activities() {
		row := []string{a.ExternalID, "", "", string('0' + rune(*a.Category%10)), a.Description, *a.AccountCode, a.OccurredOn.String(), "", "", "", "", *a.Country}
		if *a.Category >= 10 {
			row[3] = "1" + row[3]
		}
		if a.SupplierExternalID != nil {
			row[1], row[2] = *a.SupplierExternalID, names[*a.SupplierExternalID]
		}
		if a.Quantity != nil {
			row[7], row[8] = a.Quantity.Value.String(), a.Quantity.Unit
		}
		if a.Money != nil {
			row[9], row[10] = a.Money.Amount.String(), a.Money.Currency
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}
