package factors

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/fault"
)

// Mapping files are walked node by node, so that every fault can name its line.

func wrongAt(n *yaml.Node, format string, args ...any) error {
	return fault.New(fault.BadUserInput, "Mapping file, line %d: %.400s.", n.Line, fmt.Sprintf(format, args...))
}

// eachKey visits a mapping in its order; a key that stands twice is a fault.
func eachKey(n *yaml.Node, visit func(key string, value *yaml.Node) error) error {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		return wrongAt(n, "here stands a mapping: name, colon, value")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if seen[key.Value] {
			return wrongAt(key, "%q stands twice", key.Value)
		}
		seen[key.Value] = true
		if err := visit(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}

// target follows an alias to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// oneText reads one text, without space around it; null is empty.
func oneText(n *yaml.Node) (string, error) {
	n = target(n)
	if n.Kind != yaml.ScalarNode {
		return "", wrongAt(n, "here stands one value")
	}
	if n.Tag == "!!null" {
		return "", nil
	}
	return strings.TrimSpace(n.Value), nil
}

// textList reads a text or a list of them, none empty.
func textList(n *yaml.Node) ([]string, error) {
	n = target(n)
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var out []string
	for _, item := range items {
		s, err := oneText(item)
		if err != nil {
			return nil, err
		}
		if s == "" {
			return nil, wrongAt(item, "a text is empty")
		}
		out = append(out, s)
	}
	if out == nil {
		return nil, wrongAt(n, "a list has nothing in it")
	}
	return out, nil
}
