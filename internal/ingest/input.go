package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"carbongraph/internal/fault"
)

// Limits bound what a file may cost. The zero value of each means what its comment says.
type Limits struct {
	MaxSpool    int64  // bytes of disk that a workbook or Parquet file may take where it does not come as a file; 0: no bound
	TempDir     string // where it takes them; empty: where the system keeps such files
	MaxRatio    int64  // how many times its stored size a compressed file may grow; 0: 200
	Unsuspected int64  // bytes that may come out whatever the ratio; 0: 64 MB
	MaxTexts    int64  // bytes of the texts that a workbook's cells share, which are held in memory; 0: 256 MB
}

const (
	// maxRatio is beyond any ledger: text compresses 5 to 20 times, a column of one value 100 times. A bomb of gzip reaches 1,000, one of zstd more.
	maxRatio = 200
	// unsuspected lets small files repeat themselves as they like.
	unsuspected = 64 << 20
	// maxTexts is what the million rows of a full sheet need at 250 bytes of different text each.
	maxTexts = 256 << 20
	// maxWindow is what zstd's level 20 needs. What levels 21 and 22 and --long need is refused: it is memory for each file that is read.
	maxWindow = 32 << 20
)

func (l Limits) withDefaults() Limits {
	l.MaxRatio, l.Unsuspected, l.MaxTexts = orElse(l.MaxRatio, maxRatio), orElse(l.Unsuspected, unsuspected), orElse(l.MaxTexts, maxTexts)
	return l
}

func orElse(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

// packing is how a file is compressed; empty: it is not.
type packing string

const (
	gzipped packing = "gzip"
	zstded  packing = "zstd"
)

// magics begin what is packed, whatever is in it.
var magics = map[packing]string{gzipped: "\x1f\x8b", zstded: "\x28\xb5\x2f\xfd"}

// input is a file on its way in: counted, unpacked, and looked at from its beginning.
type input struct {
	name   string
	limits Limits
	given  io.Reader
	raw    *counter
	in     *bufio.Reader // unpacked
	packed packing
	read   atomic.Int64 // bytes of a file that is read here and there
	size   int64
	close  []func() error
}

// openInput looks at the first bytes of a file and unpacks it. The name stands in faults.
func openInput(r io.Reader, name string, l Limits) (*input, error) {
	s := &input{name: name, limits: l.withDefaults(), given: r, raw: &counter{r: r}}
	s.in = bufio.NewReaderSize(s.raw, 64<<10)
	beginning, err := s.in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, s.fault(err, 0)
	}
	var unpacked io.Reader
	switch {
	case bytes.HasPrefix(beginning, []byte(magics[gzipped])):
		s.packed = gzipped
		unpacked, err = gzip.NewReader(s.in)
	case bytes.HasPrefix(beginning, []byte(magics[zstded])):
		s.packed = zstded
		var z *zstd.Decoder
		// One goroutine, the caller's: nothing is left running where a file is not read to its end.
		z, err = zstd.NewReader(s.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err == nil {
			unpacked = z
			s.close = append(s.close, func() error { z.Close(); return nil })
		}
	default:
		return s, nil
	}
	if err != nil {
		return nil, s.fault(err, 0)
	}
	s.in = bufio.NewReaderSize(&bombGuard{r: unpacked, packed: s.raw.n.Load, limits: s.limits}, 64<<10)
	return s, nil
}

// peek gives up to n bytes of the beginning, fewer where the file is shorter.
func (s *input) peek(n int) ([]byte, error) {
	sample, err := s.in.Peek(n)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, s.fault(err, 0)
	}
	return sample, nil
}

// BytesRead tells how much of the file, as it is stored, has been read: for progress.
func (s *input) BytesRead() int64 {
	if n := s.read.Load(); n > 0 {
		return min(n, s.size)
	}
	return s.raw.n.Load()
}

// Close lets go of what reading took; the reader that was given stays open.
func (s *input) Close() error {
	var errs []error
	for _, c := range s.close {
		errs = append(errs, c())
	}
	s.close = nil
	return errors.Join(errs...)
}

// fault says in the user's words why reading ended.
func (s *input) fault(err error, line int) error {
	if f := (*fault.Fault)(nil); errors.As(err, &f) {
		return err
	}
	again := "fetch it again and repeat the import: rows that are in already stay as they are"
	switch {
	case errors.Is(err, errBomb):
		return fault.New(fault.BadUserInput, "%s grows to more than %d times its size when it is unpacked (line %d of its content); no ledger does. Unpack it and look at what it holds.",
			s.name, s.limits.MaxRatio, line)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fault.New(fault.BadUserInput, "%s needs more than %d MB of memory to be unpacked; compress it by zstd's level 19 or lower, without --long, or by gzip.", s.name, maxWindow>>20)
	case s.packed != "" && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return fault.Wrap(err, fault.BadUserInput, "%s is a %s file that is cut off after %d bytes (line %d of its content); %s.", s.name, s.packed, s.BytesRead(), line, again)
	case s.packed != "" && !s.raw.failed.Load():
		return fault.Wrap(err, fault.BadUserInput, "%s is a %s file that is damaged near byte %d (line %d of its content); %s.", s.name, s.packed, s.BytesRead(), line, again)
	}
	return fault.Wrap(err, fault.Internal, "%s cannot be read past byte %d (line %d).", s.name, s.BytesRead(), line)
}

var (
	errTooLong = errors.New("ingest: record too long")
	errBomb    = errors.New("ingest: grows beyond measure")
)

// counter counts the bytes that pass, readable from another goroutine, and remembers whether what it reads from failed.
type counter struct {
	r      io.Reader
	n      atomic.Int64
	failed atomic.Bool
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	if err != nil && err != io.EOF {
		c.failed.Store(true)
	}
	return n, err
}

// bombGuard fails where far more comes out than went in.
type bombGuard struct {
	r      io.Reader
	packed func() int64
	limits Limits
	out    int64
}

func (g *bombGuard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.out += int64(n)
	if g.out > g.limits.Unsuspected && g.out/g.limits.MaxRatio > g.packed() {
		return 0, errBomb
	}
	return n, err
}

// limiter fails once more bytes are read than it was last allowed: parsers would take a field of any size into memory.
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

// random gives the file as a whole, to be read here and there: itself, where it is a file that is not packed, else a copy on disk.
func (s *input) random() (io.ReaderAt, int64, error) {
	if s.packed == "" {
		if at, from, size, ok := randomAccess(s.given, s.raw.n.Load()); ok {
			s.size = size
			return io.NewSectionReader(&countingAt{at, &s.read}, from, size), size, nil
		}
	}
	return s.spool()
}

// randomAccess gives the part of a reader that stands after what was read of it before the given bytes; false where it can be read only once, from front to back.
func randomAccess(r io.Reader, read int64) (at io.ReaderAt, from, size int64, ok bool) {
	at, isAt := r.(io.ReaderAt)
	seeker, seeks := r.(io.Seeker)
	if !isAt || !seeks {
		return nil, 0, 0, false
	}
	switch sized := r.(type) {
	case *os.File:
		info, err := sized.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, 0, 0, false
		}
		size = info.Size()
	case interface{ Size() int64 }:
		size = sized.Size()
	default:
		return nil, 0, 0, false
	}
	now, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil || now < read {
		return nil, 0, 0, false
	}
	return at, now - read, size - (now - read), true
}

// countingAt counts what is read here and there.
type countingAt struct {
	io.ReaderAt
	n *atomic.Int64
}

func (c *countingAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}
