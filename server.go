// Command carbongraph serves a company's Scope 3 emissions ledger as GraphQL.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"carbongraph/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(app.Run(ctx, os.Args[1:], app.World{Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}))
}
