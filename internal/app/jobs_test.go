package app_test

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"riverqueue.com/riverui"

	"carbongraph/store/storetest"
)

// The admin listener shows jobs by pages that are part of the program, load nothing from elsewhere, and change nothing.
func TestJobsAreShownToOperators(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DATABASE_URL": storetest.PostgresURL(t), "DATA_DIR": "/nowhere"}
	s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
	page := s.get(t, s.admin+"/riverui/")
	if page.status != 200 || !strings.Contains(page.text, `<div id="root"`) {
		t.Fatalf("%d %s", page.status, page.text)
	}
	policy := page.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("policy %q", policy)
	}
	if foreign := regexp.MustCompile(`(?:src|href|Url|content)="?:?"?(?:https?:)?//[^"]*`).FindAllString(page.text, -1); len(foreign) > 0 {
		t.Errorf("the page loads %q", foreign)
	}
	assets := regexp.MustCompile(`(?:src|href)="(/riverui/[^"]*)"`).FindAllStringSubmatch(page.text, -1)
	if len(assets) < 4 {
		t.Errorf("assets %v", assets)
	}
	for _, asset := range assets {
		if got := s.get(t, s.admin+asset[1]); got.status != 200 || strings.Contains(got.text, `<div id="root"`) {
			t.Errorf("%s: %d", asset[1], got.status)
		}
	}
	for path, says := range map[string]string{"/api/jobs?state=running": `"data":[]`, "/api/states": `"available"`, "/api/queues": `"batches"`, "/jobs": `<div id="root"`} {
		if got := s.get(t, s.admin+"/riverui"+path); got.status != 200 || !strings.Contains(got.text, says) {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	for _, what := range []string{"POST /api/jobs/delete", "POST /api/jobs/cancel", "PUT /api/queues/batches/pause", "PATCH /api/queues/batches"} {
		method, path, _ := strings.Cut(what, " ")
		r, err := http.NewRequest(method, s.admin+"/riverui"+path, strings.NewReader(`{"ids":["1"]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.do(t, r); got.status != 403 || !strings.Contains(got.text, "cancelBatch") || got.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %s", what, got.status, got.text)
		}
	}
	if got := s.get(t, s.base+"/riverui/"); got.status != 404 {
		t.Errorf("the public listener shows it: %d", got.status)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("stopped with %d: %s", code, s.log)
	}
}

// What the pages' scripts and styles could load from elsewhere, they do not: no style names another host, and no script is made of text.
func TestTheJobPagesAreWhole(t *testing.T) {
	seen := 0
	err := fs.WalkDir(riverui.FrontendIndex, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(riverui.FrontendIndex, name)
		if err != nil {
			return err
		}
		seen++
		for what, pattern := range map[string]string{
			"a style loads from elsewhere":  `url\(["']?(?:https?:)?//|@import`,
			"a script is made of text":      `\beval\(|new Function\(`,
			"a script loads from elsewhere": `import\(["'](?:https?:)?//|fetch\(["'](?:https?:)?//`,
		} {
			if found := regexp.MustCompile(pattern).Find(text); found != nil && (strings.HasSuffix(name, ".css") || strings.HasSuffix(name, ".js")) {
				t.Errorf("%s: %s: %s", name, what, found)
			}
		}
		return nil
	})
	if err != nil || seen < 5 {
		t.Errorf("%d files, %v", seen, err)
	}
}

func TestNoJobsOnTheEmbeddedDatabase(t *testing.T) {
	t.Parallel()
	dir, _ := ledger(t, "Acme")
	s := serve(t, dir, nil)
	if got := s.get(t, s.admin+"/riverui/"); got.status != 404 || !strings.Contains(got.text, "On the embedded database batches are done in the process") {
		t.Errorf("%d %s", got.status, got.text)
	}
}
