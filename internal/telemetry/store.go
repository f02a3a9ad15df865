// Package telemetry declares every metric of the program, and the log.
package telemetry

import "time"

// Store measures statements and the pool. A nil Store measures nothing.
type Store struct{}

// Statement records one statement: operation is SELECT, INSERT, UPDATE, DELETE, COPY or OTHER, table the main table or "".
func (s *Store) Statement(operation, table string, took time.Duration, failed bool) {}
