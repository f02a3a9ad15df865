package ingest

import (
	"errors"
	"io"
	"sync/atomic"
)

var errTooLong = errors.New("ingest: record too long")

// counter counts the bytes that pass, readable from another goroutine.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// limiter fails once more bytes are read than it was last allowed: encoding/csv itself would take a field of any size into memory.
type limiter struct {
	r    io.Reader
	left int
}

func (l *limiter) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}
