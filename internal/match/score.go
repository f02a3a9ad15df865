package match

import (
	"slices"
	"strings"
)

// How much a word weighs by where it stands, in hundredths.
const (
	inDescription = 100
	inAside       = 35
	inCode        = 60
	inSupplier    = 25
)

// question is a line's words.
type question struct {
	words []asked
	place map[string]int // where a word stands in words
}

type asked struct {
	text    string
	written string // as the line has it
	read    bool   // as another word: it was misspelt or cut off
	field   int64  // inDescription and so on
	weight  int64  // how much it tells, times the field
}

// question reads a line. A word of several fields counts where it counts most.
func (x *Index) question(line Line) *question {
	q := &question{place: map[string]int{}}
	for _, f := range []struct {
		text  string
		field int64
	}{{line.Description, inDescription}, {line.AccountCode, inCode}, {line.Supplier, inSupplier}} {
		for _, w := range x.read(f.text) {
			field := f.field
			if w.aside {
				field = min(field, inAside)
			}
			q.ask(x, w, field)
		}
	}
	return q
}

func (q *question) ask(x *Index, w word, field int64) {
	a := asked{text: w.text, written: w.written, field: field}
	known := x.knows(a.text)
	if !known && field != inSupplier { // names of companies are not misspelt words
		if near := x.nearest(a.text); near != "" {
			a.text, a.read, known = near, true, true
		}
	}
	if _, twice := q.place[a.text]; twice {
		return
	}
	a.weight = x.weight(a.text) * field / 100
	if a.read {
		a.weight = a.weight * 9 / 10
	}
	if !known {
		a.weight /= 4 // a name, most likely, and not what was bought
	}
	q.place[a.text] = len(q.words)
	q.words = append(q.words, a)
}

// hit is a synonym all of whose words the question has.
type hit struct {
	synonym int32
	words   []int // where they stand in the question
	field   int64 // of the word that counts least
}

// phrases finds the synonyms that the question has, without those whose words are all in a longer one. Of two with the same words the one in the
// text's order is meant: a care home is no home care.
func (x *Index) phrases(q *question) []hit {
	count := map[int32]int{}
	for _, a := range q.words {
		for _, s := range x.byWord[a.text] {
			count[s]++
		}
	}
	var out []hit
	for s, n := range count {
		phrase := x.synonyms[s].phrase
		if n < len(phrase) {
			continue
		}
		h := hit{synonym: s, field: inDescription}
		for _, w := range phrase {
			h.words = append(h.words, q.place[w])
			h.field = min(h.field, q.words[q.place[w]].field)
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b hit) int { return int(a.synonym - b.synonym) })
	return slices.DeleteFunc(slices.Clone(out), func(h hit) bool {
		return slices.ContainsFunc(out, func(other hit) bool {
			return within(h.words, other.words) && (len(other.words) > len(h.words) || !slices.IsSorted(h.words) && slices.IsSorted(other.words))
		})
	})
}

func within(a, b []int) bool {
	return !slices.ContainsFunc(a, func(n int) bool { return !slices.Contains(b, n) })
}

// credit is what speaks for one entry: for each word of the question, in hundredths of its weight.
type credit struct {
	words  map[int]int64
	phrase int32
	best   int64 // the credit of phrase
}

// Credits, in hundredths of a word's weight.
const (
	byPhrase    = 130
	byWholeName = 150 // every word of the name is in the text: nothing says it clearer
	byName      = 80
)

func (c *credit) give(word int, hundredths int64) { c.words[word] = max(c.words[word], hundredths) }

func (c *credit) total(q *question) (sum int64) {
	for i, hundredths := range c.words {
		sum += q.words[i].weight * hundredths
	}
	return sum
}

// credits scores by names, as BM25 does with words that stand once, and by phrases.
func (x *Index) credits(q *question, found []hit) map[int32]*credit {
	out := map[int32]*credit{}
	at := func(entry int32) *credit {
		if out[entry] == nil {
			out[entry] = &credit{words: map[int]int64{}, phrase: -1}
		}
		return out[entry]
	}
	named, telling := map[int32]int64{}, map[int32]bool{}
	for _, a := range q.words {
		for _, entry := range x.postings[a.text] {
			named[entry] += x.weight(a.text)
			telling[entry] = telling[entry] || !x.weak[a.text] // "general" alone is no evidence
		}
	}
	for i, a := range q.words {
		for _, entry := range x.postings[a.text] {
			if telling[entry] {
				at(entry).give(i, x.byName(&x.entries[entry], named[entry]))
			}
		}
	}
	for _, h := range found {
		for _, t := range x.targets[h.synonym] {
			hundredths := byPhrase * t.share * rankShare(t.rank) / 10000
			c := at(t.entry)
			for _, i := range h.words {
				c.give(i, hundredths)
			}
			if hundredths*int64(len(h.words)) > c.best {
				c.phrase, c.best = h.synonym, hundredths*int64(len(h.words))
			}
		}
	}
	return out
}

// rankShare makes a synonym's later meanings weigh less.
func rankShare(rank int) int64 { return max(50, 100-12*int64(rank)) }

// byName is the credit of a name of which words with this weight are in the text: BM25's for its length, less where the name says more than the text.
func (x *Index) byName(e *entry, named int64) int64 {
	if e.weight == 0 {
		return 0
	}
	if covered := named * 100 / e.weight; covered >= 99 {
		return byWholeName
	}
	length := int64(len(e.words)) * 100 * 100 / max(1, x.meanLength) // in hundredths of the mean
	bm25 := 220 * 100 / (100 + 120*(50+length/2)/100)                // k1 = 1.2, b = 0.5, in hundredths
	return byName * bm25 / 100 * (30 + 70*named/e.weight) / 100
}

// tilts are words of names that a text has to say itself to mean such a factor, in hundredths off.
func tilts() map[string]int64 {
	return map[string]int64{"wtt": 15, "managed": 20, "scope": 20, "ev": 20, "refrigerated": 5, "disposal": 10, "without": 5}
}

// preference is how well an entry fits where words do not decide, in hundredths.
func (x *Index) preference(e *entry, country string, q *question) int64 {
	p := int64(100)
	switch {
	case country == "" || strings.EqualFold(e.factor.Region, country):
	case strings.EqualFold(e.factor.Region, "GLOBAL"), strings.EqualFold(e.factor.Region, "ROW"):
		p -= 2
	default:
		p -= 5
	}
	for _, w := range e.words {
		if _, said := q.place[w]; said {
			continue
		}
		p -= x.tilts[w]
		if w == "average" {
			p += 4
		}
	}
	return p
}
