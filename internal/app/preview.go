package app

import (
	"io"
	"net/http"

	"carbongraph/internal/batch"
	"carbongraph/internal/ingest"
)

// preview answers POST /imports/preview: what the beginning of a file seems to be, and a columns file that is proposed for it.
func (i *imports) preview(w http.ResponseWriter, r *http.Request) error {
	if err := i.charge(r.Context(), i.tenant(r), ""); err != nil {
		return err
	}
	u := batch.Upload{Name: fileName(r.URL.Query().Get("name"))}
	if u.Name == "." {
		u.Name = ""
	}
	if err := i.body(r, r.Body, &u); err != nil {
		return err
	}
	p, err := ingest.Propose(io.LimitReader(u.Content, maxPreview), u.Name)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, proposed(p))
	return nil
}

// toldProposal is a proposal as REST shows it.
type toldProposal struct {
	Format    ingest.Format `json:"format"`
	Encoding  string        `json:"encoding,omitempty"`
	Delimiter string        `json:"delimiter,omitempty"`
	Rows      int           `json:"rows"`
	Columns   []toldColumn  `json:"columns"`
	Sources   []toldSource  `json:"sources"`
	Missing   []string      `json:"missing"`
	File      string        `json:"columnsFile"`
}

type toldColumn struct {
	Name    string   `json:"name"`
	Samples []string `json:"samples"`
}

type toldSource struct {
	Target     string  `json:"target"`
	Column     string  `json:"column,omitempty"`
	Constant   string  `json:"constant,omitempty"`
	Confidence float64 `json:"confidence"`
	Reason     string  `json:"reason"`
}

func proposed(p *ingest.Proposal) toldProposal {
	out := toldProposal{Format: p.Format, Encoding: string(p.Encoding), Rows: p.Rows, Columns: []toldColumn{}, Sources: []toldSource{}, Missing: p.Missing, File: p.ColumnsFile()}
	if p.Delimiter != 0 {
		out.Delimiter = string(p.Delimiter)
	}
	if out.Missing == nil {
		out.Missing = []string{}
	}
	for _, c := range p.Columns {
		out.Columns = append(out.Columns, toldColumn{c.Name, c.Samples})
	}
	for _, s := range p.Sources {
		out.Sources = append(out.Sources, toldSource{s.Target, s.Column, s.Constant, s.Confidence, s.Reason})
	}
	return out
}
