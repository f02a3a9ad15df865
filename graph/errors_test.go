package graph

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Of very many errors the first are told, by their place, and how many there are beside them.
func TestErrorsAreCapped(t *testing.T) {
	var errs gqlerror.List
	for row := range 120 {
		errs = append(errs, &gqlerror.Error{Message: "No.", Path: ast.Path{ast.PathName("rows"), ast.PathIndex(row), ast.PathName("factor")}, Extensions: map[string]any{"code": "INTERNAL"}})
	}
	rand.Shuffle(len(errs), func(i, j int) { errs[i], errs[j] = errs[j], errs[i] })
	got := capped(errs)
	if len(got) != maxErrors || len(errs) != 120 {
		t.Fatalf("%d errors of %d", len(got), len(errs))
	}
	for row, e := range got {
		if e.Path[1] != ast.PathIndex(row) || e.Extensions["code"] != "INTERNAL" {
			t.Errorf("error %d is of %s", row, e.Path)
		}
		if last := row == maxErrors-1; strings.HasSuffix(e.Message, "And 70 errors more.") != last {
			t.Errorf("error %d says %q", row, e.Message)
		}
	}
	if few := capped(errs[:maxErrors]); len(few) != maxErrors || strings.Contains(few[maxErrors-1].Message, "more") {
		t.Errorf("of as many as may be: %v", few)
	}
}
