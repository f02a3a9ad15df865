package app_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/app"
)

// asProgram makes the test binary the program itself, for tests that need a process of another user.
const asProgram = "CARBONGRAPH_TEST_AS_PROGRAM"

func runAsProgram() {
	if os.Getenv(asProgram) == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	code := app.Run(ctx, os.Args[1:], app.World{Out: os.Stdout, Err: os.Stderr, Env: func(name string) string { return os.Getenv(settingOf + name) }})
	stop()
	cancel()
	os.Exit(code)
}

// settingOf begins the variables that are settings of a program that a test starts: those of the test's own world are not for it.
const settingOf = "PROGRAM_"

// unprivileged runs a command line as a user whom permissions bind.
func unprivileged(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var o, e strings.Builder
	cmd := exec.CommandContext(ctx, program(t), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = "/", append(os.Environ(), asProgram+"=1"), &o, &e, nobody()
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// A folder that may only be read: each command says so in a line and fails, and what is in the folder stays as it was.
func TestADataFolderThatMayOnlyBeRead(t *testing.T) {
	root, err := os.MkdirTemp("", "carbongraph-readonly-") // not t.TempDir: others must be able to pass through
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { permit(t, root, 0o755, 0o644); os.RemoveAll(root) })
	full, empty := filepath.Join(root, "full"), filepath.Join(root, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	file := write(t, root, "more.csv", []byte("externalId,description,occurredOn,amount,currency\nA2,x,2024-01-01,1,USD\n"))
	if code, _, errs := run(t, nil, "org", "create", "--name", "Acme", "--data-dir", full); code != 0 {
		t.Fatal(errs)
	}
	if code, _, errs := run(t, nil, "import", write(t, root, "first.csv", []byte("externalId,description,occurredOn,amount,currency\nA1,x,2024-01-01,1,USD\n")), "--org", "Acme", "--data-dir", full); code != 0 {
		t.Fatal(errs)
	}
	permit(t, root, 0o555, 0o444)
	for name, args := range map[string][]string{
		"serve":        {"serve", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir"},
		"demo":         {"demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data"},
		"import":       {"import", file, "--org", "Acme", "--data-dir"},
		"org create":   {"org", "create", "--name", "Bolt", "--data-dir"},
		"migrate up":   {"migrate", "up", "--data-dir"},
		"factors list": {"factors", "list", "--data-dir"},
	} {
		for _, dir := range []string{full, empty} {
			t.Run(name+" in the "+filepath.Base(dir)+" folder", func(t *testing.T) {
				code, out, errs := unprivileged(t, append(args, dir)...)
				if code != app.ExitFailed || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, dir) || !strings.Contains(errs, "cannot be written") {
					t.Errorf("exit %d, printed %q, told %q; want one line that names the folder", code, out, errs)
				}
			})
		}
	}
	permit(t, root, 0o755, 0o644)
	if code, out, errs := run(t, nil, "import", file, filepath.Join(root, "first.csv"), "--org", "Acme", "--data-dir", full); code != 0 || !strings.Contains(out, "1 created · 0 updated · 1 unchanged") {
		t.Errorf("once it may be written again: exit %d, %s%s", code, out, errs)
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// permit sets the permissions of all that is below a folder.
func permit(t *testing.T, root string, dirs, files os.FileMode) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, dirs)
		}
		return os.Chmod(path, files)
	})
	if err != nil {
		t.Fatal(err)
	}
}
