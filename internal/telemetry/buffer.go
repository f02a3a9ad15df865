package telemetry

import (
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"
)

const (
	// lineDelay is how long a line may wait for others to be written together with it.
	lineDelay = 100 * time.Millisecond
	// lineBytes is how much may wait.
	lineBytes = 32 << 10
)

// Buffer writes lines of a log together: a call of the operating system for each costs as much as making it. Nothing waits longer than a tenth of a second.
type Buffer struct {
	w io.Writer

	mu      sync.Mutex
	waiting []byte
	timer   *time.Timer
}

// NewBuffer gives a buffer before w. Flush it when nothing more is written.
func NewBuffer(w io.Writer) *Buffer { return &Buffer{w: w} }

// request writes the line of a request as slog would, with less work: each request has one.
func (b *Buffer) request(r *Request, method, route string, status int, took time.Duration, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := append(b.waiting, `{"time":"`...)
	l = time.Now().AppendFormat(l, time.RFC3339Nano)
	l = append(l, `","level":"INFO","msg":"request","method":"`...)
	l = append(l, method...)
	l = appendJSON(append(l, `","route":`...), route)
	l = strconv.AppendInt(append(l, `,"status":`...), int64(status), 10)
	l = strconv.AppendFloat(append(l, `,"ms":`...), float64(took.Microseconds())/1000, 'f', -1, 64)
	l = strconv.AppendInt(append(l, `,"bytes":`...), bytes, 10)
	l = strconv.AppendInt(append(l, `,"statements":`...), r.Statements(), 10)
	if r != nil {
		l = appendJSON(append(l, `,"requestId":`...), r.ID)
		if o := r.running(); o.kind != "" {
			l = appendJSON(append(l, `,"operation":`...), o.name)
			l = appendJSON(append(l, `,"kind":`...), o.kind)
			l = appendJSON(append(l, `,"org":`...), o.org)
		}
	}
	b.waiting = append(l, "}\n"...)
	_ = b.wait() // whoever writes next hears of it
}

// appendJSON writes a JSON string: at once where nothing in it needs care.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // cannot be: any string can be written
			}
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// Write keeps a line, or writes what waits. An error is that of the lines before.
func (b *Buffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, line...)
	return len(line), b.wait()
}

// wait has what waits written soon, or now where it is much.
func (b *Buffer) wait() error {
	if len(b.waiting) >= lineBytes {
		return b.flush()
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(lineDelay, func() { _ = b.Flush() })
	}
	return nil
}

// Flush writes what waits.
func (b *Buffer) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flush()
}

func (b *Buffer) flush() error {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	_, err := b.w.Write(b.waiting)
	b.waiting = b.waiting[:0]
	return err
}
