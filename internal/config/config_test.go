package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/config"
	"carbongraph/internal/fault"
)

func load(t *testing.T, file string, env, flags map[string]string) (*config.Config, error) {
	t.Helper()
	from := config.Sources{Flags: flags, Env: func(n string) string { return env[n] }}
	if file != "" {
		from.File = filepath.Join(t.TempDir(), "carbongraph.yml")
		if err := os.WriteFile(from.File, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Load(from)
}

func TestFlagsGoBeforeEnvironmentBeforeFileBeforeDefaults(t *testing.T) {
	c, err := load(t, "listen_addr: 1.1.1.1:1\ndata_dir: /file\nLOG_LEVEL: warn\n", map[string]string{"LISTEN_ADDR": "2.2.2.2:2", "DATA_DIR": "/env", "REDIS_URL": ""}, map[string]string{"LISTEN_ADDR": "3.3.3.3:3"})
	if err != nil {
		t.Fatal(err)
	}
	if c.ListenAddr != "3.3.3.3:3" || c.DataDir != "/env" || c.LogLevel.String() != "WARN" || c.AdminAddr != "127.0.0.1:9090" || c.LogText {
		t.Errorf("config = %+v", c)
	}
	for _, v := range c.Values() {
		want := map[string]string{"LISTEN_ADDR": "flag", "DATA_DIR": "environment", "ADMIN_ADDR": "default", "REDIS_URL": "default"}[v.Name]
		if v.Name == "LOG_LEVEL" && !strings.HasSuffix(v.Origin, "carbongraph.yml") || want != "" && v.Origin != want {
			t.Errorf("%s comes from %q; want %q", v.Name, v.Origin, want)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	c, err := load(t, "", map[string]string{"DATABASE_URL": "postgres://me:hunter2@db/x?password=hunter2",
		"DATABASE_REPLICA_URLS": "postgres://me:hunter2@r1/x, postgres://me:hunter2@r2:5433/x?password=hunter2", "REDIS_URL": "redis://:hunter2@r:6379",
		"JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "JWT_JWKS_URL": "https://me:hunter2@id.example.com/keys?password=hunter2",
		"LLM_BASE_URL": "https://llm.example.com/v1?password=hunter2", "LLM_MODEL": "small", "LLM_API_KEY": "sk:hunter2",
		"FACTOR_SOURCE_URL": "https://f.example.com?password=hunter2", "FACTOR_SOURCE_KEY": "hunter2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Values() {
		if strings.Contains(v.Value, "hunter2") {
			t.Errorf("%s shows %q", v.Name, v.Value)
		}
	}
	if len(c.ReplicaURLs) != 2 || c.ReplicaURLs[1] != "postgres://me:hunter2@r2:5433/x?password=hunter2" {
		t.Errorf("replicas are %q", c.ReplicaURLs)
	}
	if !strings.Contains(c.DatabaseURL, "hunter2") || !strings.Contains(c.JWT.KeySet, "hunter2") || c.Model.Key != "sk:hunter2" || c.Factors.Key != "hunter2" {
		t.Error("the mask got into the setting itself")
	}
}

func jwt(issuer, audience, keySet string) map[string]string {
	return map[string]string{"JWT_ISSUER": issuer, "JWT_AUDIENCE": audience, "JWT_JWKS_URL": keySet}
}

func TestAnIdentityProvider(t *testing.T) {
	for _, keySet := range []string{"https://id.example.com/keys", "http://localhost:8443/keys", "http://127.0.0.1/keys", "http://[::1]:80/keys"} {
		if c, err := load(t, "", jwt("i", "a", keySet), nil); err != nil || c.JWT != (config.JWT{Issuer: "i", Audience: "a", KeySet: keySet}) {
			t.Errorf("%s: %+v %v", keySet, c, err)
		}
	}
	if c, err := load(t, "", nil, nil); err != nil || c.JWT != (config.JWT{}) {
		t.Errorf("unset: %+v %v", c.JWT, err)
	}
}

func model(baseURL, name, key string) map[string]string {
	return map[string]string{"LLM_BASE_URL": baseURL, "LLM_MODEL": name, "LLM_API_KEY": key}
}

func source(address, key string) map[string]string {
	return map[string]string{"FACTOR_SOURCE_URL": address, "FACTOR_SOURCE_KEY": key}
}

// Factor sources outside are off unless they are set. A key goes over a network under TLS alone; without one a server beside this one may do without.
func TestFactorSources(t *testing.T) {
	if c, err := load(t, "", nil, nil); err != nil || c.Model != (config.Model{}) || c.Factors != (config.FactorSource{}) {
		t.Errorf("unset: %+v %+v %v", c.Model, c.Factors, err)
	}
	for _, want := range []config.Model{{"https://llm.example.com/v1", "small", "sk-1"}, {"http://localhost:11434/v1", "small", "sk-1"}, {"http://[::1]:1/v1", "small", "sk-1"}, {"http://ollama:11434/v1", "small", ""}} {
		if c, err := load(t, "", model(want.BaseURL, want.Name, want.Key), nil); err != nil || c.Model != want {
			t.Errorf("%+v: %+v %v", want, c, err)
		}
	}
	for _, want := range []config.FactorSource{{"https://f.example.com/look-ups?site=1", "k"}, {"http://127.0.0.1:1", "k"}, {"http://factors/", ""}} {
		if c, err := load(t, "", source(want.URL, want.Key), nil); err != nil || c.Factors != want {
			t.Errorf("%+v: %+v %v", want, c, err)
		}
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		file  string
		env   map[string]string
		names string
	}{
		"an unknown key in the file":                     {file: "data_dir: x\nlisten_adr: y\n", names: "line 2: there is no setting listen_adr"},
		"a group in the file":                            {file: "data_dir: {a: b}\n", names: "data_dir"},
		"the same key twice":                             {file: "data_dir: x\nDATA_DIR: y\n", names: "set twice"},
		"a file that is not YAML":                        {file: "\t- : {", names: "no YAML"},
		"a level that is none":                           {env: map[string]string{"LOG_LEVEL": "loud"}, names: "LOG_LEVEL (from environment)"},
		"an engine that is none":                         {env: map[string]string{"ENGINE": "fast"}, names: "ENGINE (from environment) is auto or gqlgen"},
		"answers that are kept somehow":                  {env: map[string]string{"RESPONSE_CACHE": "yes"}, names: "RESPONSE_CACHE (from environment) is on or off"},
		"a cache of nothing":                             {env: map[string]string{"CACHE_BYTES": "0"}, names: "CACHE_BYTES (from environment)"},
		"a limit below nothing":                          {env: map[string]string{"LIMIT_TOKENS": "-1"}, names: "LIMIT_TOKENS (from environment) is a whole number"},
		"a limit that is no number":                      {file: "limit_body: 2MB\n", names: "LIMIT_BODY"},
		"a limit beyond all reason":                      {env: map[string]string{"LIMIT_COST": "99999999999"}, names: "LIMIT_COST"},
		"a time without a unit":                          {env: map[string]string{"LIMIT_TIME": "10"}, names: "LIMIT_TIME (from environment) is a time"},
		"an origin with a path":                          {env: map[string]string{"CORS_ORIGINS": "https://app.example.com, https://x.example.com/app"}, names: "CORS_ORIGINS (from environment) is a list of origins"},
		"an origin that is none":                         {env: map[string]string{"CORS_ORIGINS": "app.example.com"}, names: "CORS_ORIGINS"},
		"everybody and somebody":                         {env: map[string]string{"CORS_ORIGINS": "*,https://app.example.com"}, names: "CORS_ORIGINS (from environment) is either"},
		"a format that is none":                          {env: map[string]string{"LOG_FORMAT": "xml"}, names: "LOG_FORMAT"},
		"an address without port":                        {env: map[string]string{"LISTEN_ADDR": "localhost"}, names: "LISTEN_ADDR"},
		"a port out of range":                            {env: map[string]string{"ADMIN_ADDR": ":70000"}, names: "ADMIN_ADDR"},
		"a database that is not Postgres":                {env: map[string]string{"DATABASE_URL": "mysql://me:hunter2@db/x"}, names: "DATABASE_URL"},
		"a replica that is not Postgres":                 {env: map[string]string{"DATABASE_URL": "postgres://db/x", "DATABASE_REPLICA_URLS": "postgres://r/x,mysql://me:hunter2@r/x"}, names: "DATABASE_REPLICA_URLS (from environment) is a list"},
		"replicas of the embedded database":              {env: map[string]string{"DATABASE_REPLICA_URLS": "postgres://me:hunter2@r/x"}, names: "DATABASE_REPLICA_URLS is set, and DATABASE_URL is not"},
		"a Redis that is none":                           {env: map[string]string{"REDIS_URL": "http://me:hunter2@r"}, names: "REDIS_URL"},
		"keys from elsewhere without TLS":                {env: jwt("i", "a", "http://me:hunter2@id.example.com/keys"), names: "JWT_JWKS_URL (from environment) begins with https://"},
		"keys from a host that only looks like this one": {env: jwt("i", "a", "http://127.0.0.1.example.com/keys"), names: "JWT_JWKS_URL (from environment) begins with https://"},
		"keys from a file":                               {env: jwt("i", "a", "file:///etc/keys.json"), names: "JWT_JWKS_URL (from environment) is an address like https://"},
		"keys from no host":                              {env: jwt("i", "a", "https:///keys"), names: "JWT_JWKS_URL"},
		"keys from a port of no host":                    {env: jwt("i", "a", "https://:443/keys"), names: "JWT_JWKS_URL"},
		"a model without a server":                       {env: model("", "small", ""), names: "LLM_BASE_URL is not set"},
		"a key without a model":                          {env: model("", "", "hunter2"), names: "LLM_BASE_URL is not set"},
		"a server without a model":                       {env: model("https://llm.example.com", "", ""), names: "LLM_MODEL is not set"},
		"a model's key without TLS":                      {env: model("http://llm.example.com", "small", "hunter2"), names: "LLM_BASE_URL begins with https://"},
		"a model's key in its address":                   {env: model("https://me:hunter2@llm.example.com", "small", ""), names: "LLM_BASE_URL (from environment) is an address with a host, and without"},
		"a model in a file":                              {env: model("file:///hunter2", "small", ""), names: "LLM_BASE_URL"},
		"a key of two words":                             {env: model("https://llm.example.com", "small", "hunter2 x"), names: "LLM_API_KEY (from environment) is a key"},
		"a key of two lines":                             {env: source("https://f.example.com", "hunter2\r\nX-Evil: 1"), names: "FACTOR_SOURCE_KEY (from environment) is a key"},
		"an address as a key":                            {env: source("https://f.example.com", "https://hunter2.example.com"), names: "FACTOR_SOURCE_KEY (from environment) is a key"},
		"a key for nobody":                               {env: source("", "hunter2"), names: "FACTOR_SOURCE_URL is not set"},
		"a source's key without TLS":                     {env: source("http://f.example.com", "hunter2"), names: "FACTOR_SOURCE_URL begins with https://"},
		"a source with a fragment":                       {env: source("https://f.example.com/#hunter2", ""), names: "FACTOR_SOURCE_URL (from environment) is an address with a host, and without"},
		"a source of no host":                            {env: source("https://:443/hunter2", ""), names: "FACTOR_SOURCE_URL"},
		"JWTs of nobody":                                 {env: jwt("", "a", "https://id.example.com/keys"), names: "JWT_ISSUER is not set"},
		"JWTs for nobody":                                {env: jwt("i", "", "https://id.example.com/keys"), names: "JWT_AUDIENCE is not set"},
		"JWTs without keys":                              {env: jwt("i", "a", ""), names: "JWT_JWKS_URL is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.file, tc.env, nil)
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.names) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("err = %v; want one with %q", err, tc.names)
			}
		})
	}
	if _, err := config.Load(config.Sources{File: "/nowhere/x.yml"}); fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := load(t, "# nothing\n", nil, nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

// Unset, the limits are the contract's; 0 turns each of them off.
func TestLimits(t *testing.T) {
	c, err := load(t, "", nil, nil)
	if want := (config.Limits{2 << 20, 10, 5000, 15, 30, 20, 5, 200, 10_000, 10 * time.Second, 100, 20, 256, 2 * time.Second}); err != nil || c.Limits != want {
		t.Errorf("%+v %v, want %+v", c.Limits, err, want)
	}
	off := map[string]string{"LIMIT_TIME": "0s", "LIMIT_WAIT": "0s"}
	for _, name := range config.Names() {
		if strings.HasPrefix(name, "LIMIT_") && off[name] == "" {
			off[name] = "0"
		}
	}
	if c, err = load(t, "", off, nil); err != nil || c.Limits != (config.Limits{}) {
		t.Errorf("turned off: %+v %v", c.Limits, err)
	}
}

// Unset, no client may take forever, and neither may a stop; 0 turns each of the bounds off.
func TestTimeouts(t *testing.T) {
	c, err := load(t, "", nil, nil)
	if want := (config.Timeouts{10 * time.Second, time.Minute, time.Minute, 2 * time.Minute, 0, 30 * time.Second}); err != nil || c.Timeouts != want {
		t.Errorf("%+v %v, want %+v", c.Timeouts, err, want)
	}
	off := map[string]string{}
	for _, name := range config.Names() {
		if strings.HasPrefix(name, "TIMEOUT_") {
			off[name] = "0s"
		}
	}
	if c, err = load(t, "", off, nil); err != nil || c.Timeouts != (config.Timeouts{}) {
		t.Errorf("turned off: %+v %v", c.Timeouts, err)
	}
}
