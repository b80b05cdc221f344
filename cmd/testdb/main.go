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
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "testdb:", err)
		os.Exit(1)
	}
}

// run carries out one command.
func run(ctx context.Context, out io.Writer, args []string) error {
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
		if err := home.stop(ctx, out); err != nil {
			return err
		}
		return home.start(ctx, out)
	case "reset":
		if err := home.stop(ctx, out); err != nil {
			return err
		}
		if err := os.RemoveAll(home.database()); err != nil {
			return fmt.Errorf("remove the database: %w", err)
		}
		return home.start(ctx, out)
	case keeperCommand:
		return home.keep(ctx, out)
	}
	return fmt.Errorf("want start, stop, restart or reset, not %q", flags.Arg(0))
}
