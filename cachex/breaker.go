package cachex

import (
	"log/slog"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// failures in a row end the use of Redis, until a probe works.
const failures = 5

// breaker tells whether Redis is used for one purpose: reading goes on where only writing fails, as in a Redis that is full or a replica. Callers never
// try an open one, so nobody waits for a Redis that is away; Run does.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
}

func newBreaker(use string, log *slog.Logger) *breaker {
	return &breaker{circuitbreaker.NewBuilder[any]().WithFailureThreshold(failures).WithSuccessThreshold(1).
		OnOpen(func(circuitbreaker.StateChangedEvent) { log.Warn("redis is left alone: it fails", "use", use) }).
		OnClose(func(circuitbreaker.StateChangedEvent) { log.Info("redis is used again", "use", use) }).
		Build()}
}

func (b *breaker) closed() bool { return b.circuit.IsClosed() }

func (b *breaker) record(err error) {
	if err != nil {
		b.circuit.RecordFailure()
	} else {
		b.circuit.RecordSuccess()
	}
}

// probe tries an open breaker.
func (b *breaker) probe(try func() error) {
	if b.closed() {
		return
	}
	if try() == nil {
		b.circuit.Close()
	}
}
