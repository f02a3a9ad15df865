package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// connection is one connection that is kept alive. Client and servers share the cores, so it does as little as can be done: it sends finished
// requests, reads of the head what it needs, and lets the body go.
type connection struct {
	net.Conn
	r      *bufio.Reader
	forget func() bool
	tag    string // the validator of the last answer
	cache  string // and how it came about
}

// dial connects. The connection breaks off when the context ends.
func dial(ctx context.Context, address string) (*connection, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn, r: bufio.NewReaderSize(conn, 64<<10), forget: context.AfterFunc(ctx, func() { conn.Close() })}, nil
}

// Close ends the connection.
func (c *connection) Close() error {
	c.forget()
	return c.Conn.Close()
}

// ask sends a finished request and gives the length of the answer's body, which is kept where there is a buffer for it.
func (c *connection) ask(request []byte, keep *bytes.Buffer) (int, error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	status, length, err := c.head()
	if err != nil {
		return 0, err
	}
	if status == 304 {
		return 0, nil
	}
	if status != 200 && keep == nil {
		keep = &bytes.Buffer{}
	}
	if length >= 0 {
		err = c.take(length, keep)
	} else {
		length, err = c.chunks(keep)
	}
	if err == nil && status != 200 {
		err = fmt.Errorf("status %d: %.300s", status, keep.Bytes())
	}
	return length, err
}

// head reads the status and the length of the body; -1 where that comes in chunks.
func (c *connection) head() (status, length int, err error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, 0, fmt.Errorf("not an answer in HTTP: %.100q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, err
	}
	length = -1
	cached := false
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return 0, 0, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			if !cached {
				c.cache = ""
			}
			return status, length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case len(name) == len("Etag") && strings.EqualFold(string(name), "Etag"):
			note(&c.tag, value)
		case len(name) == len("Cache-Status") && strings.EqualFold(string(name), "Cache-Status"):
			note(&c.cache, value)
			cached = true
		}
		if len(name) == len("Content-Length") && strings.EqualFold(string(name), "Content-Length") {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, 0, err
			}
		}
	}
}

// note keeps the value of a header, which is mostly what it was before.
func note(at *string, value []byte) {
	if value = bytes.TrimSpace(value); string(value) != *at {
		*at = string(value)
	}
}

func (c *connection) take(n int, keep *bytes.Buffer) error {
	if keep == nil {
		_, err := c.r.Discard(n)
		return err
	}
	_, err := io.CopyN(keep, c.r, int64(n))
	return err
}

// chunks reads a body that comes in chunks, and gives its length.
func (c *connection) chunks(keep *bytes.Buffer) (int, error) {
	for length := 0; ; {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return 0, err
		}
		if err := c.take(int(n), keep); err != nil {
			return 0, err
		}
		if _, err := c.r.Discard(len("\r\n")); err != nil || n == 0 {
			return length, err
		}
		length += int(n)
	}
}

// query asks our server a document and reads the data of the answer.
func (s *server) query(conn *connection, document string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	var answer bytes.Buffer
	if _, err := conn.ask(s.request("", body), &answer); err != nil {
		return err
	}
	got := struct {
		Data   any
		Errors json.RawMessage
	}{Data: data}
	if err := json.Unmarshal(answer.Bytes(), &got); err != nil {
		return fmt.Errorf("%w in %.300s", err, answer.Bytes())
	}
	if got.Errors != nil {
		return errors.New(string(got.Errors))
	}
	return nil
}
