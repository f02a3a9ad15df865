package loaders

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/graph-gophers/dataloader/v7"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers is a read that notes its batches: 2n for n, nothing for what is not positive.
type numbers struct {
	*Read[int, *int]
	mu      sync.Mutex
	batches [][]int
	fail    error
	panics  bool
	ctx     context.Context
}

func newNumbers() *numbers {
	n := &numbers{}
	n.Read = byKey("number", func(ctx context.Context, _ Ledger, keys []int) ([]*int, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ctx = ctx
		n.batches = append(n.batches, slices.Clone(keys))
		if n.panics {
			panic("no numbers today")
		}
		var rows []*int
		for _, k := range slices.Backward(keys) { // in any order
			if k > 0 {
				rows = append(rows, new(2*k))
			}
		}
		return rows, n.fail
	}, func(v *int) int { return *v / 2 })
	return n
}

func (n *numbers) announce(ctx context.Context, keys ...int) []dataloader.Thunk[*int] {
	lv := From(ctx).level()
	thunks := make([]dataloader.Thunk[*int], len(keys))
	for i, k := range keys {
		thunks[i] = ask(lv, n.Read, k)
	}
	lv.run()
	return thunks
}

func TestWhatIsAnnouncedIsReadOnce(t *testing.T) {
	n, ctx := newNumbers(), Begin(t.Context(), Options{})
	for range 2 {
		for i, thunk := range n.announce(ctx, 3, 1, -1, 3) {
			got, err := thunk()
			if want := []*int{new(6), new(2), nil, new(6)}[i]; err != nil || (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("value %d = %v, %v; want %v", i, got, err, want)
			}
		}
	}
	if got, err := n.Load(ctx, 3); err != nil || *got != 6 {
		t.Errorf("loaded = %v, %v; want 6", got, err)
	}
	if got, err := n.Load(ctx, -1); err != nil || got != nil {
		t.Errorf("what is absent = %v, %v; want nothing, remembered", got, err)
	}
	if len(n.batches) != 1 || !slices.Equal(n.batches[0], []int{3, 1, -1}) {
		t.Errorf("batches = %v, want one of each key once", n.batches)
	}
}

func TestOperationsShareNothing(t *testing.T) {
	n := newNumbers()
	for range 2 {
		if _, err := n.Now(Begin(t.Context(), Options{}), 1); err != nil {
			t.Fatal(err)
		}
	}
	if len(n.batches) != 2 {
		t.Errorf("batches = %v, want one for each operation", n.batches)
	}
}

// Nobody announced these: they gather by time. In the bubble's time no one is late.
func TestWhatIsNotAnnouncedGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, ctx := newNumbers(), Begin(t.Context(), Options{})
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if got, err := n.Load(ctx, i%10+1); err != nil || *got != 2*(i%10+1) {
					t.Errorf("%d = %v, %v", i%10+1, got, err)
				}
			})
		}
		all.Wait()
		if len(n.batches) != 1 || len(n.batches[0]) != 10 {
			t.Errorf("batches = %v, want one of ten keys", n.batches)
		}
	})
}

func TestAStatementHasAtMostAThousandKeys(t *testing.T) {
	n, ctx := newNumbers(), Begin(t.Context(), Options{})
	keys := make([]int, 2500)
	for i := range keys {
		keys[i] = i + 1
	}
	for i, thunk := range n.announce(ctx, keys...) {
		if got, err := thunk(); err != nil || *got != 2*(i+1) {
			t.Fatalf("%d = %v, %v", i+1, got, err)
		}
	}
	var sizes []int
	for _, b := range n.batches {
		sizes = append(sizes, len(b))
	}
	if !slices.Equal(sizes, []int{1000, 1000, 500}) {
		t.Errorf("batches of %v keys, want 1000, 1000 and 500", sizes)
	}
}

func TestAFailureIsNotRemembered(t *testing.T) {
	n, ctx := newNumbers(), Begin(t.Context(), Options{})
	n.fail = fault.New(fault.Timeout, "too slow")
	for _, thunk := range n.announce(ctx, 1, 2) {
		if got, err := thunk(); got != nil || fault.CodeOf(err) != fault.Timeout {
			t.Errorf("value = %v, %v; want %s", got, err, fault.Timeout)
		}
	}
	if _, err := n.Load(ctx, 1); fault.CodeOf(err) != fault.Timeout {
		t.Errorf("loaded: %v, want %s", err, fault.Timeout)
	}
	n.fail = nil
	if got, err := n.Load(ctx, 1); err != nil || *got != 2 {
		t.Errorf("loaded again = %v, %v; want 2", got, err)
	}
	if got, err := n.announce(ctx, 2)[0](); err != nil || *got != 4 {
		t.Errorf("announced again = %v, %v; want 4", got, err)
	}
}

