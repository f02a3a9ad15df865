package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// present chooses the words that a client reads, once for each error. What is inside goes to the log and nowhere else.
func (h *Handler) present(ctx context.Context, err error) *gqlerror.Error {
	shown := *graphql.DefaultErrorPresenter(ctx, err)
	code, _ := shown.Extensions["code"].(string)
	if code != "" && shown.Unwrap() == nil {
		return &shown // ours: said where it was found
	}
	f := h.faultOf(ctx, err)
	if f.Code == fault.Internal && !errors.As(err, &panicked{}) {
		h.o.Log.ErrorContext(ctx, "resolver failed", "path", shown.Path.String(), "err", err)
	}
	shown.Message, shown.Extensions, shown.Err = f.Message, h.extensions(ctx, f), nil
	return &shown
}

// faultOf tells which fault an error is. Time that ran out and arguments that cannot be read are faults too, though nothing below says so.
func (h *Handler) faultOf(ctx context.Context, err error) *fault.Fault {
	if f := fault.Of(err); f.Code != fault.Internal {
		return f
	}
	switch fc := graphql.GetFieldContext(ctx); {
	case errors.Is(err, context.DeadlineExceeded):
		return h.timeout()
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Timeout, "The request was given up before it was answered.")
	case fc != nil && fc.Args == nil && fc.Field.Field != nil && fc.Field.Definition != nil && len(fc.Field.Definition.Arguments) > 0:
		return fault.New(fault.BadUserInput, "An argument of %s has not the form that the schema asks for.", fc.Field.Name)
	}
	return fault.Of(nil) // the words for what is none of the client's business
}

func (h *Handler) timeout() *fault.Fault {
	return fault.New(fault.Timeout, "The operation took longer than %s. Ask for less at once, for example with smaller pages.", h.o.Timeout)
}

func (h *Handler) extensions(ctx context.Context, f *fault.Fault) map[string]any {
	x := map[string]any{"code": string(f.Code)}
	if len(f.Path) > 0 {
		x["inputPath"] = f.Path
	}
	if f.Code == fault.Internal {
		if r := telemetry.RequestFrom(ctx); r != nil {
			x["requestId"] = r.ID
		}
	}
	return x
}

// recover turns a panic into INTERNAL. The process lives, and the log has the stack.
func (h *Handler) recover(ctx context.Context, p any) error {
	h.o.Log.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
	return panicked{}
}

// panicked stands for a panic that is in the log already.
type panicked struct{}

func (panicked) Error() string { return "panic" }

// refuse is an error of a request that was not run.
func (h *Handler) refuse(ctx context.Context, f *fault.Fault) gqlerror.List {
	return gqlerror.List{{Message: f.Message, Extensions: h.extensions(ctx, f)}}
}

// refuseAt is an error of a document, with the place.
func refuseAt(at *ast.Position, code fault.Code, format string, args ...any) *gqlerror.Error {
	e := &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": string(code)}}
	if at != nil {
		e.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return e
}

// maxErrors is how many errors an answer tells.
const maxErrors = 50

// capped keeps an answer from growing with what is wrong in it: a document of some kilobytes can be wrong in thousands of ways, and each of a page's rows can fail.
// The last error that is shown tells how many are not.
func capped(errs gqlerror.List) gqlerror.List {
	if len(errs) <= maxErrors {
		return errs
	}
	errs = slices.Clone(errs)
	slices.SortStableFunc(errs, byPath) // else chance tells which are shown
	last := *errs[maxErrors-1]
	last.Message += fmt.Sprintf(" And %d errors more.", len(errs)-maxErrors)
	return append(errs[:maxErrors-1], &last)
}

// byPath sorts errors by where they stand in the answer.
func byPath(a, b *gqlerror.Error) int {
	return slices.CompareFunc(a.Path, b.Path, func(x, y ast.PathElement) int {
		i, listed := x.(ast.PathIndex)
		j, alike := y.(ast.PathIndex)
		if listed && alike {
			return cmp.Compare(i, j)
		}
		return strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
	})
}

// counted writes a count, which stops at huge.
func counted(n int) string {
	if n >= huge {
		return "very many"
	}
	return strconv.Itoa(n)
}
