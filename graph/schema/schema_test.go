package schema_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func served(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema files: %d, %v", len(files), err)
	}
	var sources []*ast.Source
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: f, Input: string(text)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// own gives the types that a schema defines itself, by name.
func own(s *ast.Schema) (out []*ast.Definition) {
	for _, d := range s.Types {
		if !d.BuiltIn {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func builtIn(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") }

func TestEverythingIsDescribed(t *testing.T) {
	s := served(t)
	check := func(description, where string) {
		t.Helper()
		switch end := strings.TrimSpace(description); {
		case end == "":
			t.Errorf("%s has no description", where)
		case !strings.HasSuffix(end, ".") && !strings.HasSuffix(end, "…"):
			t.Errorf("%s: %q is no sentence", where, description)
		}
	}
	arguments := func(args ast.ArgumentDefinitionList, where string) {
		for _, a := range args {
			check(a.Description, where+"("+a.Name+":)")
		}
	}
	for _, d := range own(s) {
		check(d.Description, d.Name)
		for _, f := range d.Fields {
			if !builtIn(f) {
				check(f.Description, d.Name+"."+f.Name)
				arguments(f.Arguments, d.Name+"."+f.Name)
			}
		}
		for _, v := range d.EnumValues {
			check(v.Description, d.Name+"."+v.Name)
		}
	}
	for name, d := range s.Directives {
		if !d.Position.Src.BuiltIn {
			check(d.Description, "@"+name)
			arguments(d.Arguments, "@"+name)
		}
	}
}

// The contract is the file that clients are written against. What is served of it is served as it says.
func TestSchemaKeepsTheContract(t *testing.T) {
	const file = "../../../shared/design/schema.graphql"
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: nothing to compare with", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	contract, err := gqlparser.LoadSchema(&ast.Source{Name: file, Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range own(served(t)) {
		want := contract.Types[got.Name]
		if want == nil && slices.Contains(additions, got.Name) {
			continue
		}
		if want == nil {
			t.Errorf("%s is not in the contract", got.Name)
			continue
		}
		compare(t, got, want)
	}
}

// additions are the fields and types that the contract has not: clients that were written against it do not know them.
var additions = []string{"Subscription.calculationRunProgress", "Batch.problem", "Batch.created", "Batch.updated", "Batch.unchanged",
	"Batch.downloadUrl", "Batch.downloadExpiresAt", "Mutation.startExport",
	"StartExportInput", "ExportContent", "ExportFormat",
	"ReportingYear.recalculationThresholdPercent", "ReportingYear.changeSinceLock", "ReportingYear.recalculationDue", "LockReportingYearInput.recalculationThresholdPercent",
	"Activity.conversionProperty", "Activity.uncertaintyPercent", "ActivityInput.conversionProperty", "ActivityInput.uncertaintyPercent",
	"EmissionFactor.supplierShare", "EmissionFactor.verified", "EmissionFactor.conversionProperty"}

func compare(t *testing.T, got, want *ast.Definition) {
	if got.Kind != want.Kind {
		t.Errorf("%s is %s, the contract says %s", got.Name, got.Kind, want.Kind)
	}
	same(t, got.Name+" implements", fmt.Sprint(got.Interfaces), fmt.Sprint(want.Interfaces))
	if got.Kind == ast.Enum {
		same(t, got.Name, values(got), values(want))
	}
	for _, f := range got.Fields {
		if builtIn(f) {
			continue
		}
		where, w := got.Name+"."+f.Name, want.Fields.ForName(f.Name)
		if w == nil && slices.Contains(additions, where) {
			continue
		}
		if w == nil {
			t.Errorf("%s is not in the contract", where)
			continue
		}
		same(t, where, f.Type.String(), w.Type.String())
		same(t, where+"'s default", fmt.Sprint(f.DefaultValue), fmt.Sprint(w.DefaultValue))
		same(t, where+"'s arguments", arguments(f), arguments(w))
		same(t, where+"'s directives", directives(f), directives(w))
	}
	for _, w := range want.Fields { // whoever implements or gives an input must find everything that is needed
		if want.Kind == ast.InputObject && w.Type.NonNull && w.DefaultValue == nil && got.Fields.ForName(w.Name) == nil {
			t.Errorf("%s.%s is needed by the contract and missing", got.Name, w.Name)
		}
	}
}

// Most of what an operation costs is its pages: each connection says how long its own is, by the arguments that it has.
func TestEveryConnectionSaysHowLongItsPageIs(t *testing.T) {
	s, seen := served(t), 0
	for _, d := range own(s) {
		for _, f := range d.Fields {
			if !strings.HasSuffix(f.Type.Name(), "Connection") {
				continue
			}
			seen++
			by := `["first"]`
			if f.Arguments.ForName("last") != nil {
				by = `["first","last"]`
			}
			got := ""
			if size := f.Directives.ForName("listSize"); size != nil {
				for _, a := range size.Arguments {
					got += a.Name + ": " + a.Value.String() + " "
				}
			}
			if want := "assumedSize: 50 slicingArguments: " + by + ` sizedFields: ["nodes","edges"] requireOneSlicingArgument: false `; got != want {
				t.Errorf("%s.%s: @listSize(%s), want @listSize(%s)", d.Name, f.Name, got, want)
			}
		}
	}
	if seen == 0 {
		t.Error("there are no connections")
	}
}

func same(t *testing.T, where, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %s, the contract says %s", where, got, want)
	}
}

func values(d *ast.Definition) string {
	var out []string
	for _, v := range d.EnumValues {
		out = append(out, v.Name)
	}
	return strings.Join(out, " ")
}

func arguments(f *ast.FieldDefinition) string {
	var out []string
	for _, a := range f.Arguments {
		s := a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			s += " = " + a.DefaultValue.String()
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func directives(f *ast.FieldDefinition) string {
	var out []string
	for _, d := range f.Directives {
		if d.Name != "requires" { // weights, list sizes and cache hints come with what reads them
			continue
		}
		for _, a := range d.Arguments {
			out = append(out, "@"+d.Name+"("+a.Name+": "+a.Value.String()+")")
		}
	}
	return strings.Join(out, " ")
}
