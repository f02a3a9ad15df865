package store

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Bounds of what a filter may ask: what is beyond them is a mistake, or an attack.
const (
	maxList   = 1000 // entries of a list
	maxSearch = 200  // characters of a search
	maxWords  = 16   // words of a search
)

// A filter is made canonical before anything else is done with it: checked, lists sorted and without doubles, what asks for nothing nil.
// Conditions and cursors are made from that form, so that the same question has the same cursors however it is written.

// canonicalList sorts a list and drops doubles; an empty list asks for nothing, as one that is not there.
func canonicalList[T any](name string, list []T, compare func(a, b T) int) ([]T, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) > maxList {
		return nil, fault.New(fault.BadUserInput, "%q has %d entries; ask for at most %d at once.", name, len(list), maxList).At("filter", name)
	}
	list = slices.Clone(list)
	slices.SortFunc(list, compare)
	return slices.CompactFunc(list, func(a, b T) bool { return compare(a, b) == 0 }), nil
}

func canonicalTexts[T ~string](name string, list []T) ([]T, error) {
	for _, s := range list {
		if err := storable(name, string(s)); err != nil {
			return nil, err
		}
	}
	return canonicalList(name, list, cmp.Compare[T])
}

func canonicalIDs(name string, list []GlobalID) ([]GlobalID, error) {
	return canonicalList(name, list, func(a, b GlobalID) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Row[:], b.Row[:]))
	})
}

func canonicalCountries(list []string) ([]string, error) {
	for _, c := range list {
		if len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return nil, fault.New(fault.BadUserInput, "%.20q is not a country; write two capital letters, for example GB.", c).At("filter", "countries")
		}
	}
	return canonicalTexts("countries", list)
}

func canonicalCategories(list []int32) ([]int32, error) {
	for _, n := range list {
		if CategoryByNumber(n) == nil {
			return nil, fault.New(fault.BadUserInput, "There is no category %d; they are numbered 1 to 15.", n).At("filter", "categories")
		}
	}
	return canonicalList("categories", list, cmp.Compare[int32])
}

// canonicalText makes a text that is empty nil.
func canonicalText(name string, s *string) (*string, error) {
	if s == nil || *s == "" {
		return nil, nil
	}
	return s, storable(name, *s)
}

// storable refuses texts that Postgres cannot hold, so that they are the client's mistake and not an error of ours.
func storable(name, s string) error {
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return fault.New(fault.BadUserInput, "%q holds a character that no text of the ledger can hold.", name).At("filter", name)
	}
	return nil
}

// canonicalSearch folds a search into its words, one space between them; nil where there is no word.
func canonicalSearch(s *string) (*string, error) {
	if s == nil {
		return nil, nil
	}
	if err := storable("search", *s); err != nil {
		return nil, err
	}
	words := strings.Fields(fold(*s))
	if utf8.RuneCountInString(*s) > maxSearch || len(words) > maxWords {
		return nil, fault.New(fault.BadUserInput, "The search is too long; use at most %d characters and %d words.", maxSearch, maxWords).At("filter", "search")
	}
	if len(words) == 0 {
		return nil, nil
	}
	joined := strings.Join(words, " ")
	return &joined, nil
}

func checkSpan(from, to *exact.Date) error {
	if from != nil && to != nil && from.After(*to) {
		return fault.New(fault.BadUserInput, "occurredFrom %s is after occurredTo %s; exchange them.", from, to).At("filter", "occurredFrom")
	}
	return nil
}

// checks runs what makes a part of a filter canonical, one after another, until one finds a mistake.
func checks(all ...func() error) error {
	for _, check := range all {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// set gives a check that stores what a canonical function returns.
func set[T any](into *T, canonical func() (T, error)) func() error {
	return func() error {
		v, err := canonical()
		*into = v
		return err
	}
}

// rowsOf gives the rows of ids of one kind as SQL takes them. Ids of other kinds name no row of it and are left out.
func rowsOf(kind Kind, ids []GlobalID) []ID {
	rows := make([]ID, 0, len(ids))
	for _, id := range ids {
		if id.Kind == kind {
			rows = append(rows, id.Row)
		}
	}
	return rows
}

// The conditions that several filters share. Each adds nothing where nothing is asked; where something is, how many rows meet it is for the
// database to find out from the values.

func (b *statement) ids(column string, kind Kind, ids []GlobalID) {
	if len(ids) > 0 {
		b.fresh = true
		b.in(column, listUUID, rowsOf(kind, ids))
	}
}

func texted[T ~string](b *statement, column string, list []T) {
	if len(list) == 0 {
		return
	}
	plain := make([]string, len(list))
	for i, s := range list {
		plain[i] = string(s)
	}
	b.fresh = true
	b.in(column, listText, plain)
}

func (b *statement) numbers(column string, list []int32) {
	if len(list) > 0 {
		b.fresh = true
		b.in(column, listInt, list)
	}
}

func (b *statement) span(column string, from, to *exact.Date) {
	b.fresh = b.fresh || from != nil || to != nil
	if from != nil {
		b.is(column, ">=", from.String())
	}
	if to != nil {
		b.is(column, "<=", to.String())
	}
}

// words adds that each word of a search occurs in one of the texts.
func (b *statement) words(search *string, exprs ...string) {
	if search == nil {
		return
	}
	b.fresh = true
	for _, word := range strings.Fields(*search) {
		pattern := b.bind("%" + escapeLike(word) + "%")
		either := make([]string, len(exprs))
		for i, expr := range exprs {
			either[i] = expr + " LIKE " + pattern + ` ESCAPE '\'`
		}
		b.where("(" + strings.Join(either, " OR ") + ")")
	}
}
