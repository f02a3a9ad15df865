package ingest

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"carbongraph/internal/fault"
)

// maxPart bounds what one element of a workbook may take: a row of a sheet, a shared text, the list of sheets.
const maxPart = 8 << 20

// workbook is what a sheet needs of the file around it: where it lies, the texts that cells share, and which styles show days.
type workbook struct {
	*input
	zip    *zip.Reader
	sheets []sheetEntry
	parts  map[string]relation // by id
	epoch  epoch
	styles []numberKind // by the cell's style
	texts  []byte
	ends   []uint32 // of the texts
}

type sheetEntry struct {
	name, relation string
	hidden         bool
}

type relation struct{ kind, target string }

func openWorkbook(s *input) (*workbook, error) {
	at, size, err := s.random()
	if err != nil {
		return nil, err
	}
	w := &workbook{input: s, parts: map[string]relation{}}
	if w.zip, err = zip.NewReader(at, size); err != nil {
		return nil, fault.Wrap(err, fault.BadUserInput, "%s is a zip archive or a workbook that is damaged or cut off; fetch it again.", s.name)
	}
	if w.entry("xl/workbook.xml") == nil {
		return nil, w.refuseArchive()
	}
	if err := w.readPart("xl/workbook.xml", w.readSheets()); err != nil {
		return nil, err
	}
	if err := w.readPart("xl/_rels/workbook.xml.rels", w.readRelations); err != nil {
		return nil, err
	}
	for _, r := range w.parts {
		switch r.kind {
		case "styles":
			err = w.readPart(r.target, w.readStyles())
		case "sharedStrings":
			err = w.readTexts(r.target)
		}
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// refuseArchive says what to do with a zip archive that is no workbook of this kind.
func (w *workbook) refuseArchive() error {
	switch {
	case w.entry("xl/workbook.bin") != nil:
		return fault.New(fault.BadUserInput, "%s is a binary workbook (.xlsb); save it as .xlsx.", w.name)
	case w.entry("content.xml") != nil:
		return fault.New(fault.BadUserInput, "%s is an OpenDocument sheet; save it as .xlsx or CSV.", w.name)
	}
	var names []string
	for _, f := range w.zip.File {
		names = append(names, f.Name)
	}
	return fault.New(fault.BadUserInput, "%s is a zip archive and not a workbook; unpack it and import what is in it (%s), or compress the ledger with gzip or zstd.", w.name, quoted(names, ", "))
}

func (w *workbook) entry(name string) *zip.File {
	i := slices.IndexFunc(w.zip.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) })
	if i < 0 {
		return nil
	}
	return w.zip.File[i]
}

// part is one file of the workbook, token by token.
type part struct {
	*xml.Decoder
	limit *limiter
	close func() error
}

// open opens a part. The tokens come as they stand, without a look at whether elements close: who reads on knows where the part must end.
func (w *workbook) open(name string) (*part, error) {
	f := w.entry(name)
	if f == nil {
		return nil, w.damaged(fmt.Errorf("xlsx: no part %q", name))
	}
	in, err := f.Open()
	if err != nil {
		return nil, w.damaged(err)
	}
	packed := int64(min(f.CompressedSize64, 1<<62))
	limit := &limiter{r: &bombGuard{r: in, packed: func() int64 { return packed }, limits: w.limits}, left: maxPart}
	return &part{Decoder: xml.NewDecoder(bufio.NewReaderSize(limit, 64<<10)), limit: limit, close: in.Close}, nil
}

func (w *workbook) damaged(err error) error {
	switch {
	case errors.Is(err, errBomb), w.raw.failed.Load():
		return w.fault(err, 0)
	case errors.Is(err, errTooLong):
		return fault.New(fault.BadUserInput, "%s has a row, or another part, of more than %d MB; save it as CSV.", w.name, maxPart>>20)
	}
	return fault.Wrap(err, fault.BadUserInput, "%s is a workbook that is damaged; open it, save it as .xlsx again, and repeat the import: rows that are in already stay as they are.", w.name)
}

