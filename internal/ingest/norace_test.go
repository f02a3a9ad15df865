//go:build !race

package ingest_test

// raced tells that the race detector is in: everything takes some ten times as long.
const raced = false
