package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// logFlag adds --log-level to a command that runs for long.
func logFlag(fs *flag.FlagSet) *string {
	return fs.String("log-level", "info", "least `level` that is logged: debug, info, warn or error")
}

// newLogger logs to stderr: for a person on a terminal, as JSON lines else.
func newLogger(con console, level string) (zerolog.Logger, error) {
	least, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		return zerolog.Logger{}, usagef("--log-level %q is none of debug, info, warn, error", level)
	}
	out := con.stderr
	if isTerminal(con.stderr) {
		out = zerolog.ConsoleWriter{Out: con.stderr, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}
	}
	return zerolog.New(out).Level(least).With().Timestamp().Logger(), nil
}

// isTerminal tells whether what is written there is read by a person.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

// plural is a count with its word.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
