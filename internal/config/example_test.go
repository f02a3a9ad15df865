package config_test

import (
	"fmt"

	"carbongraph/internal/config"
)

func ExampleLoad() {
	env := map[string]string{"DATABASE_URL": "postgres://me:secret@db/ledger", "LISTEN_ADDR": ":80"}
	c, err := config.Load(config.Sources{
		Flags: map[string]string{"LISTEN_ADDR": ":8080"},
		Env:   func(name string) string { return env[name] },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range c.Values()[:4] {
		fmt.Printf("%s=%s from %s\n", v.Name, v.Value, v.Origin)
	}
	// Output:
	// DATABASE_URL=postgres://me:xxxxx@db/ledger from environment
	// DATABASE_REPLICA_URLS= from default
	// REDIS_URL= from default
	// LISTEN_ADDR=:8080 from flag
}
