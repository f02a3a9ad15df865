package fault_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/fault"
)

func TestEveryCodeHasItsMeaning(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []fault.Code
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := v.Type.(*ast.Ident); ok && kind.Name == "Code" {
				declared = append(declared, fault.Code(strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)))
			}
		}
		return true
	})
	if len(declared) == 0 || !slices.Equal(declared, fault.Codes()) {
		t.Errorf("declared %v; with a meaning %v", declared, fault.Codes())
	}
}

func TestTheDocumentListsExactlyTheCodes(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	for _, c := range fault.Codes() {
		want = append(want, fmt.Sprintf("| `%s` | %d | %s | %s |", c, c.Status(), c.Title(), c.Advice()))
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/errors.md should hold these rows:\n%s", strings.Join(want, "\n"))
	}
}

func TestProblemsAreOfTheirType(t *testing.T) {
	w := httptest.NewRecorder()
	fault.WriteProblem(w, 403, fault.New(fault.Forbidden, "Not you."), "req-1")
	want := `{"type":"/errors/FORBIDDEN","title":"Not allowed","status":403,"code":"FORBIDDEN","detail":"Not you.","requestId":"req-1"}`
	if w.Code != 403 || w.Header().Get("Content-Type") != "application/problem+json" || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s %s", w.Code, w.Header(), w.Body)
	}
}

func TestAFaultTellsHowLongToWait(t *testing.T) {
	f := fault.New(fault.RateLimited, "Wait.").After(1200 * time.Millisecond)
	w := httptest.NewRecorder()
	fault.WriteProblem(w, f.Code.Status(), f, "")
	if got := w.Header().Get("Retry-After"); w.Code != 429 || got != "2" {
		t.Errorf("%d, Retry-After %q; want 429 and 2", w.Code, got)
	}
	w = httptest.NewRecorder()
	fault.WriteProblem(w, 403, fault.New(fault.Forbidden, "Not you."), "")
	if _, there := w.Header()["Retry-After"]; there {
		t.Errorf("a fault that waiting does not help says to wait: %s", w.Header())
	}
}
