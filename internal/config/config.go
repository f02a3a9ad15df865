// Package config gathers the settings: flags over environment over a YAML file over defaults, each checked, each with where it came from.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/fault"
)

// Config is the settings, read and checked.
type Config struct {
	DatabaseURL string
	ReplicaURLs []string // of databases that follow it
	RedisURL    string
	ListenAddr  string
	AdminAddr   string
	DataDir     string
	Engine      string   // auto or gqlgen
	Responses   bool     // answers are kept
	CacheBytes  int      // that what is kept in the process may take
	CORSOrigins []string // whose pages may ask from a browser; "*": everybody's
	JWT         JWT
	Model       Model
	Factors     FactorSource
	Limits      Limits
	RateLimit   int // points that a key may spend in a minute; 0: no bound
	Timeouts    Timeouts
	Batches     Batches
	LogLevel    slog.Level
	LogText     bool

	values []Value
}

// Limits bound what one request may ask. 0 turns a limit off.
type Limits struct {
	Body                                                            int64 // bytes
	List, Tokens, Nesting, Aliases, RootFields, Directives, Repeats int
	Cost                                                            int           // rows that an operation may have to read
	Timeout                                                         time.Duration // of an operation
	Streams                                                         int           // of one key at once: WebSockets and streams of events
	Operations                                                      int           // on one WebSocket at once
	InFlight                                                        int           // operations of everybody at once, at most
	Wait                                                            time.Duration // of an operation for its turn
}

// Timeouts bound how long a client may take, and the server to stop. 0 turns one off.
type Timeouts struct {
	Header, Request, Response, Idle time.Duration
	StopDelay                       time.Duration // between not being ready and taking no more requests
	Stop                            time.Duration // for what runs to end
}

// Batches bound what is done in the background.
type Batches struct {
	Workers int  // batches that this server does at once
	AtOnce  int  // batches of an organization that all servers together do at once
	Listen  bool // the database passes notifications on
}

// JWT is what tokens of an identity provider are checked with: all of it is set, or none.
type JWT struct {
	Issuer, Audience string
	KeySet           string // the address of the provider's public keys
}

// Model is the language model that chooses factors, on a server that speaks OpenAI's chat completions. Without a BaseURL there is none.
type Model struct {
	BaseURL, Name string
	Key           string // empty: none is sent
}

// FactorSource is a source of factors over HTTP, by the protocol of docs/broker.md. Without a URL there is none.
type FactorSource struct {
	URL string
	Key string // empty: none is sent
}

// Value is one setting as it stands.
type Value struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // secrets masked
	Origin string `json:"origin"`
}

// Sources are where settings come from, strongest first.
type Sources struct {
	Flags    map[string]string // by the setting's name; only those that were given
	Env      func(name string) string
	File     string // YAML; empty: none
	Terminal bool   // whether the log goes to a terminal
}

// setting is one setting as data.
type setting struct {
	name     string
	fallback string
	secret   bool
	read     func(*Config, string) error // refuses a bad value with a sentence that begins after the name
}

