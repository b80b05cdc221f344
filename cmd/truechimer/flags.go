package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
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

// configFlag names the file with flags.
const configFlag = "config"

// newFlags makes a command's flags, with the one that every command has.
func newFlags(name string) *flag.FlagSet {
	fs := newFlagSet(name)
	fs.String(configFlag, "", "`file` with flags: one a line, with its value behind it")
	return fs
}

// newFlagSet makes an empty set. Its name is the command's, as it is typed.
func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run says what is wrong, or prints the help
	return fs
}

// equip gives all commands the same habits: a flag beats the environment, which beats the configuration file. One file
// serves all commands: each takes its own flags from it.
func equip(root *ffcli.Command) {
	var leaves []*ffcli.Command
	for todo := []*ffcli.Command{root}; len(todo) > 0; todo = todo[1:] {
		if below := todo[0].Subcommands; len(below) > 0 {
			todo = append(todo, below...)
			continue
		}
		leaves = append(leaves, todo[0])
	}
	names := make(map[string]bool)
	for _, c := range leaves {
		c.FlagSet.VisitAll(func(f *flag.Flag) { names[f.Name] = true })
	}
	for _, c := range leaves {
		fs := c.FlagSet
		c.Options = []ff.Option{
			ff.WithEnvVarPrefix(environmentPrefix),
			ff.WithConfigFileFlag(configFlag),
			ff.WithConfigFileParser(func(r io.Reader, set func(name, value string) error) error {
				return parseConfig(r, func(name string) bool { return names[name] && fs.Lookup(name) == nil }, set)
			}),
		}
		takeKnownVariables(fs)
	}
}

// parseConfig sets the flags of a configuration file, but those of other commands.
func parseConfig(r io.Reader, isForeign func(name string) bool, set func(name, value string) error) error {
	err := ff.PlainParser(r, func(name, value string) error {
		if isForeign(name) {
			return nil
		}
		return set(name, value)
	})
	if err != nil {
		return fmt.Errorf("the configuration file: %w", err)
	}
	return nil
}

// takeKnownVariables sets flags from the variables that have names of their own. They are set before the command line
// is parsed, so that what is there replaces them.
func takeKnownVariables(fs *flag.FlagSet) {
	for name, variable := range knownVariables() {
		if value := os.Getenv(variable); value != "" && fs.Lookup(name) != nil {
			_ = fs.Set(name, value) // they all are strings: it can't fail
		}
	}
}

// arrange finds the command that was chosen, and lets its flags stand behind arguments too, as people are used to.
func arrange(root *ffcli.Command, args []string) (chosen *ffcli.Command, arranged []string) {
	chosen = root
	for len(args) > 0 {
		at := slices.IndexFunc(chosen.Subcommands, func(c *ffcli.Command) bool { return strings.EqualFold(c.Name, args[0]) })
		if at < 0 {
			break
		}
		chosen, arranged, args = chosen.Subcommands[at], append(arranged, args[0]), args[1:]
	}
	flags, arguments, whole := partition(chosen.FlagSet, args)
	if !whole {
		return chosen, append(arranged, flags...)
	}
	return chosen, slices.Concat(arranged, flags, []string{"--"}, arguments)
}

// partition parts flags with their values from arguments. It isn't whole when the last flag lacks its value,
// which what comes behind the flags must not be taken for.
func partition(fs *flag.FlagSet, args []string) (flags, arguments []string, whole bool) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return flags, append(arguments, args...), true
		case len(arg) < 2 || arg[0] != '-':
			arguments = append(arguments, arg)
		case !wantsValue(fs, arg):
			flags = append(flags, arg)
		case len(args) == 0:
			return append(flags, arg), arguments, false
		default:
			flags = append(flags, arg, args[0])
			args = args[1:]
		}
	}
	return flags, arguments, true
}

// wantsValue tells whether a flag's value is the word behind it.
func wantsValue(fs *flag.FlagSet, arg string) bool {
	f := fs.Lookup(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")) // none where it has its value already
	return f != nil && !isSwitch(f)
}

// isSwitch tells a flag that needs no value.
func isSwitch(f *flag.Flag) bool {
	b, is := f.Value.(interface{ IsBoolFlag() bool })
	return is && b.IsBoolFlag()
}

// list is a flag that may be given several times, or with several values parted by commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds values.
func (l *list) Set(text string) error {
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			*l = append(*l, value)
		}
	}
	return nil
}

// allowPrivateFlag adds --allow-private to a command that has servers probed.
func allowPrivateFlag(fs *flag.FlagSet) *bool {
	return fs.Bool("allow-private", false, "probe addresses that aren't of the internet too, for tests and labs")
}

// jsonFlag adds --json to a command that lists something.
func jsonFlag(fs *flag.FlagSet) *bool { return fs.Bool("json", false, "one JSON object a line") }

// noArguments is the command of one that takes none.
func noArguments(name string, exec func(context.Context) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			return usagef("%s takes no arguments, and %q is one; %s -h shows how it is called", name, args[0], name)
		}
		return exec(ctx)
	}
}

// lastWord is the command's own name of "truechimer agent run".
func lastWord(name string) string { return name[strings.LastIndexByte(name, ' ')+1:] }
