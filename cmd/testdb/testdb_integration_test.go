//go:build integration

package main

import (
	"context"
	"database/sql"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// keeperVariable makes the test binary be the program: start leaves a copy of its own executable behind.
const keeperVariable = "TESTDB_TEST_KEEPER"

func TestMain(m *testing.M) {
	if os.Getenv(keeperVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// site is where one test has its database.
type site struct{ dir, listen string }

func newSite(t *testing.T) site {
	t.Helper()
	t.Setenv(keeperVariable, "yes")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // mariadbd takes it over
	s := site{t.TempDir(), listener.Addr().String()}
	t.Cleanup(func() {
		if _, err := s.try("stop"); err != nil {
			t.Error(err)
		}
	})
	return s
}

// try carries out a command and returns what it printed, but for its notes.
func (s site) try(command string) (string, error) {
	out, _, err := s.hear(command)
	return out, err
}

// hear carries out a command and returns all that it said.
func (s site) hear(command string) (stdout, stderr string, err error) {
	var out, notes strings.Builder
	err = run(context.Background(), &out, &notes, []string{"-dir", s.dir, "-listen", s.listen, command})
	return out.String(), notes.String(), err
}

func (s site) do(t *testing.T, command string) string {
	t.Helper()
	out, err := s.try(command)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return out
}

// ask asks the database over its port, as a person would.
func (s site) ask(t *testing.T, query string) string {
	t.Helper()
	db, err := sql.Open("mysql", "root@tcp("+s.listen+")/"+databaseName)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var answer string
	if err := db.QueryRowContext(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

const countSettings = "select count(*) from system_settings where `key` = 'test'"

// The database outlives the command that started it, with its tables, until it is told to stop.
func TestStartLeavesADatabaseBehind(t *testing.T) {
	s := newSite(t)
	if out := s.do(t, "start"); !strings.Contains(out, "root@tcp("+s.listen+")/truechimer") {
		t.Errorf("start doesn't say how to get in: %q", out)
	}
	if have := s.ask(t, countSettings); have != "0" {
		t.Errorf("want an empty table, have %s rows", have)
	}
	if out := s.do(t, "start"); !strings.Contains(out, "runs already") {
		t.Errorf("a second start says %q", out)
	}
	s.do(t, "stop")
	if conn, err := net.Dial("tcp", s.listen); err == nil {
		conn.Close()
		t.Error("it still listens after stop")
	}
}

// A restart keeps what was written, a reset doesn't.
func TestRestartKeepsAndResetForgets(t *testing.T) {
	s := newSite(t)
	s.do(t, "start")
	s.ask(t, "insert into system_settings (`key`, value) values ('test', '{}') returning `key`")
	says := func(command, want string) {
		t.Helper()
		out, notes, err := s.hear(command)
		if err != nil || notes != want || !strings.HasPrefix(out, "database ") {
			t.Errorf("%s: want the way in and notes %q, have %q and %q (%v)", command, want, out, notes, err)
		}
	}
	says("restart", "stopped\nrestarted\n")
	if have := s.ask(t, countSettings); have != "1" {
		t.Errorf("after a restart: want 1 row, have %s", have)
	}
	says("reset", "stopped\nemptied\n")
	if have := s.ask(t, countSettings); have != "0" {
		t.Errorf("after a reset: want none, have %s", have)
	}
}

// A keeper that was killed takes its server with it, and neither stands in the way of the next one.
func TestAKilledKeeperLeavesNobodyBehind(t *testing.T) {
	s := newSite(t)
	s.do(t, "start")
	home, err := newHome(s.dir, s.listen)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := home.keeper()
	if err != nil || pid == 0 {
		t.Fatalf("want a keeper, have %d, %v", pid, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := home.awaitEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.do(t, "start")
	s.ask(t, countSettings)
}

// A start that fails says why, and leaves no keeper.
func TestATakenPortIsSaid(t *testing.T) {
	first := newSite(t)
	first.do(t, "start")
	second := site{t.TempDir(), first.listen}
	if out, err := second.try("start"); err == nil || !strings.Contains(err.Error(), "port is taken") {
		t.Errorf("want an error that says so, have %q, %v", out, err)
	}
	if out := second.do(t, "stop"); out != "" {
		t.Errorf("stop found something to end: %q", out)
	}
}
