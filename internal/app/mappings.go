package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carbongraph/internal/broker"
	"carbongraph/internal/config"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
	"carbongraph/internal/match"
	"carbongraph/store"
)

type mappingsCommand struct {
	Propose mappingsPropose `cmd:"" help:"Print a mapping file that the words of a ledger suggest, for a person to review."`
}

type mappingsPropose struct {
	settings
	Columns    string   `help:"YAML file that tells which column is what." placeholder:"C.yml" type:"path"`
	Confidence string   `default:"0.5" help:"Leave out what is less sure, 0 to 1."`
	Ask        bool     `help:"Ask the factor source and the language model of the settings too, once for each account: its code, description, country and unit go to them."`
	File       []string `arg:"" help:"CSV, NDJSON, Parquet or XLSX files, packed with gzip or zstd too." type:"path"`
}

// Run reads files and prints rules with their confidence and reason as comments. Nothing is stored.
func (m *mappingsPropose) Run(ctx context.Context, w *World) error {
	minimum, err := exact.ParseDecimal(m.Confidence)
	if err != nil || minimum.Sign() < 0 || minimum.Cmp(exact.NewDecimal(1, 0)) > 0 {
		return wrongUse(fault.New(fault.BadUserInput, "--confidence is from 0 to 1; got %.40q.", m.Confidence))
	}
	var columns *ingest.Columns
	if m.Columns != "" {
		if columns, err = readWith(m.Columns, ingest.ParseColumns); err != nil {
			return err
		}
	}
	var ledger match.Ledger
	for _, name := range m.File {
		bad, err := gather(&ledger, name, columns)
		if err != nil {
			return err
		}
		if bad > 0 {
			fmt.Fprintf(w.Err, "%d rows of %s cannot be read and are not counted; `carbongraph import --dry-run` tells why\n", bad, name)
		}
	}
	return m.withStore(ctx, w, func(c *config.Config, st *store.Store) error {
		if m.Ask && c.Factors.URL == "" && c.Model.BaseURL == "" {
			return wrongUse(fault.New(fault.BadUserInput, "There is nobody to --ask: set FACTOR_SOURCE_URL, or LLM_BASE_URL and LLM_MODEL."))
		}
		datasets, err := st.Datasets(ctx)
		if err != nil {
			return err
		}
		if len(datasets) == 0 {
			return fault.New(fault.NoFactor, "No dataset of factors is stored yet. Run `carbongraph factors builtin`.")
		}
		shelf := match.NewShelf(st.Datasets, st.DatasetFactors, nil)
		x, err := shelf.Index(ctx)
		if err != nil {
			return err
		}
		proposals, err := x.Propose(ctx, ledger.Accounts(), minimum)
		if err != nil {
			return err
		}
		if m.Ask {
			b := newBroker(c, st, shelf, broker.Options{Log: w.quiet(c), AtOnce: askedAtOnce, Deadline: askingTime})
			unasked, err := askSources(ctx, b, st, proposals, minimum)
			if err = errors.Join(err, b.Close()); err != nil {
				return err
			}
			if unasked > 0 {
				fmt.Fprintf(w.Err, "%d accounts could not be asked of every source; what is proposed for them is what the others know\n", unasked)
			}
		}
		leaveStarsOut(proposals)
		s := match.Summarize(proposals)
		fmt.Fprintf(w.Err, "%d accounts mapped, %d excluded, %d left out\n", s.Mapped.Accounts, s.Excluded.Accounts, s.LeftOut.Accounts)
		_, err = w.Out.Write(mappingFile(proposals, datasets, m.Ask))
		return err
	})
}

// A language model answers eight accounts at once: no more than wait for it together are asked, so that each has its turn in the time of its look-up.
const (
	askedAtOnce = 32
	askingTime  = 5 * time.Minute
)

