package match_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/cachex"
	"carbongraph/internal/factors"
	"carbongraph/internal/match"
	"carbongraph/store"
)

// shelf makes one of the EPA's factors, whose list of datasets a test may change.
func shelf(t testing.TB, cache *cachex.Chain) (s *match.Shelf, list *[]*store.FactorDataset) {
	t.Helper()
	list = &[]*store.FactorDataset{{ID: store.ID{1}, FactorCount: 1016}}
	all := current(t)
	return match.NewShelf(
		func(context.Context) ([]*store.FactorDataset, error) { return *list, nil },
		func(_ context.Context, id store.ID) ([]*store.EmissionFactor, error) {
			if id == (store.ID{1}) {
				return all, nil
			}
			return builtin(t, factors.EPASupplyChain, "1.2")[:100], nil
		}, cache), list
}

func newCache(t testing.TB) *cachex.Chain {
	t.Helper()
	c := cachex.New(cachex.Options{})
	t.Cleanup(c.Close)
	return c
}

func counted(c *cachex.Chain) (hits, misses uint64) {
	for _, s := range c.Stats() {
		if s.Layer == string(cachex.L1) && s.Strategy == cachex.EntityResolution {
			return s.Hits, s.Misses
		}
	}
	return 0, 0
}

// What is kept is what would be found, however many are asked for.
func TestWhatIsKeptIsWhatWouldBeFound(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	keeping, _ := shelf(t, cache)
	x := match.New(current(t))
	words := []string{"office", "cleaning", "travel", "hotel", "paper", "grant", "sales tax", "water", "waste", "other", "steel", "zzz", "capital", "\xff"}
	rapid.Check(t, func(t *rapid.T) {
		line := match.Line{
			Description: strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 2).Draw(t, "words"), " "),
			Country:     rapid.SampledFrom([]string{"", "GB"}).Draw(t, "country"),
			Unit:        rapid.SampledFrom([]string{"", "GBP", "kWh"}).Draw(t, "unit"),
		}
		first := rapid.IntRange(0, 12).Draw(t, "first")
		want, err := x.Match(line, first)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := keeping.Match(context.Background(), line, first)
			if err != nil || len(got.Suggestions) != len(want.Suggestions) || len(want.Suggestions) > 0 && !reflect.DeepEqual(got, want) || !reflect.DeepEqual(got.Exclusion, want.Exclusion) {
				t.Fatalf("%+v: %s, %v; want %s", line, told(got), err, told(want))
			}
		}
	})
	if hits, _ := counted(cache); hits == 0 {
		t.Error("nothing was kept")
	}
}

// An answer is found again for the same line over the same datasets, and for nothing else.
func TestAllOfALineTellsAnswersApart(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	keeping, list := shelf(t, cache)
	line := match.Line{Description: "Stationery", AccountCode: "b", Supplier: "c", Country: "GB", Unit: "GBP"}
	found := func(what string, want bool, line match.Line, first int) {
		t.Helper()
		before, _ := counted(cache)
		if a, err := keeping.Match(t.Context(), line, first); err != nil || len(a.Suggestions) == 0 {
			t.Fatalf("%s: %s, %v", what, told(a), err)
		}
		if after, _ := counted(cache); after > before != want {
			t.Errorf("%s: found: %v; want %v", what, after > before, want)
		}
	}
	found("at first", false, line, 5)
	found("again", true, line, 5)
	found("fewer", true, line, 1)
	found("more", false, line, 11)
	for i := range reflect.TypeOf(line).NumField() {
		other, name := line, reflect.TypeOf(line).Field(i).Name
		v := reflect.ValueOf(&other).Elem().Field(i)
		if v.SetString(v.String() + "x"); name == "Unit" {
			other.Unit = "USD"
		}
		found("another "+name, false, other, 5)
	}
	*list = append(*list, &store.FactorDataset{ID: store.ID{2}, FactorCount: 100})
	found("with another dataset", false, line, 5)
	found("with it, again", true, line, 5)
	if _, err := keeping.Match(t.Context(), match.Line{Description: "Stationery", Unit: "furlong"}, 5); err == nil {
		t.Error("an unknown unit is answered")
	}
	for range 2 {
		hits, misses := counted(cache)
		if a, err := keeping.Match(t.Context(), match.Line{Description: "Zzyzx"}, 5); err != nil || len(a.Suggestions) > 0 {
			t.Errorf("%s, %v", told(a), err)
		}
		if h, m := counted(cache); h != hits || m != misses+1 {
			t.Error("that there is nothing is kept")
		}
	}
}

// BenchmarkShelf is a match with the look for a kept answer before it, and a kept answer in its place.
func BenchmarkShelf(b *testing.B) {
	line := match.Line{Description: "Grounds Maintenance Equipment & Consumab", Country: "GB", Unit: "GBP"}
	for name, cache := range map[string]*cachex.Chain{"found": nil, "kept": newCache(b)} {
		b.Run(name, func(b *testing.B) {
			s, _ := shelf(b, cache)
			b.ReportAllocs()
			for b.Loop() {
				if a, err := s.Match(b.Context(), line, 5); err != nil || len(a.Suggestions) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