func settings(terminal bool) []setting {
	format := "json"
	if terminal {
		format = "text"
	}
	return []setting{
		{"DATABASE_URL", "", true, func(c *Config, s string) error {
			c.DatabaseURL = s
			return address(s, "postgres://user:password@host:5432/name", "postgres", "postgresql")
		}},
		{"DATABASE_REPLICA_URLS", "", true, func(c *Config, s string) (err error) { c.ReplicaURLs, err = replicas(s); return err }},
		{"REDIS_URL", "", true, func(c *Config, s string) error {
			c.RedisURL = s
			return address(s, "redis://host:6379", "redis", "rediss")
		}},
		{"LISTEN_ADDR", "127.0.0.1:8080", false, func(c *Config, s string) error { c.ListenAddr = s; return listen(s) }},
		{"ADMIN_ADDR", "127.0.0.1:9090", false, func(c *Config, s string) error { c.AdminAddr = s; return listen(s) }},
		{"DATA_DIR", "./data", false, func(c *Config, s string) error { c.DataDir = s; return nil }},
		{"ENGINE", "auto", false, func(c *Config, s string) error {
			c.Engine = s
			if s != "auto" && s != "gqlgen" {
				return fmt.Errorf("is auto or gqlgen; got %q", s)
			}
			return nil
		}},
		{"RESPONSE_CACHE", "on", false, func(c *Config, s string) error {
			c.Responses = s == "on"
			if s != "on" && s != "off" {
				return fmt.Errorf("is on or off; got %q", s)
			}
			return nil
		}},
		{"CACHE_BYTES", "67108864", false, func(c *Config, s string) (err error) {
			if c.CacheBytes, err = strconv.Atoi(s); err != nil || c.CacheBytes < 1<<20 || c.CacheBytes > 1<<40 {
				return fmt.Errorf("is a whole number of bytes from 1048576; got %q", s)
			}
			return nil
		}},
		{"CORS_ORIGINS", "", false, func(c *Config, s string) (err error) { c.CORSOrigins, err = origins(s); return err }},
		{"JWT_ISSUER", "", false, func(c *Config, s string) error { c.JWT.Issuer = s; return nil }},
		{"JWT_AUDIENCE", "", false, func(c *Config, s string) error { c.JWT.Audience = s; return nil }},
		{"JWT_JWKS_URL", "", true, func(c *Config, s string) error { c.JWT.KeySet = s; return keySet(s) }},
		{"LLM_BASE_URL", "", true, func(c *Config, s string) error { c.Model.BaseURL = s; return outside(s, "http://localhost:11434/v1") }},
		{"LLM_API_KEY", "", true, func(c *Config, s string) error { c.Model.Key = s; return token(s) }},
		{"LLM_MODEL", "", false, func(c *Config, s string) error { c.Model.Name = s; return nil }},
		{"FACTOR_SOURCE_URL", "", true, func(c *Config, s string) error {
			c.Factors.URL = s
			return outside(s, "https://factors.example.com/look-ups")
		}},
		{"FACTOR_SOURCE_KEY", "", true, func(c *Config, s string) error { c.Factors.Key = s; return token(s) }},
		{"LIMIT_BODY", "2097152", false, func(c *Config, s string) (err error) { c.Limits.Body, err = limit(s); return err }},
		count("LIMIT_LIST", "10", func(c *Config) *int { return &c.Limits.List }),
		count("LIMIT_TOKENS", "5000", func(c *Config) *int { return &c.Limits.Tokens }),
		count("LIMIT_NESTING", "15", func(c *Config) *int { return &c.Limits.Nesting }),
		count("LIMIT_ALIASES", "30", func(c *Config) *int { return &c.Limits.Aliases }),
		count("LIMIT_ROOT_FIELDS", "20", func(c *Config) *int { return &c.Limits.RootFields }),
		count("LIMIT_DIRECTIVES", "5", func(c *Config) *int { return &c.Limits.Directives }),
		count("LIMIT_REPEATS", "200", func(c *Config) *int { return &c.Limits.Repeats }),
		count("LIMIT_COST", "10000", func(c *Config) *int { return &c.Limits.Cost }),
		timeout("LIMIT_TIME", "10s", func(c *Config) *time.Duration { return &c.Limits.Timeout }),
		count("LIMIT_STREAMS", "100", func(c *Config) *int { return &c.Limits.Streams }),
		count("LIMIT_OPERATIONS", "20", func(c *Config) *int { return &c.Limits.Operations }),
		count("LIMIT_IN_FLIGHT", "256", func(c *Config) *int { return &c.Limits.InFlight }),
		timeout("LIMIT_WAIT", "2s", func(c *Config) *time.Duration { return &c.Limits.Wait }),
		count("RATE_LIMIT", "60000", func(c *Config) *int { return &c.RateLimit }),
		timeout("TIMEOUT_HEADER", "10s", func(c *Config) *time.Duration { return &c.Timeouts.Header }),
		timeout("TIMEOUT_REQUEST", "1m", func(c *Config) *time.Duration { return &c.Timeouts.Request }),
		timeout("TIMEOUT_RESPONSE", "1m", func(c *Config) *time.Duration { return &c.Timeouts.Response }),
		timeout("TIMEOUT_IDLE", "2m", func(c *Config) *time.Duration { return &c.Timeouts.Idle }),
		timeout("STOP_DELAY", "0s", func(c *Config) *time.Duration { return &c.Timeouts.StopDelay }),
		timeout("TIMEOUT_STOP", "30s", func(c *Config) *time.Duration { return &c.Timeouts.Stop }),
		places("BATCH_WORKERS", "2", func(c *Config) *int { return &c.Batches.Workers }),
		places("BATCHES_PER_ORGANIZATION", "2", func(c *Config) *int { return &c.Batches.AtOnce }),
		{"BATCH_LISTEN", "yes", false, func(c *Config, s string) error {
			c.Batches.Listen = s == "yes"
			if s != "yes" && s != "no" {
				return fmt.Errorf("is yes or no; got %q", s)
			}
			return nil
		}},
		{"LOG_LEVEL", "info", false, func(c *Config, s string) error {
			if !slices.Contains([]string{"debug", "info", "warn", "error"}, s) || c.LogLevel.UnmarshalText([]byte(s)) != nil {
				return fmt.Errorf("is debug, info, warn or error; got %q", s)
			}
			return nil
		}},
		{"LOG_FORMAT", format, false, func(c *Config, s string) error {
			c.LogText = s == "text"
			if s != "text" && s != "json" {
				return fmt.Errorf("is json or text; got %q", s)
			}
			return nil
		}},
	}
}

