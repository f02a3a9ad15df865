package batch

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestSeenKnowsWhatCameBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, before := newSeen(), map[string]bool{}
		for _, text := range rapid.SliceOf(rapid.StringN(0, 3, -1)).Draw(t, "texts") {
			if isNew := s.add(text); isNew == before[text] {
				t.Fatalf("add(%q) = %t; it came before: %t", text, isNew, before[text])
			}
			before[text] = true
		}
	})
}

func TestSeenStaysSmall(t *testing.T) {
	s := newSeen()
	for i := range 1_000_000 {
		if !s.add("payment-" + strconv.Itoa(i)) {
			t.Fatalf("%d was taken for another", i)
		}
	}
	if bytes := 8 * len(s.slots); bytes > 16<<20 {
		t.Errorf("a million texts take %d bytes; want 16 MB at most", bytes)
	}
	if s.add("payment-7") {
		t.Error("payment-7 was forgotten")
	}
}
