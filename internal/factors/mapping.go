package factors

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/fault"
)

// MappingFile is a mapping written by hand: which factor, or which exclusion, a ledger's lines get.
//
//	factors: { source: epa-supply-chain, version: "1.3", region: US }   # what rules leave out
//	rules:
//	  - match: { description: Electricity }                             # accountCode, description, country: a text or a list
//	    factor: { code: "221100", unit: USD }
//	    category: 3
//	  - match: { description: [Council tax, "Business rates*"] }        # a star stands for any ending
//	    exclude: taxes are not purchases
type MappingFile struct {
	rules []rule
}

// rule is one rule of the file; every combination of its texts becomes a mapping.
type rule struct {
	line         int
	accountCodes []string
	descriptions []string
	countries    []string
	factor       *Key
	category     *int32
	exclude      string
}

// maxMappingFile bounds a mapping file: it is written by hand.
const maxMappingFile = 4 << 20

// ReadMapping reads a mapping file. Unknown keys, a rule with both factor and exclude or with neither, and a match that names nothing are faults
// that name the line.
func ReadMapping(r io.Reader) (*MappingFile, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMappingFile+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The mapping file cannot be read.")
	}
	if len(text) > maxMappingFile {
		return nil, fault.New(fault.BadUserInput, "The mapping file is larger than %d bytes; is it the data?", maxMappingFile)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fault.New(fault.BadUserInput, "The mapping file is not YAML: %.300s.", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) != 1 {
		return nil, fault.New(fault.BadUserInput, "The mapping file is empty; it needs a list \"rules\".")
	}
	return parseMapping(doc.Content[0])
}

func parseMapping(root *yaml.Node) (*MappingFile, error) {
	var defaults Key
	var rules *yaml.Node
	err := eachKey(root, func(key string, n *yaml.Node) error {
		switch key {
		case "factors":
			return defaults.parse(n, "source", "version", "region", "unit")
		case "rules":
			rules = n
			return nil
		}
		return wrongAt(n, "%q is not known here; a mapping file has \"factors\" and \"rules\"", key)
	})
	if err != nil {
		return nil, err
	}
	if rules == nil || rules.Kind != yaml.SequenceNode || len(rules.Content) == 0 {
		return nil, wrongAt(root, "a list \"rules\" is missing, or has nothing in it")
	}
	m := &MappingFile{}
	for _, n := range rules.Content {
		r, err := parseRule(n, defaults)
		if err != nil {
			return nil, err
		}
		m.rules = append(m.rules, r)
	}
	return m, m.checkTwice()
}

func parseRule(n *yaml.Node, defaults Key) (rule, error) {
	r := rule{line: n.Line}
	err := eachKey(n, func(key string, v *yaml.Node) (err error) {
		switch key {
		case "match":
			return r.parseMatch(v)
		case "factor":
			r.factor = &Key{}
			return r.factor.parse(v, "source", "version", "code", "region", "unit")
		case "category":
			r.category, err = categoryNumber(v)
			return err
		case "exclude":
			if r.exclude, err = oneText(v); err == nil && r.exclude == "" {
				err = wrongAt(v, "\"exclude\" needs the reason in words")
			}
			return err
		}
		return wrongAt(v, "%q is not known here; a rule has \"match\", \"factor\", \"category\" and \"exclude\"", key)
	})
	switch {
	case err != nil:
		return r, err
	case r.accountCodes == nil && r.descriptions == nil && r.countries == nil:
		return r, wrongAt(n, "the rule matches nothing; give it \"match\" with accountCode, description or country")
	case r.factor != nil && r.exclude != "":
		return r, wrongAt(n, "the rule has both \"factor\" and \"exclude\"; a line is calculated or excluded")
	case r.factor == nil && r.exclude == "":
		return r, wrongAt(n, "the rule has neither \"factor\" nor \"exclude\"")
	case r.factor == nil && r.category != nil:
		return r, wrongAt(n, "an excluded line has no category")
	case r.factor == nil:
		return r, nil
	}
	r.factor.complete(defaults)
	if r.factor.Code == "" || r.factor.Source == "" {
		return r, wrongAt(n, "a factor needs a \"code\", and a \"source\" here or under \"factors\"")
	}
	return r, nil
}

