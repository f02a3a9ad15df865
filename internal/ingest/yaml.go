package ingest

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/fault"
)

// Nodes are walked by hand, because yaml.v3 forgets to be strict below a custom type, and so that every fault can name its line.

func at(n *yaml.Node, format string, args ...any) error {
	return fault.New(fault.BadUserInput, "Columns file, line %d: %s.", n.Line, fmt.Sprintf(format, args...))
}

// eachKey visits a mapping in its order; a key that stands twice is a fault.
func eachKey(n *yaml.Node, visit func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "here stands a mapping: name, colon, value")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return at(key, "a name is plain text")
		}
		if seen[key.Value] {
			return at(key, "%q stands twice", key.Value)
		}
		seen[key.Value] = true
		if err := visit(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}

// scalar reads one text; null is empty.
func scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", at(n, "here stands one value")
	}
	if n.Tag == "!!null" {
		return "", nil
	}
	return n.Value, nil
}

// texts reads one text or a list of them, none empty.
func texts(n *yaml.Node) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		n = &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Content: []*yaml.Node{n}}
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return nil, at(n, "here stands a text or a list of texts")
	}
	out := make([]string, len(n.Content))
	for i, item := range n.Content {
		text, err := scalar(item)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(text) == "" {
			return nil, at(item, "a text is empty")
		}
		out[i] = text
	}
	return out, nil
}

func boolean(n *yaml.Node) (bool, error) {
	var b bool
	if n.Kind != yaml.ScalarNode || n.Decode(&b) != nil {
		return false, at(n, "here stands true or false")
	}
	return b, nil
}
