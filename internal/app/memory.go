package app

import (
	"os"
	"runtime/debug"
)

// servingGC is how much the heap may grow between collections while serving, in percent of what is alive. Answers are made of small short-lived
// values: with Go's own 100 a nested document takes 1.4 times as long in sum (docs/performance.md). What is alive is small, so the price is some 60 MB.
const servingGC = 400

// tuneCollector applies servingGC where nobody decided otherwise: GOGC and, as a bound on all memory, GOMEMLIMIT are heard as in any Go program.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(servingGC)
	}
}

// An import collects half as often as Go would on its own, for a sixth less of processor time a row, and has a bound that it keeps well below:
// 1,000,000 rows are to fit into 256 MB.
const (
	importingGC     = 200
	importingMemory = 224 << 20
)

// tuneImport applies them where nobody decided otherwise, until the function that it gives back is called.
func tuneImport() (restore func()) {
	undo := []func(){}
	if os.Getenv("GOGC") == "" {
		was := debug.SetGCPercent(importingGC)
		undo = append(undo, func() { debug.SetGCPercent(was) })
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		was := debug.SetMemoryLimit(importingMemory)
		undo = append(undo, func() { debug.SetMemoryLimit(was) })
	}
	return func() {
		for _, u := range undo {
			u()
		}
	}
}
