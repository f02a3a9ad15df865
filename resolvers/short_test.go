package resolvers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/exec"
	"carbongraph/graph/model"
	"carbongraph/graph/plan"
	"carbongraph/internal/fault"
	"carbongraph/resolvers"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// agree fails where the two engines answer differently, or the short way is not gone.
func agree(t *testing.T, s *server, document string, variables map[string]any) {
	t.Helper()
	short := s.shortened()
	want, got := s.ask(t, document, variables), short.ask(t, document, variables)
	if string(got.Data) != string(want.Data) || len(got.Errors)+len(want.Errors) > 0 {
		t.Errorf("%.200s\nshort:  %.1000s %v\ngqlgen: %.1000s %v", document, got.Data, got.Errors, want.Data, want.Errors)
	}
	short.went(t)
}

func TestManyAliasesOfOneRelation(t *testing.T) {
	storetest.Each(t, "are each a read of their own", func(t *testing.T, st *store.Store) {
		var b strings.Builder
		for i := range 500 {
			fmt.Fprintf(&b, "a%d: emissions(first: %d) { nodes { co2e } } ", i, i%490+1)
		}
		document := "{ suppliers(first: 1) { nodes { " + b.String() + "} } }"
		s := newServer(st, wide(t, st).ID(), resolvers.Options{})
		for range 3 { // more statements than a connection keeps
			agree(t, s, document, nil)
		}
		if cost := s.planOf(t, document).Cost(nil); cost < 100_000 {
			t.Errorf("500 pages of 1 to 490 rows cost %d", cost)
		}
	})
}

func TestAKeyThatNoTextCanHoldIsNobodys(t *testing.T) {
	storetest.Each(t, "by either engine", func(t *testing.T, st *store.Store) {
		agree(t, newServer(st, wide(t, st).ID(), resolvers.Options{}), `query($key: String!) { supplier(externalId: $key) { name } }`, map[string]any{"key": "a\x00b"})
	})
}

func TestFiltersByIdGoTheShortWay(t *testing.T) {
	storetest.Each(t, "as all others do", func(t *testing.T, st *store.Store) {
		tenant := wide(t, st)
		all, err := tenant.Suppliers(t.Context(), nil, store.SupplierOrder{}, store.Page{First: new(int32(2))})
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]any{"ids": []any{all.Nodes[0].GlobalID().String(), all.Nodes[1].GlobalID().String()}, "id": all.Nodes[0].GlobalID().String()}
		s := newServer(st, tenant.ID(), resolvers.Options{})
		agree(t, s, `query($ids: [ID!]) { emissions(filter: {supplierIds: $ids}) { totalCount edges { cursor node { co2e supplier { emissions(filter: {supplierIds: $ids}) { totalCount } } } } } }`, ids)
		agree(t, s, `query($id: ID, $key: String) { supplier(id: $id, externalId: $key) { name } }`, ids)
	})
}

func TestAnIdThatIsANumberIsRefused(t *testing.T) {
	storetest.Each(t, "though a key stands beside it", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{}).shortened()
		if got := s.ask(t, `{ supplier(id: 5, externalId: "Supplier 01") { name } }`, nil); len(got.Errors) != 1 || string(got.Data) != `{"supplier":null}` {
			t.Errorf("%s %v", got.Data, got.Errors)
		}
	})
}

func TestWhatIsHeldNeedsNoStatement(t *testing.T) {
	storetest.Each(t, "by either engine", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var holding sync.WaitGroup
		holding.Go(func() { st.HoldReference(ctx) })
		defer holding.Wait()
		defer cancel()
		for engine, s := range s.engines() {
			var got answer
			for range 500 {
				if got = s.ask(t, statementDocuments["nodes"].document, nil); got.Statements == 2 {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			if got.Statements != 2 || len(got.Errors) > 0 {
				t.Errorf("%s: %d statements, want 2: suppliers and their emissions; %v", engine, got.Statements, got.Errors)
			}
			s.went(t)
		}
	})
}

func TestCyclicTypesAsDeepAsIsAllowed(t *testing.T) {
	storetest.Each(t, "are read level by level", func(t *testing.T, st *store.Store) {
		document := "name"
		for range 4 {
			document = "name emissions(first: 2) { nodes { co2e supplier { " + document + " } } }"
		}
		agree(t, newServer(st, wide(t, st).ID(), resolvers.Options{}), "{ suppliers(first: 3) { nodes { "+document+" } } }", nil)
	})
}

func TestAVariableChangesWhatIsSelected(t *testing.T) {
	storetest.Each(t, "from request to request", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{})
		for _, deep := range []bool{true, false, true, false} {
			agree(t, s, `query($deep: Boolean!, $unit: MassUnit = T) { suppliers(first: 3) { nodes { name @skip(if: $deep) emissions(first: 2) @include(if: $deep) { nodes {
				co2e(unit: $unit) } } name } } }`, map[string]any{"deep": deep, "unit": map[bool]string{true: "MG", false: "G"}[deep]})
		}
	})
}