func TestAPanicIsAFailure(t *testing.T) {
	n, ctx := newNumbers(), Begin(t.Context(), Options{})
	n.panics = true
	if _, err := n.announce(ctx, 1)[0](); fault.CodeOf(err) != fault.Internal {
		t.Errorf("announced: %v, want %s", err, fault.Internal)
	}
	if _, err := n.Load(ctx, 1); fault.CodeOf(err) != fault.Internal {
		t.Errorf("loaded: %v, want %s", err, fault.Internal)
	}
}

// The field that asks first may be given up while others still wait: the batch runs for the operation.
func TestABatchRunsForTheOperation(t *testing.T) {
	n, ctx := newNumbers(), Begin(t.Context(), Options{})
	field, cancel := context.WithCancel(ctx)
	cancel()
	if got, err := n.Load(field, 1); err != nil || *got != 2 {
		t.Errorf("loaded = %v, %v; want 2", got, err)
	}
	if n.ctx != From(ctx).ctx {
		t.Error("the batch did not run on the operation's context")
	}
}

func TestAnOperationThatEndsWaitsForNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ctx = Begin(ctx, Options{})
	n := newNumbers()
	thunk := ask(From(ctx).level(), n.Read, 1) // a level that never runs
	cancel()
	if _, err := thunk(); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
}

// Two root fields warm beside each other: whatever the interleaving, every key is read exactly once.
func TestLevelsBesideEachOther(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, ctx := newNumbers(), Begin(t.Context(), Options{})
		keys := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(1, 30), 1, 30), 2, 4).Draw(rt, "keys")
		var all sync.WaitGroup
		for _, k := range keys {
			all.Go(func() {
				for i, thunk := range n.announce(ctx, k...) {
					if got, err := thunk(); err != nil || *got != 2*k[i] {
						rt.Errorf("%d = %v, %v", k[i], got, err)
					}
				}
			})
		}
		all.Wait()
		read, asked := slices.Concat(n.batches...), slices.Concat(keys...)
		slices.Sort(read)
		slices.Sort(asked)
		if !slices.Equal(read, slices.Compact(asked)) {
			rt.Errorf("read %v for %v", read, asked)
		}
	})
}

func TestByParentGroupsByKindAndArguments(t *testing.T) {
	type call struct {
		parents int
		args    string
	}
	var calls []call
	read := byParent("child", func(_ context.Context, _ Ledger, _ store.Kind, parents []store.ID, a *string) ([]byte, error) {
		calls = append(calls, call{len(parents), *a})
		if *a == "bad" {
			return nil, fault.New(fault.InvalidCursor, "bad")
		}
		out := make([]byte, len(parents))
		for i, p := range parents {
			out[i] = p[15]
		}
		return out, nil
	})
	parent := func(kind store.Kind, n byte) store.GlobalID { return store.Global(kind, store.ID{15: n}) }
	l := From(Begin(t.Context(), Options{}))
	good, same, bad := keep(l, "good"), keep(l, "good"), keep(l, "bad")
	keys := []Child[string]{
		{parent(store.KindSupplier, 1), good}, {parent(store.KindSupplier, 2), bad}, {parent(store.KindCategory, 3), good}, {parent(store.KindSupplier, 4), same},
	}
	for i, r := range read.Bulk(t.Context(), Ledger{}, keys) {
		if i == 1 {
			if fault.CodeOf(r.Error) != fault.InvalidCursor {
				t.Errorf("bad arguments: %v, want %s", r.Error, fault.InvalidCursor)
			}
		} else if r.Error != nil || r.Data != keys[i].Parent.Row[15] {
			t.Errorf("child %d = %d, %v; want %d", i, r.Data, r.Error, keys[i].Parent.Row[15])
		}
	}
	if want := []call{{2, "good"}, {1, "bad"}, {1, "good"}}; !slices.Equal(calls, want) {
		t.Errorf("calls = %v, want %v", calls, want)
	}
}

// Every field that leads from a row to other rows is a relation, and every relation stands on a field: nothing is read one by one because it was forgotten.
func TestEveryRelationOfTheSchemaIsDeclared(t *testing.T) {
	files, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema files: %d, %v", len(files), err)
	}
	var sources []*ast.Source
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: f, Input: string(text)})
	}
	schema := gqlparser.MustLoadSchema(sources...)
	isRow := func(d *ast.Definition) bool { return slices.Contains(d.Interfaces, "Node") || d.Name == "FootprintRow" }
	for _, d := range schema.Types {
		if !isRow(d) {
			continue
		}
		for _, f := range d.Fields {
			to := schema.Types[f.Type.Name()]
			leads := isRow(to) || strings.HasSuffix(to.Name, "Connection")
			if _, ok := relations[d.Name+"."+f.Name]; leads && !ok {
				t.Errorf("%s.%s leads to %s and is no relation", d.Name, f.Name, to.Name)
			}
		}
	}
	for name := range relations {
		typ, field, _ := strings.Cut(name, ".")
		if d := schema.Types[typ]; d == nil || d.Fields.ForName(field) == nil {
			t.Errorf("relation %s stands on no field", name)
		}
	}
}
