package ingest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// repeated gives a beginning and then the same text over and over, so many bytes in all.
type repeated struct {
	beginning, text string
	left            int
	at              int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	var n int
	if r.beginning != "" {
		n = copy(p, r.beginning)
		r.beginning = r.beginning[n:]
	} else {
		n = copy(p[:min(len(p), r.left)], r.text[r.at:])
		r.at = (r.at + n) % len(r.text)
	}
	r.left -= min(n, r.left)
	return n, nil
}

// peak tells how many bytes the heap grew at most while something was done.
func peak(t *testing.T, do func()) uint64 {
	t.Helper()
	runtime.GC()
	var before, m runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapAlloc))
			}
		}
	}()
	do()
	close(stop)
	<-stopped
	return most.Load() - min(most.Load(), before.HeapAlloc)
}

// These tests measure the heap, so no other may run beside them.
func TestALineOfFiftyMegabytesIsNotHeld(t *testing.T) {
	for name, tc := range map[string]struct{ beginning, text string }{
		"CSV":                  {plainHeader + "a,\"", "x"},
		"CSV without quotes":   {plainHeader + "a,", "x"},
		"CSV of commas":        {plainHeader, ","},
		"a header":             {"a,b", "x"},
		"an object":            {`{"externalId":"a","description":"` + `","occurredOn":"x","amount":1,"currency":"GBP"}` + "\n" + `{"externalId":"`, "x"},
		"UTF-16":               {"\xff\xfe" + inUTF16(plainHeader+"a,", false), "x\x00"},
		"nothing but newlines": {plainHeader, "\n"},
		"nothing but spaces":   {plainHeader, " "},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			var bad int
			grown := peak(t, func() {
				var all *opened
				all, err = open(t, &repeated{beginning: tc.beginning, text: strings.Repeat(tc.text, 4096), left: 50 << 20}, "l.csv", ingest.Options{})
				if all != nil {
					bad = len(all.bad)
				}
			})
			most := uint64(24 << 20)
			if tc.text == "," {
				most = 96 << 20 // a million empty fields: what the parser keeps of each is many times the comma
			}
			if grown > most {
				t.Errorf("the heap grew by %d MB; want at most %d", grown>>20, most>>20)
			}
			if err == nil && bad == 0 && !strings.HasPrefix(name, "nothing") {
				t.Error("nobody was told")
			}
			if err != nil && fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("err = %v; want BAD_USER_INPUT", err)
			}
		})
	}
}

func TestBombsAreRefused(t *testing.T) {
	limits := ingest.Limits{MaxRatio: 50, Unsuspected: 1 << 20}
	text := &repeated{beginning: plainHeader, text: "a,Steel,2024-01-31,1,GBP\n", left: 30 << 20}
	plain, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	pack := func(w io.WriteCloser, b *bytes.Buffer) string {
		w.Write(plain)
		w.Close()
		return b.String()
	}
	var g, z bytes.Buffer
	zw, err := zstd.NewWriter(&z, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	sheet := workbook(t, xlsxHeader+strings.Repeat(`<row><c t="inlineStr"><is><t>a</t></is></c></row>`, 200_000))
	for name, file := range map[string]string{
		"gzip": pack(gzip.NewWriter(&g), &g), "zstd": pack(zw, &z), "a workbook": sheet,
		"a workbook's texts": workbook(t, xlsxHeader, strings.Repeat("x", 1<<20), strings.Repeat("x", 6<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			o := ingest.Options{Limits: limits}
			if strings.HasPrefix(name, "a workbook") {
				o.Columns = columns(t, minimal)
			}
			_, err := open(t, strings.NewReader(file), "bomb", o)
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, "more than 50 times") {
				t.Errorf("err = %v; want it to be told as a bomb", err)
			}
		})
	}
	if _, err := open(t, strings.NewReader(zipped(t, plainHeader+strings.Repeat(" \n", 400_000))), "l", ingest.Options{Limits: limits}); err != nil {
		t.Errorf("a small file that repeats itself: %v", err)
	}
}

func TestTextsThatCellsShareAreBounded(t *testing.T) {
	var texts []string
	for i := range 100 {
		texts = append(texts, fmt.Sprintf("text %d %s", i, strings.Repeat("é", i)))
	}
	_, err := open(t, strings.NewReader(workbook(t, xlsxHeader, texts...)), "l.xlsx", ingest.Options{Limits: ingest.Limits{MaxTexts: 5000}})
	if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(err.Error(), "save it as CSV") {
		t.Errorf("err = %v", err)
	}
}

func TestADiskThatFailsUnderAnArchiveIsNotTheUsersFault(t *testing.T) {
	for name, file := range map[string]string{
		"gzip": zipped(t, "Id,What,Day,Sum\n"+strings.Repeat("a,Steel,2024-01-31,1\n", 9000)), "parquet": parquetFile(t, payments(9000)), "workbook": workbook(t, xlsxHeader),
	} {
		_, err := open(t, io.MultiReader(strings.NewReader(file[:len(file)/2]), failing{}), "l", ingest.Options{Columns: columns(t, minimal)})
		if fault.CodeOf(err) != fault.Internal || strings.Contains(fault.Of(err).Message, "disk:") {
			t.Errorf("%s: %v; want INTERNAL without the inside", name, err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk: input/output error") }
