package app

import (
	"context"

	"carbongraph/internal/config"
)

type serveCommand struct {
	settings
	output
	ListenAddr  *string `name:"listen-addr" help:"Public address (127.0.0.1:8080)." placeholder:"ADDR"`
	AdminAddr   *string `name:"admin-addr" help:"Address of metrics and profiles (127.0.0.1:9090)." placeholder:"ADDR"`
	RedisURL    *string `name:"redis-url" help:"redis://…" placeholder:"URL"`
	ConsoleDir  string  `name:"console-dir" help:"Serve the console from this folder, for work on it." placeholder:"DIR"`
	PrintConfig bool    `name:"print-config" help:"Print the settings and where each came from, and stop."`
}

// Run serves until it is told to stop.
func (s *serveCommand) Run(ctx context.Context, w *World) error {
	flags := s.flags()
	flags["LISTEN_ADDR"], flags["ADMIN_ADDR"], flags["REDIS_URL"] = s.ListenAddr, s.AdminAddr, s.RedisURL
	c, err := load(w, s.Config, flags)
	if err != nil {
		return err
	}
	if s.PrintConfig {
		return s.printConfig(w, c)
	}
	log, end := w.log(c)
	defer end()
	a, err := New(ctx, Options{Config: c, Log: log, ConsoleDir: s.ConsoleDir, ListenFlag: "--listen-addr", AdminFlag: "--admin-addr"})
	if err != nil {
		return err
	}
	log.Info("serving", "address", a.Address(), "admin", a.AdminAddress(), "database", a.Store.Dialect())
	return a.Serve(ctx)
}

func (s *serveCommand) printConfig(w *World, c *config.Config) error {
	lines := [][]string{{"SETTING", "VALUE", "FROM"}}
	for _, v := range c.Values() {
		lines = append(lines, []string{v.Name, v.Value, v.Origin})
	}
	return s.print(w, c.Values(), table(lines...))
}
