package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// bareTag is the validator of the bare handler's answer.
const bareTag = `"bare"`

// serveBare answers everything with the bytes of a file: what net/http itself can do.
func serveBare(ctx context.Context, file, address string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	length := []string{strconv.Itoa(len(body))}
	s := &http.Server{Addr: address, ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["Etag"] = []string{bareTag}
		header["Cache-Control"] = []string{"private, no-cache"}
		if r.Header.Get("If-None-Match") == bareTag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		header["Content-Type"] = []string{"application/json; charset=utf-8"}
		header["Content-Length"] = length
		w.Write(body)
	})}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// responses compares kept answers, and copies that are found good, with a bare handler that sends the same bytes.
func (b *bench) responses(ctx context.Context) error {
	const connections = 64
	kept, err := b.carbongraph(ctx, "auto", "RESPONSE_CACHE=on", "REDIS_URL="+os.Getenv("TEST_REDIS_URL"))
	if err != nil {
		return err
	}
	for _, q := range b.questions {
		hash, err := kept.register(ctx, q)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		var one struct{ Variables json.RawMessage }
		if err := json.Unmarshal(q.bodies[0], &one); err != nil {
			return err
		}
		path := "/graphql?" + url.Values{"extensions": {`{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`}, "variables": {string(one.Variables)}}.Encode()
		conn, err := dial(ctx, kept.address)
		if err != nil {
			return err
		}
		var answer bytes.Buffer
		if _, err := conn.ask(kept.get(path), &answer); err != nil {
			return err
		}
		tag := conn.tag
		if err := conn.Close(); err != nil {
			return err
		}
		file := b.path("bare." + q.name)
		if err := os.WriteFile(file, answer.Bytes(), 0o600); err != nil {
			return err
		}
		bare, err := b.bare(ctx, file)
		if err != nil {
			return err
		}
		length := []int{answer.Len()}
		hits, plain := &target{kept, [][]byte{kept.get(path)}, length}, &target{bare, [][]byte{bare.get(path)}, length}
		if err := b.kept(ctx, q.name+": kept answers", hits, plain, connections, 0.6); err != nil {
			return err
		}
		none := []int{0}
		good, same := &target{kept, [][]byte{kept.get(path, "If-None-Match: "+tag)}, none}, &target{bare, [][]byte{bare.get(path, "If-None-Match: "+bareTag)}, none}
		if err := b.kept(ctx, q.name+": copies found good", good, same, connections, 0.7); err != nil {
			return err
		}
	}
	return nil
}

// kept adds the row of one comparison.
func (b *bench) kept(ctx context.Context, name string, ours, bare *target, connections int, least float64) error {
	all, err := b.interleave(ctx, connections, ours, bare)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	ratio := all[0].over(&all[1])
	b.add(figure{name + fmt.Sprintf(" (%d bytes) at %d connections, against a bare handler", ours.lengths[0], connections),
		fmt.Sprintf("%s; %.0f against %.0f answers/s, P99 %s", spread(ratio), median(all[0].rates), median(all[1].rates), milliseconds(median(all[0].p99))),
		fmt.Sprintf(">= %.1f x", least), median(ratio) >= least})
	return nil
}

// bare starts the bare handler.
func (b *bench) bare(ctx context.Context, file string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{name: "bare", address: address}
	return s, b.start(ctx, s, nil, self, "-bare", file, "-by-hand", address)
}

// register has the server know a document by its hash.
func (s *server) register(ctx context.Context, q *question) (string, error) {
	sum := sha256.Sum256([]byte(q.document))
	hash := hex.EncodeToString(sum[:])
	var body map[string]any
	if err := json.Unmarshal(q.bodies[0], &body); err != nil {
		return "", err
	}
	body["query"], body["extensions"] = q.document, map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	conn, err := dial(ctx, s.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_, err = conn.ask(s.request("", text), nil)
	return hash, err
}

// get is a finished request by GET.
func (s *server) get(path string, headers ...string) []byte {
	more := ""
	if len(headers) > 0 {
		more = strings.Join(headers, "\r\n") + "\r\n"
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n%s\r\n", path, s.address, s.key, more)
}
