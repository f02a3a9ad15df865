package cachex

import (
	"hash/maphash"
	"sync"
)

// fences keep what was read before a removal from being stored after it. Each key has a post, which it shares with some others; a removal moves it.
// What was stored for another key of the post in that moment is lost too: it is loaded again.
type fences struct {
	seed  maphash.Seed
	posts [256]post
}

type post struct {
	mu    sync.Mutex
	moved uint64
}

func newFences() *fences { return &fences{seed: maphash.MakeSeed()} }

// number is that of the key's post.
func (f *fences) number(k key) uint64 { return maphash.Comparable(f.seed, k) % uint64(len(f.posts)) }

func (f *fences) of(k key) *post { return &f.posts[f.number(k)] }

// at tells where the key's post stands.
func (f *fences) at(k key) uint64 {
	p := f.of(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved
}

// pass stores unless the post has moved since.
func (f *fences) pass(k key, since uint64, store func()) bool {
	p := f.of(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moved != since {
		return false
	}
	store()
	return true
}

// move removes the key's entry.
func (f *fences) move(k key, remove func()) {
	p := f.of(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved++
	remove()
}

// moveAll moves every post.
func (f *fences) moveAll() {
	for i := range f.posts {
		p := &f.posts[i]
		p.mu.Lock()
		p.moved++
		p.mu.Unlock()
	}
}