// with gives the server by an engine in which one relation is another, whose rows come along with no page then.
func (s *server) with(changed exec.Relation, o exec.Options) *server {
	other := s.shortened()
	o.Roots, o.Relations, o.Joins = loaders.Roots(), loaders.Relations(), changed == nil && s.store.Joins()
	if changed != nil {
		o.Relations = append(o.Relations, changed) // the last of a name counts
	}
	other.short = exec.New(o)
	return other
}

// emissionSupplier is the relation, with another read.
func emissionSupplier(query func(from exec.Ledger, ids []store.ID, some store.Columns) *store.Select[store.Supplier]) exec.Relation {
	read := *loaders.Suppliers.Keyed
	read.Query = query
	return exec.One[store.Emission, store.Supplier]{Start: loaders.EmissionSupplier.Start, Read: &read}
}

const emissionsWithSupplier = `{ emissions(first: 20) { nodes { co2e supplier { name } activity { externalId } } } }`

func TestRowsThatNobodyAskedForArePassedOver(t *testing.T) {
	storetest.Each(t, "and those asked for are shown", func(t *testing.T, st *store.Store) {
		tenant := wide(t, st)
		s := newServer(st, tenant.ID(), resolvers.Options{})
		all, err := tenant.Suppliers(t.Context(), nil, store.SupplierOrder{}, store.Page{First: new(int32(60))})
		if err != nil {
			t.Fatal(err)
		}
		other := s.with(emissionSupplier(func(from exec.Ledger, ids []store.ID, some store.Columns) *store.Select[store.Supplier] {
			for _, row := range all.Nodes {
				if !slices.Contains(ids, row.ID) {
					ids = append(ids, row.ID)
				}
			}
			return from.Tenant.SuppliersWith(ids, some)
		}), exec.Options{})
		want, got := s.ask(t, emissionsWithSupplier, nil), other.ask(t, emissionsWithSupplier, nil)
		if string(got.Data) != string(want.Data) {
			t.Errorf("%.600s\nwant %.600s", got.Data, want.Data)
		}
		other.went(t)
	})
}

func TestARowThatVanishes(t *testing.T) {
	storetest.Each(t, "leaves the operation to the other engine", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{})
		read := *loaders.Activities.Keyed
		read.Query = func(from exec.Ledger, ids []store.ID, some store.Columns) *store.Select[store.Activity] {
			return from.Tenant.ActivitiesWith(ids[1:], some)
		}
		other := s.with(exec.One[store.Emission, store.Activity]{Start: loaders.EmissionActivity.Start, Read: &read}, exec.Options{})
		want, got := s.ask(t, emissionsWithSupplier, nil), other.ask(t, emissionsWithSupplier, nil)
		if string(got.Data) != string(want.Data) {
			t.Errorf("%.600s\nwant %.600s", got.Data, want.Data)
		}
		if why := other.whyNot.all; len(why) != 1 || why[0].(*exec.Unknown).Reason != exec.Null {
			t.Errorf("not the short way because of %v, want %s", why, exec.Null)
		}
	})
}

