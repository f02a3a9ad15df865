// Package match tells which emission factors a ledger's text may mean, ranked, from the factors' names and a table of the words that ledgers use for them.
package match