// Names lists every setting.
func Names() []string {
	var names []string
	for _, s := range settings(false) {
		names = append(names, s.name)
	}
	return names
}

// Load reads the settings. An unknown key or a bad value is BAD_USER_INPUT and names the setting and where it stands.
func Load(from Sources) (*Config, error) {
	file, err := readFile(from.File)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	for _, s := range settings(from.Terminal) {
		value, origin := s.fallback, "default"
		if v, ok := file[s.name]; ok {
			value, origin = v, from.File
		}
		if v := from.Env(s.name); v != "" {
			value, origin = v, "environment"
		}
		if v, ok := from.Flags[s.name]; ok {
			value, origin = v, "flag"
		}
		if err := s.read(c, value); err != nil {
			return nil, fault.New(fault.BadUserInput, "%s (from %s) %v.", s.name, origin, err)
		}
		if s.secret {
			value = masked(value)
		}
		c.values = append(c.values, Value{s.name, value, origin})
	}
	if c.DatabaseURL == "" && len(c.ReplicaURLs) > 0 {
		return nil, fault.New(fault.BadUserInput, "DATABASE_REPLICA_URLS is set, and DATABASE_URL is not: the embedded database has no replicas.")
	}
	if err := errors.Join(c.JWT.whole(), c.Model.whole(), c.Factors.whole()); err != nil {
		return nil, err
	}
	return c, nil
}

// replicas reads addresses with commas between.
func replicas(s string) (urls []string, err error) {
	for url := range strings.SplitSeq(s, ",") {
		if url = strings.TrimSpace(url); url == "" {
			continue
		}
		if address(url, "", "postgres", "postgresql") != nil { // without the value: it may hold a password
			return nil, errors.New("is a list of addresses like postgres://user:password@host:5432/name, with commas between")
		}
		urls = append(urls, url)
	}
	return urls, nil
}

// whole refuses settings of which a part is missing.
func (j JWT) whole() error {
	missing := ""
	switch "" {
	case j.Issuer:
		missing = "JWT_ISSUER"
	case j.Audience:
		missing = "JWT_AUDIENCE"
	case j.KeySet:
		missing = "JWT_JWKS_URL"
	}
	if missing == "" || j == (JWT{}) {
		return nil
	}
	return fault.New(fault.BadUserInput, "%s is not set. JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL go together: set all three, or none.", missing)
}

// whole refuses a model of which a part is missing, and a key that anybody on the way could read.
func (m Model) whole() error {
	switch {
	case m.BaseURL == "" && m.Name == "" && m.Key == "":
		return nil
	case m.BaseURL == "":
		return fault.New(fault.BadUserInput, "LLM_BASE_URL is not set. LLM_BASE_URL and LLM_MODEL go together: set both, or none.")
	case m.Name == "":
		return fault.New(fault.BadUserInput, "LLM_MODEL is not set. LLM_BASE_URL and LLM_MODEL go together: set both, or none.")
	case m.Key != "" && readable(m.BaseURL):
		return fault.New(fault.BadUserInput, "LLM_BASE_URL begins with https://, unless it is of this machine: LLM_API_KEY is sent there.")
	}
	return nil
}

// whole refuses a key for nobody, and one that anybody on the way could read.
func (f FactorSource) whole() error {
	switch {
	case f.Key != "" && f.URL == "":
		return fault.New(fault.BadUserInput, "FACTOR_SOURCE_URL is not set, and FACTOR_SOURCE_KEY is for it: set both, or leave out the key.")
	case f.Key != "" && readable(f.URL):
		return fault.New(fault.BadUserInput, "FACTOR_SOURCE_URL begins with https://, unless it is of this machine: FACTOR_SOURCE_KEY is sent there.")
	}
	return nil
}

