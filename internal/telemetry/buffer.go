package telemetry

import (
	"io"
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

// Write keeps a line, or writes what waits. An error is that of the lines before.
func (b *Buffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, line...)
	if len(b.waiting) >= lineBytes {
		return len(line), b.flush()
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(lineDelay, func() { _ = b.Flush() }) // whoever writes next hears of it
	}
	return len(line), nil
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
