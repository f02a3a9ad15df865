package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"carbongraph/internal/fault"
)

const (
	// proposalSample is how much of a text is looked at; proposalRecords how many records, of any format.
	proposalSample  = 256 << 10
	proposalRecords = 5000
	// samplesShown is how many values of a column are shown.
	samplesShown = 5
)

// Proposal is what a ledger seems to say, for a person to judge.
type Proposal struct {
	Format    Format
	Encoding  Encoding // empty where the format leaves no choice
	Delimiter rune     // zero where the file is no CSV
	Rows      int      // that were looked at
	Columns   []SampledColumn
	Sources   []ProposedSource // in the order of Targets
	Missing   []string         // what an import needs and the file does not tell, in sentences
	declared  fileSection
	doubts    []doubt
	open      []string // lines of the columns file that a person has to write
}

// SampledColumn is a column with the first few different values that it has.
type SampledColumn struct {
	Name    string
	Samples []string
}

// ProposedSource says where a field of an activity may come from, and why.
type ProposedSource struct {
	Target     string
	Column     string // the column; of a template, its text; empty for a constant
	Constant   string
	Confidence float64 // 0 to 1
	Reason     string
	yaml       string // what stands behind the target in a columns file
}

// Propose looks at the beginning of a ledger and proposes a columns file. A text, packed or not, may be cut anywhere: its last record is left out where it
// may be half of one. A workbook or a Parquet file has to be whole. What is no ledger is the fault that Open gives; what a ledger lacks is told in Missing.
func Propose(sample io.Reader, name string) (*Proposal, error) {
	s, err := openInput(sample, name, Limits{})
	if err != nil {
		return nil, err
	}
	p := &Proposal{}
	found, err := p.sample(s)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, c := range found.columns {
		p.Columns = append(p.Columns, SampledColumn{c.name, c.distinct(samplesShown)})
	}
	p.Rows = found.rows
	p.propose(found, name)
	return p, s.Close()
}

// sample finds the format and takes the values of the first records.
func (p *Proposal) sample(s *input) (*sampled, error) {
	beginning, err := s.in.Peek(sampleSize)
	if err != nil && len(beginning) == 0 && !errors.Is(err, io.EOF) {
		return nil, s.fault(err, 0)
	}
	if p.Format, err = s.binary(beginning); err != nil {
		return nil, err
	}
	var in records
	switch p.Format {
	case PARQUET:
		in, err = openParquet(s)
	case XLSX:
		in, err = p.openSheet(s)
	default:
		in, err = p.openText(s)
	}
	if err != nil {
		return nil, err
	}
	return take(in)
}

// openSheet takes the first sheet that has more than one column, as a title page has not; where none has, the first.
func (p *Proposal) openSheet(s *input) (records, error) {
	w, err := openWorkbook(s)
	if err != nil {
		return nil, err
	}
	first, err := w.openSheet("")
	if err == nil && len(first.header) > 1 {
		return first, nil
	}
	for _, e := range w.sheets {
		if other, err := w.openSheet(e.name); !e.hidden && err == nil && len(other.header) > 1 {
			p.declared.sheet = e.name
			return other, nil
		}
	}
	return first, err
}

// openText reads the beginning of a text as a file of its own.
func (p *Proposal) openText(s *input) (records, error) {
	raw, err := io.ReadAll(io.LimitReader(s.in, proposalSample))
	cut := len(raw) == proposalSample
	if err != nil { // the archive ends before its end, as a sample does; what came is whole
		if s.raw.failed.Load() || len(raw) == 0 {
			return nil, s.fault(err, 0)
		}
		cut = true
	}
	part, err := openInput(bytes.NewReader(raw), s.name, s.limits)
	if err != nil {
		return nil, err
	}
	if e, _ := markOf(raw); e == "" && byZeros(raw) == "" {
		if bad, _ := invalid(raw); bad > 0 && bytes.IndexByte(raw, 0) < 0 {
			p.declared.encoding = Windows1252 // by far the most common of those that cannot be found
		}
	}
	format, in, e, err := part.format(p.declared)
	if err != nil {
		return nil, err
	}
	p.Format, p.Encoding = format, e
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, s.fault(err, 0)
	}
	in = bufio.NewReaderSize(bytes.NewReader(wholeLines(text, cut)), 64<<10)
	if format == NDJSON {
		return openNDJSON(part, in, e, nil)
	}
	t, err := openCSV(part, in, e, 0)
	if err == nil {
		p.Delimiter = t.Delimiter()
	}
	return t, err
}

