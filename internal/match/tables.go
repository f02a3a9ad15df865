package match

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// The tables are ours, written for this program; words/*.csv say in their comments how each is meant.
//
//go:embed words/*
var wordFiles embed.FS

// tables are the words of ledgers.
type tables struct {
	spellings  map[string][]string // how a word is read
	stop, weak map[string]bool
	synonyms   []synonym
	categories []synonym // without meanings
	exclusions []exclusion
}

// synonym is a phrase of ledgers and the factors that it means, best first.
type synonym struct {
	phrase   []string // its words, in no order
	meanings []string // names of factors, or words that their names have
	category int32
}

// exclusion is a phrase that names what is not bought.
type exclusion struct {
	phrase []string
	unless [][]string // phrases that make a purchase of it
	reason string
}

// newTables reads the embedded files. They are part of the program: a fault in them is a bug, which tests find.
func newTables() *tables {
	t := &tables{spellings: map[string][]string{}, stop: wordList("stop.txt"), weak: wordList("weak.txt")}
	for _, row := range table("spellings.csv", 2) {
		t.spellings[row[0]] = strings.Fields(row[1])
	}
	for _, row := range table("synonyms.csv", 3) {
		for _, phrase := range t.phrases(row[0]) {
			t.synonyms = append(t.synonyms, synonym{phrase, list(row[1]), category(row[2])})
		}
	}
	for _, row := range table("categories.csv", 2) {
		for _, phrase := range t.phrases(row[0]) {
			t.categories = append(t.categories, synonym{phrase: phrase, category: category(row[1])})
		}
	}
	for _, row := range table("exclusions.csv", 3) {
		unless := t.phrases(row[1])
		for _, phrase := range t.phrases(row[0]) {
			t.exclusions = append(t.exclusions, exclusion{phrase, unless, row[2]})
		}
	}
	return t
}

// phrases reads phrases that semicolons part.
func (t *tables) phrases(text string) (out [][]string) {
	for _, one := range list(text) {
		var phrase []string
		for _, w := range t.read(one) {
			phrase = append(phrase, w.text)
		}
		if len(phrase) == 0 {
			panic(fmt.Sprintf("match: the phrase %q has no words", one))
		}
		out = append(out, phrase)
	}
	return out
}

func category(text string) int32 {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 15 {
		panic(fmt.Sprintf("match: %q is not a category", text))
	}
	return int32(n)
}

func wordList(name string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(string(file(name))) {
		if !strings.HasPrefix(line, "#") {
			for _, w := range strings.Fields(line) {
				out[stem(w)] = true
			}
		}
	}
	return out
}

func list(text string) (out []string) {
	for one := range strings.SplitSeq(text, ";") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

func file(name string) []byte {
	text, err := wordFiles.ReadFile("words/" + name)
	if err != nil {
		panic("match: " + err.Error())
	}
	return text
}

// table gives the rows below the header.
func table(name string, columns int) [][]string {
	r := csv.NewReader(bytes.NewReader(file(name)))
	r.Comment, r.FieldsPerRecord = '#', columns
	rows, err := r.ReadAll()
	if err != nil {
		panic("match: " + name + ": " + err.Error())
	}
	return rows[1:]
}
