package estimate_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"carbongraph/cachex"
	"carbongraph/internal/estimate"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an estimator over a store with two releases of a source.
type world struct {
	*estimate.Estimator
	st     *store.Store
	chain  *cachex.Chain
	org    *store.Organization
	tables [32]byte
}

func newWorld(t testing.TB, st *store.Store) *world {
	t.Helper()
	w := &world{st: st, chain: cachex.New(cachex.Options{}), org: &store.Organization{Currency: "USD", GwpSet: store.AR5, MoneyOrder: store.DeflateThenConvert}}
	t.Cleanup(w.chain.Close)
	w.anew(t)
	return w
}

// anew makes the estimator anew, as another server has it.
func (w *world) anew(t testing.TB) {
	t.Helper()
	engine, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	w.Estimator = estimate.New(estimate.Options{Store: w.st, Catalog: factors.NewCatalog(w.st, 0), Engine: engine, Tables: w.tables, Cache: w.chain, Secret: []byte("sesame")})
}

// hits tells how often results were found, and how often they were looked for.
func (w *world) hits() (hits, looks uint64) {
	for _, s := range w.chain.Stats() {
		if s.Strategy == cachex.CalculationResults && s.Layer == string(cachex.L1) {
			return s.Hits, s.Hits + s.Misses
		}
	}
	return 0, 0
}

func keyed(source, code string, quantity int64) *estimate.Input {
	return &estimate.Input{FactorKey: &estimate.FactorKeyInput{Source: source, Code: code}, Quantity: &store.QuantityInput{Value: exact.NewDecimal(quantity, 0), Unit: "kWh"}}
}

// ask estimates, and tells whether the results were kept ones.
func (w *world) ask(t *testing.T, in ...*estimate.Input) (out []estimate.Result, kept bool) {
	t.Helper()
	before, _ := w.hits()
	out, err := w.Estimate(t.Context(), w.org, in)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := w.hits()
	return out, after > before
}

// What is kept is found for the same question alone: whatever a result hangs on stands in its name.
func TestKeptResultsAreThoseOfTheSameQuestion(t *testing.T) {
	storetest.Each(t, "kept", func(t *testing.T, st *store.Store) {
		storetest.Dataset(t, st, "test", "1")
		w := newWorld(t, st)
		in := func() []*estimate.Input {
			return []*estimate.Input{keyed("test", "electricity", 3), keyed("test", "nothing", 1)}
		}
		first, kept := w.ask(t, in()...)
		if kept || first[0].Emission == nil || first[1].Problem == nil {
			t.Fatalf("%+v", first)
		}
		again, kept := w.ask(t, in()...)
		if !kept || !reflect.DeepEqual(again, first) {
			t.Errorf("asked again: kept %t, %+v; want %+v", kept, again, first)
		}
		w.anew(t)
		if _, kept = w.ask(t, in()...); !kept {
			t.Error("another server does not find them")
		}
		day := exact.NewDate(2024, 1, 1)
		for name, change := range map[string]func(in []*estimate.Input){
			"another amount":  func(in []*estimate.Input) { in[0].Quantity.Value = exact.NewDecimal(4, 0) },
			"another unit":    func(in []*estimate.Input) { in[0].Quantity.Unit = "MWh" },
			"a day":           func(in []*estimate.Input) { in[0].OccurredOn = &day },
			"a set":           func(in []*estimate.Input) { in[0].GwpSet = new(store.AR4) },
			"another code":    func(in []*estimate.Input) { in[0].FactorKey.Code = "561720" },
			"a region":        func(in []*estimate.Input) { in[0].FactorKey.Region = new("US") },
			"a version":       func(in []*estimate.Input) { in[0].FactorKey.Version = new("1") },
			"a unit of a key": func(in []*estimate.Input) { in[0].FactorKey.Unit = new("kWh") },
			"another order":   func(in []*estimate.Input) { in[0], in[1] = in[1], in[0] },
			"what is wrong":   func(in []*estimate.Input) { in[1].Quantity.Unit = "" },
			"wrong otherwise": func(in []*estimate.Input) { in[1].Quantity = nil },
		} {
			other := in()
			change(other)
			if _, kept := w.ask(t, other...); kept {
				t.Errorf("%s is answered with what was kept of another", name)
			}
			if _, kept := w.ask(t, other...); !kept {
				t.Errorf("%s is not kept", name)
			}
		}
		for name, change := range map[string]func(o *store.Organization){
			"potentials": func(o *store.Organization) { o.GwpSet = store.AR6 },
			"order":      func(o *store.Organization) { o.MoneyOrder = store.ConvertThenDeflate },
			"strictness": func(o *store.Organization) { o.StrictValidity = true },
		} {
			org := *w.org
			change(&org)
			before, _ := w.hits()
			if _, err := w.Estimate(t.Context(), &org, in()); err != nil {
				t.Fatal(err)
			}
			if after, _ := w.hits(); after != before {
				t.Errorf("an organization of other %s is answered with what was kept", name)
			}
		}
		w.tables[0]++
		w.anew(t)
		if _, kept := w.ask(t, in()...); kept {
			t.Error("a release with other tables answers with what was kept")
		}
	})
}

