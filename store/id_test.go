package store_test

import (
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Whatever is read as an id is written again as it was, and what is none is the client's fault.
func FuzzGlobalID(f *testing.F) {
	f.Add(store.CategoryID(3).String())
	f.Add(store.Global(store.KindEmission, store.ID{1, 2, 3, 15: 255}).String())
	for _, s := range []string{"", "AAAA", "CgAAAAAAAAAAAAAAAAAAAAA=", "Aw==", "\x00", "AwAAAAAAAAAAAAAAAAAAAA8\n", "AwAAAAAAAAAAAAAAAAAAAA9", strings.Repeat("A", 10_000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := store.ParseGlobalID(s)
		switch {
		case err == nil && g.String() != s:
			t.Errorf("%q is read as %#v, which is written %q", s, g, g)
		case err != nil && (fault.CodeOf(err) != fault.BadUserInput || len(err.Error()) > 500):
			t.Errorf("%q: %v", s, err)
		}
	})
}
