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
	c, err := load(t, "", map[string]string{"DATABASE_URL": "postgres://me:hunter2@db/x?password=hunter2", "REDIS_URL": "redis://:hunter2@r:6379",
		"JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "JWT_JWKS_URL": "https://me:hunter2@id.example.com/keys?password=hunter2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Values() {
		if strings.Contains(v.Value, "hunter2") {
			t.Errorf("%s shows %q", v.Name, v.Value)
		}
	}
	if !strings.Contains(c.DatabaseURL, "hunter2") || !strings.Contains(c.JWT.KeySet, "hunter2") {
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
		"a Redis that is none":                           {env: map[string]string{"REDIS_URL": "http://me:hunter2@r"}, names: "REDIS_URL"},
		"keys from elsewhere without TLS":                {env: jwt("i", "a", "http://me:hunter2@id.example.com/keys"), names: "JWT_JWKS_URL (from environment) begins with https://"},
		"keys from a host that only looks like this one": {env: jwt("i", "a", "http://127.0.0.1.example.com/keys"), names: "JWT_JWKS_URL (from environment) begins with https://"},
		"keys from a file":                               {env: jwt("i", "a", "file:///etc/keys.json"), names: "JWT_JWKS_URL (from environment) is an address like https://"},
		"keys from no host":                              {env: jwt("i", "a", "https:///keys"), names: "JWT_JWKS_URL"},
		"keys from a port of no host":                    {env: jwt("i", "a", "https://:443/keys"), names: "JWT_JWKS_URL"},
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
