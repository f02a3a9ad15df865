package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// The documents that the engines are compared by: one row with few children, many rows with children and what those refer to, and a deep page.
const (
	oneSupplier = `query Q1($id: ID!) {
  supplier(id: $id) {
    id
    name
    country
    emissions(first: 5) {
      nodes { id co2e occurredOn method }
      pageInfo { hasNextPage }
    }
  }
}`
	nestedPage = `query Q2($first: Int!, $after: String!) {
  suppliers(first: $first, after: $after) {
    nodes {
      id
      name
      country
      emissions(first: 5, orderBy: { field: CO2E, direction: DESC }) {
        nodes {
          id
          co2e
          occurredOn
          method
          category { number name }
          factor { id name region unit }
        }
      }
    }
  }
}`
	deepPage = `query Q3($after: String!) {
  emissions(first: 100, after: $after) {
    nodes {
      id
      co2e
      occurredOn
      category { number }
      supplier { id name country }
    }
    pageInfo { hasNextPage }
  }
}`
)

// variety is with how many values each document is asked, so that no answer is the one before.
const variety = 32

// A question is a document with the bodies that it is asked with, and how fast it has to be answered.
type question struct {
	name, document, about string
	againstHand           float64 // at least so many times the answers of the handler by hand
	againstGqlgen         float64 // and of gqlgen's engine
	bodies                [][]byte
	auto, byHand, gqlgen  *target
}

// newQuestion asks a document with each set of variables.
func newQuestion(q question, variables []map[string]any) (*question, error) {
	for _, v := range variables {
		body, err := json.Marshal(map[string]any{"query": q.document, "variables": v})
		if err != nil {
			return nil, err
		}
		q.bodies = append(q.bodies, body)
	}
	return &q, nil
}

// known is what the documents are asked with: ids and cursors of this ledger, and what the cursors stand for.
type known struct {
	places           *places
	ids              []string
	suppliers, pages []string // cursors
}

// ask makes the questions.
func (k *known) ask() ([]*question, error) {
	one, nested, deep := []map[string]any{}, []map[string]any{}, []map[string]any{}
	for _, id := range k.ids {
		one = append(one, map[string]any{"id": id})
	}
	for _, cursor := range k.suppliers {
		nested = append(nested, map[string]any{"first": nestedSize, "after": cursor})
	}
	for _, cursor := range k.pages {
		deep = append(deep, map[string]any{"after": cursor})
	}
	var all []*question
	for _, q := range []struct {
		question
		variables []map[string]any
	}{
		{question{name: "Q2", document: nestedPage, about: "50 suppliers, 5 emissions each, category, factor", againstHand: 1.2, againstGqlgen: 15}, nested},
		{question{name: "Q1", document: oneSupplier, about: "one supplier, 5 emissions", againstHand: 0.8, againstGqlgen: 4}, one},
		{question{name: "Q3", document: deepPage, about: "deep page of 100 emissions, supplier", againstHand: 1, againstGqlgen: 7}, deep},
	} {
		made, err := newQuestion(q.question, q.variables)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// examine asks each server every question with every set of variables. All must send the same bytes.
func (b *bench) examine(ctx context.Context, k *known) error {
	all, err := k.ask()
	if err != nil {
		return err
	}
	for _, q := range all {
		if !b.documents.has(q.name) {
			continue
		}
		var answers [3][][]byte
		for i, s := range []*server{b.byHand, b.gqlgen, b.auto} {
			t := &target{server: s}
			for _, body := range q.bodies {
				t.requests = append(t.requests, s.request(q.name, body))
			}
			if answers[i], err = t.learn(ctx); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			if n, same := firstDifference(answers[0], answers[i]); !same {
				return fmt.Errorf("%s: the answers of %s and %s differ with %s:\n%s", q.name, b.byHand.name, s.name, q.bodies[n], difference(answers[0][n], answers[i][n]))
			}
			switch s {
			case b.byHand:
				q.byHand = t
			case b.gqlgen:
				q.gqlgen = t
			default:
				q.auto = t
			}
		}
		b.questions = append(b.questions, q)
	}
	return nil
}

// title names a question in the table, with the mean size of its answers.
func (q *question) title() string {
	bytes := 0
	for _, n := range q.auto.lengths {
		bytes += n
	}
	return fmt.Sprintf("%s, %s (%.1f kB)", q.name, q.about, float64(bytes)/float64(len(q.auto.lengths))/1000)
}
