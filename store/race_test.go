//go:build race

package store_test

import (
	"flag"
	"testing"
)

// Laws are drawn a fifth as often under the race detector, where each drawing takes some ten times as long: `make test` tries them in full without it.
func init() {
	testing.Init()
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
}