// readPart shows all elements of a part with the names of those around.
func (w *workbook) readPart(name string, visit func(e xml.StartElement, within string)) error {
	p, err := w.open(name)
	if err != nil {
		return err
	}
	defer p.close() // was only read
	var within []string
	for {
		t, err := p.RawToken()
		switch {
		case err == io.EOF && len(within) == 0:
			return nil
		case err == io.EOF:
			return w.damaged(io.ErrUnexpectedEOF)
		case err != nil:
			return w.damaged(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			parent := ""
			if len(within) > 0 {
				parent = within[len(within)-1]
			}
			visit(t, parent)
			within = append(within, t.Name.Local)
		case xml.EndElement:
			if len(within) == 0 || within[len(within)-1] != t.Name.Local {
				return w.damaged(fmt.Errorf("xlsx: %q closes what is not open", t.Name.Local))
			}
			within = within[:len(within)-1]
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (w *workbook) readSheets() func(xml.StartElement, string) {
	return func(e xml.StartElement, within string) {
		switch {
		case e.Name.Local == "workbookPr":
			if v := attribute(e, "date1904"); v == "1" || v == "true" {
				w.epoch = from1904
			}
		case e.Name.Local == "sheet" && within == "sheets":
			state := attribute(e, "state")
			w.sheets = append(w.sheets, sheetEntry{attribute(e, "name"), attribute(e, "id"), state != "" && state != "visible"})
		}
	}
}

func (w *workbook) readRelations(e xml.StartElement, _ string) {
	if e.Name.Local != "Relationship" {
		return
	}
	target := attribute(e, "Target")
	if strings.HasPrefix(target, "/") {
		target = target[1:]
	} else {
		target = path.Join("xl", target)
	}
	w.parts[attribute(e, "Id")] = relation{path.Base(attribute(e, "Type")), target}
}

// sheet finds a sheet by its name, or the first that is shown.
func (w *workbook) sheet(name string) (string, error) {
	var names []string
	for _, hidden := range []bool{false, true} {
		for _, s := range w.sheets {
			r := w.parts[s.relation]
			if r.kind != "worksheet" || s.hidden != hidden {
				continue
			}
			if name == "" || strings.EqualFold(strings.TrimSpace(s.name), strings.TrimSpace(name)) {
				return r.target, nil
			}
			names = append(names, s.name)
		}
	}
	if name == "" {
		return "", fault.New(fault.BadUserInput, "%s has no sheet with cells.", w.name)
	}
	return "", fault.New(fault.BadUserInput, "%s has no sheet %.60q; it has %s.", w.name, name, quoted(names, ", "))
}

// readTexts keeps the texts that cells share, one after the other: a slice of strings would take several times as much.
func (w *workbook) readTexts(name string) error {
	p, err := w.open(name)
	if err != nil {
		return err
	}
	defer p.close() // was only read
	in := inlineText{}
	for {
		t, err := p.RawToken()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the list closes before
		}
		if err != nil {
			return w.damaged(err)
		}
		if end, ok := t.(xml.EndElement); ok {
			switch end.Name.Local {
			case "sst":
				return nil
			case "si":
				p.limit.left = maxPart
				w.texts = append(w.texts, unescapeXML(in.take())...)
				w.ends = append(w.ends, uint32(len(w.texts)))
				if int64(len(w.texts))+4*int64(len(w.ends)) > min(w.limits.MaxTexts, 1<<32-maxPart) {
					return fault.New(fault.BadUserInput, "%s has more than %d MB of different texts, which would have to be held in memory; save it as CSV, which is read as it comes.",
						w.name, w.limits.MaxTexts>>20)
				}
			}
		}
		in.token(t)
	}
}

// sharedText gives one of the shared texts; false where there is none of the number.
func (w *workbook) sharedText(i int) (string, bool) {
	if i < 0 || i >= len(w.ends) {
		return "", false
	}
	from := uint32(0)
	if i > 0 {
		from = w.ends[i-1]
	}
	return string(w.texts[from:w.ends[i]]), true
}

// inlineText gathers the text of runs, without how Japanese is read aloud.
type inlineText struct {
	text     []byte
	inText   bool
	phonetic bool
}

func (i *inlineText) token(t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		switch t.Name.Local {
		case "t":
			i.inText = true
		case "rPh":
			i.phonetic = true
		}
	case xml.EndElement:
		switch t.Name.Local {
		case "t":
			i.inText = false
		case "rPh":
			i.phonetic = false
		}
	case xml.CharData:
		if i.inText && !i.phonetic {
			i.text = append(i.text, t...)
		}
	}
}

func (i *inlineText) take() string {
	text := string(i.text)
	*i = inlineText{text: i.text[:0]}
	return text
}