// readFile reads a flat YAML file, whose keys are the settings' names in either case.
func readFile(name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.Wrap(err, fault.BadUserInput, "The settings file %s cannot be read. Correct --config, or leave it out.", name)
	}
	values := map[string]yaml.Node{}
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&values); err != nil && err != io.EOF {
		return nil, fault.Wrap(err, fault.BadUserInput, "The settings file %s is no YAML of the form `name: value`.", name)
	}
	out := map[string]string{}
	for key, node := range values {
		setting := strings.ToUpper(key)
		if !slices.Contains(Names(), setting) {
			return nil, fault.New(fault.BadUserInput, "%s line %d: there is no setting %s. The settings are %s.", name, node.Line, key, strings.Join(Names(), ", "))
		}
		if node.Kind != yaml.ScalarNode {
			return nil, fault.New(fault.BadUserInput, "%s line %d: %s is one value, not a list or a group.", name, node.Line, key)
		}
		if _, twice := out[setting]; twice {
			return nil, fault.New(fault.BadUserInput, "%s line %d: %s is set twice.", name, node.Line, key)
		}
		out[setting] = node.Value
	}
	return out, nil
}

// Values lists every setting with its value, secrets masked, and where it came from.
func (c *Config) Values() []Value { return c.values }

func address(s, example string, schemes ...string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "" {
		return fmt.Errorf("is an address like %s", example) // without the value: it may hold a password
	}
	return nil
}

// keySet refuses an address that keys cannot be trusted from: on the way from another machine, only TLS keeps them as they were sent.
func keySet(s string) error {
	if err := address(s, "https://id.example.com/.well-known/jwks.json", "https", "http"); s == "" || err != nil {
		return err
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return errors.New("is an address with a host, like https://id.example.com/.well-known/jwks.json")
	}
	if readable(s) {
		return errors.New("begins with https://, unless it is of this machine: nothing else shows that the keys are the provider's")
	}
	return nil
}

// readable tells whether what goes to an address goes over a network as it is.
func readable(s string) bool {
	u, err := url.Parse(s)
	return err != nil || u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback()
}

// outside refuses what is no address of a server to ask. A password is no part of it: keys have settings of their own.
func outside(s, example string) error {
	if err := address(s, example, "https", "http"); s == "" || err != nil {
		return err
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("is an address with a host, and without user, password and fragment, like %s", example)
	}
	return nil
}

// token refuses what cannot stand in a header, and an address in its place.
func token(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.Contains(s, "://") {
		return errors.New("is a key: printable characters of ASCII without spaces")
	}
	return nil
}

// count is a setting that is a limit of so many of something.
func count(name, fallback string, at func(*Config) *int) setting {
	return setting{name, fallback, false, func(c *Config, s string) error {
		n, err := limit(s)
		*at(c) = int(n)
		return err
	}}
}

// places is a setting that is how many of something there is room for: one at least.
func places(name, fallback string, at func(*Config) *int) setting {
	return setting{name, fallback, false, func(c *Config, s string) (err error) {
		if *at(c), err = strconv.Atoi(s); err != nil || *at(c) < 1 || *at(c) > 100 {
			return fmt.Errorf("is a whole number from 1 to 100; got %q", s)
		}
		return nil
	}}
}

// timeout is a setting that is a length of time.
func timeout(name, fallback string, at func(*Config) *time.Duration) setting {
	return setting{name, fallback, false, func(c *Config, s string) (err error) {
		*at(c), err = duration(s)
		return err
	}}
}

// limit reads a limit. Past a thousand million nothing is limited.
func limit(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1_000_000_000 {
		return 0, fmt.Errorf("is a whole number up to 1000000000, or 0 for no limit; got %q", s)
	}
	return n, nil
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > time.Hour {
		return 0, fmt.Errorf("is a time up to an hour like 10s or 1m30s, or 0s for no limit; got %q", s)
	}
	return d, nil
}

// origins reads a list with commas between: origins as browsers send them, or * alone.
func origins(s string) (list []string, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		u, err := url.Parse(part)
		if part != "*" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || part != u.Scheme+"://"+u.Host) {
			return nil, fmt.Errorf("is a list of origins like https://app.example.com, without a path; got %q", part)
		}
		list = append(list, part)
	}
	if len(list) > 1 && slices.Contains(list, "*") {
		return nil, errors.New("is either * or a list of origins, not both")
	}
	return list, nil
}

func listen(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("is an address to listen on like 127.0.0.1:8080; got %q", s)
	}
	return nil
}

// masked hides the password of an address, and of each of several with commas between. What is no address with a host, such as a key, is hidden whole.
func masked(s string) string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = maskedOne(strings.TrimSpace(parts[i]))
	}
	return strings.Join(parts, ",")
}

func maskedOne(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "xxxxx"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}