// wholeLines leaves out a last line that does not end, where lines come before it that do: it may be cut. A header alone stays as it is.
func wholeLines(text []byte, cut bool) []byte {
	last := bytes.LastIndexByte(text, '\n')
	if last < 0 || !cut && bytes.Count(text[:last], []byte("\n")) == 0 {
		return text
	}
	return text[:last+1]
}

// sampled are the values of the first records, by column.
type sampled struct {
	columns []*sampledColumn
	rows    int
}

type sampledColumn struct {
	name   string
	named  bool     // by a name that no other column has
	values []string // without space around, empty where there is none
	typed  []bool   // numbers by their type
}

// take reads the first records. One that cannot be read is left out: the import will tell of it.
func take(in records) (*sampled, error) {
	s := &sampled{}
	names := map[string]int{}
	for _, h := range in.Header() {
		names[fold(h)]++
	}
	for _, h := range in.Header() {
		s.columns = append(s.columns, &sampledColumn{name: h, named: fold(h) != "" && names[fold(h)] == 1})
	}
	for s.rows < proposalRecords {
		record, _, err := in.Next()
		if malformed := (*Malformed)(nil); errors.As(err, &malformed) {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if f := (*fault.Fault)(nil); errors.As(err, &f) && s.rows > 0 {
			break // an open quotation mark at the end of the sample
		}
		if err != nil {
			return nil, err
		}
		for i, c := range s.columns {
			c.values, c.typed = append(c.values, strings.TrimSpace(record[i])), append(c.typed, in.IsNumber(i))
		}
		s.rows++
	}
	return s, nil
}

// distinct gives the first different values, without the empty one.
func (c *sampledColumn) distinct(most int) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, v := range c.values {
		if len(out) == most {
			break
		}
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// full is true for a column that says something in every record.
func (c *sampledColumn) full() bool { return len(c.values) > 0 && !slices.Contains(c.values, "") }

// Assume adds a constant for a field that the file does not tell, such as the currency that a company keeps its books in.
func (p *Proposal) Assume(target, constant, reason string) {
	at := slices.Index(Targets(), target)
	if at < 0 || constant == "" || p.source(target) != nil {
		return
	}
	p.add(ProposedSource{Target: target, Constant: constant, Confidence: 1, Reason: reason})
	p.complete()
}

func (p *Proposal) add(s ProposedSource) {
	p.Sources = append(p.Sources, s)
	slices.SortStableFunc(p.Sources, func(a, b ProposedSource) int {
		return slices.Index(Targets(), a.Target) - slices.Index(Targets(), b.Target)
	})
}

func (p *Proposal) source(target string) *ProposedSource {
	for i := range p.Sources {
		if p.Sources[i].Target == target {
			return &p.Sources[i]
		}
	}
	return nil
}

// ColumnsFile writes the proposal as a columns file. ParseColumns takes it where nothing is missing; what is stands in it as a comment.
func (p *Proposal) ColumnsFile() string {
	var b strings.Builder
	var constants []string
	switch {
	case p.declared.encoding != "":
		fmt.Fprintf(&b, "file: { encoding: %s }\n", p.declared.encoding)
	case p.declared.sheet != "":
		fmt.Fprintf(&b, "file: { sheet: %q }\n", p.declared.sheet)
	}
	b.WriteString("columns:\n")
	for _, s := range p.Sources {
		if s.Constant != "" {
			constants = append(constants, fmt.Sprintf("%s: %q", s.Target, s.Constant))
			continue
		}
		fmt.Fprintf(&b, "  %s: %s\n", s.Target, s.yaml)
	}
	if len(constants) > 0 {
		fmt.Fprintf(&b, "constants: { %s }\n", strings.Join(constants, ", "))
	}
	for _, line := range p.open {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	return b.String()
}
