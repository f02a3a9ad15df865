package match_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/internal/match"
	"carbongraph/store"
)

func half() exact.Decimal { return exact.MustDecimal("0.5") }

func TestALedgerIsAskedOncePerAccount(t *testing.T) {
	t.Parallel()
	var l match.Ledger
	for _, line := range []struct {
		code, description, unit, amount string
	}{
		{"4203", "Stationery", "GBP", "10"}, {"4203", "stationery ", "GBP", "5.5"}, {"4203", "Stationery", "EUR", "100"},
		{"4203", "Rates", "GBP", "1"}, {"", "Zzyzx", "GBP", "2"}, {"", "", "GBP", "2"}, {"9", "Paper", "furlong", "3"},
	} {
		if err := l.Add(match.Line{AccountCode: line.code, Description: line.description, Country: "GB", Unit: line.unit}, exact.MustDecimal(line.amount)); err != nil {
			t.Fatal(err)
		}
	}
	accounts := l.Accounts()
	if first := accounts[0]; len(accounts) != 5 || first.Lines != 3 || first.Unit != "GBP" || first.Sum.String() != "15.5" || first.Description != "Stationery" {
		t.Fatalf("accounts %+v; want five, stationery first with three lines and 15.5 GBP", accounts)
	}
	proposals, err := match.New(current(t)).Propose(t.Context(), accounts, half())
	if err != nil {
		t.Fatal(err)
	}
	m := proposals[0].Mapping
	if m == nil || *m.AccountCode != "4203" || *m.Description != "Stationery" || *m.Country != "GB" || m.DecidedBy != store.ByTextMatch || m.Reviewed || m.Exclude ||
		m.CategoryNumber == nil || *m.CategoryNumber != 1 || m.FactorID == nil || !strings.Contains(*m.Reason, "Stationery Product") || m.Confidence.Cmp(half()) < 0 {
		t.Errorf("mapping of stationery %+v", m)
	}
	told := map[string]string{}
	for _, p := range proposals {
		switch {
		case p.Mapping == nil:
			told[p.Description] = p.LeftOut
		case p.Mapping.Exclude:
			told[p.Description] = *p.Mapping.Reason
		}
	}
	for description, want := range map[string]string{"Rates": "A tax", "Zzyzx": "No word of it", "": "No word of it", "Paper": `The unit "furlong" is unknown`} {
		if !strings.HasPrefix(told[description], want) {
			t.Errorf("%q: %q; want %q", description, told[description], want)
		}
	}
	want := match.Summary{Mapped: match.Tally{Accounts: 1, Lines: 3}, Excluded: match.Tally{Accounts: 1, Lines: 1}, LeftOut: match.Tally{Accounts: 3, Lines: 3}}
	if s := match.Summarize(proposals); s != want || len(match.Mappings(proposals)) != 2 {
		t.Errorf("summary %+v, %d mappings; want %+v and two", s, len(match.Mappings(proposals)), want)
	}
}

