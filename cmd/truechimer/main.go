// Command truechimer watches NTP servers from many places, scores them, keeps what it saw, and shows it live.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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

// usageError is a mistake in how a command was called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Unwrap is the mistake.
func (e usageError) Unwrap() error { return e.error }

func main() {
	// A reader that is gone shall not kill a hub that says something to it; a command sees it as an error (see outlet).
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	// A limit on the size of files (ulimit -f) shall be an error of whoever writes one, here or in mariadbd, which
	// inherits this, as a full disk is. The signal would kill mariadbd without a word.
	signal.Ignore(syscall.SIGXFSZ)
	os.Exit(run(ctx, newConsole(os.Stdout, os.Stderr), os.Args[1:]))
}

// run is the whole program but for the process around it.
func run(ctx context.Context, con console, args []string) int {
	root := commands(con)
	equip(root)
	chosen, args := arrange(root, args)
	err := root.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = usagef("%w; %s -h shows how it is called", err, chosen.FlagSet.Name())
	}
	if err == nil {
		err = root.Run(ctx)
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(con.stdout, usageOf(chosen))
		err = nil
	}
	return con.conclude(ctx, err)
}

// conclude says what went wrong, if anything did, and is the exit code.
func (con console) conclude(ctx context.Context, err error) int {
	if err == nil || errors.Is(err, con.stdout.failure()) {
		err = con.stdout.lost()
	}
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(con.stderr, "truechimer:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// untilTold is why a service failed; nil where it was told to end. What that breaks off fails in ways of its own, be it
// a cancelled question or a connection that is gone, and none is news to who asked for it. It has to be asked before
// anything is closed: who fails by himself, and is told to end meanwhile, has failed.
func untilTold(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// commands is the tree of all commands.
func commands(con console) *ffcli.Command {
	return group("truechimer", "watch NTP servers, score them, and show it live",
		upCommand(con),
		hubCommand(con),
		group("truechimer agent", "probe NTP servers for a hub", agentRunCommand(con)),
		group("truechimer agents", "administer agents", agentsAddCommand(con), agentsListCommand(con)),
		group("truechimer servers", "administer the servers under watch",
			serversListCommand(con), serversAddCommand(con), serversRemoveCommand(con)),
		group("truechimer monitors", "administer monitors", monitorsListCommand(con), monitorsSetCommand(con)),
		group("truechimer accounts", "administer the owners of servers and monitors",
			accountsListCommand(con), accountsAddCommand(con), accountsSetCommand(con)),
		selectCommand(con),
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
		FlagSet:     newFlagSet(name),
		Subcommands: below,
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("%s has no command %q; %s -h lists them", name, args[0], name)
			}
			return usagef("a command is missing; %s -h lists them", name)
		},
	}
}
