package broker_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"carbongraph/internal/broker"
)

// The document lists every tier, in the order of the chain, and every status.
func TestTheDocumentListsTiersAndStatuses(t *testing.T) {
	text, err := os.ReadFile("../../docs/broker.md")
	if err != nil {
		t.Fatal(err)
	}
	var tiers []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z-]+) \| of `).FindAllSubmatch(text, -1) {
		tiers = append(tiers, string(m[1]))
	}
	var chain []string
	for _, tier := range broker.Chain() {
		chain = append(chain, tier.String())
	}
	if !slices.Equal(tiers, chain) {
		t.Errorf("documented: %v; the chain is %v", tiers, chain)
	}
	section := regexp.MustCompile(`(?s)## How a look-up ends.*?\n## `).Find(text)
	documented := map[broker.Status]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `.*?\\|").FindAll(section, -1) {
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllSubmatch(row, -1) {
			documented[broker.Status(m[1])] = true
		}
	}
	for _, s := range broker.Statuses() {
		if !documented[s] {
			t.Errorf("%s is not documented", s)
		}
		delete(documented, s)
	}
	if len(documented) > 0 {
		t.Errorf("documented and unknown: %v", documented)
	}
}
