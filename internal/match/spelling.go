package match

import (
	"maps"
	"slices"
	"strings"
)

// vocabulary is every word that the tables and the names have: a word that is not among them may be a misspelling of one that is.
type vocabulary struct {
	words    map[string]bool
	sorted   []string
	trigrams map[string][]int32 // the words, by place in sorted, that have these three signs
}

// learn gathers the vocabulary.
func (x *Index) learn() {
	all := map[string]bool{}
	for w := range x.postings {
		all[w] = true
	}
	for w := range x.weak {
		all[w] = true
	}
	for _, s := range slices.Concat(x.synonyms, x.categories) {
		for _, w := range s.phrase {
			all[w] = true
		}
	}
	for _, e := range x.exclusions {
		for _, w := range slices.Concat(append(e.unless, e.phrase)...) {
			all[w] = true
		}
	}
	v := vocabulary{words: all, sorted: slices.Sorted(maps.Keys(all)), trigrams: map[string][]int32{}}
	for i, w := range v.sorted {
		for _, three := range trigrams(w) {
			v.trigrams[three] = append(v.trigrams[three], int32(i))
		}
	}
	x.vocabulary = v
}

func (v *vocabulary) knows(w string) bool { return v.words[w] }

// trigrams gives the threes of letters of a word, each once, with its beginning and its end marked.
func trigrams(w string) (out []string) {
	signs := []rune("^" + w + "$")
	for i := 0; i+3 <= len(signs); i++ {
		out = append(out, string(signs[i:i+3]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// nearest gives the word that a misspelt or cut-off one most likely stands for, or "". Short words are not guessed at: too many are near them.
func (v *vocabulary) nearest(w string) string {
	length := len([]rune(w))
	if length < 5 {
		return ""
	}
	shared := map[int32]int{}
	for _, three := range trigrams(w) {
		for _, i := range v.trigrams[three] {
			shared[i]++
		}
	}
	limit := 1
	if length >= 10 {
		limit = 2
	}
	best, distance := "", limit+1
	for _, i := range slices.Sorted(maps.Keys(shared)) {
		if shared[i] < max(2, length/3) || w[0] != v.sorted[i][0] { // hardly anybody misspells the beginning
			continue
		}
		if d := edits(w, v.sorted[i], limit); d < distance {
			best, distance = v.sorted[i], d
		}
	}
	if best != "" {
		return best
	}
	return v.cutOff(w)
}

// cutOff gives the one word that begins so, or "": ledgers cut their texts at a column's width.
func (v *vocabulary) cutOff(w string) string {
	at, _ := slices.BinarySearch(v.sorted, w)
	if at == len(v.sorted) || !strings.HasPrefix(v.sorted[at], w) {
		return ""
	}
	one := v.sorted[at]
	if at+1 < len(v.sorted) && strings.HasPrefix(v.sorted[at+1], w) && !strings.HasPrefix(v.sorted[at+1], one) {
		return ""
	}
	return one
}

// edits counts the signs to add, drop, change or swap with their neighbour between two words; more than limit is limit + 1.
func edits(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if len(s)-len(t) > limit || len(t)-len(s) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row[0] = i + 1
		least := row[0]
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(t)], limit+1)
}
