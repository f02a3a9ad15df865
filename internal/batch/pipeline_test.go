package batch

import (
	"context"
	"strings"
	"testing"
)

// A worker runs beside the request that it works for, so that nothing else would catch its panic.
func TestAPanicOfAWorkerEndsTheImportAndNotTheProcess(t *testing.T) {
	r := &run{Importer: &Importer{workers: 2, writers: 2, chunk: 10}}
	err := r.pipeline(t.Context(), func() (*line, error) { panic("a reader gone wrong") }, nil)
	if err == nil || !strings.Contains(err.Error(), "a reader gone wrong") {
		t.Errorf("pipeline = %v; want the panic as an error", err)
	}
	err = r.parallel(t.Context(), 3, func(_ context.Context, i int) error {
		if i == 1 {
			panic("a check gone wrong")
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "a check gone wrong") {
		t.Errorf("parallel = %v; want the panic as an error", err)
	}
}
