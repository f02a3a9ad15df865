package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// profiles takes profiles of the server while it answers each document over 64 connections.
func (b *bench) profiles(ctx context.Context) error {
	const seconds = 10
	for _, q := range b.questions {
		saved := make(chan error, 2)
		for kind, of := range map[string]string{"cpu": "profile", "allocs": "allocs"} {
			file := fmt.Sprintf("%s.%s.%s", b.profile, q.name, kind)
			go func() { saved <- q.auto.server.saveProfile(ctx, of, seconds, file) }()
		}
		r := q.auto.load(ctx, 64, (seconds+1)*time.Second)
		if err := errors.Join(r.err, <-saved, <-saved); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "  profiles of %s: %s.%s.cpu and .allocs (%.0f answers/s)\n", q.name, b.profile, q.name, r.rate)
	}
	return nil
}

// saveProfile has the server profiled for some seconds.
func (s *server) saveProfile(ctx context.Context, kind string, seconds int, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/%s?seconds=%d", s.admin, kind, seconds), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	profile, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("profile %s: %s: %.300s", kind, res.Status, profile)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, profile, 0o600)
}
