// Command testenv runs a command beside a real Postgres and a real Redis that it starts on free ports and stops afterwards.
//
//	go run ./internal/testenv go test ./...
//
// TEST_DATABASE_URL and TEST_REDIS_URL, where they are set, are used as they are. Otherwise servers come from the binaries on PATH or in the
// distribution's folders; on Debian, as root, what is missing is installed by the system's package manager first. TEST_VARNISHD and TEST_NGINX are the paths of
// programs that tests start themselves, found in the same way.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "testenv: give a command to run, for example: go run ./internal/testenv go test ./...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
	}
	os.Exit(code)
}

// run starts what the environment does not name, runs the command and gives its exit code.
func run(ctx context.Context, command []string) (int, error) {
	dir, err := os.MkdirTemp("", "carbongraph-test-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	// Servers run as another user when we are root: they must be able to pass through.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	env := os.Environ()
	for _, s := range servers {
		if os.Getenv(s.variable) != "" {
			continue
		}
		url, halt, err := s.start(ctx, dir)
		if err != nil {
			return 1, err
		}
		defer halt()
		env = append(env, s.variable+"="+url)
	}
	env = append(env, paths()...)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
