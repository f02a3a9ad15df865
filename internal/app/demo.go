package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/config"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/seed"
	"carbongraph/store"
)

type demoCommand struct {
	Data       string  `default:"./data/demo" help:"Where the demo's database lives." placeholder:"DIR" type:"path"`
	Listen     *string `help:"Public address (127.0.0.1:8080)." placeholder:"A"`
	Admin      *string `help:"Address of metrics and profiles (127.0.0.1:9090)." placeholder:"A"`
	Key        string  `help:"The API key to use, of the form cg_PREFIX_SECRET; without it one is made and kept." placeholder:"K"`
	Activities int     `help:"How many activities to make (50,000)." placeholder:"N"`
	ConsoleDir string  `name:"console-dir" help:"Serve the console from this folder, for work on it." placeholder:"DIR"`
}

const (
	demoActivities = 50_000
	demoSuppliers  = 400
	demoSeed       = 1
	demoName       = "Alder & Finch Manufacturing"
	demoKeyFile    = "demo.key"
	demoStateFile  = "demo.json"
)

// Run prepares the demo's data where that was not done before, serves it, and prints where.
func (d *demoCommand) Run(ctx context.Context, w *World) error {
	began := time.Now()
	key, err := d.givenKey()
	if err != nil {
		return wrongUse(err)
	}
	c, err := d.config(w)
	if err != nil {
		return err
	}
	log, end := w.log(c)
	defer end()
	a, err := New(ctx, Options{Config: c, Log: log, Introspection: true, ConsoleDir: d.ConsoleDir, ListenFlag: "--listen", AdminFlag: "--admin"})
	if err != nil {
		return err
	}
	secret, activities, err := d.prepare(ctx, w, a.Store, key)
	if err == nil {
		err = a.Start()
	}
	if err != nil {
		return errors.Join(err, a.Close())
	}
	fmt.Fprint(w.Out, banner(a, secret, activities, time.Since(began)))
	<-ctx.Done()
	return a.Close()
}

func (d *demoCommand) givenKey() (*auth.Secret, error) {
	if d.Activities < 0 {
		return nil, fault.New(fault.BadUserInput, "--activities is a number above zero.")
	}
	if d.Key == "" {
		return nil, nil
	}
	s, err := auth.ParseSecret(d.Key)
	if err != nil {
		return nil, fault.New(fault.BadUserInput, "--key has the form cg_PREFIX_SECRET, the prefix at least 4 letters or digits, the secret at least 16.")
	}
	return &s, nil
}

// config is that of a demo: always on the embedded database, in a folder of its own.
func (d *demoCommand) config(w *World) (*config.Config, error) {
	data := d.Data
	inner := *w
	inner.Env = func(name string) string {
		switch name {
		case "DATABASE_URL", "REDIS_URL", "DATA_DIR":
			return ""
		}
		return w.Env(name)
	}
	return load(&inner, "", map[string]*string{"DATA_DIR": &data, "LISTEN_ADDR": d.Listen, "ADMIN_ADDR": d.Admin})
}

// prepare makes sure of factors, organization, key and data. What is there from an earlier start is kept, and what an earlier one left undone is done.
func (d *demoCommand) prepare(ctx context.Context, w *World, st *store.Store, key *auth.Secret) (auth.Secret, int, error) {
	if _, err := factors.Install(ctx, st); err != nil {
		return auth.Secret{}, 0, err
	}
	org, err := demoOrganization(ctx, st)
	if err != nil {
		return auth.Secret{}, 0, err
	}
	secret, err := d.demoKey(ctx, st, org, key)
	if err != nil {
		return auth.Secret{}, 0, err
	}
	activities, err := d.demoData(ctx, w, st, org)
	return secret, activities, err
}

func demoOrganization(ctx context.Context, st *store.Store) (*store.Organization, error) {
	org, err := st.FindOrganization(ctx, demoName)
	if err == nil && org != nil || err != nil && fault.CodeOf(err) != fault.NotFound {
		return org, err
	}
	country := "GB"
	org = &store.Organization{
		ID: st.NewID(), Name: demoName, Country: &country, Currency: "GBP", GwpSet: store.AR5, MoneyOrder: store.DeflateThenConvert, CreatedAt: st.Now(),
	}
	return org, st.CreateOrganization(ctx, org)
}

