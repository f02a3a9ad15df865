package broker_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"carbongraph/internal/broker"
	"carbongraph/internal/factors"
	"carbongraph/store/storetest"
)

// BenchmarkDatasets asks for lines among the datasets that come with the program, 1,000 questions in one Ask.
func BenchmarkDatasets(b *testing.B) {
	st := storetest.SQLite(b)
	if _, err := factors.Install(b.Context(), st); err != nil {
		b.Fatal(err)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	index := broker.NewIndex(st)
	if _, err := index.Edition(b.Context()); err != nil {
		b.Fatal(err)
	}
	held := float64(heap()-before) / (1 << 20)
	asked := broker.New(broker.Options{Sources: []broker.Guarded{{Source: broker.NewDatasets(index), Policy: broker.Local()}}, Edition: index.Edition})
	defer asked.Close()
	qs := make([]broker.Question, 1000)
	for i := range qs {
		qs[i] = broker.Question{Description: fmt.Sprint("line ", i), Code: "334111", Country: "US", Unit: "USD"}
	}
	b.ResetTimer()
	for range b.N {
		if o := asked.Ask(context.Background(), qs); len(o[999].Answers) == 0 {
			b.Fatal(o[999].Asked)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(qs)), "µs/question")
	b.ReportMetric(held, "MB-index")
}
