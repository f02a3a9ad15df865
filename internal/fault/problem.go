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

// meaning is what is to be said of a code.
type meaning struct {
	code   Code
	status int
	title  string
	advice string
}

// meanings lists every code, in the order of the contract. docs/errors.md says the same.
func meanings() []meaning {
	return []meaning{
		{Unauthenticated, http.StatusUnauthorized, "Nobody is signed in", "Send a valid API key as `Authorization: Bearer cg_…`, or a JWT in its place, or sign in to the console again."},
		{Forbidden, http.StatusForbidden, "Not allowed", "Use a key whose role suffices. Nothing was run."},
		{NotFound, http.StatusNotFound, "Not found", "Check the id. A row of another organization answers like one that does not exist."},
		{BadUserInput, http.StatusBadRequest, "Input not valid", "Correct the part that the message and `inputPath` name."},
		{InvalidCursor, http.StatusBadRequest, "Cursor not valid here", "Pass a cursor as it was given, to the same field with the same order and filter, or start again without one."},
		{Conflict, http.StatusConflict, "In conflict with what is stored", "Read what is stored and decide anew."},
		{IdempotencyKeyReused, http.StatusConflict, "Idempotency key given twice", "Give each piece of work a key of its own; the same work, sent again with its key, gets the first answer. Nothing was run."},
		{RolledBack, http.StatusConflict, "Right, but not stored", "Correct the items that failed beside this one and send all of them again, or choose the mode ITEM. Nothing of this item was stored."},
		{PeriodLocked, http.StatusConflict, "Reporting year locked", "Book the line in a year that is open, or have an ADMIN unlock the year that the message names, with a reason."},
		{UnknownUnit, http.StatusUnprocessableEntity, "Unit not known", "Write the unit as one of the known symbols. The line is kept without an emission."},
		{UnitMismatch, http.StatusUnprocessableEntity, "Units of different dimensions", "Give the quantity in a unit of the factor's dimension, or choose another factor. The line is kept without an emission."},
		{NoFactor, http.StatusUnprocessableEntity, "No emission factor", "Name a factor, or map the account code or description to one. The line is kept without an emission."},
		{NoExchangeRate, http.StatusUnprocessableEntity, "No exchange rate", "There is no rate or price index for this currency and month; give the amount in another currency. The line is kept without an emission."},
		{CostLimitExceeded, http.StatusBadRequest, "Over a limit", "Ask for less: the message names the limit. Nothing was run. A body that is too large has the status 413."},
		{RateLimited, http.StatusTooManyRequests, "Too much in too short a time", "Wait for as many seconds as `Retry-After` says, or ask for less. Nothing was run."},
		{PersistedQueryNotFound, http.StatusNotFound, "Document not known by its hash", "Send the same request once more with the document's text beside its hash. Clients do that by themselves."},
		{GraphQLParseFailed, http.StatusBadRequest, "Document not readable", "Correct the syntax of the document at the place given."},
		{GraphQLValidationFailed, http.StatusBadRequest, "Document not valid", "Correct the document: it asks for what the schema has not."},
		{Timeout, http.StatusGatewayTimeout, "Took too long", "Ask for less at once, for example with smaller pages, or try again."},
		{Overloaded, http.StatusServiceUnavailable, "Too busy", "Wait a moment and try again."},
		{Internal, http.StatusInternalServerError, "Our own fault", "Try again. If it stays, report it with the request id: the log has the cause under it."},
	}
}

func (c Code) meaning() meaning {
	all := meanings()
	for _, m := range all {
		if m.code == c {
			return m
		}
	}
	return all[len(all)-1]
}

// Codes lists every code, in the order of the contract.
func Codes() []Code {
	var codes []Code
	for _, m := range meanings() {
		codes = append(codes, m.code)
	}
	return codes
}

// Status is the HTTP status that goes with the code where an answer has nothing but the fault.
func (c Code) Status() int { return c.meaning().status }

// Title says in a few words what the code means.
func (c Code) Title() string { return c.meaning().title }

// Advice says what to do about it.
func (c Code) Advice() string { return c.meaning().advice }

// WriteProblem answers a REST request with the fault; the request id lets the reader of the log find it.
func WriteProblem(w http.ResponseWriter, status int, f *Fault, requestID string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if wait := f.RetryAfter(); wait != "" {
		h.Set("Retry-After", wait)
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(Problem{
		Type: "/errors/" + string(f.Code), Title: f.Code.Title(), Status: status, Code: f.Code, Detail: f.Message, RequestID: requestID,
	}) // a client that is gone needs no answer
}
