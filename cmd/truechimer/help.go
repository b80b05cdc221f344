package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// usageOf is what -h prints.
func usageOf(c *ffcli.Command) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n\nUsage: %s\n", c.FlagSet.Name(), c.ShortHelp, c.ShortUsage)
	if c.LongHelp != "" {
		fmt.Fprintf(&text, "\n%s\n", c.LongHelp)
	}
	if len(c.Subcommands) > 0 {
		fmt.Fprint(&text, "\nCommands (each has -h):\n", commandsOf(c))
	}
	if flags := flagsOf(c.FlagSet); flags != "" {
		fmt.Fprint(&text, "\nFlags:\n", flags)
		fmt.Fprintf(&text, "\nA flag may be set by an environment variable too, as --state-dir by %s_STATE_DIR, or in the file of --config,\n"+
			"as state-dir /srv/truechimer. The command line beats the environment, and that the file.\n", environmentPrefix)
	}
	return text.String()
}

func commandsOf(c *ffcli.Command) string {
	var text strings.Builder
	table := newTable(&text)
	for _, below := range c.Subcommands {
		fmt.Fprintf(table, "  %s\t%s\n", below.Name, below.ShortHelp)
	}
	table.Flush()
	return text.String()
}

func flagsOf(fs *flag.FlagSet) string {
	var text strings.Builder
	table := newTable(&text)
	fs.VisitAll(func(f *flag.Flag) {
		value, meaning := flag.UnquoteUsage(f)
		if isSwitch(f) {
			value = ""
		}
		if f.DefValue != "" && f.DefValue != "false" {
			meaning += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  --%s\t%s\n", strings.TrimSpace(f.Name+" "+value), meaning)
	})
	table.Flush()
	return text.String()
}

// newTable aligns columns that are parted by tabs.
func newTable(to io.Writer) *tabwriter.Writer {
	const apart = 2 // blanks between two columns
	return tabwriter.NewWriter(to, 0, 0, apart, ' ', 0)
}
