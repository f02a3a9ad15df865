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
