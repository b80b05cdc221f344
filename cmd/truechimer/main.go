// Command truechimer watches NTP servers from many places, scores them, keeps what it saw, and shows it live.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// console is where a command writes: results to stdout, everything else to stderr.
type console struct {
	stdout io.Writer
	stderr io.Writer
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, console{os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is the whole program but for the process around it.
func run(ctx context.Context, con console, args []string) int {
	root := commands(con)
	help := prepare(root)
	err := root.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(con.stdout, *help)
		return exitDone
	case err != nil:
		fmt.Fprintln(con.stderr, "truechimer:", err)
		return exitUsage
	}
	err = root.Run(ctx)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(con.stdout, *help)
		return exitDone
	}
	fmt.Fprintln(con.stderr, "truechimer:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// commands is the tree of all commands.
func commands(con console) *ffcli.Command {
	return group("truechimer", "watch NTP servers, score them, and show it live",
		upCommand(con),
		hubCommand(con),
		agentCommand(con),
		agentsCommand(con),
		serversCommand(con),
		checkCommand(con),
		watchCommand(con),
		versionCommand(con),
	)
}

// group is a command that only holds others.
func group(name, help string, below ...*ffcli.Command) *ffcli.Command {
	return &ffcli.Command{
		Name:        lastWord(name),
		ShortUsage:  name + " <command> [flags] [arguments]",
		ShortHelp:   help,
		FlagSet:     newFlags(name),
		Subcommands: below,
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("%s has no command %q; %s -h lists them", name, args[0], name)
			}
			return usagef("a command is missing; %s -h lists them", name)
		},
	}
}
