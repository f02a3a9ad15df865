// Package app wires the rooms together: it opens them in order, closes them in reverse, and gives each command its verb.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"carbongraph/internal/config"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// Exit codes of every command.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitWrongUse    = 2
	ExitPartly      = 3
	ExitInterrupted = 130
)

// World is what a command reads and writes beside the database.
type World struct {
	Out io.Writer // data
	Err io.Writer // everything else
	Env func(name string) string
}

// cli is the command line: one verb each.
type cli struct {
	Demo     demoCommand     `cmd:"" help:"Serve demo data from an embedded database; prints address, console link and key."`
	Serve    serveCommand    `cmd:"" help:"Serve."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database's schema up, take the last step back, or show where it stands."`
	Org      orgCommand      `cmd:"" help:"Create organizations, and change how they are calculated."`
	Key      keyCommand      `cmd:"" help:"Create, list and revoke API keys."`
	Factors  factorsCommand  `cmd:"" help:"Import and list emission factors."`
	Import   importCommand   `cmd:"" help:"Import activities from files."`
	Export   exportCommand   `cmd:"" help:"Write activities or emissions to a file."`
	Mappings mappingsCommand `cmd:"" help:"Propose what a ledger's accounts are calculated with."`
	Cache    cacheCommand    `cmd:"" help:"Look at the answers that servers keep, make them, and drop them."`
	Check    checkCommand    `cmd:"" help:"Check what the database holds."`
	Seed     seedCommand     `cmd:"" help:"Fill an organization with a deterministic synthetic ledger."`
}

// exit is an error that says how the program ends; a nil err was told already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return "" // told already
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func wrongUse(err error) error { return &exit{ExitWrongUse, err} }

// Run runs one command line and gives the exit code. Errors are one line on World.Err.
func Run(ctx context.Context, args []string, w World) (code int) {
	var c cli
	stopped := errors.New("kong has printed what was asked")
	defer func() {
		if p := recover(); p != nil {
			if p != any(stopped) {
				panic(p)
			}
			code = ExitDone
		}
	}()
	parser, err := kong.New(&c, kong.Name("carbongraph"), kong.Writers(w.Out, w.Err),
		kong.Description("A GraphQL server over a company's Scope 3 emissions ledger."),
		kong.Exit(func(int) { panic(stopped) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"cacheable": cacheable(store.CacheableTypes(), ", ")}, kong.Bind(&w), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return tell(w.Err, err)
	}
	if len(args) == 0 {
		fmt.Fprint(w.Err, "try: carbongraph demo\n\n")
		parser.Stdout = w.Err
		if k, err := kong.Trace(parser, nil); err == nil {
			_ = k.PrintUsage(false)
		}
		return ExitWrongUse
	}
	k, err := parser.Parse(args)
	if err != nil {
		return tell(w.Err, wrongUse(fmt.Errorf("%w; see `carbongraph %s--help`", err, verbs(args))))
	}
	return tell(w.Err, k.Run())
}

// verbs gives the words before the first flag, as far as they can be verbs.
func verbs(args []string) string {
	out := ""
	for i, a := range args {
		if strings.HasPrefix(a, "-") || i > 1 || strings.ContainsAny(a, "./ ") {
			break
		}
		out += a + " "
	}
	return out
}

// tell writes an error in one line, with what to do, and gives the exit code.
func tell(w io.Writer, err error) int {
	if err == nil {
		return ExitDone
	}
	code := ExitFailed
	var e *exit
	if errors.As(err, &e) {
		code = e.code
		if err = e.err; err == nil {
			return code
		}
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "error: interrupted; run the same command again to go on")
		return ExitInterrupted
	}
	fmt.Fprintln(w, "error: "+oneLine(err))
	return code
}

// oneLine words an error for a terminal: a fault by its message, anything else as it stands. Faults of the inside tell their cause, for this is not a client.
func oneLine(err error) string {
	text := err.Error()
	var f *fault.Fault
	if errors.As(err, &f) {
		text = f.Message
		if cause := errors.Unwrap(f); cause != nil && f.Code == fault.Overloaded {
			text += " (" + cause.Error() + ")"
		}
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", "; ")), " ")
}

// settings are the flags of every command that needs a database.
type settings struct {
	Config      string  `help:"YAML file with settings." placeholder:"FILE"`
	DatabaseURL *string `name:"database-url" help:"postgres://… ; without one SQLite under --data-dir." placeholder:"URL"`
	DataDir     *string `name:"data-dir" help:"Where the embedded database lives (./data)." placeholder:"DIR"`
	LogLevel    *string `name:"log-level" help:"debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat   *string `name:"log-format" help:"json or text." placeholder:"FORMAT"`
}

func (s *settings) flags() map[string]*string {
	return map[string]*string{"DATABASE_URL": s.DatabaseURL, "DATA_DIR": s.DataDir, "LOG_LEVEL": s.LogLevel, "LOG_FORMAT": s.LogFormat}
}

// load reads the settings; what is wrong with them is wrong use.
func load(w *World, file string, flags map[string]*string) (*config.Config, error) {
	given := map[string]string{}
	for name, v := range flags {
		if v != nil {
			given[name] = *v
		}
	}
	c, err := config.Load(config.Sources{Flags: given, Env: w.Env, File: file, Terminal: terminal(w.Err)})
	if err != nil {
		return nil, wrongUse(err)
	}
	return c, nil
}

// log is the log of a server. Call end when it has stopped.
func (w *World) log(c *config.Config) (log *slog.Logger, end func()) {
	if terminal(w.Err) { // somebody watches
		return telemetry.NewLog(w.Err, c.LogLevel, c.LogText), func() {}
	}
	b := telemetry.NewBuffer(w.Err)
	return telemetry.NewLog(b, c.LogLevel, c.LogText), func() { _ = b.Flush() } // there is nowhere to tell of it
}

// quiet is the log of commands that end: what they have to say is in their output.
func (w *World) quiet(c *config.Config) *slog.Logger {
	return telemetry.NewLog(w.Err, max(c.LogLevel, slog.LevelWarn), c.LogText)
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// output is the flag of commands that print a result.
type output struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// print writes the result as JSON, or as text where that was not asked for.
func (o output) print(w *World, result any, text string) error {
	if o.JSON {
		b, err := json.Marshal(result)
		if err != nil {
			return err
		}
		text = string(b) + "\n"
	}
	_, err := io.WriteString(w.Out, text)
	return err
}

// table writes rows as tab-separated values, the first being the names.
func table(rows ...[]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(row, "\t") + "\n")
	}
	return b.String()
}
