package cachex

import "time"

// Strategy says how long entries of one kind live, and where.
type Strategy struct {
	Name     string
	Lifetime time.Duration // after it an entry is gone
	Fresh    time.Duration // after it an entry is served once more while it is loaded anew; 0: as Lifetime, so nothing is served past its time
	Local    time.Duration // that a process keeps an entry before it looks in Redis again; 0: as Lifetime
	Negative time.Duration // that a process remembers that there is nothing; 0: it does not
	Wait     time.Duration // that another server's load of the same is waited for; 0: 2 s
	Compress bool          // large bodies in Redis
	Alone    bool          // in the process alone: what is made as fast as Redis answers
}

// The names of the strategies.
const (
	EmissionFactors    = "emission_factors"
	EntityResolution   = "entity_resolution"
	LLMResponses       = "llm_responses"
	CalculationResults = "calculation_results"
	APIResponses       = "api_responses"
)

// Strategies lists the strategies of the program. What is negative is remembered shortly: what is not there today may be imported in a minute.
func Strategies() []Strategy {
	return []Strategy{
		{Name: EmissionFactors, Lifetime: time.Hour, Fresh: 50 * time.Minute, Negative: 15 * time.Second},
		{Name: EntityResolution, Lifetime: 24 * time.Hour, Fresh: 20 * time.Hour, Negative: 15 * time.Second, Alone: true},
		{Name: LLMResponses, Lifetime: time.Hour, Fresh: 55 * time.Minute, Negative: time.Minute, Wait: 20 * time.Second, Compress: true},
		{Name: CalculationResults, Lifetime: 30 * time.Minute, Fresh: 25 * time.Minute, Negative: 5 * time.Second, Compress: true},
		{Name: APIResponses, Lifetime: 5 * time.Minute, Fresh: 4 * time.Minute, Wait: 10 * time.Second, Compress: true},
	}
}

// Named gives one of Strategies; nil where there is none of that name.
func Named(name string) *Strategy {
	for _, s := range Strategies() {
		if s.Name == name {
			return &s
		}
	}
	return nil
}

// spread is the part of a lifetime that chance takes off at most: what came together does not go together.
const spread = 0.2

// dated gives the entry its instants: nothing lives longer than the strategy allows, nor than the entry itself says. Chance is from 0 to 1.
func (s *Strategy) dated(e Entry, now time.Time, chance float64) *Entry {
	if e.Stored.IsZero() {
		e.Stored = now
	}
	life, fresh := s.Lifetime, s.Fresh
	if fresh <= 0 {
		fresh = life
	}
	if !e.Hard.IsZero() {
		life = min(life, e.Hard.Sub(now))
	}
	if !e.Soft.IsZero() {
		fresh = min(fresh, e.Soft.Sub(now))
	}
	keep := 1 - spread*chance
	life = time.Duration(float64(life) * keep)
	fresh = min(time.Duration(float64(fresh)*keep), life)
	e.Soft, e.Hard = now.Add(fresh), now.Add(life)
	return &e
}

// received dates an entry that another server stored by this server's clock: it lives on for what is left of it, and never longer from now than it was given,
// however far in the future it says that it was stored. Clocks that are apart by some seconds make it so much longer or shorter, at most; Redis ends it by its
// own. It gives false where nothing is left.
func (s *Strategy) received(e *Entry, now time.Time) bool {
	life := min(e.Hard.Sub(now), e.Hard.Sub(e.Stored), s.Lifetime)
	fresh := min(e.Soft.Sub(now), e.Soft.Sub(e.Stored), life)
	e.Soft, e.Hard = now.Add(fresh), now.Add(life)
	return life > 0
}

// local is how long a process keeps an entry.
func (s *Strategy) local(e *Entry, now time.Time) time.Duration {
	life := e.Hard.Sub(now)
	if s.Local > 0 {
		life = min(life, s.Local)
	}
	return life
}
