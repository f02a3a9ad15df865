package main

import (
	"fmt"
	"os"
)

// A program is one that tests start themselves, each with settings of its own, and stop: where its path goes, and the Debian package that has it.
type program struct{ variable, name, pkg string }

// programs are what some tests want to stand between clients and the server.
var programs = []program{
	{"TEST_VARNISHD", "varnishd", "varnish"},
	{"TEST_NGINX", "nginx", "nginx"},
}

// paths gives the variables that name the programs. Tests that want one which cannot be had are skipped, and say so: it is no failure of the others.
func paths() (env []string) {
	for _, p := range programs {
		if os.Getenv(p.variable) != "" {
			continue
		}
		path, err := find(p.name, p.pkg, p.variable)
		if err != nil {
			fmt.Fprintln(os.Stderr, "testenv: tests that want it are skipped:", err)
			continue
		}
		env = append(env, p.variable+"="+path)
	}
	return env
}