// demoKey gives the key that was asked for, or the one of the last start, or a new one. The file that keeps it is its owner's alone.
func (d *demoCommand) demoKey(ctx context.Context, st *store.Store, org *store.Organization, given *auth.Secret) (auth.Secret, error) {
	file := filepath.Join(d.Data, demoKeyFile)
	secret, kept := auth.Secret{}, false
	if text, err := os.ReadFile(file); err == nil && given == nil {
		if s, err := auth.ParseSecret(strings.TrimSpace(string(text))); err == nil {
			secret, kept = s, true
		}
	}
	switch {
	case given != nil:
		secret = *given
	case !kept:
		secret = auth.NewSecretNamed("demo" + auth.NewSecret().Prefix[:6])
	}
	known := auth.NewKeys(auth.Options{Lookup: st.KeyByPrefix, Touch: st.TouchKeys})
	switch _, err := known.Viewer(ctx, secret); {
	case fault.CodeOf(err) == fault.Unauthenticated:
		if err := createKey(ctx, st, org.ID, "demo", store.Admin, nil, secret); err != nil {
			if fault.CodeOf(err) == fault.Conflict {
				return secret, fault.New(fault.Conflict, "There is another key with the prefix %s already. Give --key another prefix.", secret.Prefix)
			}
			return secret, err
		}
	case err != nil:
		return secret, err
	}
	if kept {
		return secret, nil
	}
	if err := os.WriteFile(file, []byte(secret.Text+"\n"), 0o600); err != nil {
		return secret, fault.Wrap(err, fault.Internal, "%s cannot be written. Give another folder with --data.", file)
	}
	return secret, nil
}

// demoState tells what a folder's demo holds; the file is there once all of it is in.
type demoState struct {
	Activities int `json:"activities"`
	Seed       int `json:"seed"`
}

func (d *demoCommand) demoData(ctx context.Context, w *World, st *store.Store, org *store.Organization) (int, error) {
	file := filepath.Join(d.Data, demoStateFile)
	var state demoState
	if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &state) == nil {
		if d.Activities > 0 && d.Activities != state.Activities {
			return 0, wrongUse(fault.New(fault.BadUserInput, "%s holds a demo of %d activities. Give another folder with --data, or remove this one.", d.Data, state.Activities))
		}
		return state.Activities, nil
	}
	state = demoState{Activities: demoActivities, Seed: demoSeed}
	if d.Activities > 0 {
		state.Activities = d.Activities
	}
	fmt.Fprintf(w.Err, "Making %d activities; this is done once.\n", state.Activities)
	if _, err := sow(ctx, st, org, seed.Options{Suppliers: demoSuppliers, Activities: state.Activities, Seed: demoSeed}, w.Err); err != nil {
		return 0, err
	}
	text, err := json.Marshal(state)
	if err != nil {
		return 0, err
	}
	return state.Activities, os.WriteFile(file, append(text, '\n'), 0o644)
}

// example is a query that the demo shows.
type example struct{ question, query string }

func examples() []example {
	return []example{
		{"Where do the emissions come from?",
			`{ footprint(groupBy: [CATEGORY]) { nodes { category { name } totals { co2e activityCount } share } } }`},
		{"Which suppliers weigh most, and what was calculated with which factor?",
			`{ suppliers(first: 5, orderBy: { field: CO2E, direction: DESC }) { nodes { name emissions(first: 3, orderBy: { field: CO2E, direction: DESC }) { totals { co2e } nodes { co2e factor { name dataset { name } } } } } } }`},
		{"How did one figure come about, step by step?",
			`{ emissions(first: 1, orderBy: { field: CO2E, direction: DESC }) { nodes { co2e activity { description money { amount currency } } provenance { step input inputUnit operator operand output outputUnit source } } } }`},
	}
}

// banner says where the demo answers and what to try.
func banner(a *App, secret auth.Secret, activities int, took time.Duration) string {
	var b strings.Builder
	base := "http://" + reachable(a.Address())
	fmt.Fprintf(&b, "\n  Carbongraph: %s, %s activities, ready in %.1f s\n\n", demoName, grouped(activities), took.Seconds())
	fmt.Fprintf(&b, "  Console   %s/sign-in#%s  (good once, for an hour)\n", base, a.Sessions.Code(secret))
	fmt.Fprintf(&b, "  GraphQL   %s/graphql\n", base)
	fmt.Fprintf(&b, "  Metrics   http://%s/metrics\n", reachable(a.AdminAddress()))
	fmt.Fprintf(&b, "  Key       %s\n", secret.Text)
	for _, e := range examples() {
		body, err := json.Marshal(map[string]string{"query": e.query})
		if err != nil {
			continue // strings always marshal
		}
		fmt.Fprintf(&b, "\n  # %s\n  curl -s %s/graphql -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '%s'\n", e.question, base, secret.Text, body)
	}
	b.WriteString("\n  Stop with Ctrl-C.\n\n")
	return b.String()
}

// reachable is an address that a browser on this machine can open: one that listens everywhere is reached at localhost.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// grouped writes 50000 as 50,000.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
