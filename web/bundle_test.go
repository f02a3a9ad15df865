package web

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

func built(t *testing.T) *bundle {
	t.Helper()
	b, err := embeddedBundle()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryFileThatIsNamedIsEmbedded(t *testing.T) {
	b := built(t)
	named := regexp.MustCompile(`(?:src|href)="/assets/`+b.hash+`/([^"]+)"`).FindAllStringSubmatch(string(b.index.body), -1)
	chunks := regexp.MustCompile("(?:import\\(|from\\s?)[`'\"]\\./([\\w.-]+)[`'\"]")
	for name, f := range b.files {
		if path.Ext(name) == ".js" {
			named = append(named, chunks.FindAllStringSubmatch(string(f.body), -1)...)
		}
	}
	var found []string
	for _, match := range named {
		found = append(found, match[1])
		if b.files[match[1]] == nil {
			t.Errorf("%s is named and not embedded", match[1])
		}
	}
	for _, name := range []string{"app.js", "app.css", "explore.js", "theme.js", "icon.svg", "licences.txt"} {
		if !slices.Contains(found, name) {
			t.Errorf("%s is embedded and named nowhere", name)
		}
	}
	if found := regexp.MustCompile(`(?i)<script[^>]*>[^<]+</script>|<style|\sstyle=|\son\w+=`).FindString(string(b.index.body)); found != "" {
		t.Errorf("the page holds %q, which its policy forbids", found)
	}
}

func TestSizesStayInTheirBudgets(t *testing.T) {
	b := built(t)
	packed := func(names ...string) (n int) {
		for _, name := range names {
			n += len(b.files[name].packed())
		}
		return n
	}
	whole := len(b.index.body)
	for _, f := range b.files {
		whole += len(f.body)
	}
	for name, size := range map[string]struct{ bytes, budget int }{
		"scripts of the first load, packed": {packed("theme.js", "app.js"), 90_000},
		"styles of the first load, packed":  {packed("app.css"), 12_000},
		"explore, packed":                   {packed("explore.js"), 230_000},
		"the whole bundle":                  {whole, 1_400_000},
	} {
		if size.bytes == 0 || size.bytes > size.budget {
			t.Errorf("%s: %d bytes, want 1 to %d", name, size.bytes, size.budget)
		}
	}
}

// Addresses that stand in the bundle as words and are never fetched: namespaces, and links within messages of the libraries.
var mentioned = regexp.MustCompile(`^https?://(www\.w3\.org/(2000/svg|1999/xhtml|1998/Math/MathML|1999/xlink|XML/1998/namespace)$` +
	`|svelte\.dev/e/\w+$` +
	`|commonmark\.org/|en\.wikipedia\.org/wiki/IEEE_floating_point|yarnpkg\.com/en/docs/selective-version-resolutions)`)

func TestNothingIsFetchedFromAnotherHost(t *testing.T) {
	b := built(t)
	files := map[string][]byte{"index.html": b.index.body}
	for name, f := range b.files {
		if name != "licences.txt" {
			files[name] = f.body
		}
	}
	// An address with a scheme, and one that leaves the scheme to the page where something would load it.
	absolute := regexp.MustCompile("(?i)\\b(?:https?|wss?|ftp):\\\\?/\\\\?/[^\\s\"'`)<>\\\\]*")
	relative := regexp.MustCompile("(?i)\\b(?:src=|href=|url\\(|fetch\\(|import\\(?|from)\\s*[\"'`]?//[^\\s\"'`)]+")
	for name, body := range files {
		for _, address := range append(absolute.FindAllString(string(body), -1), relative.FindAllString(string(body), -1)...) {
			if !mentioned.MatchString(address) {
				t.Errorf("%s holds %s", name, address)
			}
		}
		for _, forbidden := range []string{`\beval\(`, `\bnew Function\(`, `sourceMappingURL=`, `\bimportScripts\(`, `navigator\.sendBeacon`} {
			if found := regexp.MustCompile(forbidden).FindString(string(body)); found != "" {
				t.Errorf("%s holds %s", name, found)
			}
		}
	}
}

func TestLicencesNameEveryPackageOfTheBundle(t *testing.T) {
	text := string(built(t).files["licences.txt"].body)
	for _, name := range []string{"svelte", "graphql", "cm6-graphql", "graphql-language-service", "@codemirror/view", "@lezer/lr", "style-mod"} {
		if !regexp.MustCompile(`(?m)^` + name + ` \d+\.\d+\.\d+: \S+`).MatchString(text) {
			t.Errorf("no licence of %s", name)
		}
	}
	if strings.Contains(text, "undefined") {
		t.Error("a package has no name, version or licence")
	}
}

// The examples are what a newcomer runs first, so they hold to the schema that is served.
func TestExamplesAreValid(t *testing.T) {
	var sources []*ast.Source
	schemas, err := filepath.Glob("../graph/schema/*.graphqls")
	if err != nil || len(schemas) == 0 {
		t.Fatalf("no schema beside the console (%v)", err)
	}
	for _, name := range schemas {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	queries, err := fs.Glob(os.DirFS("src/queries"), "*.graphql")
	if err != nil || len(queries) < 6 {
		t.Fatalf("%d examples (%v), want at least 6", len(queries), err)
	}
	for _, name := range queries {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("src/queries", name))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Error("the first line is not the question it answers")
			}
			document, errs := gqlparser.LoadQueryWithRules(schema, string(text), rules.NewDefaultRules())
			if errs != nil {
				t.Fatal(errs)
			}
			if len(document.Operations) != 1 || document.Operations[0].Name == "" {
				t.Errorf("%d operations, want one with a name", len(document.Operations))
			}
		})
	}
}
