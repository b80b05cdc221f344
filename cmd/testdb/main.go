// Command testdb keeps a private MariaDB with the tables of schema.sql on a loopback port, for people who want to look
// inside or try a statement. The Makefile's test-db targets call it; no test needs it.
//
//	testdb [-dir FOLDER] [-listen ADDRESS] start|stop|restart|reset
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
)

// The database's place, where the flags name no other.
const (
	defaultDir = ".local/testdb"

	// defaultListen is next to MySQL's own 3306, and to the 3307 that people give their second one.
	defaultListen = "127.0.0.1:3308"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "testdb:", err)
		os.Exit(1)
	}
}

// run carries out one command. What is of use to a program goes out, what only a person wants to know is a note.
func run(ctx context.Context, out, notes io.Writer, args []string) error {
	flags := flag.NewFlagSet("testdb", flag.ContinueOnError)
	dir := flags.String("dir", defaultDir, "`folder` of the database")
	listen := flags.String("listen", defaultListen, "loopback `address` and port, open to whoever is on this machine")
	if err := flags.Parse(args); err != nil {
		return err
	}
	home, err := newHome(*dir, *listen)
	if err != nil {
		return err
	}
	switch flags.Arg(0) {
	case "start":
		return home.start(ctx, out)
	case "stop":
		return home.stop(ctx, out)
	case "restart":
		return home.restart(ctx, out, notes)
	case "reset":
		return home.reset(ctx, out, notes)
	case keeperCommand:
		return home.keep(ctx, out)
	}
	return fmt.Errorf("want start, stop, restart or reset, not %q", flags.Arg(0))
}
