package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// A server is one process that answers.
type server struct {
	name, address, admin string
	paths                bool   // whether each document has a path of its own
	key                  string // that requests are signed with
	log                  string // the file that its lines go to
	cmd                  *exec.Cmd
}

// request is a finished request, ready to be sent as often as one likes.
func (s *server) request(document string, body []byte) []byte {
	path := "/graphql"
	if s.paths {
		path = "/" + document
	}
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, s.address, s.key, len(body), body)
}

// serve starts the servers, each a process of its own, and sees that they send the same bytes.
func (b *bench) serve(ctx context.Context) (err error) {
	if b.auto, err = b.carbongraph(ctx, "auto"); err != nil {
		return err
	}
	if b.gqlgen, err = b.carbongraph(ctx, "gqlgen"); err != nil {
		return err
	}
	known, err := b.parameters(ctx)
	if err != nil {
		return err
	}
	cursors := b.path("cursors.json")
	if err := known.places.write(cursors); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	b.byHand = &server{name: "by hand", address: address, paths: true, key: b.key}
	if err := b.start(ctx, b.byHand, nil, self, "-by-hand", address, "-org", b.org, "-cursors", cursors); err != nil {
		return err
	}
	return b.examine(ctx, known)
}

// carbongraph starts our server with an engine, everything on that is on in production, its log in a file, but for two things: what one key may spend in a minute
// would end every round, and answers that are kept would hide what is measured.
func (b *bench) carbongraph(ctx context.Context, engine string, env ...string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{name: engine, address: address, admin: admin, key: b.key}
	env = append([]string{"ENGINE=" + engine, "LOG_LEVEL=info", "LOG_FORMAT=json", "RATE_LIMIT=0", "RESPONSE_CACHE=off"}, env...)
	return s, b.start(ctx, s, env, b.binary, "serve", "--listen-addr", address, "--admin-addr", admin)
}

// start runs a program until the bench ends, and waits until it takes connections.
func (b *bench) start(ctx context.Context, s *server, env []string, program string, args ...string) error {
	log, err := os.CreateTemp(b.dir, "*.log")
	if err != nil {
		return err
	}
	defer log.Close()
	s.log = log.Name()
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Env = append(append(os.Environ(), "DATABASE_URL="+b.database, "TEST_DATABASE_URL="+b.database), env...)
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	b.running = append(b.running, s)
	for range 100 {
		var conn net.Conn
		if conn, err = net.Dial("tcp", s.address); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	text, _ := os.ReadFile(s.log)
	return fmt.Errorf("%s does not answer: %w\n%.2000s", s.name, err, text)
}

// stop ends every process that was started.
func (b *bench) stop() {
	for _, s := range b.running {
		_ = s.cmd.Process.Signal(os.Interrupt)
	}
	for _, s := range b.running {
		_ = s.cmd.Wait()
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
