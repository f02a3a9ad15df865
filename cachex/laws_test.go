package cachex_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
)

// believed is what the model holds of a key: what was put last, and until when it is fresh and may be served.
type believed struct {
	text       string
	soft, hard time.Time
}

// model is a cache in a few lines: one place, of which processes keep copies.
type model struct {
	now    time.Time
	redis  map[string]believed
	local  [2]map[string]believed
	absent [2]map[string]time.Time
}

// TestTheChainIsASimpleCache runs commands against two servers over one Redis and against the model, with a clock that stands still between commands.
// A chain may have less than the model only where otter refused an entry, which it does not with the room that there is.
func TestTheChainIsASimpleCache(t *testing.T) {
	client := servertest.Shared(t)
	rapid.Check(t, func(t *rapid.T) {
		time0 := newClock()
		o := cachex.Options{Redis: client, Prefix: unique(), Now: time0.now, Chance: func() float64 { return 0.5 }, Timeout: 4 * patient, Lease: time.Minute}
		var chains [2]*cachex.Chain
		m := model{redis: map[string]believed{}}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{}, len(chains))
		for i := range chains {
			chains[i] = cachex.New(o)
			go func() { chains[i].Run(ctx); ended <- struct{}{} }()
			m.local[i], m.absent[i] = map[string]believed{}, map[string]time.Time{}
		}
		defer func() {
			_, _ = chains[0].Clear(context.Background(), "")
			stop()
			for _, c := range chains {
				<-ended
				c.Close()
			}
		}()
		s := &cachex.Strategy{Name: cachex.EmissionFactors, Lifetime: 100 * time.Second, Fresh: 70 * time.Second, Local: 40 * time.Second, Negative: 10 * time.Second, Compress: true}
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		which := rapid.IntRange(0, len(chains)-1)
		n := 0
		// settle waits for what the chain writes behind its callers' backs.
		settle := func(i int, name string) {
			_, l2 := chains[i].Stores()
			want, there := m.redis[name]
			there = there && want.hard.After(m.now)
			eventuallyRapid(t, fmt.Sprintf("Redis has %v of %s", want, name), func() bool {
				got, err := l2.Get(ctx, cachex.Key(s.Name, name))
				if !there {
					return true // what is over is not served, whether Redis has dropped it or not
				}
				return err == nil && string(got.(*cachex.Entry).Body) == want.text
			})
		}
		put := func(i int, name string) believed {
			n++
			b := believed{fmt.Sprint(n), m.now.Add(63 * time.Second), m.now.Add(90 * time.Second)} // half of what chance may take is off
			m.redis[name] = b
			m.keep(i, name, b)
			return b
		}
		// look is what a server has, and where.
		look := func(i int, name string) (believed, cachex.Layer) {
			if b, ok := m.local[i][name]; ok {
				return b, cachex.L1
			}
			if b, ok := m.redis[name]; ok && b.hard.After(m.now) {
				m.keep(i, name, b)
				return b, cachex.L2
			}
			return believed{}, cachex.None
		}
		check := func(e *cachex.Entry, from cachex.Layer, b believed, want cachex.Layer) {
			if from != want || (e == nil) != (want == cachex.None) || e != nil && (string(e.Body) != b.text || !e.Soft.Equal(b.soft) || !e.Hard.Equal(b.hard)) {
				t.Fatalf("got %v from %q; want %v from %q", e, from, b, want)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {
				m.now = time0.now()
				m.forget()
			},
			"time passes": func(t *rapid.T) { time0.pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second) },
			"put": func(t *rapid.T) {
				i, name := which.Draw(t, "server"), names.Draw(t, "name")
				b := put(i, name)
				chains[i].Put(ctx, s, name, cachex.Entry{Body: []byte(b.text)})
				settle(i, name)
			},
			"get": func(t *rapid.T) {
				i, name := which.Draw(t, "server"), names.Draw(t, "name")
				_, absent := m.absent[i][name]
				e, from, ok := chains[i].Get(ctx, s, name)
				if absent {
					if ok || from != cachex.L1 {
						t.Fatalf("got %v from %q of what is known to be absent", e, from)
					}
					return
				}
				b, want := look(i, name)
				check(e, from, b, want)
			},
			"load": func(t *rapid.T) {
				i, name := which.Draw(t, "server"), names.Draw(t, "name")
				kind := rapid.SampledFrom([]string{"value", "value", "error", "absent"}).Draw(t, "what the load gives")
				_, absent := m.absent[i][name]
				b, from := believed{}, cachex.L1
				if !absent {
					b, from = look(i, name)
				}
				stale := from != cachex.None && !absent && !b.soft.After(m.now)
				var fresh believed
				e, out, err := chains[i].Load(ctx, s, name, func(context.Context) (*cachex.Entry, error) {
					switch kind {
					case "error":
						return nil, errors.New("broken")
					case "absent":
						return nil, cachex.ErrAbsent
					}
					return &cachex.Entry{Body: []byte(fmt.Sprint(n + 1))}, nil
				})
				eventuallyRapid(t, "nothing is under way", func() bool { return chains[i].Flights() == 0 })
				switch {
				case absent:
					if !errors.Is(err, cachex.ErrAbsent) || out.Result != cachex.Negative || out.Layer != cachex.L1 {
						t.Fatalf("got %v, %+v, %v of what is known to be absent", e, out, err)
					}
					return
				case from == cachex.None:
					if (err == nil) != (kind == "value") || out.Layer != cachex.None {
						t.Fatalf("loading %s gave %v, %+v, %v", kind, e, out, err)
					}
				default:
					if err != nil || (out.Result == cachex.Stale) != stale {
						t.Fatalf("got %v, %+v, %v; stale: %v", e, out, err, stale)
					}
					check(e, out.Layer, b, from)
				}
				if from != cachex.None && !stale {
					return // nothing was loaded
				}
				// A stale one is loaded anew, unless Redis has a fresh one of another server.
				if other, ok := m.redis[name]; ok && stale && other.soft.After(m.now) {
					m.keep(i, name, other)
					return
				}
				switch kind {
				case "value":
					fresh = put(i, name)
					if from == cachex.None && string(e.Body) != fresh.text {
						t.Fatalf("loaded %s and got %s", fresh.text, e.Body)
					}
					settle(i, name)
				case "absent":
					delete(m.redis, name)
					delete(m.local[i], name)
					m.absent[i][name] = m.now.Add(s.Negative)
					_, l2 := chains[i].Stores()
					eventuallyRapid(t, "it is gone from Redis, and the lease with it", func() bool {
						_, err := l2.Get(ctx, cachex.Key(s.Name, name))
						return err != nil && client.Exists(ctx, chains[i].Lease(s.Name, name)).Val() == 0
					})
				case "error":
					time0.pass(cachex.Rest) // until then it is not tried again
				}
			},
			"delete": func(t *rapid.T) {
				i, name := which.Draw(t, "server"), names.Draw(t, "name")
				delete(m.redis, name)
				delete(m.local[i], name)
				delete(m.absent[i], name)
				if err := chains[i].Delete(ctx, s, name); err != nil {
					t.Fatal(err)
				}
			},
			"clear": func(t *rapid.T) {
				i := which.Draw(t, "server")
				clear(m.redis)
				clear(m.local[i])
				clear(m.absent[i])
				if _, err := chains[i].Clear(ctx, s.Name); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

func (m *model) keep(i int, name string, b believed) {
	m.local[i][name] = b
	m.local[i]["until "+name] = believed{hard: m.now.Add(40 * time.Second)}
	delete(m.absent[i], name)
}

// forget drops what is over.
func (m *model) forget() {
	for i := range m.local {
		for _, name := range []string{"a", "b", "c"} {
			if b, ok := m.local[i][name]; ok && (!b.hard.After(m.now) || !m.local[i]["until "+name].hard.After(m.now)) {
				delete(m.local[i], name)
			}
			if until, ok := m.absent[i][name]; ok && !until.After(m.now) {
				delete(m.absent[i], name)
			}
		}
	}
}

func eventuallyRapid(t *rapid.T, what string, holds func() bool) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("it never came to be that %s", what)
}
