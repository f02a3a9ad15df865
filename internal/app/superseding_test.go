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
