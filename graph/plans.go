package graph

import (
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
)

const (
	// planBytes is the memory that plans and programs may take. What a field of them takes is somewhat above what was measured: 300 to 577 bytes planned,
	// 206 to 494 compiled.
	planBytes    = 32 << 20
	plannedField = 600
	programField = 500
	emptyPlan    = 2 << 10
)

// plans keeps the plans of operations, and for each what it was compiled to, once for all its requests.
type plans struct {
	schema *ast.Schema
	kept   *otter.Cache[planKey, planned]
}

// planKey names an operation and, for programs, what its variables select.
type planKey struct {
	operation uint64
	program   bool
	variant   string
}

type planned struct {
	plan    *plan.Plan
	program *exec.Program
	err     error // why there is none
	weight  int
}

func newPlans(schema *ast.Schema) *plans {
	return &plans{schema, otter.Must(&otter.Options[planKey, planned]{
		MaximumWeight: planBytes, Weigher: func(k planKey, p planned) uint32 { return uint32(min(p.weight+len(k.variant), planBytes)) },
	})}
}

// plan gives the plan of an operation.
func (p *plans) plan(op *operation) (*plan.Plan, error) {
	k := planKey{operation: op.id}
	if found, ok := p.kept.GetIfPresent(k); ok {
		return found.plan, found.err
	}
	made, err := plan.New(p.schema, op.doc, op.def)
	entry := planned{plan: made, err: err, weight: emptyPlan}
	if made != nil {
		entry.weight += made.Size * plannedField
	}
	p.kept.Set(k, entry)
	return made, err
}

// program gives what the plan is compiled to for what these variables select.
func (p *plans) program(e *exec.Engine, op *operation, of *plan.Plan, variables map[string]any) (*exec.Program, error) {
	k := planKey{op.id, true, of.Variant(variables)}
	if found, ok := p.kept.GetIfPresent(k); ok {
		return found.program, found.err
	}
	made, err := e.Compile(of, variables)
	p.kept.Set(k, planned{program: made, err: err, weight: emptyPlan + of.Size*programField})
	return made, err
}
