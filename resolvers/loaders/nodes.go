package loaders

import (
	"context"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
	"carbongraph/store"
)

// MaxNodes is how many ids the field nodes takes.
const MaxNodes = 100

// Visible tells whether rows of a kind exist for a role: keys do for ADMIN alone.
func Visible(k store.Kind, role store.Role) bool { return k != store.KindAPIKey || role == store.Admin }

// nodeType is a type that has ids, for both engines: how its rows are read by one.
type nodeType struct {
	kind store.Kind
	ask  kind
	exec.NodeKind
}

// nodeTypes are all of them.
var nodeTypes = []nodeType{
	nodeOf(store.KindOrganization, "Organization", Organizations),
	nodeOf(store.KindCategory, "Category", Categories),
	nodeOf(store.KindSupplier, "Supplier", Suppliers),
	nodeOf(store.KindActivity, "Activity", Activities),
	nodeOf(store.KindEmission, "Emission", Emissions),
	nodeOf(store.KindEmissionFactor, "EmissionFactor", Factors),
	nodeOf(store.KindFactorDataset, "FactorDataset", Datasets),
	nodeOf(store.KindCalculationRun, "CalculationRun", Runs),
	nodeOf(store.KindAPIKey, "ApiKey", Keys),
	nodeOf(store.KindBatch, "Batch", Batches),
	nodeOf(store.KindFactorMapping, "FactorMapping", Mappings),
}

func nodeOf[V any, N interface {
	*V
	store.Node
}](k store.Kind, object string, read *ByID[V]) nodeType {
	return nodeType{k, kindOf[V, N](object, &read.Read), exec.NodeOf[V]{Kind: k, Type: object, Read: read.Keyed}}
}

// kind asks for rows of one type. When the level has run it tells each, nil where there is none, and where warming goes on.
type kind func(lv *level, ids []store.ID) (next func(f *plan.Field) ([]store.Node, []step, error))

func kindOf[V any, N interface {
	*V
	store.Node
}](object string, read *Read[store.ID, *V]) kind {
	return func(lv *level, ids []store.ID) func(*plan.Field) ([]store.Node, []step, error) {
		thunks := make([]dataloader.Thunk[*V], len(ids))
		for i, id := range ids {
			thunks[i] = ask(lv, read, id)
		}
		return func(f *plan.Field) ([]store.Node, []step, error) {
			nodes, rows := make([]store.Node, len(ids)), []*V{}
			for i, thunk := range thunks {
				v, err := thunk()
				if err != nil {
					return nil, nil, err
				}
				if v != nil {
					nodes[i], rows = N(v), append(rows, v)
				}
			}
			return nodes, []step{{[]*plan.Field{f}, object, rows}}, nil
		}
	}
}

// Nodes gives the rows with these ids, in their order, nil where there is none, and warms what the plan asks for below. It takes a statement for each type.
func Nodes(ctx context.Context, ids []store.GlobalID) ([]store.Node, error) {
	l, f := From(ctx), rootField(ctx)
	out := make([]store.Node, len(ids))
	places, rows := map[store.Kind][]int{}, map[store.Kind][]store.ID{}
	for i, id := range ids {
		places[id.Kind], rows[id.Kind] = append(places[id.Kind], i), append(rows[id.Kind], id.Row)
	}
	lv, nexts := l.level(), map[store.Kind]func(*plan.Field) ([]store.Node, []step, error){}
	for _, t := range nodeTypes {
		if len(rows[t.kind]) > 0 {
			nexts[t.kind] = t.ask(lv, rows[t.kind])
		}
	}
	lv.run()
	var now []step
	for k, next := range nexts {
		nodes, below, err := next(f)
		if err != nil {
			return nil, err
		}
		for i, at := range places[k] {
			out[at] = nodes[i]
		}
		now = append(now, below...)
	}
	if f != nil {
		l.warm(now)
	}
	return out, nil
}