// A key means the newest release from the moment on that it is stored.
func TestAKeyMeansTheNewestRelease(t *testing.T) {
	storetest.Each(t, "newest", func(t *testing.T, st *store.Store) {
		_, old := storetest.Dataset(t, st, "test", "1")
		w := newWorld(t, st)
		for range 2 {
			if out, _ := w.ask(t, keyed("test", "electricity", 1)); out[0].Emission == nil || out[0].Emission.FactorID != old[2].ID {
				t.Fatalf("%+v", out[0])
			}
			if out, _ := w.ask(t, keyed("other", "electricity", 1)); out[0].Problem == nil || out[0].Problem.Code != "NO_FACTOR" {
				t.Fatalf("%+v", out[0])
			}
		}
		_, newer := storetest.Dataset(t, st, "test", "2")
		_, other := storetest.Dataset(t, st, "other", "1")
		if out, kept := w.ask(t, keyed("test", "electricity", 1)); kept || out[0].Emission.FactorID != newer[2].ID {
			t.Errorf("kept %t, %+v; want the factor of the newer release", kept, out[0])
		}
		if out, kept := w.ask(t, keyed("other", "electricity", 1)); kept || out[0].Emission == nil || out[0].Emission.FactorID != other[2].ID {
			t.Errorf("kept %t, %+v; want the factor of the release that was missing", kept, out[0])
		}
		named := keyed("test", "electricity", 1)
		named.FactorKey.Version = new("1")
		if out, _ := w.ask(t, named); out[0].Emission.FactorID != old[2].ID {
			t.Errorf("%+v; want the factor of the release that is named", out[0])
		}
	})
}

// A list without keys is not looked for, and one with an id of nothing is not kept: tomorrow it may be one's.
func TestWhatIsNotKept(t *testing.T) {
	st := storetest.SQLite(t)
	_, rows := storetest.Dataset(t, st, "test", "1")
	w := newWorld(t, st)
	amount := &store.QuantityInput{Value: exact.NewDecimal(1, 0), Unit: "kWh"}
	byID := &estimate.Input{FactorID: new(rows[2].GlobalID()), Quantity: amount}
	w.ask(t, byID)
	if _, looks := w.hits(); looks != 0 {
		t.Errorf("looked for %d times", looks)
	}
	unknown := &estimate.Input{FactorID: new(store.Global(store.KindEmissionFactor, store.ID{7})), Quantity: amount}
	for range 2 {
		if _, kept := w.ask(t, unknown, keyed("test", "electricity", 1)); kept {
			t.Error("kept, with an id that has no factor yet")
		}
	}
}

// What stands in the place of results and is none is a miss.
func TestDamagedResultsAreCalculatedAnew(t *testing.T) {
	results := []estimate.Result{
		{Emission: &store.Emission{FactorID: store.ID{1}, DatasetID: store.ID{2}, CO2e: 5, BiogenicCO2: -6, Amount: 7, Method: store.SpendBased, GwpSet: store.AR6, Formula: "a formula"}},
		{Problem: &store.Problem{Code: "NO_FACTOR", Message: "There is none.", Path: []string{"factorKey"}}},
		{Problem: &store.Problem{Code: "X", Message: "", Path: []string{}}},
		{Emission: &store.Emission{FactorID: store.ID{3}, CO2e: -1 << 63, Amount: 1<<63 - 1, Formula: "another"}},
	}
	whole := estimate.Encode(results)
	if got, ok := estimate.Decode(whole, len(results)); !ok || !reflect.DeepEqual(got, results) {
		t.Fatalf("%v %+v; want %+v", ok, got, results)
	}
	for n := range whole {
		if got, ok := estimate.Decode(whole[:n], len(results)); ok {
			t.Errorf("of %d bytes %d are taken for whole: %+v", len(whole), n, got)
		}
	}
	for _, n := range []int{0, 3, 5, 1000} {
		if _, ok := estimate.Decode(whole, n); ok {
			t.Errorf("%d results are taken for %d", len(results), n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(estimate.Encode([]estimate.Result{{Emission: &store.Emission{Formula: "x"}}, {Problem: &store.Problem{Path: []string{"a", "b"}}}}), 2)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n = n % 1001; n < 0 {
			n = -n
		}
		out, ok := estimate.Decode(b, n)
		if !ok {
			return
		}
		if again, ok := estimate.Decode(estimate.Encode(out), n); !ok || !reflect.DeepEqual(again, out) {
			t.Errorf("%+v becomes %+v", out, again)
		}
	})
}

// A database that is away is an error of the whole, and no input's.
func TestADatabaseThatIsAway(t *testing.T) {
	st := storetest.SQLite(t)
	_, rows := storetest.Dataset(t, st, "test", "1")
	w := newWorld(t, st)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, in := range map[string]*estimate.Input{
		"by a key": keyed("test", "electricity", 1),
		"by an id": {FactorID: new(rows[2].GlobalID()), Quantity: &store.QuantityInput{Value: exact.NewDecimal(1, 0), Unit: "kWh"}},
	} {
		if out, err := w.Estimate(ctx, w.org, []*estimate.Input{in}); !errors.Is(err, context.Canceled) || out != nil {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// Estimates asked at once are those asked one after the other.
func TestEstimatesAtOnce(t *testing.T) {
	st := storetest.SQLite(t)
	storetest.Dataset(t, st, "test", "1")
	w := newWorld(t, st)
	done := make(chan error)
	for i := range 16 {
		go func() {
			for n := range int64(20) {
				out, err := w.Estimate(t.Context(), w.org, []*estimate.Input{keyed("test", "electricity", n)})
				if err == nil && (out[0].Emission == nil || out[0].Emission.CO2e != exact.Milligrams(n*500_000)) {
					err = fmt.Errorf("%d: %d gives %+v", i, n, out[0].Emission)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
