package ingest

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// toText writes a value of one type.
type toText func(parquet.Value) string

// textOf tells how values of a type are written, and whether they are numbers; nil: they are not read.
func textOf(t parquet.Type) (text toText, number bool) {
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.StringType, *format.EnumType, *format.JsonType:
			return bytesText, false
		case *format.DecimalType:
			return decimalText(t.Kind(), int(l.Scale)), true
		case *format.DateType:
			return func(v parquet.Value) string { return dayText(time.Unix(int64(v.Int32())*86400, 0).UTC()) }, false
		case *format.TimestampType:
			return timestampText(l.Unit.Value), false
		case *format.TimeType:
			return timeText(t.Kind(), l.Unit.Value), false
		case *format.IntType:
			return intText(t.Kind(), l.IsSigned), true
		case *format.UUIDType:
			return uuidText, false
		case *format.NullType:
			return func(parquet.Value) string { return "" }, false
		case nil:
		default:
			return nil, false
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) string { return strconv.FormatBool(v.Boolean()) }, false
	case parquet.Int32, parquet.Int64:
		return intText(t.Kind(), true), true
	case parquet.Int96:
		return int96Text, false
	case parquet.Float:
		return func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'f', -1, 32) }, true
	case parquet.Double:
		return func(v parquet.Value) string { return strconv.FormatFloat(v.Double(), 'f', -1, 64) }, true
	case parquet.ByteArray:
		return bytesText, false
	}
	return nil, false
}

func bytesText(v parquet.Value) string { return string(v.ByteArray()) }

func intText(k parquet.Kind, signed bool) toText {
	switch {
	case k == parquet.Int32 && signed:
		return func(v parquet.Value) string { return strconv.FormatInt(int64(v.Int32()), 10) }
	case k == parquet.Int32:
		return func(v parquet.Value) string { return strconv.FormatUint(uint64(v.Uint32()), 10) }
	case signed:
		return func(v parquet.Value) string { return strconv.FormatInt(v.Int64(), 10) }
	}
	return func(v parquet.Value) string { return strconv.FormatUint(v.Uint64(), 10) }
}

// decimalText writes an integer that counts units of 10^−scale, with all its places.
func decimalText(k parquet.Kind, scale int) toText {
	return func(v parquet.Value) string {
		n := new(big.Int)
		switch k {
		case parquet.Int32:
			n.SetInt64(int64(v.Int32()))
		case parquet.Int64:
			n.SetInt64(v.Int64())
		default: // two's complement, its greatest byte first
			b := v.ByteArray()
			n.SetBytes(b)
			if len(b) > 0 && b[0] >= 0x80 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
			}
		}
		return placePoint(n, scale)
	}
}

// placePoint writes n × 10^−scale. A scale that no decimal has gives no number, which fails the row.
func placePoint(n *big.Int, scale int) string {
	if scale < 0 || scale > 100 {
		return n.String() + "e" + strconv.Itoa(-scale)
	}
	digits, sign := new(big.Int).Abs(n).String(), ""
	if n.Sign() < 0 {
		sign = "-"
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	whole, places := digits[:len(digits)-scale], digits[len(digits)-scale:]
	if places == "" {
		return sign + whole
	}
	return sign + whole + "." + places
}

func timestampText(u format.TimeUnitValue) toText {
	return func(v parquet.Value) string {
		switch u.(type) {
		case *format.MilliSeconds:
			return dayText(time.UnixMilli(v.Int64()).UTC())
		case *format.MicroSeconds:
			return dayText(time.UnixMicro(v.Int64()).UTC())
		}
		return dayText(time.Unix(0, v.Int64()).UTC())
	}
}

func timeText(k parquet.Kind, u format.TimeUnitValue) toText {
	return func(v parquet.Value) string {
		n := v.Int64
		if k == parquet.Int32 {
			n = func() int64 { return int64(v.Int32()) }
		}
		switch u.(type) {
		case *format.MilliSeconds:
			return time.UnixMilli(n()).UTC().Format("15:04:05.999")
		case *format.MicroSeconds:
			return time.UnixMicro(n()).UTC().Format("15:04:05.999999")
		}
		return time.Unix(0, n()).UTC().Format("15:04:05.999999999")
	}
}

// int96Text reads the timestamps of older programs: nanoseconds of the day, and the Julian day.
func int96Text(v parquet.Value) string {
	const julianOf1970 = 2440588
	n := v.Int96()
	nanos := int64(uint64(n[0]) | uint64(n[1])<<32)
	return dayText(time.Unix((int64(n[2])-julianOf1970)*86400, nanos).UTC())
}

func uuidText(v parquet.Value) string {
	b := v.ByteArray()
	if len(b) != 16 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// dayText writes an instant as a columns file needs no format for: the day, and the time where there is one.
func dayText(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0 {
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02 15:04:05.999999999")
}
