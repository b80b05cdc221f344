package main

import (
	"context"
	"flag"
	"io"
	"os"
	"strings"

	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffcli"
)

// environmentPrefix makes TRUECHIMER_<FLAG> of a flag's name.
const environmentPrefix = "TRUECHIMER"

// knownVariables are flags whose environment variables operators of such systems know by another name.
func knownVariables() map[string]string {
	return map[string]string{
		"deployment-mode": "DEPLOYMENT_MODE",
		"database-dsn":    "DATABASE_DSN",
		"state-dir":       "MONITOR_STATE_DIR",
		"log-level":       "MONITOR_LOG_LEVEL",
	}
}

// newFlags makes a command's flags, with the one that every command has.
func newFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run says what is wrong, or prints the help
	fs.String("config", "", "`file` with one `flag value` a line")
	return fs
}

// prepare gives a command and those below it the same habits: a flag beats the environment, which beats the
// configuration file. After Parse has returned flag.ErrHelp, the string returned holds the help that was asked for.
func prepare(root *ffcli.Command) *string {
	help := new(string)
	var visit func(c *ffcli.Command)
	visit = func(c *ffcli.Command) {
		c.Options = []ff.Option{
			ff.WithEnvVarPrefix(environmentPrefix),
			ff.WithConfigFileFlag("config"),
			ff.WithConfigFileParser(ff.PlainParser),
		}
		c.UsageFunc = func(c *ffcli.Command) string {
			*help = ffcli.DefaultUsageFunc(c)
			return *help
		}
		c.Exec = withFlagsAnywhere(c.FlagSet, c.Exec)
		for name, variable := range knownVariables() {
			if value := os.Getenv(variable); value != "" && c.FlagSet.Lookup(name) != nil {
				c.FlagSet.Set(name, value) // they all are strings: it can't fail
			}
		}
		for _, below := range c.Subcommands {
			visit(below)
		}
	}
	visit(root)
	return help
}

// withFlagsAnywhere lets flags stand behind arguments too, as people are used to.
func withFlagsAnywhere(fs *flag.FlagSet, exec func(context.Context, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		var arguments []string
		for len(args) > 0 {
			arguments = append(arguments, args[0])
			if err := fs.Parse(args[1:]); err != nil {
				return usageError{err}
			}
			args = fs.Args()
		}
		return exec(ctx, arguments)
	}
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// lastWord is the command's own name of "truechimer agent run".
func lastWord(name string) string { return name[strings.LastIndexByte(name, ' ')+1:] }
