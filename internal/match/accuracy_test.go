package match_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/internal/match"
)

// score counts what the matcher makes of a part of the truth.
type score struct {
	purchases, first, five, category int
	wronglyExcluded                  int
	exclusions, rightlyExcluded      int
	others, othersAnswered           int // account types that no factor fits
	bins                             [10]struct{ answers, right int }
}

// answered is the confidence from which an answer counts as given; DefaultConfidence is the one that a ledger is mapped with.
const answered = match.DefaultConfidence

func (s score) String() string {
	percent := func(n, of int) string { return fmt.Sprintf("%d of %d (%.1f %%)", n, of, 100*share(n, of)) }
	text := "first right " + percent(s.first, s.purchases) + ", among five " + percent(s.five, s.purchases) + ", its category right " + percent(s.category, s.first) +
		"; rightly excluded " + percent(s.rightlyExcluded, s.exclusions) + "; purchases wrongly excluded " + percent(s.wronglyExcluded, s.purchases) +
		"; answered though no factor fits " + percent(s.othersAnswered, s.others) + "; by confidence:"
	for i, b := range s.bins {
		if b.answers > 0 {
			text += fmt.Sprintf(" 0.%d: %s", i, percent(b.right, b.answers))
		}
	}
	return text
}

func share(n, of int) float64 { return float64(n) / float64(max(1, of)) }

// TestAccuracy measures the matcher on each part of the truth, against the EPA's factors. The floors are what was measured, less a little.
func TestAccuracy(t *testing.T) {
	x := match.New(builtin(t, factors.EPASupplyChain, "1.3"))
	scores := map[string]*score{tuning: {}, heldOut: {}, unseen: {}}
	for _, row := range truths(t) {
		a, err := x.Match(match.Line{Description: row.description, AccountCode: row.accountCode, Country: row.country, Unit: "GBP"}, 5)
		if err != nil {
			t.Fatal(err)
		}
		right := scores[row.half].add(row, a)
		if !right && row.half == tuning && os.Getenv("SHOW_TUNING") != "" { // the other parts are not looked at
			t.Log(row.verdict, row.description, row.codes, told(a))
		}
	}
	for part, floor := range map[string]struct{ first, five, excluded, wronglyExcluded, othersAnswered float64 }{
		tuning:  {0.98, 0.99, 0.98, 0.01, 0.15},
		heldOut: {0.97, 0.98, 0.96, 0.02, 0.20},
		unseen:  {0.85, 0.90, 0.99, 0.03, 0.30},
	} {
		s := scores[part]
		t.Logf("%s: %s", part, s)
		if share(s.first, s.purchases) < floor.first || share(s.five, s.purchases) < floor.five || share(s.rightlyExcluded, s.exclusions) < floor.excluded ||
			share(s.wronglyExcluded, s.purchases) > floor.wronglyExcluded || share(s.othersAnswered, s.others) > floor.othersAnswered {
			t.Errorf("%s: %s; want at least %+v", part, s, floor)
		}
	}
}

// add counts an answer, and tells whether it is right in all.
func (s *score) add(row truth, a match.Answer) (right bool) {
	at := slices.IndexFunc(a.Suggestions, func(g match.Suggestion) bool { return slices.Contains(row.codes, g.Factor.Code) })
	s.calibrate(row, a, at)
	switch row.verdict {
	case "exclude":
		s.exclusions++
		if a.Exclusion != nil {
			s.rightlyExcluded++
		}
		return a.Exclusion != nil
	case "none":
		s.others++
		if a.Exclusion != nil || len(a.Suggestions) > 0 && a.Suggestions[0].Confidence.Float64() >= answered {
			s.othersAnswered++
			return false
		}
		return true
	}
	s.purchases++
	if a.Exclusion != nil {
		s.wronglyExcluded++
	}
	if at >= 0 {
		s.five++
	}
	if at != 0 {
		return false
	}
	s.first++
	if c := a.Suggestions[0].Category; c == nil || !slices.Contains(row.categories, fmt.Sprint(*c)) {
		return false
	}
	s.category++
	return true
}

// calibrate counts how often an answer of some confidence is right.
func (s *score) calibrate(row truth, a match.Answer, at int) {
	var confidence float64
	right := at == 0
	switch {
	case a.Exclusion != nil:
		confidence, right = a.Exclusion.Confidence.Float64(), row.verdict == "exclude"
	case len(a.Suggestions) > 0:
		confidence = a.Suggestions[0].Confidence.Float64()
	default:
		return
	}
	b := &s.bins[min(9, int(confidence*10))]
	b.answers++
	if right {
		b.right++
	}
}

func told(a match.Answer) (s string) {
	if a.Exclusion != nil {
		return "excluded: " + a.Exclusion.Reason
	}
	for _, g := range a.Suggestions[:min(2, len(a.Suggestions))] {
		s += fmt.Sprintf("%s, category %v, %s: %s ", g.Factor.Code, g.Category, g.Confidence, g.Reason)
	}
	return s
}
