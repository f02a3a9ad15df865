package app

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"carbongraph/internal/batch"
)

// sayEvery is how often progress is told where there is no terminal.
const sayEvery = 5 * time.Second

// progress shows how far an import is: a bar on a terminal, a line every five seconds elsewhere.
type progress struct {
	w    io.Writer
	bar  *progressbar.ProgressBar // nil: lines
	said time.Duration

	file   string // that is read now
	before int64  // bytes of the files before it
	bytes  int64  // of this one
}

// newProgress shows an import of so many bytes; without sizes it tells lines.
func newProgress(w io.Writer, sizes []int64) *progress {
	p := &progress{w: w}
	var total int64
	for _, n := range sizes {
		total += n
	}
	if total > 0 && terminal(w) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	}
	return p
}

// rows hears how far the import is.
func (p *progress) rows(now batch.Progress) {
	perSecond := float64(now.Rows) / max(now.Elapsed.Seconds(), 0.001)
	if p.bar != nil {
		if now.File != p.file {
			p.file, p.before, p.bytes = now.File, p.before+p.bytes, 0
		}
		p.bytes = now.Bytes
		p.bar.Describe(fmt.Sprintf("%d rows, %.0f rows/s, %d failed", now.Rows, perSecond, now.Failed))
		p.bar.Set64(min(p.before+p.bytes, p.bar.GetMax64())) // a bar that cannot be drawn is no reason to stop
		return
	}
	if now.Elapsed-p.said >= sayEvery {
		p.said = now.Elapsed
		fmt.Fprintf(p.w, "{\"processed\":%d,\"failed\":%d,\"rowsPerSecond\":%.0f}\n", now.Rows, now.Failed, perSecond)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
