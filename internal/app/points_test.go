package app_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// Two servers over one Redis keep one bound; without Redis each keeps it for itself, and no request fails for that.
func TestPointsOverServers(t *testing.T) {
	t.Parallel()
	redis := os.Getenv("TEST_REDIS_URL")
	if redis == "" {
		t.Skip("TEST_REDIS_URL is not set: give the address of a Redis server, or run the tests by `make test`")
	}
	address, err := url.Parse(redis)
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, address.Host)
	address.Host = w.l.Addr().String()
	const limit = 600 // ten a second come back
	f := newFollowed(t, map[string]string{"RATE_LIMIT": "600", "REDIS_URL": address.String()})
	first, second := *f.serve(t).served, *f.serve(t).served
	began := time.Now()
	let := 0
	for refused := 0; refused < 2; {
		refused = 0
		for _, s := range []*served{&first, &second} {
			switch got := s.ask(t, f.key, "{__typename}"); got.status {
			case 200:
				let++
			case 429:
				if refused++; got.code() != "RATE_LIMITED" || got.header.Get("Retry-After") == "" {
					t.Fatalf("%s %s", got.header, got.text)
				}
			default:
				t.Fatalf("%d %s", got.status, got.text)
			}
		}
	}
	took := time.Since(began)
	if most := limit + int(took.Seconds()*10) + 1; let > most || let < limit-20 {
		t.Errorf("%d operations in %s; want at most %d, and not far less than %d", let, took, most, limit)
	}
	if got := first.ready(t); !strings.Contains(got.text, `"redis":"reachable"`) {
		t.Errorf("/readyz: %s", got.text)
	}

	w.set(true)
	alone := 0
	for range 100 {
		switch got := second.ask(t, f.key, "{__typename}"); got.status {
		case 200:
			alone++
		case 429:
		default:
			t.Fatalf("without Redis: %d %s", got.status, got.text)
		}
	}
	if got := second.ready(t); !strings.Contains(got.text, `"redis":"unreachable"`) {
		t.Errorf("/readyz: %s", got.text)
	}
	if let+alone > 2*limit+int(time.Since(began).Seconds()*20) {
		t.Errorf("%d operations and %d without Redis", let, alone)
	}
	if strings.Contains(second.log.String(), "pool.go") {
		t.Errorf("the client of Redis writes lines of its own: %s", second.log)
	}
	w.set(false)
	eventually(t, "points are counted in Redis again", func() bool { return metric(t, second.admin, "carbongraph_gate_rate_store") == 1 })
}

func TestWhatAViewerMayStillSpend(t *testing.T) {
	dir, keys := ledger(t, "Acme")
	for points, want := range map[string]int{"1000": 1000, "0": 0} {
		s := serve(t, dir, map[string]string{"RATE_LIMIT": points})
		var got struct {
			Viewer struct {
				RateLimit struct {
					Limit, Remaining int
					ResetAt          time.Time
				}
			}
		}
		answer := s.ask(t, keys[0], "{viewer{rateLimit{limit remaining resetAt}}}")
		if err := json.Unmarshal(answer.Data, &got); err != nil {
			t.Fatalf("%v: %s", err, answer.text)
		}
		l := got.Viewer.RateLimit
		if l.Limit != want || l.Remaining > want || l.Remaining < want-10 || time.Until(l.ResetAt) > time.Minute || time.Since(l.ResetAt) > time.Minute {
			t.Errorf("of %s points: %s", points, answer.text)
		}
		s.stop()
	}
}
