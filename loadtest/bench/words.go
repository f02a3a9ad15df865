package main

import (
	"fmt"
	"slices"
	"strings"
)

// words is a flag of names with commas between. None means all.
type words []string

// String writes the names as they are given.
func (w *words) String() string { return strings.Join(*w, ",") }

// Set reads the names.
func (w *words) Set(s string) error {
	*w = strings.Split(s, ",")
	return nil
}

func (w words) has(name string) bool { return len(w) == 0 || slices.Contains(w, name) }

// known refuses a name that is none of those.
func (w words) known(names words) error {
	for _, s := range w {
		if s == "" || !slices.Contains(names, s) {
			return fmt.Errorf("there is no %q", s)
		}
	}
	return nil
}
