package storetest

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands between a program and its Postgres, and fails when it is told to. It goes with the test.
type Proxy struct {
	url, to string
	l       net.Listener
	all     sync.WaitGroup

	mu      sync.Mutex
	open    map[net.Conn]bool
	trouble trouble
	left    int  // what goes through before the trouble begins
	of      Unit // of what
	begun   bool
	over    chan struct{} // closed when the trouble is another
}

// Unit is what is counted until trouble begins.
type Unit int

// Bytes are what the database answers. Trips are what the program sends and waits for the answer of: a statement, or the preparation of one.
const (
	Bytes Unit = iota
	Trips
)

type trouble int

const (
	noTrouble trouble = iota
	cutOff
	stalled
)

// NewProxy makes a proxy before the Postgres at this address.
func NewProxy(t testing.TB, address string) *Proxy {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("%s is no URL", variable)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{to: u.Host, l: l, open: map[net.Conn]bool{}, over: make(chan struct{})}
	u.Host = l.Addr().String()
	p.url = u.String()
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
		p.Cut(0, Bytes)
		p.all.Wait()
	})
	return p
}

// URL is the address of the database by way of the proxy.
func (p *Proxy) URL() string { return p.url }

// Cut lets so many more bytes or trips through, over all connections, and then ends every connection, and each that is made later, until Heal.
func (p *Proxy) Cut(after int, of Unit) { p.begin(cutOff, after, of) }

// Stall lets so many more bytes or trips through, and then holds everything back until Heal.
func (p *Proxy) Stall(after int, of Unit) { p.begin(stalled, after, of) }

// Heal ends the trouble. What was held back goes on; what was cut stays cut.
func (p *Proxy) Heal() { p.begin(noTrouble, 0, Bytes) }

// Begun tells whether the trouble has begun.
func (p *Proxy) Begun() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}

func (p *Proxy) begin(what trouble, after int, of Unit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.over)
	p.over = make(chan struct{})
	p.trouble, p.left, p.of, p.begun = what, after, of, false
	if what != noTrouble && after == 0 {
		p.start()
	}
}

// start begins the trouble.
func (p *Proxy) start() {
	p.begun = true
	if p.trouble == cutOff {
		for c := range p.open {
			c.Close()
			delete(p.open, c)
		}
	}
}

// pass tells how much of n may go on now; where that is not all, trouble has begun.
func (p *Proxy) pass(n int, of Unit) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.trouble == noTrouble || !p.begun && p.of != of:
		return n
	case p.begun:
		return 0
	case n <= p.left:
		p.left -= n
		return n
	}
	n = p.left
	p.start()
	return n
}

// wait waits until what is held back may go on; it is false where it never may.
func (p *Proxy) wait() bool {
	for {
		p.mu.Lock()
		what, begun, over := p.trouble, p.begun, p.over
		p.mu.Unlock()
		switch {
		case !begun:
			return true
		case what == cutOff:
			return false
		}
		<-over
	}
}

// join passes bytes both ways until either side ends.
func (p *Proxy) join(c net.Conn) {
	defer c.Close()
	there, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer there.Close()
	p.keep(true, c, there)
	defer p.keep(false, c, there)
	p.all.Go(func() {
		p.questions(there, c)
		there.Close()
	})
	p.answers(c, there)
}

func (p *Proxy) keep(open bool, conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if open {
			p.open[c] = true
		} else {
			delete(p.open, c)
		}
	}
}

// answers passes what the database sends.
func (p *Proxy) answers(c, there net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := there.Read(buf)
		now := p.pass(n, Bytes)
		if _, err := c.Write(buf[:now]); err != nil {
			return
		}
		if now < n {
			if !p.wait() {
				return
			}
			if _, err := c.Write(buf[now:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// questions passes what the program sends, message by message. The first of a connection has no type; Query and Sync ask for an answer.
func (p *Proxy) questions(there, c net.Conn) {
	for head := make([]byte, 4); ; head = make([]byte, 5) {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[len(head)-4:])
		if size < 4 || size > 1<<28 {
			return
		}
		asks := len(head) == 4 || head[0] == 'Q' || head[0] == 'S'
		if asks && p.pass(1, Trips) == 0 && !p.wait() {
			return
		}
		if _, err := there.Write(head); err != nil {
			return
		}
		if _, err := io.CopyN(there, c, int64(size)-4); err != nil {
			return
		}
	}
}
