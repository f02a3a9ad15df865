package main

import (
	"io"
	"log"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
)

// bindings reads the schema and the Go types that gqlgen.yml binds it to.
func bindings(t *testing.T) *codegen.Data {
	t.Helper()
	t.Chdir(".") // to come back: gqlgen goes to where gqlgen.yml is
	log.SetOutput(io.Discard)
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Init(); err != nil {
		t.Fatal(err)
	}
	data, err := codegen.BuildData(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// written gives the text of the encoders.
func written(t *testing.T) string {
	t.Helper()
	text, err := source(bindings(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEncodersAreTheSameEachTime(t *testing.T) {
	first := written(t)
	if second := written(t); first != second {
		t.Errorf("first:\n%s\nthen:\n%s", first, second)
	}
}

func TestEncodersFollowTheBindings(t *testing.T) {
	text := written(t)
	for name, want := range map[string]string{
		"a type of another name in Go":  `var userErrorObject = &object[store.Problem]{`,
		"a text":                        `return scalar.AppendString(b, o.Description), true`,
		"an enum":                       `return scalar.AppendString(b, string(o.Method)), true`,
		"a scalar that may be null":     `return scalar.AppendCountryCode(b, *o.Country), true`,
		"a method":                      `return scalar.AppendID(b, o.GlobalID()), true`,
		"a list":                        `for i, e := range o.Path {`,
		"an argument":                   `unit := argument[exact.MassUnit](args, "unit")`,
		"an argument that may be null":  `gwpSet := maybeArgument[store.GwpSet](args, "gwpSet")`,
		"an object behind a pointer":    `"money": one("Money", moneyObject, true, func(o *store.Activity) (*store.Money, bool) {`,
		"an object within the row":      `return &o.Totals, true`,
		"an object that a method gives": `"category": one("Category", categoryObject, false, func(o *store.Activity) (*store.Category, bool) {`,
		"a list of objects":             `"gases": many("GasAmounts", gasAmountObject, func(o *store.Emission) ([]store.GasAmount, bool) {`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", name, want, text)
		}
	}
	for name, unwanted := range map[string]string{
		"a connection": "Connection", "an edge": "Edge", "a payload": "Payload", "a resolver": `"supplier":`,
	} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%s is written: %s in\n%s", name, unwanted, text)
		}
	}
}
