package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"carbongraph/internal/config"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

type cacheCommand struct {
	Stats      cacheStats      `cmd:"" help:"Show what a running server's caches hold and how often they are hit."`
	Warm       cacheWarm       `cmd:"" help:"Have a running server make the answers that are asked for most."`
	Invalidate cacheInvalidate `cmd:"" help:"Have an organization's answers made anew, on every server."`
}

type cacheInvalidate struct {
	settings
	output
	Org  string   `required:"" help:"The organization's id or name." placeholder:"O"`
	Type []string `help:"What the answers are made of: ${cacheable}. More than once for several; without it, everything." placeholder:"T"`
}

// Run drops answers. Servers need not run; those that do see it within a second.
func (c *cacheInvalidate) Run(ctx context.Context, w *World) error {
	types, err := c.types()
	if err != nil {
		return wrongUse(err)
	}
	return c.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, c.Org)
		if err != nil {
			return err
		}
		if types, err = st.Tenant(org.ID).Invalidate(ctx, types); err != nil {
			return err
		}
		return c.print(w, map[string]any{"organization": org.ID.String(), "invalidated": types}, fmt.Sprintf("%s: answers made of %s are made anew\n", org.Name, cacheable(types, ", ")))
	})
}

// types reads the types, in large letters or small.
func (c *cacheInvalidate) types() (types []store.CacheableType, err error) {
	for _, name := range c.Type {
		found := false
		for _, of := range store.CacheableTypes() {
			if strings.EqualFold(strings.ReplaceAll(name, "-", "_"), string(of)) {
				types, found = append(types, of), true
			}
		}
		if !found {
			return nil, fault.New(fault.BadUserInput, "--type is one of %s; got %.60q.", cacheable(store.CacheableTypes(), ", "), name)
		}
	}
	return types, nil
}

func cacheable(types []store.CacheableType, between string) string {
	names := make([]string, len(types))
	for i, of := range types {
		names[i] = string(of)
	}
	return strings.Join(names, between)
}

// running are the flags of commands that ask a running server.
type running struct {
	Config string  `help:"YAML file with settings." placeholder:"FILE"`
	Admin  *string `help:"The server's admin address (ADMIN_ADDR, 127.0.0.1:9090)." placeholder:"ADDR"`
}

type cacheStats struct {
	running
	output
}

// Run prints how the caches stand, a line for each layer and strategy.
func (c *cacheStats) Run(ctx context.Context, w *World) error {
	var r cacheReport
	if err := c.ask(ctx, w, http.MethodGet, cachesPath, &r); err != nil {
		return err
	}
	lines := [][]string{{"LAYER", "STRATEGY", "HITS", "MISSES", "STALE", "NEGATIVE", "ERRORS", "CORRUPT", "EVICTIONS", "ENTRIES", "BYTES", "HIT RATIO"}}
	for _, l := range r.Layers {
		line := []string{l.Layer, l.Strategy}
		for _, n := range []uint64{l.Hits, l.Misses, l.Stale, l.Negative, l.Errors, l.Corrupt, l.Evictions, uint64(l.Entries), uint64(l.Bytes)} {
			line = append(line, strconv.FormatUint(n, 10))
		}
		ratio := "-"
		if l.HitRatio != nil {
			ratio = *l.HitRatio
		}
		lines = append(lines, append(line, ratio))
	}
	more := table([]string{"ANSWERS KEPT", yesNo(r.Responses)}, []string{"OPERATIONS REMEMBERED", strconv.Itoa(r.Asked)},
		[]string{"REDIS", r.Redis.State, "read " + yesNo(r.Redis.Reading), "written " + yesNo(r.Redis.Writing)},
		[]string{"VERSIONS TRUSTED", yesNo(r.Versions.Trusted), "of " + strconv.Itoa(r.Versions.Organizations) + " organizations in memory"})
	return c.print(w, r, table(lines...)+"\n"+more)
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

type cacheWarm struct {
	running
	output
}

// Run has a server make answers, and waits for that. What could not be made is told by the exit code.
func (c *cacheWarm) Run(ctx context.Context, w *World) error {
	var r warmed
	if err := c.ask(ctx, w, http.MethodPost, cachesPath+"/warm", &r); err != nil {
		return err
	}
	text := fmt.Sprintf("%d operations: %d answers made, %d were there, %d failed, %d left out, in %g s\n", r.Operations, r.Made, r.Kept, r.Failed, r.Left, r.Seconds)
	if err := c.print(w, r, text); err != nil {
		return err
	}
	if r.Failed+r.Left > 0 {
		return &exit{code: ExitPartly}
	}
	return nil
}

// askingTakes bounds how long a running server may take: a round of warming, and a little.
const askingTakes = warmRound + 15*time.Second

// ask asks a running server's admin listener.
func (r *running) ask(ctx context.Context, w *World, method, path string, answer any) error {
	c, err := load(w, r.Config, map[string]*string{"ADMIN_ADDR": r.Admin})
	if err != nil {
		return err
	}
	address := reachable(c.AdminAddr)
	ctx, cancel := context.WithTimeout(ctx, askingTakes)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, nil)
	if err != nil {
		return wrongUse(err)
	}
	client := &http.Client{Transport: &http.Transport{}} // no proxy stands before an admin listener
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return unanswered(err, address)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return unanswered(err, address)
	}
	var problem fault.Problem
	switch {
	case res.StatusCode == http.StatusOK && json.Unmarshal(body, answer) == nil:
		return nil
	case json.Unmarshal(body, &problem) == nil && problem.Code != "":
		return fault.New(problem.Code, "%s", problem.Detail)
	}
	return fault.New(fault.Conflict, "What answers at %s is no admin listener of this version. Give the server's ADMIN_ADDR by --admin.", address)
}

func unanswered(err error, address string) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Timeout, "The server at %s did not answer within %s.", address, askingTakes)
	}
	return fault.New(fault.NotFound, "No server answers at %s. Start one by `carbongraph serve`, or give its ADMIN_ADDR by --admin.", address)
}
