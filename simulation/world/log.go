package world

import (
	"io"
	"time"

	"github.com/rs/zerolog"
)

// linesKept is how many log lines are kept for the report of a violation: some screens full.
const linesKept = 200

// lastLines keeps the last log lines, and passes all on.
type lastLines struct {
	out   io.Writer // nil for nobody
	lines []string
	next  int
}

func newLastLines(out io.Writer) *lastLines {
	return &lastLines{out: out, lines: make([]string, 0, linesKept)}
}

// Write implements io.Writer; zerolog writes one line at a time.
func (l *lastLines) Write(line []byte) (int, error) {
	if len(l.lines) < cap(l.lines) {
		l.lines = append(l.lines, string(line))
	} else {
		l.lines[l.next] = string(line)
		l.next = (l.next + 1) % len(l.lines)
	}
	if l.out == nil {
		return len(line), nil
	}
	return l.out.Write(line)
}

// all are the lines kept, oldest first.
func (l *lastLines) all() []string {
	return append(append([]string(nil), l.lines[l.next:]...), l.lines[:l.next]...)
}

// stamp puts the true time on each log line, whatever a node's clock says.
type stamp struct{ world *World }

// Run implements zerolog.Hook.
func (s stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, s.world.Now().Format(time.RFC3339Nano))
}
