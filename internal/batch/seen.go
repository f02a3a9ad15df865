package batch

import "hash/maphash"

// seen tells which texts have come before, in 22 bytes or fewer for each: it keeps 64 bits of a hash. Of a million different texts, the odds that any
// two are taken for one are below one in ten million.
type seen struct {
	seed  maphash.Seed
	slots []uint64 // 0: free
	n     int
}

func newSeen() *seen { return &seen{seed: maphash.MakeSeed(), slots: make([]uint64, 1<<10)} }

// add tells whether the text is new.
func (s *seen) add(text string) bool {
	h := maphash.String(s.seed, text)
	if h == 0 {
		h = 1
	}
	if !insert(s.slots, h) {
		return false
	}
	if s.n++; s.n > len(s.slots)*3/4 {
		grown := make([]uint64, 2*len(s.slots))
		for _, h := range s.slots {
			if h != 0 {
				insert(grown, h)
			}
		}
		s.slots = grown
	}
	return true
}

// insert puts a hash into the first free slot from its own on; false where it is there. The number of slots is a power of two.
func insert(slots []uint64, h uint64) bool {
	mask := uint64(len(slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch slots[i] {
		case h:
			return false
		case 0:
			slots[i] = h
			return true
		}
	}
}
