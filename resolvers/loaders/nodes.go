package loaders

import (
	"context"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// kinds are the types that have ids: how a row is read by one.
var kinds = map[store.Kind]kind{
	store.KindOrganization:   kindOf("Organization", &Organizations.Read),
	store.KindSupplier:       kindOf("Supplier", &Suppliers.Read),
	store.KindActivity:       kindOf("Activity", &Activities.Read),
	store.KindEmission:       kindOf("Emission", &Emissions.Read),
	store.KindEmissionFactor: kindOf("EmissionFactor", &Factors.Read),
	store.KindFactorDataset:  kindOf("FactorDataset", &Datasets.Read),
	store.KindCalculationRun: kindOf("CalculationRun", &Runs.Read),
	store.KindAPIKey:         kindOf("ApiKey", &Keys.Read),
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
	var categories []*store.Category
	for i, id := range ids {
		if c := store.CategoryByNumber(int32(id.CategoryNumber())); c != nil {
			out[i], categories = c, append(categories, c)
		} else {
			places[id.Kind], rows[id.Kind] = append(places[id.Kind], i), append(rows[id.Kind], id.Row)
		}
	}
	lv, nexts := l.level(), map[store.Kind]func(*plan.Field) ([]store.Node, []step, error){}
	for k := range places {
		if kinds[k] != nil {
			nexts[k] = kinds[k](lv, rows[k])
		}
	}
	lv.run()
	now := []step{{[]*plan.Field{f}, "Category", categories}}
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
