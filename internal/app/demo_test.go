package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	args := func() []string {
		return []string{"demo", "--data", dir, "--listen", free(t), "--admin", free(t), "--activities", "300"}
	}
	first := start(t, nil, args()...)
	key := regexp.MustCompile(`Key +(cg_\S+)`).FindStringSubmatch(banner(t, first))
	if key == nil {
		t.Fatalf("the banner: %s", first.out)
	}
	t.Run("the three examples answer", func(t *testing.T) {
		bodies := regexp.MustCompile(`-d '([^']+)'`).FindAllStringSubmatch(first.out.String(), -1)
		if len(bodies) != 3 {
			t.Fatalf("%d examples", len(bodies))
		}
		for _, b := range bodies {
			r, _ := http.NewRequest("POST", first.base+"/graphql", strings.NewReader(b[1]))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+key[1])
			if got := first.do(t, r); got.status != 200 || len(got.Errors) > 0 || !strings.Contains(got.text, "co2e") {
				t.Errorf("%s: %.300s", b[1], got.text)
			}
		}
	})
	t.Run("and so they do from a terminal, line by line as printed", func(t *testing.T) {
		if _, err := exec.LookPath("curl"); err != nil {
			t.Skip("curl is not installed")
		}
		lines := regexp.MustCompile(`(?m)^ +(curl .*)$`).FindAllStringSubmatch(first.out.String(), -1)
		if len(lines) != 3 {
			t.Fatalf("%d examples", len(lines))
		}
		for _, line := range lines {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", line[1]).Output()
			var got reply
			if json.Unmarshal(out, &got); err != nil || len(got.Errors) > 0 || !strings.Contains(string(got.Data), `"co2e":"`) {
				t.Errorf("%s: %v %.300s", line[1], err, out)
			}
		}
	})
	t.Run("the link signs in, once", func(t *testing.T) {
		code := regexp.MustCompile(`sign-in#(\S+)`).FindStringSubmatch(first.out.String())
		for _, want := range []int{204, 401} {
			r, _ := http.NewRequest("POST", first.base+"/session", strings.NewReader(`{"code":"`+code[1]+`"}`))
			r.Header.Set("Content-Type", "application/json")
			if got := first.do(t, r); got.status != want {
				t.Errorf("answers %d; want %d", got.status, want)
			}
		}
	})
	t.Run("everybody may introspect", func(t *testing.T) {
		if got := first.ask(t, key[1], "{__schema{queryType{name}}}"); len(got.Errors) > 0 {
			t.Error(got.text)
		}
	})
	count := first.ask(t, key[1], "{activities{totalCount}}").text
	if !strings.Contains(count, "300") {
		t.Errorf("activities: %s", count)
	}
	if code := first.stop(); code != 0 {
		t.Fatalf("stopped with %d: %s", code, first.log)
	}
	if info, err := os.Stat(filepath.Join(dir, "demo.key")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info, err)
	}

	t.Run("the next start keeps key and data, and is quick", func(t *testing.T) {
		began := time.Now()
		again := start(t, nil, args()...)
		took := time.Since(began)
		if !strings.Contains(banner(t, again), key[1]) || took > 3*time.Second {
			t.Errorf("after %s: %s", took, again.out)
		}
		if got := again.ask(t, key[1], "{activities{totalCount}}").text; got != count {
			t.Errorf("activities: %s", got)
		}
		again.stop()
	})
	t.Run("a key may be given", func(t *testing.T) {
		const own = "cg_mine_0123456789abcdef"
		s := start(t, nil, append(args(), "--key", own)...)
		if got := s.ask(t, own, "{viewer{role}}"); !strings.Contains(got.text, "ADMIN") {
			t.Error(got.text)
		}
		s.stop()
		if code, _, errs := run(t, nil, append(args(), "--key", "cg_mine_another-secret-of-it")...); code != 1 || !strings.Contains(errs, "prefix") {
			t.Errorf("the same prefix with another secret: %d %s", code, errs)
		}
	})
	t.Run("another size in the same folder is wrong use", func(t *testing.T) {
		if code, _, errs := run(t, nil, "demo", "--data", dir, "--listen", free(t), "--admin", free(t), "--activities", "400"); code != 2 || !strings.Contains(errs, "300") {
			t.Errorf("%d %s", code, errs)
		}
	})
}

// banner waits for what the demo prints once it answers.
func banner(t *testing.T, s *served) string {
	t.Helper()
	for range 500 {
		if out := s.out.String(); strings.Contains(out, "Ctrl-C") {
			return out
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the demo prints no banner")
	return ""
}
