package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A server is a program that the tests need: where its address goes, and how it is started.
type server struct {
	variable string
	start    func(ctx context.Context, dir string) (url string, halt func(), err error)
}

var servers = []server{
	{"TEST_DATABASE_URL", startPostgres},
	{"TEST_REDIS_URL", startRedis},
}

// buffers is Postgres' shared_buffers: POSTGRES_SHARED_BUFFERS, or what is enough for tests. Measurements set it to what a server of that size would have.
func buffers() string {
	if size := os.Getenv("POSTGRES_SHARED_BUFFERS"); size != "" {
		return size
	}
	return "256MB"
}

// startPostgres makes a cluster that lives as long as the tests: nothing in it is worth an fsync.
func startPostgres(ctx context.Context, dir string) (string, func(), error) {
	postgres, err := find("postgres", "postgresql", "TEST_DATABASE_URL")
	if err != nil {
		return "", nil, err
	}
	data := filepath.Join(dir, "postgres")
	if err := own(data); err != nil {
		return "", nil, err
	}
	initdb := command(ctx, filepath.Join(filepath.Dir(resolve(postgres)), "initdb"),
		"--no-sync", "-A", "trust", "--no-locale", "-E", "UTF8", "-U", "postgres", "-D", data)
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("initdb failed: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	halt, err := launch(command(context.WithoutCancel(ctx), postgres, "-D", data, "-k", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port),
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers="+buffers(),
		"-c", "max_wal_size=4GB"), filepath.Join(dir, "postgres.log"), port, os.Interrupt)
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port), halt, err
}

func startRedis(ctx context.Context, dir string) (string, func(), error) {
	redis, err := find("redis-server", "redis-server", "TEST_REDIS_URL")
	if err != nil {
		return "", nil, err
	}
	data := filepath.Join(dir, "redis")
	if err := own(data); err != nil {
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	halt, err := launch(command(context.WithoutCancel(ctx), redis, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", data, "--save", "", "--appendonly", "no"),
		filepath.Join(dir, "redis.log"), port, os.Interrupt)
	return fmt.Sprintf("redis://127.0.0.1:%d/0", port), halt, err
}

// find looks for a program on PATH and where Debian and Homebrew keep servers; as root on Debian it installs the package that has it.
func find(program, pkg, variable string) (string, error) {
	if path := look(program); path != "" {
		return path, nil
	}
	if err := install(pkg); err != nil {
		return "", fmt.Errorf("%s is missing: %w; install it, or set %s", program, err, variable)
	}
	if path := look(program); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("%s is missing even after installing %s; put it on PATH, or set %s", program, pkg, variable)
}

func look(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/sbin/", "/opt/homebrew/opt/*/bin/", "/usr/local/opt/*/bin/"} {
		if found, _ := filepath.Glob(pattern + program); len(found) > 0 {
			return slices.Max(found)
		}
	}
	return ""
}

func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// launch starts a server, waits until its port answers, and gives what stops it.
func launch(cmd *exec.Cmd, logFile string, port int, stop os.Signal) (func(), error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	halt := func() {
		_ = cmd.Process.Signal(stop)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-done:
			text, _ := os.ReadFile(logFile)
			return nil, fmt.Errorf("%s stopped at once:\n%s", filepath.Base(cmd.Path), text)
		default:
		}
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second); err == nil {
			conn.Close()
			return halt, nil
		}
	}
	halt()
	return nil, fmt.Errorf("%s did not answer on port %d within 30 s", filepath.Base(cmd.Path), port)
}

// freePort gives a port below those that systems give to clients' connections, of which one might take it before the server does.
func freePort() (int, error) {
	for {
		port := 10_000 + rand.N(20_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return 0, err
		}
	}
}
