package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// median of an even number of values is the lower one of the two in the middle.
func median[T cmp.Ordered](xs []T) T { return slices.Sorted(slices.Values(xs))[(len(xs)-1)/2] }

func spread(xs []float64) string {
	return fmt.Sprintf("%.2f (%.2f..%.2f)", median(xs), slices.Min(xs), slices.Max(xs))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// firstDifference tells which is the first answer that differs.
func firstDifference(a, b [][]byte) (n int, same bool) {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return i, false
		}
	}
	return 0, true
}

// difference shows two answers from shortly before where they part.
func difference(a, b []byte) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	from := max(0, n-100)
	return fmt.Sprintf("byte %d of %d: %.300s\nbyte %d of %d: %.300s", n, len(a), a[from:], n, len(b), b[from:])
}
