package store

import "testing"

func TestWhatAReplicaHasToShow(t *testing.T) {
	versions := func(n, mark int64) *Versions {
		v := newVersions()
		v.add(ID{1}, "Supplier", n, mark)
		v.add(ID{}, "EmissionFactor", 7, 70)
		return v
	}
	state := func(v *Versions) *AsOf {
		own, all := v.Stamps()
		return &AsOf{Org: ID{1}, Number: 1, Own: own, All: all}
	}
	wanted := state(versions(5, 50))
	for name, tc := range map[string]struct {
		has  *Versions
		want bool
	}{
		"the same":                 {versions(5, 50), true},
		"later":                    {versions(6, 11), true},
		"earlier":                  {versions(4, 99), false},
		"as many of other changes": {versions(5, 51), false},
		"nothing":                  {newVersions(), false},
		"as many, and everybody's earlier": {func() *Versions {
			v := versions(5, 50)
			v.add(ID{}, "EmissionFactor", 6, 70)
			return v
		}(), false},
		"more than is asked for": {func() *Versions {
			v := versions(5, 50)
			v.add(ID{1}, "Activity", 3, 3)
			return v
		}(), true},
	} {
		if got := wanted.shown(tc.has); got != tc.want {
			t.Errorf("%s: shown is %t", name, got)
		}
	}
	if !state(newVersions()).shown(newVersions()) {
		t.Error("a ledger that was never written to is not shown")
	}
}
