package servertest

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between a client and Redis. It holds back or replaces what Redis answers when it is told to.
type Proxy struct {
	to string
	l  net.Listener

	mu    sync.Mutex
	held  chan struct{} // nil: nothing is held back
	says  string        // in place of Redis' answers
	conns []net.Conn
	all   sync.WaitGroup
}

// NewProxy stands before the Redis of a URL. It ends with the test.
func NewProxy(t testing.TB, url string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{to: strings.TrimSuffix(strings.TrimPrefix(url, "redis://"), "/0"), l: l}
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.join(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.Heal()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.all.Wait()
	})
	return p
}

// URL is what a client connects to in the place of Redis.
func (p *Proxy) URL() string { return "redis://" + p.l.Addr().String() + "/0" }

// Stall holds back what Redis answers.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = make(chan struct{})
}

// Say answers in the place of Redis.
func (p *Proxy) Say(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says = s
}

// Heal lets pass what Redis answers, and what was held back.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
	}
	p.held, p.says = nil, ""
}

// join passes bytes both ways until either side ends.
func (p *Proxy) join(c net.Conn) {
	there, err := net.Dial("tcp", p.to)
	if err != nil {
		c.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, c, there)
	p.mu.Unlock()
	p.all.Go(func() {
		_, _ = io.Copy(there, c)
		there.Close()
	})
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		n, err := there.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		held, answer := p.held, buf[:n]
		if p.says != "" {
			answer = []byte(p.says)
		}
		p.mu.Unlock()
		if held != nil {
			<-held
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
