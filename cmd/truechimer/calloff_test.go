//go:build integration

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is a server that isn't there, as arguments of `up`: it is watched, and is the reference too.
func nobody(t *testing.T) []string {
	server := "127.0.0.1:" + freePort(t)
	return []string{"--allow-private", "--reference", server, server}
}

// moment is a point of a first start: a file that has come into being, or something that was said.
type moment struct{ file, said string }

func (m moment) String() string { return m.file + m.said }

// moments are those of a first start of `up` in their order.
func moments() []moment {
	return []moment{
		{file: "tenant.pid"},
		{file: "database/owner.lock"},
		{file: "database/datadir.new/ibdata1"},
		{file: "database/datadir"},
		{said: "database made"},
		{file: "database/mysql.sock"}, // mariadbd listens, and doesn't answer yet
		{said: "database started"},
		{file: "database/datadir/truechimer/truechimer_versions.ibd"},
		{said: "mqtt broker listens"},
		{file: "live.json"},
		{said: "ready in "},
		{said: "agent joined"},
	}
}

// reach waits for a moment.
func (s *station) reach(p *process, m moment) {
	s.t.Helper()
	p.reaches(m.String(), func() bool {
		if m.file == "" {
			return strings.Contains(p.text(), m.said)
		}
		_, err := os.Stat(filepath.Join(s.state, m.file))
		return err == nil
	})
}

// wantCalledOff wants a start to end as it was asked to: in time, without a complaint, and with nothing left running or
// half done.
func (s *station) wantCalledOff(p *process, signal os.Signal) {
	s.t.Helper()
	if took, code := p.end(signal); took > 5*time.Second || code != 0 {
		s.t.Errorf("want exit code 0 within 5 s, have %d after %s", code, took)
	}
	for line := range strings.Lines(p.text()) {
		if !isHarmless(line) {
			s.t.Errorf("it complains: %s", line)
		}
	}
	s.wantNothingLeft()
}

// isHarmless tells whether a line is one of a good start or end. An agent whose one reference doesn't answer says that
// it doesn't know the time.
func isHarmless(line string) bool {
	for _, good := range []string{"ready in ", "watching ", "no servers given: ", "see it live ", "agents connect to "} {
		if strings.HasPrefix(line, good) {
			return true
		}
	}
	return strings.HasPrefix(line, `{"level":"info"`) ||
		strings.Contains(line, `"our clock is not fit to judge others`)
}

// wantNothingLeft wants no mariadbd to run any more, whose lock is free then, and no unfinished file in the state folder.
func (s *station) wantNothingLeft() {
	s.t.Helper()
	for _, state := range []string{s.state, filepath.Join(s.state, "lab")} {
		lock, err := os.Open(filepath.Join(state, "database", "server.lock"))
		if err == nil {
			if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
				s.t.Errorf("mariadbd still runs: %v", err)
			}
			lock.Close()
		}
		for _, pattern := range []string{".new-*", "database/*.new", "database/mysql.sock"} {
			if left, err := filepath.Glob(filepath.Join(state, pattern)); len(left) > 0 || err != nil {
				s.t.Errorf("left: %v (%v)", left, err)
			}
		}
	}
}

// wantWhole wants so many servers watched, by one agent, as after a start that nothing disturbed.
func (s *station) wantWhole(servers int) {
	s.t.Helper()
	for what, want := range map[string]int{"servers": servers, "agents": 1} {
		if list := must(s.t, what, "list", "--json", "--state-dir", s.state); strings.Count(list, "\n") != want {
			s.t.Errorf("want %d of %s, have %s", want, what, list)
		}
	}
}

// Whenever a first start is told to end it does, in time and without a complaint, and the next one goes through.
func TestAStartMayBeCalledOffAnywhere(t *testing.T) {
	for i, m := range moments() {
		t.Run(m.String(), func(t *testing.T) {
			s := newStation(t)
			args := nobody(t)
			first := start(t, binary, s.upArgs(append(args, "--log-level", "info")...)...)
			s.reach(first, m)
			s.wantCalledOff(first, []os.Signal{syscall.SIGTERM, syscall.SIGINT}[i%2])
			second := s.up(args...)
			s.wantWhole(1)
			wantEnd(t, second)
		})
	}
}

// soon is when a start is over that waits for nothing that a killed one has left. An orphan that hung would get 15 s.
const soon = 10 * time.Second

// Whenever a first start is killed, the next one goes through, without a wait, and everything is there once.
func TestAStartMayBeKilledAnywhere(t *testing.T) {
	for _, m := range moments() {
		if m.file == "" {
			continue // a word comes right after a file, and what counts here is on disk
		}
		t.Run(m.String(), func(t *testing.T) {
			s := newStation(t)
			args := nobody(t)
			first := start(t, binary, s.upArgs(args...)...)
			s.reach(first, m)
			first.kill()
			began := time.Now()
			second := s.up(args...)
			if took := time.Since(began); took > soon {
				t.Errorf("the next start took %s", took)
			}
			s.wantWhole(1)
			wantEnd(t, second)
		})
	}
}

// Moments that nobody thought of, drawn from a seed, of first starts and of later ones: each follows the one that was
// called off before it, with what that has left.
func TestStartsMayBeCalledOffOneAfterAnother(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	tests := []struct {
		name string
		args func(t *testing.T, s *station) []string
		want func(s *station)
	}{
		{"a server", func(t *testing.T, s *station) []string { return s.upArgs(nobody(t)...) }, func(s *station) { s.wantWhole(1) }},
		{"the lab", func(_ *testing.T, s *station) []string { return s.upArgs() }, func(s *station) { s.wantWhole(10) }},
		{"a hub", func(_ *testing.T, s *station) []string { return s.hubArgs("--log-level", "warn") }, func(*station) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			draw := rand.New(rand.NewPCG(seed, uint64(len(tt.name))))
			s := newStation(t)
			args := tt.args(t, s)
			for range 5 {
				s.callOff(args, draw)
			}
			last := start(t, binary, args...)
			last.line("ready in ")
			tt.want(s)
			wantEnd(t, last)
		})
	}
}

// callOff calls off a start after a while that is drawn.
func (s *station) callOff(args []string, draw *rand.Rand) {
	s.t.Helper()
	// A cold start takes 0.8 s, a later one 0.3 s: half of the draws shall be for each.
	delay := time.Duration(draw.Int64N(int64([]time.Duration{300 * time.Millisecond, 900 * time.Millisecond}[draw.IntN(2)])))
	signal := []os.Signal{syscall.SIGTERM, syscall.SIGINT}[draw.IntN(2)]
	note := filepath.Join(s.state, "tenant.pid")
	if err := os.Remove(note); err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	p := start(s.t, binary, args...)
	s.reach(p, moment{file: "tenant.pid"}) // before it does anything the system itself ends it
	select {
	case <-time.After(delay):
	case <-p.ended:
	}
	s.t.Run(fmt.Sprintf("%s after %s", signal, delay), func(t *testing.T) {
		within := *s
		within.t = t
		within.wantCalledOff(p, signal)
	})
}
