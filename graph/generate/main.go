// Generate writes what follows from the schema and from gqlgen.yml: gqlgen's engine, and the encoders of package exec. `make generate` runs it.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	log.SetOutput(io.Discard) // gqlgen logs each field that takes a resolver
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate works from any folder of the module: gqlgen goes to where it finds gqlgen.yml.
func generate() error {
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return err
	}
	return api.Generate(cfg, api.AddPlugin(encoders{"graph/exec/encoders_gen.go"}))
}

// encoders is a plugin of gqlgen: it writes a file from the same bindings as gqlgen its engine, so that both show a row alike.
type encoders struct{ file string }

// Name is what gqlgen calls the plugin in errors.
func (encoders) Name() string { return "encoders" }

// GenerateCode writes the file.
func (e encoders) GenerateCode(data *codegen.Data) error {
	text, err := source(data)
	if err != nil {
		return err
	}
	return os.WriteFile(e.file, text, 0o644)
}