// complete takes what the factor leaves out from the defaults. Those of another source would fit nothing.
func (k *Key) complete(defaults Key) {
	if k.Source != "" && k.Source != defaults.Source {
		return
	}
	k.Source = defaults.Source
	for to, from := range map[*string]string{&k.Version: defaults.Version, &k.Region: defaults.Region, &k.Unit: defaults.Unit} {
		if *to == "" {
			*to = from
		}
	}
}

func (k *Key) parse(n *yaml.Node, allowed ...string) error {
	to := map[string]*string{"source": &k.Source, "version": &k.Version, "code": &k.Code, "region": &k.Region, "unit": &k.Unit}
	return eachKey(n, func(key string, v *yaml.Node) (err error) {
		if !slices.Contains(allowed, key) {
			return wrongAt(v, "%q is not known here; known are %s", key, strings.Join(allowed, ", "))
		}
		*to[key], err = oneText(v)
		return err
	})
}

func (r *rule) parseMatch(n *yaml.Node) error {
	to := map[string]*[]string{"accountCode": &r.accountCodes, "description": &r.descriptions, "country": &r.countries}
	return eachKey(n, func(key string, v *yaml.Node) (err error) {
		if to[key] == nil {
			return wrongAt(v, "%q is not known here; a match has accountCode, description and country", key)
		}
		if *to[key], err = textList(v); err != nil {
			return err
		}
		for i, s := range *to[key] {
			if err := checkMatch(v, key, s); err != nil {
				return err
			}
			if key == "country" {
				r.countries[i] = strings.ToUpper(s)
			}
		}
		return nil
	})
}

func checkMatch(n *yaml.Node, key, s string) error {
	star := strings.Index(s, "*")
	switch {
	case key == "country" && (len(s) != 2 || strings.Trim(strings.ToUpper(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != ""):
		return wrongAt(n, "%q is not the code of a country; write two letters, as in GB", s)
	case key == "accountCode" && star >= 0:
		return wrongAt(n, "an account code has no star; list the codes")
	case key == "description" && s == "*":
		return wrongAt(n, "a star alone matches everything; leave \"description\" out")
	case key == "description" && star >= 0 && star < len(s)-1:
		return wrongAt(n, "%q has a star that is not its last sign", s)
	}
	return nil
}

// checkTwice refuses two rules for the same lines: which of them was meant cannot be told.
func (m *MappingFile) checkTwice() error {
	seen := map[lineKey]int{}
	for _, r := range m.rules {
		for key := range r.keys() {
			folded := lineKey{fold(key.accountCode), fold(key.description), fold(key.country)}
			if at, twice := seen[folded]; twice {
				return fault.New(fault.BadUserInput, "Mapping file, line %d: %s is matched in line %d already; keep one of the two.", r.line, key, at)
			}
			seen[folded] = r.line
		}
	}
	return nil
}

// keys gives every combination of the rule's texts.
func (r *rule) keys() func(func(written) bool) {
	list := func(texts []string) []string {
		if texts == nil {
			return []string{""}
		}
		return texts
	}
	return func(yield func(written) bool) {
		for _, a := range list(r.accountCodes) {
			for _, d := range list(r.descriptions) {
				for _, c := range list(r.countries) {
					if !yield(written{a, d, c}) {
						return
					}
				}
			}
		}
	}
}

// String names the parts that are there.
func (w written) String() string {
	var parts []string
	for _, p := range []struct{ name, text string }{{"accountCode", w.accountCode}, {"description", w.description}, {"country", w.country}} {
		if p.text != "" {
			parts = append(parts, fmt.Sprintf("%s %q", p.name, p.text))
		}
	}
	return strings.Join(parts, ", ")
}

func categoryNumber(n *yaml.Node) (*int32, error) {
	s, err := oneText(n)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(s)
	if err != nil || number < 1 || number > 15 {
		return nil, wrongAt(n, "%q is not a category; they are 1 to 15", s)
	}
	return new(int32(number)), nil
}