// gather counts the lines of a file by account, and tells how many cannot be read.
func gather(l *match.Ledger, name string, columns *ingest.Columns) (bad int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, cannotRead(name, err)
	}
	defer f.Close()
	rows, err := ingest.Open(f, filepath.Base(name), ingest.Options{Columns: columns})
	if err != nil {
		return 0, err
	}
	defer rows.Close() // was only read
	for {
		row, err := rows.Next()
		if wrong := (*ingest.RowError)(nil); errors.As(err, &wrong) {
			bad++
			continue
		}
		if errors.Is(err, io.EOF) {
			return bad, nil
		}
		if err != nil {
			return bad, err
		}
		line, amount := match.Line{AccountCode: row.AccountCode, Description: row.Description, Country: row.Country, Unit: row.Currency}, row.Amount
		if row.HasQuantity { // is preferred to money
			line.Unit, amount = row.Unit, row.Quantity
		}
		if err := l.Add(line, exact.NewDecimal(int64(amount), -6)); err != nil {
			return bad, err
		}
	}
}

// leaveStarsOut leaves out accounts whose own star a rule would take for one that stands for any ending.
func leaveStarsOut(proposals []match.Proposal) {
	for i, p := range proposals {
		if p.Mapping != nil && strings.Contains(p.AccountCode+p.Description, "*") {
			proposals[i].Mapping, proposals[i].LeftOut = nil, "A rule cannot tell its star from one that stands for any ending."
		}
	}
}

// mappingFile writes proposals as rules of a mapping file, and those left out as comments.
func mappingFile(proposals []match.Proposal, datasets []*store.FactorDataset, sourcesAsked bool) []byte {
	from := map[store.ID]*store.FactorDataset{}
	for _, d := range datasets {
		from[d.ID] = d
	}
	var rules, left bytes.Buffer
	for _, p := range proposals {
		what := fmt.Sprintf("%d lines, %s %s", p.Lines, p.Sum.Round(2), p.Unit)
		if p.Mapping == nil {
			fmt.Fprintf(&left, "  # %s\n", comment(fmt.Sprintf("%s: %s, account code %s. %s", what, quotedYAML(p.Description), quotedYAML(p.AccountCode), p.LeftOut)))
			continue
		}
		who := ""
		if p.Mapping.DecidedBy == store.ByLanguageModel {
			who = " · by the language model"
		}
		fmt.Fprintf(&rules, "  # %s\n  - match: { %s }\n", comment(fmt.Sprintf("%s · confidence %s%s · %s", what, p.Mapping.Confidence, who, *p.Mapping.Reason)), matched(p.Mapping))
		if p.Mapping.Exclude {
			fmt.Fprintf(&rules, "    exclude: %s\n", quotedYAML(*p.Mapping.Reason))
			continue
		}
		f, d := p.Best.Factor, from[p.Best.Factor.DatasetID]
		fmt.Fprintf(&rules, "    factor: { source: %s, version: %s, code: %s, region: %s, unit: %s } # %s\n", quotedYAML(d.Source), quotedYAML(d.Version), quotedYAML(f.Code),
			quotedYAML(f.Region), quotedYAML(f.Unit), comment(f.Name))
		if c := p.Mapping.CategoryNumber; c != nil {
			fmt.Fprintf(&rules, "    category: %d\n", *c)
		}
	}
	by := "the words of the ledger alone"
	if sourcesAsked {
		by = "the words of the ledger, and by the sources of factors that the settings name"
	}
	out := "# Proposed by " + by + ". Look at each rule before you import with this file; those with the most lines come first.\nrules:\n" + rules.String()
	if left.Len() > 0 {
		out += "\n  # Left out:\n" + left.String()
	}
	return []byte(out)
}

func matched(m *store.FactorMapping) string {
	var parts []string
	for _, p := range []struct {
		name string
		text *string
	}{{"accountCode", m.AccountCode}, {"description", m.Description}, {"country", m.Country}} {
		if p.text != nil {
			parts = append(parts, p.name+": "+quotedYAML(*p.text))
		}
	}
	return strings.Join(parts, ", ")
}

// quotedYAML writes a text in quotes, as JSON and so YAML has it.
func quotedYAML(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a text always encodes
	}
	return strings.TrimSpace(b.String())
}

// comment keeps a text in one line.
func comment(s string) string { return strings.Join(strings.Fields(s), " ") }
