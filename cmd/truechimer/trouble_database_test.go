//go:build integration

package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"

	"truechimer/persistence/privatedb"
	"truechimer/persistence/privatedb/dbtest"
)

// server runs a MariaDB like one of the user's own, and opens it as its administrator.
func server(t *testing.T) (*privatedb.Server, *sql.DB) {
	t.Helper()
	server, err := privatedb.Start(t.Context(), privatedb.Options{Dir: filepath.Join(dbtest.TempDir(t), "own"), BufferPool: 32 << 20, Volatile: true, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	db, err := sql.Open("mysql", server.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return server, db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// What can be wrong with a database of one's own: each is one line that says what, and what to do. It never shows the
// password, and the database stays as it was.
func TestATroubledDatabaseIsSaidInALine(t *testing.T) {
	own, db := server(t)
	execute(t, db,
		"CREATE DATABASE fresh", "CREATE DATABASE newer", "CREATE DATABASE foreign_one",
		"CREATE TABLE foreign_one.letters (id INT PRIMARY KEY)",
		"CREATE USER 'hub'@'localhost' IDENTIFIED BY 'secret'",
		"GRANT ALL ON *.* TO 'hub'@'localhost'", "REVOKE READ ONLY ADMIN, SUPER ON *.* FROM 'hub'@'localhost'",
		"CREATE USER 'stranger'@'localhost' IDENTIFIED BY 'secret'",
	)
	dsn := func(user, database string) string {
		return fmt.Sprintf("%s:secret@unix(%s)/%s", user, own.Socket(), database)
	}
	s := newStation(t)
	hub := func(dsn string) []string {
		return s.hubArgs("--database-dsn", dsn)
	}
	made := start(t, binary, hub(dsn("hub", "newer"))...)
	made.line("ready in ")
	made.line("database unix:" + own.Socket() + "/newer")
	wantEnd(t, made)
	execute(t, db, "INSERT INTO newer.truechimer_versions (version_id, is_applied) VALUES (99999, 1)")
	tests := []struct {
		name, dsn, want string
	}{
		{"nobody listens", "hub:secret@tcp(127.0.0.1:" + freePort(t) + ")/fresh", "connection refused (start it, or check its address in the DSN)"},
		{"no socket", "hub:secret@unix(/nowhere/mysql.sock)/fresh", "no such file or directory (start it, or check its address in the DSN)"},
		{"a wrong password", strings.Replace(dsn("hub", "fresh"), "secret", "secretly", 1), "check user and password in the DSN"},
		{"no right to it", dsn("stranger", "fresh"), "check user and password in the DSN, and what the user may do"},
		{"no such database", dsn("hub", "missing"), "create it, empty; the tables are made at the first start"},
		{"somebody else's", dsn("hub", "foreign_one"), `such as "letters": give it a database of its own`},
		{"of a newer truechimer", dsn("hub", "newer"), "it is of version 99999, and this truechimer knows them up to "},
		{"no database named", dsn("hub", ""), "it names no database"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, args := range [][]string{hub(tt.dsn), {"servers", "list", "--database-dsn", tt.dsn}} {
				stdout, stderr, code := run(t, args...)
				wantLine(t, tt.want, stdout, stderr, code)
				if strings.Contains(stderr, "secret") {
					t.Errorf("the password shows: %s", stderr)
				}
			}
		})
	}
	execute(t, db, "SET GLOBAL read_only = 1")
	wantRefusal(t, "the database is read-only", hub(dsn("hub", "fresh"))...)
	execute(t, db, "SET GLOBAL read_only = 0")
	wantRefusal(t, "it has no tables yet: start the hub, which makes them", "servers", "list", "--database-dsn", dsn("hub", "fresh"))
	var tables int
	err := db.QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema IN ('fresh', 'foreign_one')").Scan(&tables)
	if err != nil || tables != 1 {
		t.Errorf("want the databases as they were, with one table, have %d (%v)", tables, err)
	}
}

// A database that was made and has become read-only is refused at the start, and not at the first sample.
func TestADatabaseThatBecameReadOnlyIsRefused(t *testing.T) {
	own, db := server(t)
	execute(t, db, "CREATE DATABASE pool", "CREATE USER 'hub'@'localhost' IDENTIFIED BY 'secret'", "GRANT ALL ON pool.* TO 'hub'@'localhost'")
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.DBName = "hub", "secret", "unix", own.Socket(), "pool"
	s := newStation(t)
	args := s.hubArgs("--database-dsn", config.FormatDSN())
	hub := start(t, binary, args...)
	hub.line("ready in ")
	wantEnd(t, hub)
	execute(t, db, "SET GLOBAL read_only = 1")
	wantRefusal(t, "the database is read-only", args...)
	execute(t, db, "SET GLOBAL read_only = 0")
	hub = start(t, binary, args...)
	hub.line("ready in ")
	wantEnd(t, hub)
}

// Lists are for whoever may read: they need no right to write, not even where the database is read-only. Who would
// change something is told what he may not, and what to do.
func TestWhoMayReadMayList(t *testing.T) {
	own, db := server(t)
	execute(t, db, "CREATE DATABASE pool", "CREATE USER 'hub'@'localhost' IDENTIFIED BY 'secret'", "GRANT ALL ON pool.* TO 'hub'@'localhost'",
		"CREATE USER 'reader'@'localhost' IDENTIFIED BY 'secret'", "GRANT SELECT ON pool.* TO 'reader'@'localhost'")
	dsn := func(user string) string { return fmt.Sprintf("%s:secret@unix(%s)/pool", user, own.Socket()) }
	must(t, "servers", "add", "--database-dsn", dsn("hub"), "192.0.2.1", "--allow-private")
	execute(t, db, "SET GLOBAL read_only = 1")
	if list := must(t, "servers", "list", "--database-dsn", dsn("reader")); !strings.Contains(list, "192.0.2.1:123") {
		t.Errorf("have %s", list)
	}
	execute(t, db, "SET GLOBAL read_only = 0")
	for _, what := range []string{"monitors", "accounts", "agents"} {
		must(t, what, "list", "--database-dsn", dsn("reader"))
	}
	wantRefusal(t, "(grant the user of the DSN that right, or name another user there)",
		"servers", "add", "--database-dsn", dsn("reader"), "192.0.2.2", "--allow-private")
}

// Who asks a database that hangs is told so soon, be it a private one or one of his own.
func TestACommandGivesUpADatabaseThatHangs(t *testing.T) {
	s := newStation(t)
	hub := start(t, binary, s.hubArgs()...)
	hub.line("ready in ")
	where := "root@unix(" + filepath.Join(s.state, "database", "mysql.sock") + ")/truechimer"
	if err := syscall.Kill(childOf(t, hub.cmd.Process.Pid, "mariadbd"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var asking sync.WaitGroup
	for want, args := range map[string][]string{
		"doesn't answer; it belongs to process": {"servers", "list", "--state-dir", s.state},
		"doesn't answer within 10s":             {"servers", "list", "--database-dsn", where},
	} {
		asking.Go(func() { wantRefusal(t, want, args...) })
	}
	asking.Wait()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
