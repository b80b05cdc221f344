//go:build integration

package main_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// room runs the program where no file may grow beyond some KiB, as on a disk that is nearly full: the system refuses to
// write with another word, and all else is the same.
func room(t *testing.T, kib int, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	limited := fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, 2*kib) // POSIX counts blocks of 512 bytes
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", limited, binary}, args...)...)
	var out, problems strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problems
	cmd.Run()
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// Without room for the database there is one line that says so, and what to do. The next start, with room, goes through.
func TestAFullDiskIsSaidAndNothingIsHalfDone(t *testing.T) {
	tests := []struct {
		kib  int
		want string // of the line
	}{
		{0, "tenant.pid: file too large; make room or give access, or choose another with --state-dir"},
		{1, "a limit keeps files from growing, raise it (ulimit -f): "},
		{64, "a limit keeps files from growing, raise it (ulimit -f): "},
		{4 << 10, "a limit keeps files from growing, raise it (ulimit -f): "},
		{32 << 10, "a limit keeps files from growing, raise it (ulimit -f): "},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d KiB", tt.kib), func(t *testing.T) {
			s := newStation(t)
			args := s.upArgs(nobody(t)...)
			stdout, stderr, code := room(t, tt.kib, args...)
			wantLine(t, tt.want, stdout, stderr, code)
			s.wantNothingLeft()
			last := start(t, binary, args...)
			last.line("ready in ")
			s.wantWhole(1)
			wantEnd(t, last)
		})
	}
}

// Nor does a database that is there already suffer where nothing can be written any more.
func TestAFullDiskLeavesTheDatabaseAsItWas(t *testing.T) {
	s := newStation(t)
	args := s.upArgs(nobody(t)...)
	for _, kib := range []int{0, 1, 64} {
		first := start(t, binary, args...)
		first.line("ready in ")
		wantEnd(t, first)
		stdout, stderr, code := room(t, kib, args...)
		wantLine(t, "", stdout, stderr, code)
		s.wantNothingLeft()
	}
	s.up()
	s.wantWhole(1)
}
