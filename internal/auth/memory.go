package auth

import "time"

const (
	// remember is how long an answer is trusted: a key that another server revoked lives that long here.
	remember = time.Second
	// maxRemembered bounds the memory that answers take; beyond it some are asked for again.
	maxRemembered = 1024
)

// memory remembers answers, each until its time. Its owner guards it.
type memory[K comparable, V any] map[K]answer[V]

type answer[V any] struct {
	value V
	until time.Time
}

func (m memory[K, V]) get(k K, at time.Time) (v V, ok bool) {
	if a, ok := m[k]; ok && at.Before(a.until) {
		return a.value, true
	}
	return v, false
}

func (m memory[K, V]) put(k K, v V, at, until time.Time) {
	m.makeRoom(at)
	m[k] = answer[V]{v, until}
}

// makeRoom drops what is stale when the memory is full, and anything when that does not help.
func (m memory[K, V]) makeRoom(at time.Time) {
	if len(m) < maxRemembered {
		return
	}
	for k, a := range m {
		if !at.Before(a.until) {
			delete(m, k)
		}
	}
	for k := range m {
		if len(m) < maxRemembered {
			return
		}
		delete(m, k)
	}
}
