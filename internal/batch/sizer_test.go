package batch

import (
	"testing"
	"time"
)

// A database that is fastest with so many lines to a transaction, less so the further the size is from that.
func TestTheSizeThatIsFastestIsFound(t *testing.T) {
	for _, best := range []float64{100, 700, 3000, 10_000} {
		now := time.Unix(0, 0)
		s := newSizer(func() time.Time { return now }, mostRows)
		for range 2000 {
			n := s.rows()
			if n < leastRows || n > mostRows {
				t.Fatalf("a chunk of %d lines; want %d to %d", n, leastRows, mostRows)
			}
			off := max(float64(n)/best, best/float64(n))
			now = now.Add(time.Duration(float64(n) * 1e5 * off))
			s.add(n)
		}
		if n := float64(s.rows()); n < best/1.5 || n > best*1.5 {
			t.Errorf("%.0f lines where %.0f are fastest", n, best)
		}
	}
}