func TestWhatIsNotConfidentEnoughIsLeftOut(t *testing.T) {
	t.Parallel()
	x := match.New(current(t))
	accounts := []match.Account{{Description: "Stationery", Unit: "GBP", Lines: 1}, {Description: "Rates", Unit: "GBP", Lines: 1}}
	proposals, err := x.Propose(t.Context(), accounts, exact.MustDecimal("0.99"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proposals {
		if p.Mapping != nil || !strings.Contains(p.LeftOut, "the confidence is") {
			t.Errorf("%s: %+v %q; want it left out for its confidence", p.Description, p.Mapping, p.LeftOut)
		}
	}
	if proposals[0].Best == nil {
		t.Error("the likeliest factor is not told")
	}
}

func TestMappingStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := match.New(nil).Propose(ctx, make([]match.Account, 100), half()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want that of the context", err)
	}
}

func TestALedgerOfFreeTextIsRefused(t *testing.T) {
	t.Parallel()
	var l match.Ledger
	var err error
	added := 0
	for ; err == nil && added <= 200_000; added++ {
		err = l.Add(match.Line{Description: fmt.Sprint("free text ", added)}, exact.Decimal{})
	}
	if fault.CodeOf(err) != fault.BadUserInput || added != 200_001 {
		t.Errorf("after %d: %v; want a refusal of the account after 200,000", added, err)
	}
}

// TestRealLedgersAreMapped maps whole ledgers from their files, with text alone.
func TestRealLedgersAreMapped(t *testing.T) {
	x := match.New(builtin(t, factors.EPASupplyChain, "1.3"))
	for name, tc := range map[string]struct {
		folder, example, files string
		rows, least            int // lines that are mapped or excluded, in percent
	}{
		"Devon 2022": {"spend-devon", "devon", "*2022*", 129_851, 85},
		"Oxford":     {"spend-oxford", "oxford", "*", 37_802, 60},
	} {
		t.Run(name, func(t *testing.T) {
			names, _ := filepath.Glob(filepath.Join(shared(t, tc.folder), tc.files+".csv.gz"))
			start := time.Now()
			var l match.Ledger
			rows := 0
			for _, file := range names {
				rows += gather(t, &l, file, tc.example)
			}
			accounts := l.Accounts()
			asked := time.Now()
			proposals, err := x.Propose(t.Context(), accounts, half())
			if err != nil {
				t.Fatal(err)
			}
			s, whole, matching := match.Summarize(proposals), time.Since(start), time.Since(asked)
			t.Logf("%s: %d lines, %d accounts in %.2f s, of it %s matching, %s an account; mapped %+v, excluded %+v, left out %+v", name, rows, len(accounts),
				whole.Seconds(), matching.Round(time.Millisecond), matching/time.Duration(len(accounts)), s.Mapped, s.Excluded, s.LeftOut)
			if rows != tc.rows || whole > 10*time.Second && !raceEnabled {
				t.Errorf("%d lines in %s; want %d in less than 10 s", rows, whole, tc.rows)
			}
			if done := s.Mapped.Lines + s.Excluded.Lines; done*100 < rows*tc.least {
				t.Errorf("%d of %d lines are mapped or excluded; want %d %%", done, rows, tc.least)
			}
			if s.Mapped.Lines+s.Excluded.Lines+s.LeftOut.Lines != rows {
				t.Errorf("%+v do not add up to %d lines", s, rows)
			}
		})
	}
}

// gather reads a file of a ledger into accounts, and tells how many lines it has that can be read.
func gather(t *testing.T, l *match.Ledger, file, example string) (rows int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := os.Open(filepath.Join("..", "..", "docs", "examples", example, "columns.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	columns, err := ingest.ParseColumns(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ingest.Open(f, filepath.Base(file), ingest.Options{Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		row, err := r.Next()
		var bad *ingest.RowError
		switch {
		case errors.Is(err, io.EOF):
			return rows
		case errors.As(err, &bad):
			continue
		case err != nil:
			t.Fatal(err)
		}
		rows++
		line := match.Line{AccountCode: row.AccountCode, Description: row.Description, Country: row.Country, Unit: row.Currency}
		if err := l.Add(line, exact.NewDecimal(int64(row.Amount), -6)); err != nil {
			t.Fatal(err)
		}
	}
}

// shared is a folder of real data; the test is skipped where it is not there.
func shared(t testing.TB, folder string) string {
	t.Helper()
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real ledger %s is not here; set SHARED_DATA to the folder that holds it", folder)
	}
	return dir
}

func TestAShelfIsMadeOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	epa, desnz := store.ID{1}, store.ID{2}
	list := []*store.FactorDataset{{ID: epa, FactorCount: 1016}}
	reads := make(chan store.ID, 100)
	open := make(chan struct{})
	var failing error
	shelf := match.NewShelf(
		func(context.Context) ([]*store.FactorDataset, error) { return list, failing },
		func(ctx context.Context, id store.ID) ([]*store.EmissionFactor, error) {
			<-open
			reads <- id
			return builtin(t, factors.EPASupplyChain, "1.3"), ctx.Err()
		}, nil)
	impatient, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := shelf.Index(impatient)
		gone <- err
	}()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away is told %v", err)
	}
	answers := make(chan *match.Index)
	for range 8 {
		go func() {
			x, err := shelf.Index(t.Context())
			if err != nil {
				t.Error(err)
			}
			answers <- x
		}()
	}
	close(open)
	var seen []*match.Index
	for range 8 {
		if x := <-answers; !slices.Contains(seen, x) {
			seen = append(seen, x)
		}
	}
	if len(seen) != 1 || len(reads) != 1 {
		t.Errorf("%d indexes from %d reads; want one", len(seen), len(reads))
	}
	list = append(list, &store.FactorDataset{ID: desnz, FactorCount: 1, SupersedesID: &epa})
	x, err := shelf.Index(t.Context())
	if err != nil || x == seen[0] || len(reads) != 2 {
		t.Errorf("after another dataset: %v, %d reads; want a new index", err, len(reads))
	}
	if <-reads; <-reads != desnz {
		t.Error("factors that are superseded were read")
	}
	list = append(list, &store.FactorDataset{ID: store.ID{4}, Source: factors.EPAWithoutMargins, FactorCount: 1016})
	if again, err := shelf.Index(t.Context()); err != nil || again != x {
		t.Errorf("after the same factors without margins: %v; want the same index", err)
	}
	list = append(list, &store.FactorDataset{ID: store.ID{3}, FactorCount: 200_000})
	if _, err := shelf.Index(t.Context()); fault.CodeOf(err) != fault.Overloaded {
		t.Errorf("too many factors: %v; want OVERLOADED", err)
	}
	failing = fault.New(fault.Internal, "down")
	if _, err := shelf.Index(t.Context()); err != failing {
		t.Errorf("error %v; want that of the read", err)
	}
}
