// Package fault holds the errors that a client may see: a stable code, a sentence that says what to do, and nothing of the inside.
package fault

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Code is the machine-readable kind of a fault, as the GraphQL contract lists them under extensions.code.
type Code string

// The codes of the contract.
const (
	Unauthenticated         Code = "UNAUTHENTICATED"
	Forbidden               Code = "FORBIDDEN"
	NotFound                Code = "NOT_FOUND"
	BadUserInput            Code = "BAD_USER_INPUT"
	InvalidCursor           Code = "INVALID_CURSOR"
	Conflict                Code = "CONFLICT"
	IdempotencyKeyReused    Code = "IDEMPOTENCY_KEY_REUSED"
	RolledBack              Code = "ROLLED_BACK"
	PeriodLocked            Code = "PERIOD_LOCKED"
	UnknownUnit             Code = "UNKNOWN_UNIT"
	UnitMismatch            Code = "UNIT_MISMATCH"
	NoFactor                Code = "NO_FACTOR"
	NoExchangeRate          Code = "NO_EXCHANGE_RATE"
	CostLimitExceeded       Code = "COST_LIMIT_EXCEEDED"
	RateLimited             Code = "RATE_LIMITED"
	PersistedQueryNotFound  Code = "PERSISTED_QUERY_NOT_FOUND"
	GraphQLParseFailed      Code = "GRAPHQL_PARSE_FAILED"
	GraphQLValidationFailed Code = "GRAPHQL_VALIDATION_FAILED"
	Timeout                 Code = "TIMEOUT"
	Overloaded              Code = "OVERLOADED"
	Internal                Code = "INTERNAL"
)

// Fault is an error with a code and a message that are safe to show to a client.
type Fault struct {
	Code    Code
	Message string
	// Path names the part of the input at fault, outermost first; empty where the whole is meant.
	Path []string
	// Retry is how long to wait before the same is asked again; 0 where waiting does not help, or nobody knows.
	Retry time.Duration
	cause error
}

// New returns a fault with a message in the manner of fmt.Sprintf. The message reaches clients: it names their input, never our inside.
func New(code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns a fault that keeps its cause for the log. The cause is never shown to a client.
func Wrap(cause error, code Code, format string, args ...any) *Fault {
	f := New(code, format, args...)
	f.cause = cause
	return f
}

// At returns a copy of the fault that points at a part of the input.
func (f *Fault) At(path ...string) *Fault {
	c := *f
	c.Path = append(append([]string{}, path...), f.Path...)
	return &c
}

// After returns a copy of the fault that says how long to wait before the same is asked again.
func (f *Fault) After(wait time.Duration) *Fault {
	c := *f
	c.Retry = wait
	return &c
}

// RetryAfter is the header Retry-After for the fault: whole seconds, rounded up; empty where waiting does not help.
func (f *Fault) RetryAfter() string {
	if f.Retry <= 0 {
		return ""
	}
	return strconv.FormatInt(int64((f.Retry+time.Second-1)/time.Second), 10)
}

// Error gives code, message and cause: for logs. Clients get Message alone.
func (f *Fault) Error() string {
	s := string(f.Code) + ": " + f.Message
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

// Unwrap gives the cause, if there is one.
func (f *Fault) Unwrap() error { return f.cause }

// Of finds the fault in an error. An error without one is INTERNAL, with a message that tells nothing.
func Of(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Code: Internal, Message: "Something went wrong on our side. Quote the request id when you report it.", cause: err}
}

// CodeOf gives the code of an error: empty for nil, INTERNAL for one that is no fault.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return Of(err).Code
}
