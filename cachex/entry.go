package cachex

import "time"

// Entry is what is kept. It is shared by all who get it: nobody changes it, nor the bytes that it holds.
type Entry struct {
	Body, Head         []byte
	Stored, Soft, Hard time.Time // when it was made; until when it is fresh; until when it may be served. Zero: as the strategy says
}

// fresh tells whether the entry may be served without loading it anew.
func (e *Entry) fresh(now time.Time) bool { return now.Before(e.Soft) }

func (e *Entry) size() int { return len(e.Body) + len(e.Head) }

// key is an entry's name among those of its strategy.
type key struct{ strategy, name string }

// Layer is where an entry was found.
type Layer string

// The layers: the process, Redis, and none.
const (
	L1   Layer = "L1"
	L2   Layer = "L2"
	None Layer = ""
)

// Result is how a look-up ended.
type Result string

// The results: found; loaded; found past its freshness, and being loaded anew; known to be absent.
const (
	Hit      Result = "hit"
	Miss     Result = "miss"
	Stale    Result = "stale"
	Negative Result = "negative"
)

// Outcome tells how Load came to its entry.
type Outcome struct {
	Layer  Layer
	Result Result
	Shared bool // with a caller that had asked for the same before
}
