package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a dataset supersedes changes when a release between two others comes in. A server that holds datasets in memory does not keep an answer of before it under the
// versions of after it: within the contract's second it says what is so, and goes on saying it.
func TestAReleaseInBetweenIsSeenByAServerThatHoldsTheOthers(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, env map[string]string) {
		release := func(version int) {
			file := write(t, t.TempDir(), "own.csv", fmt.Appendf(nil, "source,version,gwpSet,code,name,region,unit,value\nown,%d,AR6,A,a,GB,kg,%d\n", version, version))
			if code, _, errs := run(t, env, "factors", "import", "--dataset", "csv", file); code != 0 {
				t.Fatal(errs)
			}
		}
		key := newFiled(t, env).key
		release(1)
		release(99)
		s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
		s.ready(t)
		newest := func() string {
			r := s.ask(t, key, `{ emissionFactors(filter: {current: true, codes: ["A"]}) { nodes { dataset { version supersedes { version } } } } }`)
			if len(r.Errors) > 0 {
				t.Fatal(r.text)
			}
			_, after, _ := strings.Cut(string(r.Data), `"supersedes":`)
			return after
		}
		for between := 2; between < 5; between++ {
			release(between)
			written := time.Now()
			want := fmt.Sprintf(`{"version":"%d"}}}]}}`, between)
			for range 40 {
				got := newest()
				if time.Since(written) > time.Second && got != want {
					t.Errorf("%s after the release %d the newest supersedes %s", time.Since(written), between, got)
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	})
}

// An estimate hangs on the organization's choices and on which release is the newest. Both are changed by other processes.
func TestEstimatesFollowChoicesAndReleases(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, env map[string]string) {
		do := func(args ...string) {
			t.Helper()
			if code, _, errs := run(t, env, args...); code != 0 {
				t.Fatalf("%v: %s", args, errs)
			}
		}
		release := func(version int) {
			t.Helper()
			do("factors", "import", "--dataset", "csv", write(t, t.TempDir(), "own.csv", fmt.Appendf(nil, "source,version,gwpSet,code,name,region,unit,value,gas:CH4\nown,%d,AR6,A,a,GB,kg,,%d\n", version, version)))
		}
		key := newFiled(t, env).key
		s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
		s.ready(t)
		const document = `{ estimates(inputs: [{factorKey: {source: "own", code: "A"}, quantity: {value: 1000, unit: "g"}}]) { ... on Estimate { co2e gwpSet } ... on UserError { code } } }`
		becomes := func(want string) {
			t.Helper()
			got, since := "", time.Now()
			for got != want && time.Since(since) < 5*time.Second {
				got = string(s.ask(t, key, document).Data)
			}
			if took := time.Since(since); got != want || took > 1500*time.Millisecond { // a second, and what the processes of a test want beside it
				t.Errorf("after %s: %s; want %s", took, got, want)
			}
			if r := s.ask(t, key, document); string(r.Data) != want || !strings.Contains(r.header.Get("Cache-Status"), "hit") {
				t.Errorf("asked again: %s %s; want a hit of %s", r.Data, r.header.Get("Cache-Status"), want)
			}
		}
		becomes(`{"estimates":[{"code":"NO_FACTOR"}]}`)
		release(1)
		becomes(`{"estimates":[{"co2e":"27.9","gwpSet":"AR6"}]}`)
		release(2)
		becomes(`{"estimates":[{"co2e":"55.8","gwpSet":"AR6"}]}`)
		do("org", "update", "--org", "Acme", "--gwp", "AR5")
		becomes(`{"estimates":[{"co2e":"56","gwpSet":"AR5"}]}`)
	})
}
