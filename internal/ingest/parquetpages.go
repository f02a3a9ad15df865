package ingest

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"carbongraph/internal/fault"
)

const (
	// maxPage bounds a page, which is unpacked as a whole. Writers make pages of 1 MB, or of 20,000 values.
	maxPage = 64 << 20
	// maxPageValues bounds what a page says it holds: run lengths make any number of values of a few bytes.
	maxPageValues = 16 << 20
	// maxPageHeader bounds the header of a page, in which the least and greatest value may stand.
	maxPageHeader = 1 << 20
)

// pageCheck walks over the pages of a row group before they are read: the library takes the memory that a page says it needs.
type pageCheck struct {
	name string
	at   io.ReaderAt
	size int64
	meta *format.FileMetaData
	zstd *zstd.Decoder
}

func (c *pageCheck) check(group int) error {
	for _, chunk := range c.meta.RowGroups[group].Columns {
		if err := c.chunk(&chunk.MetaData); err != nil {
			return err
		}
	}
	return nil
}

func (c *pageCheck) chunk(m *format.ColumnMetaData) error {
	switch m.Codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Zstd:
	default:
		return fault.New(fault.BadUserInput, "%s is compressed by %s; write it with snappy, gzip or zstd.", c.name, m.Codec)
	}
	from := m.DataPageOffset
	if d := m.DictionaryPageOffset; d > 0 && d < from {
		from = d
	}
	end := from + m.TotalCompressedSize
	if from < 0 || m.TotalCompressedSize < 0 || end > c.size {
		return io.ErrUnexpectedEOF
	}
	for from < end {
		n, err := c.page(m.Codec, from, end)
		if err != nil {
			return err
		}
		from += n
	}
	return nil
}

// page checks one page and gives its length.
func (c *pageCheck) page(codec format.CompressionCodec, from, end int64) (int64, error) {
	h, header, err := c.header(from, end)
	if err != nil {
		return 0, err
	}
	values, levels := int64(0), int64(0)
	switch {
	case h.DataPageHeader.Valid:
		values = int64(h.DataPageHeader.V.NumValues)
	case h.DataPageHeaderV2.Valid:
		values = int64(h.DataPageHeaderV2.V.NumValues)
		levels = int64(h.DataPageHeaderV2.V.DefinitionLevelsByteLength) + int64(h.DataPageHeaderV2.V.RepetitionLevelsByteLength)
	case h.DictionaryPageHeader.Valid:
		values = int64(h.DictionaryPageHeader.V.NumValues)
	}
	packed, unpacked := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if packed < 0 || unpacked < 0 || values < 0 || levels < 0 || levels > packed || from+header+packed > end {
		return 0, io.ErrUnexpectedEOF
	}
	if packed > maxPage || unpacked > maxPage || values > maxPageValues {
		return 0, fault.New(fault.BadUserInput, "%s has a page of %d bytes and %d values; write it with pages of %d MB at most.", c.name, unpacked, values, maxPage>>20)
	}
	return header + packed, c.unpack(codec, io.NewSectionReader(c.at, from+header+levels, packed-levels), unpacked-levels)
}

// header reads the header of a page and tells its length.
func (c *pageCheck) header(from, end int64) (*format.PageHeader, int64, error) {
	for size := int64(4 << 10); ; size *= 16 {
		buf := make([]byte, min(size, end-from))
		if _, err := c.at.ReadAt(buf, from); err != nil && err != io.EOF {
			return nil, 0, err
		}
		h := &format.PageHeader{}
		r := (&thrift.CompactProtocol{}).NewReaderFromBytes(buf)
		err := thrift.NewDecoder(r).Decode(h)
		if err == nil {
			return h, int64(r.BytesRead()), nil
		}
		if size > maxPageHeader || size > end-from {
			return nil, 0, err
		}
	}
}

// unpack makes sure that a page does not grow beyond what it says: of these two codecs the library unpacks whatever comes.
func (c *pageCheck) unpack(codec format.CompressionCodec, in io.Reader, size int64) error {
	var out io.Reader
	var err error
	switch codec {
	case format.Gzip:
		out, err = gzip.NewReader(in)
	case format.Zstd:
		if c.zstd == nil {
			c.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		}
		if err == nil {
			out, err = c.zstd, c.zstd.Reset(in)
		}
	default:
		return nil
	}
	if size == 0 && err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(out, size+1))
	if err == nil && n > size {
		return fault.New(fault.BadUserInput, "%s has a page that unpacks to more than the %d bytes it names; write the file anew.", c.name, size)
	}
	return err
}
