package fault

import (
	"encoding/json"
	"net/http"
)

// Problem is the body of a REST answer that failed, as RFC 9457 has it.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      Code   `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"requestId,omitempty"`
}

// Codes lists every code, in the order of the contract.
func Codes() []Code {
	return []Code{Unauthenticated, Forbidden, NotFound, BadUserInput, InvalidCursor, Conflict, UnknownUnit, UnitMismatch, NoFactor, NoExchangeRate,
		GraphQLParseFailed, GraphQLValidationFailed, Timeout, Overloaded, Internal}
}

// Status is the HTTP status that goes with the code where an answer has nothing but the fault.
func (c Code) Status() int {
	switch c {
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case BadUserInput, InvalidCursor, GraphQLParseFailed, GraphQLValidationFailed:
		return http.StatusBadRequest
	case UnknownUnit, UnitMismatch, NoFactor, NoExchangeRate:
		return http.StatusUnprocessableEntity
	case Timeout:
		return http.StatusGatewayTimeout
	case Overloaded:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Title says in a few words what the code means.
func (c Code) Title() string {
	switch c {
	case Unauthenticated:
		return "Nobody is signed in"
	case Forbidden:
		return "Not allowed"
	case NotFound:
		return "Not found"
	case BadUserInput:
		return "Input not valid"
	case InvalidCursor:
		return "Cursor not valid here"
	case Conflict:
		return "In conflict with what is stored"
	case UnknownUnit:
		return "Unit not known"
	case UnitMismatch:
		return "Units of different dimensions"
	case NoFactor:
		return "No emission factor"
	case NoExchangeRate:
		return "No exchange rate"
	case GraphQLParseFailed:
		return "Document not readable"
	case GraphQLValidationFailed:
		return "Document not valid"
	case Timeout:
		return "Took too long"
	case Overloaded:
		return "Too busy"
	}
	return "Our own fault"
}

// WriteProblem answers a REST request with the fault; the request id lets the reader of the log find it.
func WriteProblem(w http.ResponseWriter, status int, f *Fault, requestID string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(Problem{
		Type: "/errors/" + string(f.Code), Title: f.Code.Title(), Status: status, Code: f.Code, Detail: f.Message, RequestID: requestID,
	}) // a client that is gone needs no answer
}
