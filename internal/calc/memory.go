package calc

import "sync"

// memory remembers values and errors by a key, up to a number: when its young half is full that becomes the old one, and what was old is forgotten.
type memory[K comparable, V any] struct {
	limit int
	mu    sync.RWMutex
	young map[K]answer[V]
	old   map[K]answer[V]
}

type answer[V any] struct {
	value V
	err   error
}

func newMemory[K comparable, V any](limit int) *memory[K, V] {
	return &memory[K, V]{limit: limit, young: map[K]answer[V]{}}
}

func (m *memory[K, V]) get(key *K) (a answer[V], known bool) {
	m.mu.RLock()
	if a, known = m.young[*key]; known {
		m.mu.RUnlock()
		return a, true
	}
	a, known = m.old[*key]
	m.mu.RUnlock()
	if known {
		m.put(*key, a)
	}
	return a, known
}

func (m *memory[K, V]) put(key K, a answer[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.limit {
		m.young, m.old = make(map[K]answer[V]), m.young
	}
	m.young[key] = a
}
