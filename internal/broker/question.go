package broker

import (
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Question is a line, or lines that are alike, of which the factor is asked for. What is not known is empty.
type Question struct {
	Organization store.ID // whose ledger: answers are kept for each organization apart, and no source sends it anywhere
	Description  string
	AccountCode  string
	Code         string // of a classification, such as the supplier's NAICS code; an account code is none
	SupplierName string
	SupplierID   store.ID
	Country      string // ISO 3166-1 alpha-2
	Region       string // the part of the country, as datasets write it: US-CAMX
	Unit         string // a unit or a currency
	On           exact.Date
}

// Answer is a factor that a question may be calculated with.
type Answer struct {
	FactorID   store.ID
	Region     string
	Confidence exact.Decimal // from 0 to 1
	Reason     string
	Tier       Tier
	Source     string // which said so; the broker fills it in
}

// DecidedBy is the kind of the source: look-ups by name and code are rules.
func (a Answer) DecidedBy() store.MappingSource {
	switch a.Source {
	case TextMatch:
		return store.ByTextMatch
	case ModelMatch:
		return store.ByLanguageModel
	}
	return store.ByRule
}

// Found is what a source has for one question.
type Found struct {
	Answers      []Answer
	Hallucinated int // factors that it named and that do not exist, or were not offered
	Unfit        int // factors that exist and that the line cannot be calculated with: they are of another unit or supplier, or superseded
}

// Outcome is what became of a question.
type Outcome struct {
	Answers []Answer // best first; a factor that several sources name stands once
	Asked   []Report // every source of the broker, in the order of the chain
}

// Status is how the look-up at one source ended.
type Status string

// The ways in which a look-up ends. Answered and Nothing are the only ones that tell what the source knows.
const (
	Answered     Status = "answered"
	Nothing      Status = "nothing"
	TimedOut     Status = "timed_out"
	Refused      Status = "refused"       // the source refuses the question: a status 4xx, a redirect, a model that declines
	Failed       Status = "failed"        // the source cannot be reached, or fails inside
	BreakerOpen  Status = "breaker_open"  // it failed too often lately and was not asked
	Malformed    Status = "malformed"     // what it sends is not what was agreed on
	Hallucinated Status = "hallucinated"  // all that it named does not exist
	LimitReached Status = "limit_reached" // of calls at once on our side, or of the source (429)
	NotNeeded    Status = "not_needed"    // another source had a better answer
	Cancelled    Status = "cancelled"     // who asked has gone
)

// Statuses lists every status.
func Statuses() []Status {
	return []Status{Answered, Nothing, TimedOut, Refused, Failed, BreakerOpen, Malformed, Hallucinated, LimitReached, NotNeeded, Cancelled}
}

// Report says how the look-up at one source ended.
type Report struct {
	Source       string
	Status       Status
	Detail       string // in words, for people; holds nothing of the inside and no text of the ledger
	Hallucinated int    // factors that the source named and that do not exist; there may be good ones beside them
	Kept         bool   // answered before, and not asked now
	Took         time.Duration
}
