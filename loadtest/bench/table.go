package main

import (
	"fmt"
	"os"
	"runtime"
	"text/tabwriter"
)

// A figure is one row of the table: what was measured, what came out, what was hoped for, and whether it was met.
type figure struct {
	name, value, goal string
	met               bool
}

// print writes the table with the facts of the machine, and tells whether every goal was met.
func printTable(figures []figure, facts string) bool {
	fmt.Printf("\n%s\n%d cores, %s/%s, %s\n\n", facts, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmeasured\tgoal\t")
	met := true
	for _, f := range figures {
		mark := "ok"
		switch {
		case f.goal == "":
			mark = ""
		case !f.met:
			mark, met = "MISSED", false
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.name, f.value, f.goal, mark)
	}
	w.Flush()
	return met
}
