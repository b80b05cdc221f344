//go:build integration

package main_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wantRefusal wants a command to fail with one line that says what is wrong, and nothing on stdout.
func wantRefusal(t *testing.T, want string, args ...string) {
	t.Helper()
	stdout, stderr, code := run(t, args...)
	wantLine(t, want, stdout, stderr, code)
}

func wantLine(t *testing.T, want, stdout, stderr string, code int) {
	t.Helper()
	if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "truechimer: ") || !strings.Contains(stderr, want) {
		t.Errorf("want exit code 1 and one line with %q, have %d, stderr %q, stdout %q", want, code, stderr, stdout)
	}
}

// A port that is taken is named with the flag that chooses another. Nothing of what was asked for is begun:
// there is no database, and the next start, without a server, shows the lab.
func TestATakenPortIsNamedAndNothingIsDone(t *testing.T) {
	for _, flag := range []string{"--agent-listen", "--http-listen", "--mqtt-listen"} {
		t.Run(flag, func(t *testing.T) {
			s := newStation(t)
			taken := "127.0.0.1:" + freePort(t)
			listener, err := net.Listen("tcp", taken)
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			at := slices.Index(s.ports, flag) + 1
			free := s.ports[at]
			s.ports[at] = taken
			for _, args := range [][]string{s.upArgs(nobody(t)...), s.upArgs(), s.hubArgs()} {
				wantRefusal(t, taken+": bind: address already in use; choose another address with "+flag, args...)
			}
			s.wantNothingMade()
			s.ports[at] = free
			s.up().line("watching a lab")
		})
	}
}

// wantNothingMade wants a first start that was refused to have left nothing behind.
func (s *station) wantNothingMade() {
	s.t.Helper()
	if left, err := os.ReadDir(s.state); !errors.Is(err, os.ErrNotExist) {
		s.t.Errorf("left in the state folder: %v (%v)", left, err)
	}
}

// The lab's port is one as well.
func TestATakenPortOfTheLabIsNamed(t *testing.T) {
	s := newStation(t)
	conn, err := net.ListenPacket("udp", "127.0.1.5:"+s.lab[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wantRefusal(t, "choose another port with --lab-port", s.upArgs()...)
	conn.Close()
	up := s.up()
	up.line("watching a lab of 10")
	wantEnd(t, up)
	s.lab[1] = freePort(t) // and it may change from one start to the next
	up = s.up()
	up.line("watching a lab of 10")
	wantEnd(t, up)
}

// A state folder of another user is refused, whose it is said, and nothing is put there.
func TestAStateFolderOfSomebodyElseIsRefused(t *testing.T) {
	const stranger = 65534
	dir := "/usr"
	if os.Geteuid() == 0 {
		dir = t.TempDir()
		if err := os.Chown(dir, stranger, stranger); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"up", "hub"} {
		wantRefusal(t, "belongs to another user", command, "--state-dir", dir)
	}
	if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
		t.Errorf("something was put there: %v (%v)", after, err)
	}
}

// A second hub in one state folder is told which process runs the first one, whichever of the two shows the lab;
// the first one doesn't notice.
func TestTheSecondInOneStateFolderIsToldOfTheFirst(t *testing.T) {
	s := newStation(t)
	first := s.up(nobody(t)...)
	want := fmt.Sprintf("process %d runs a hub in the state folder %s already; end it first, or choose another with --state-dir",
		first.cmd.Process.Pid, s.state)
	other := newStation(t)
	other.state = s.state
	wantRefusal(t, want, other.upArgs()...)
	wantRefusal(t, want, other.upArgs(nobody(t)...)...)
	wantRefusal(t, want, other.hubArgs()...)
	s.wantWhole(1)
	wantEnd(t, first)

	lab := newStation(t)
	first = lab.up()
	other.state = lab.state
	wantRefusal(t, fmt.Sprintf("process %d runs a hub", first.cmd.Process.Pid), other.upArgs(nobody(t)...)...)
	wantEnd(t, first)
}

// What is said of servers that can't be watched; nothing is made for them.
func TestAServerThatCannotBeWatchedIsSaidInALine(t *testing.T) {
	for name, want := range map[string]string{
		"nobody.invalid": "find the address of nobody.invalid: ", // a name that is none (RFC 6761 section 6.4)
		"10.0.0.1":       "10.0.0.1 isn't an address of the internet; it is probed only in tests and labs, with --allow-private",
		"224.0.1.1":      "224.0.1.1 isn't the address of one server",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t)
			wantRefusal(t, want, s.upArgs("192.0.2.1", name)...)
			wantRefusal(t, want, "check", name)
			if _, err := os.Stat(s.state); !os.IsNotExist(err) {
				t.Errorf("there is a state folder (%v)", err)
			}
		})
	}
}

// A state folder that others can look into, and that holds other things, is left as it is.
func TestAStateFolderOpenToOthersIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"up", "hub"} {
		wantRefusal(t, "is open to others (mode 0755)", command, "--state-dir", dir)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was put there: %v (%v)", entries, err)
	}
}

// An agent whose identity can't be written isn't added, nor is its account: the same command goes through elsewhere.
func TestAnAgentWithoutItsFileIsNotAdded(t *testing.T) {
	s := newStation(t)
	hub := start(t, binary, s.hubArgs()...)
	hub.line("ready in ")
	add := func(out string) []string {
		return []string{"agents", "add", "alpha", "--account", "somebody", "--state-dir", s.state, "--out", out}
	}
	identity := filepath.Join(t.TempDir(), "alpha.pem")
	wantNoAgent := func() {
		t.Helper()
		db := s.sql()
		defer db.Close()
		var rows int
		err := db.QueryRow("SELECT (SELECT COUNT(*) FROM agents) + (SELECT COUNT(*) FROM accounts WHERE name = 'somebody')").Scan(&rows)
		if err != nil || rows > 0 {
			t.Errorf("there are %d rows of it (%v)", rows, err)
		}
		if _, err := os.Stat(identity); !os.IsNotExist(err) {
			t.Errorf("there is a file (%v)", err)
		}
	}
	wantRefusal(t, "choose another file with --out", add(filepath.Join(t.TempDir(), "missing", "alpha.pem"))...)
	wantNoAgent()
	stdout, stderr, code := room(t, 0, add(identity)...)
	wantLine(t, "choose another file with --out", stdout, stderr, code)
	wantNoAgent()
	must(t, add(identity)...)
	wantEnd(t, hub)
}
