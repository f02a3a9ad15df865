package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "carbongraph/"

// rooms lists every package and what it may import of ours. fault, exact, formula and telemetry are open to every room.
func rooms() map[string][]string {
	return map[string][]string{
		"internal/fault":     {},
		"internal/exact":     {},
		"internal/formula":   {},
		"internal/telemetry": {},
		"internal/config":    {},

		"cachex":          {},
		"graph/plan":      {},
		"store":           {},
		"internal/auth":   {"store"},
		"internal/gate":   {},
		"internal/calc":   {},
		"internal/ingest": {},
		"web":             {},

		"internal/factors": {"internal/calc", "internal/ingest", "store"},
		"internal/broker":  {"cachex", "internal/calc", "store"},
		"internal/match":   {"cachex", "internal/calc", "store"},
		"internal/seed":    {"store"},

		"resolvers/loaders": {"graph/plan", "graph/exec", "graph/model", "store", "internal/factors"},
		"internal/batch":    {"internal/factors", "internal/calc", "internal/ingest", "store"},
		"internal/estimate": {"cachex", "internal/factors", "internal/calc", "store"},
		"graph/model":       {"store", "internal/calc"},
		"graph/scalar":      {"store"},
		"graph/generated":   {"graph/model", "graph/scalar", "internal/estimate", "store"},
		"graph/exec":        {"graph/plan", "graph/model", "graph/scalar", "store"},

		"graph": {"graph/generated", "graph/plan", "graph/exec", "cachex", "internal/auth", "internal/gate", "store"},
		"resolvers": {"graph/generated", "graph/model", "graph/scalar", "graph/plan", "resolvers/loaders", "store",
			"internal/auth", "internal/batch", "internal/estimate", "internal/match", "internal/broker"},

		"internal/app": {"cachex", "graph", "graph/generated", "graph/plan", "graph/exec", "graph/model", "graph/scalar", "internal/auth", "internal/batch", "internal/config", "internal/estimate", "internal/factors",
			"internal/gate", "internal/ingest", "internal/match", "internal/broker", "internal/seed", "resolvers", "resolvers/loaders", "store", "web"},
		"": {"internal/app"},

		// What tests and measurements stand on. Nothing of the program may import these.
		"store/storetest":     {"store"},
		"internal/servertest": {"store/storetest"},
		"graph/graphtest":     {},
		"internal/testenv":    {},
		// What make generate runs.
		"graph/generate": {},
		// The program that packs the built-in files, run by hand.
		"internal/factors/builtin": {"internal/factors"},
	}
}

func open() []string {
	return []string{"internal/fault", "internal/exact", "internal/formula", "internal/telemetry"}
}

// floors: the open rooms stand on the lowest, so even among them not every arrow is one.
func upward(room string, imported string) bool {
	below := map[string][]string{"internal/fault": {}, "internal/exact": {"internal/fault"}, "internal/formula": {"internal/fault", "internal/exact"},
		"internal/telemetry": {"internal/fault", "internal/exact"}}
	allowed, lowest := below[room]
	return lowest && !slices.Contains(allowed, imported)
}

func TestArrowsPointDown(t *testing.T) {
	allowed := rooms()
	seen := map[string]bool{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if base := d.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "data" || name == "loadtest") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		room := path.Dir(name)
		if room == "." {
			room = ""
		}
		seen[room] = true
		may, known := allowed[room]
		if !known {
			t.Errorf("%s stands in a room that is not listed; say in rooms() what it may import", name)
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module)
			if !ours || slices.Contains(may, imported) {
				continue
			}
			if !slices.Contains(open(), imported) || upward(room, imported) {
				t.Errorf("%s imports %s; the picture has no such arrow", name, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range allowed {
		if !seen[room] {
			t.Errorf("room %q is listed and is not there", room)
		}
	}
}

func TestThePictureHasNoCircle(t *testing.T) {
	allowed := rooms()
	state := map[string]int{} // 1: on the way, 2: done
	var visit func(room string) bool
	visit = func(room string) bool {
		switch state[room] {
		case 1:
			return false
		case 2:
			return true
		}
		state[room] = 1
		for _, next := range allowed[room] {
			if !visit(next) {
				t.Errorf("a circle goes through %s and %s", room, next)
				return false
			}
		}
		state[room] = 2
		return true
	}
	for room := range allowed {
		visit(room)
	}
}
