package ingest

import (
	"errors"
	"io"
	"os"
	"syscall"

	"carbongraph/internal/fault"
)

// spool copies the file, unpacked, into a temporary one, which is gone with Close or with the process.
func (s *input) spool() (io.ReaderAt, int64, error) {
	f, err := os.CreateTemp(s.limits.TempDir, "carbongraph-*")
	if err != nil {
		return nil, 0, fault.Wrap(err, fault.Internal, "%s cannot be laid aside to be read: no temporary file can be made. Free some space, name another folder, or send the ledger as CSV.", s.name)
	}
	unlinked := os.Remove(f.Name()) == nil // where a file that is open cannot be removed, Close does it
	s.close = append(s.close, func() error {
		err := f.Close()
		if !unlinked {
			err = errors.Join(err, os.Remove(f.Name()))
		}
		return err
	})
	in := io.Reader(s.in)
	if s.limits.MaxSpool > 0 {
		in = io.LimitReader(in, s.limits.MaxSpool+1)
	}
	w := &diskWriter{f: f}
	n, err := io.Copy(w, in)
	switch {
	case errors.Is(w.err, syscall.ENOSPC):
		return nil, 0, fault.Wrap(err, fault.Internal, "%s cannot be laid aside to be read: the disk is full after %d bytes. Free some space, name another folder, or send the ledger as CSV.", s.name, n)
	case w.err != nil:
		return nil, 0, fault.Wrap(err, fault.Internal, "%s cannot be laid aside to be read: the temporary file cannot be written after %d bytes.", s.name, n)
	case err != nil:
		return nil, 0, s.fault(err, 0)
	case s.limits.MaxSpool > 0 && n > s.limits.MaxSpool:
		return nil, 0, fault.New(fault.BadUserInput, "%s has more than %d bytes unpacked, which is all that may be laid aside for a workbook or a Parquet file; send the ledger as CSV, which is read as it comes.",
			s.name, s.limits.MaxSpool)
	}
	return f, n, nil
}

// diskWriter remembers its own error, to be told from one of what is copied.
type diskWriter struct {
	f   *os.File
	err error
}

func (w *diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.err = err
	return n, err
}
