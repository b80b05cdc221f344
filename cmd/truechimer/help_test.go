package main

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// everyCommand calls a function with each command, and with the words by which it is called.
func everyCommand(visit func(words []string, c *ffcli.Command)) {
	var walk func(words []string, c *ffcli.Command)
	walk = func(words []string, c *ffcli.Command) {
		visit(words, c)
		for _, below := range c.Subcommands {
			walk(append(slices.Clone(words), below.Name), below)
		}
	}
	walk(nil, commands(newConsole(nil, nil)))
}

// -h works everywhere, before and behind arguments: help on stdout, nothing on stderr, exit code 0.
func TestHelpIsEverywhere(t *testing.T) {
	clean(t)
	everyCommand(func(words []string, c *ffcli.Command) {
		for _, flags := range [][]string{{"-h"}, {"--help"}, {"argument", "-h"}, {"-h", "argument"}} {
			args := append(slices.Clone(words), flags...)
			stdout, stderr, code := call(t, args...)
			if code != exitDone || stderr != "" || stdout != usageOf(c) {
				t.Errorf("%v: exit code %d, stderr %q, stdout %q", args, code, stderr, stdout)
			}
		}
	})
}

// The help of a command names it as it is typed, each of its commands and flags with what they mean, and the defaults.
func TestHelpNamesEverything(t *testing.T) {
	everyCommand(func(words []string, c *ffcli.Command) {
		help := usageOf(c)
		name := strings.Join(append([]string{"truechimer"}, words...), " ")
		wants := []string{name + ": " + c.ShortHelp, "Usage: " + name}
		for _, below := range c.Subcommands {
			wants = append(wants, "  "+below.Name+" ", below.ShortHelp)
		}
		c.FlagSet.VisitAll(func(f *flag.Flag) {
			_, meaning := flag.UnquoteUsage(f)
			wants = append(wants, "  --"+f.Name, meaning)
			if !isSwitch(f) {
				wants = append(wants, f.DefValue)
			}
			if strings.Contains(meaning, "`") || f.Usage == meaning && !isSwitch(f) && f.Name != "reference" {
				t.Errorf("%s: --%s has no name for its value: %s", name, f.Name, f.Usage)
			}
		})
		for _, want := range wants {
			if !strings.Contains(help, want) {
				t.Errorf("%s: want %q in its help:\n%s", name, want, help)
			}
		}
	})
}

// What a person sees: the names aligned, the units and defaults said.
func TestHelpReadsWell(t *testing.T) {
	clean(t)
	stdout, _, _ := call(t, "check", "-h")
	want := `truechimer check: probe servers once from here, without a hub, and say what that is worth

Usage: truechimer check [flags] SERVER ...

SERVER is a host name or an address, with :port if it isn't 123 ([address]:port for IPv6).
Every address that a name resolves to is a server of its own.
The exit code is 1 if a probe of any server is worth less than 0 points.

Flags:
  --allow-private   probe addresses that aren't of the internet too, for tests and labs
  --config file     file with flags: one a line, with its value behind it
  --json            one JSON object a line
  --samples number  number of queries, 1 to 8, 2 s apart (default 3)

A flag may be set by an environment variable too, as --state-dir by TRUECHIMER_STATE_DIR, or in the file of --config,
as state-dir /srv/truechimer. The command line beats the environment, and that the file.
`
	if stdout != want {
		t.Errorf("want\n%s\nhave\n%s", want, stdout)
	}
}

// The version is for people and scripts: one line on stdout.
func TestVersionIsOneLine(t *testing.T) {
	stdout, stderr, code := call(t, "version")
	if code != exitDone || stderr != "" || !strings.HasPrefix(stdout, "truechimer unreleased, commit ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if !strings.Contains(stdout, ", go1.") {
		t.Errorf("want the version of Go, have %s", stdout)
	}
}
