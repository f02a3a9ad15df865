package graph

import (
	"crypto/sha256"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/internal/fault"
)

const (
	// documentBytes is the memory that documents may take, and astBytes, somewhat above what was measured (24 to 37), what one byte of text becomes when
	// it is parsed and validated.
	documentBytes = 32 << 20
	astBytes      = 48
)

// document is a text that was parsed, measured and validated. It is shared by all requests that send the same text and never changes.
type document struct {
	ast *ast.QueryDocument
	ops []*operation
}

// operation is one operation of a document, with what is known of it before it runs.
type operation struct {
	id          uint64            // of no other
	sum         [sha256.Size]byte // of the schema, the document and the operation's name
	doc         *ast.QueryDocument
	def         *ast.OperationDefinition
	introspects bool
	guarded     bool // some field of it asks for a role
}

// documents keeps the documents that are asked for most, up to so many bytes.
type documents struct {
	schema *ast.Schema
	limits Limits
	kept   *otter.Cache[string, *document]
	last   atomic.Uint64
	before [sha256.Size]byte // what the program and its schema are known by
}

// sum tells an operation from all others, of this program and of any other.
func (d *documents) sum(text, name string) [sha256.Size]byte {
	h := sha256.New()
	h.Write(d.before[:])
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return [sha256.Size]byte(h.Sum(nil))
}

// program is what this program, and the schema that it answers by, are known by: another release words answers in another way, or keeps them for another time.
func program(schema *ast.Schema) [sha256.Size]byte {
	text := SDL(schema)
	if build, ok := debug.ReadBuildInfo(); ok {
		text += build.String()
	}
	return sha256.Sum256([]byte(text))
}

func newDocuments(schema *ast.Schema, limits Limits) *documents {
	return &documents{schema: schema, limits: limits, before: program(schema), kept: otter.Must(&otter.Options[string, *document]{
		MaximumWeight: documentBytes, Weigher: func(text string, _ *document) uint32 { return uint32(min(len(text)*astBytes, documentBytes)) },
	})}
}

// document gives the document of a text: parsed within its limits, then validated. What fails is not kept. Whoever may introspect the schema is told which names
// may have been meant; to everybody else that would show what introspection does not.
func (d *documents) document(text string, introspects bool) (*document, gqlerror.List) {
	if doc, ok := d.kept.GetIfPresent(text); ok {
		return doc, nil
	}
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, d.limits.Tokens)
	switch {
	case err != nil && over(tokens(text, d.limits.Tokens), d.limits.Tokens): // the parser says so by its words alone
		return nil, gqlerror.List{refuseAt(nil, fault.CostLimitExceeded, "The document has more than %d tokens.", d.limits.Tokens)}
	case err != nil:
		return nil, coded(gqlerror.List{gqlerror.WrapIfUnwrapped(err)}, fault.GraphQLParseFailed)
	}
	if err := d.limits.check(parsed); err != nil {
		return nil, gqlerror.List{err}
	}
	if len(parsed.Operations) == 0 {
		return nil, gqlerror.List{refuseAt(nil, fault.GraphQLValidationFailed, "The document holds no operation.")}
	}
	if errs := validator.ValidateWithRules(d.schema, parsed, validation(introspects)); len(errs) > 0 {
		return nil, coded(capped(errs), fault.GraphQLValidationFailed)
	}
	doc := &document{ast: parsed}
	for _, def := range parsed.Operations {
		op := &operation{id: d.last.Add(1), sum: d.sum(text, def.Name), doc: parsed, def: def}
		walk(def.SelectionSet, map[string]bool{}, func(f *ast.Field) {
			op.introspects = op.introspects || f.Name == "__schema" || f.Name == "__type"
			op.guarded = op.guarded || required(f) != ""
		})
		doc.ops = append(doc.ops, op)
	}
	d.kept.Set(text, doc)
	return doc, nil
}

// validation gives the rules of the specification, with names that may have been meant or without.
func validation(hints bool) *rules.Rules {
	r := rules.NewDefaultRules()
	if hints {
		return r
	}
	for name, silent := range map[string]validator.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions, rules.KnownArgumentNamesRule.Name: rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name: rules.KnownTypeNamesRuleWithoutSuggestions, rules.ScalarLeafsRule.Name: rules.ScalarLeafsRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		r.ReplaceRule(name, silent.RuleFunc)
	}
	return r
}

// operation picks one by name; without a name there must be one alone.
func (d *document) operation(name string) (*operation, *fault.Fault) {
	if name == "" && len(d.ops) == 1 {
		return d.ops[0], nil
	}
	for _, op := range d.ops {
		if name != "" && op.def.Name == name {
			return op, nil
		}
	}
	if name == "" {
		return nil, fault.New(fault.BadUserInput, "The document holds %d operations; say in operationName which is meant.", len(d.ops))
	}
	return nil, fault.New(fault.BadUserInput, "The document holds no operation %.60q.", name)
}

// walk visits each field of a validated selection, each fragment once.
func walk(set ast.SelectionSet, seen map[string]bool, visit func(*ast.Field)) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			visit(sel)
			walk(sel.SelectionSet, seen, visit)
		case *ast.InlineFragment:
			walk(sel.SelectionSet, seen, visit)
		case *ast.FragmentSpread:
			if !seen[sel.Name] {
				seen[sel.Name] = true
				walk(sel.Definition.SelectionSet, seen, visit)
			}
		}
	}
}

// maxMessage is how many bytes of a library's message are shown: it may repeat a name of the document, which can be as long as the body.
const maxMessage = 500

func clipped(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "…"
}

// coded gives errors of a library our code, and takes away whatever else it put there.
func coded(errs gqlerror.List, code fault.Code) gqlerror.List {
	for _, e := range errs {
		e.Message = clipped(e.Message)
		e.Extensions = map[string]any{"code": string(code)}
	}
	return errs
}