// Between the levels of one operation another writer is done: what is read after it is as it was before.
func TestLevelsSeeOneMoment(t *testing.T) {
	storetest.Each(t, "whatever is written between them", func(t *testing.T, st *store.Store) {
		tenant := wide(t, st)
		s := newServer(st, tenant.ID(), resolvers.Options{})
		var once sync.Once
		other := s.with(emissionSupplier(func(from exec.Ledger, ids []store.ID, some store.Columns) *store.Select[store.Supplier] {
			once.Do(func() { // the first level is read, the second not yet
				names := make([]*store.Supplier, 60)
				for i := range names {
					key := fmt.Sprintf("Supplier %02d", i)
					names[i] = &store.Supplier{ExternalID: &key, Name: "Renamed"}
				}
				storetest.PutSuppliers(t, tenant, names...)
			})
			return from.Tenant.SuppliersWith(ids, some)
		}), exec.Options{})
		got := other.ask(t, emissionsWithSupplier, nil)
		if strings.Contains(string(got.Data), "Renamed") || !strings.Contains(string(got.Data), "Supplier") {
			t.Errorf("answer %.600s", got.Data)
		}
		other.went(t)
		if again := other.ask(t, emissionsWithSupplier, nil); !strings.Contains(string(again.Data), "Renamed") {
			t.Errorf("the next operation sees %.600s", again.Data)
		}
	})
}

// alone goes the short way or none.
func (s *server) alone(ctx context.Context, t *testing.T, document string) (string, error) {
	t.Helper()
	p := s.planOf(t, document)
	program, err := s.short.Compile(p, nil)
	if err != nil {
		return "", err
	}
	a, err := s.short.Run(ctx, exec.Ledger{Store: s.store, Tenant: s.store.Tenant(s.viewer.Org), Viewer: &model.Viewer{Role: s.viewer.Role}}, program, nil)
	if err != nil {
		return "", err
	}
	defer a.Release()
	return string(a.Bytes()), nil
}

func TestWhatAnOperationHoldsIsBounded(t *testing.T) {
	storetest.Each(t, "and more is refused, not run again", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{}).with(nil, exec.Options{Bytes: 2 << 10})
		if _, err := s.alone(t.Context(), t, "{ emissions(first: 200) { nodes { provenance { source } } } }"); fault.CodeOf(err) != fault.CostLimitExceeded {
			t.Errorf("error = %v, want %s", err, fault.CostLimitExceeded)
		}
		if _, err := s.alone(t.Context(), t, "{ emissions(first: 2) { nodes { co2e } } }"); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

func TestWhoeverGivesUpIsLetGo(t *testing.T) {
	storetest.Each(t, "and takes no connection along", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{}).shortened()
		for i := range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*20)*time.Microsecond)
			_, err := s.alone(ctx, t, emissionsWithSupplier)
			cancel()
			var why *exec.Unknown
			if err != nil && (!errors.As(err, &why) || why.Reason != exec.Failed) {
				t.Fatalf("error = %v, want %s", err, exec.Failed)
			}
		}
		for range 20 {
			if _, err := s.alone(t.Context(), t, emissionsWithSupplier); err != nil {
				t.Fatalf("after it: %v", err)
			}
		}
	})
}

func TestOperationsWaitForEachOther(t *testing.T) {
	storetest.Each(t, "and not longer than they may", func(t *testing.T, st *store.Store) {
		plain := newServer(st, wide(t, st).ID(), resolvers.Options{})
		reading, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s := plain.with(emissionSupplier(func(from exec.Ledger, ids []store.ID, some store.Columns) *store.Select[store.Supplier] {
			once.Do(func() { close(reading); <-goOn })
			return from.Tenant.SuppliersWith(ids, some)
		}), exec.Options{Operations: 1})
		done := make(chan error)
		go func() {
			_, err := s.alone(t.Context(), t, emissionsWithSupplier)
			done <- err
		}()
		<-reading
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := s.alone(ctx, t, "{ categories { name } }"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second = %v, want %v", err, context.DeadlineExceeded)
		}
		close(goOn)
		if err := <-done; err != nil {
			t.Errorf("the first: %v", err)
		}
	})
}

// planOf plans the operation of a document.
func (s *server) planOf(t *testing.T, document string) *plan.Plan {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(s.schema.Schema(), document, rules.NewDefaultRules())
	if errs != nil {
		t.Fatal(errs)
	}
	p, err := plan.New(s.schema.Schema(), doc, doc.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	return p
}
