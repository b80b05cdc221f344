//go:build integration

package dbtest

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// Each database is new, empty and works; what is done in one isn't seen in another.
func TestDatabasesAreApart(t *testing.T) {
	first, second := connect(t, Database(t)), connect(t, Database(t))
	for _, db := range []*sql.DB{first, second} {
		if have := ask(t, db, "select count(*) from information_schema.tables where table_schema = database()"); have != "0" {
			t.Errorf("a new database has %s tables", have)
		}
		if _, err := db.Exec("create table notes (id int)"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := first.Exec("insert into notes values (1)"); err != nil {
		t.Fatal(err)
	}
	if have := ask(t, second, "select count(*) from notes"); have != "0" {
		t.Errorf("the other database has %s rows, want 0", have)
	}
}

// At the end of a test its database is gone, also when its connection is still open.
func TestDatabaseIsDroppedAtTheEnd(t *testing.T) {
	var name string
	t.Run("a test", func(t *testing.T) {
		db, err := sql.Open("mysql", Database(t))
		if err != nil {
			t.Fatal(err)
		}
		name = ask(t, db, "select database()")
		if _, err := db.Exec("create table notes (id int)"); err != nil {
			t.Fatal(err)
		}
	})
	db := connect(t, Database(t))
	if have := ask(t, db, "select count(*) from information_schema.schemata where schema_name = '"+name+"'"); have != "0" {
		t.Errorf("%s is still there", name)
	}
}

// What a dead test process has left is removed; what a living one uses is not.
func TestSweepRemovesWhatTheDeadLeft(t *testing.T) {
	dead := exec.Command(os.Args[0], "-test.run=^$") // this binary, without a test
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	leftover := filepath.Join(base, folderName(dead.Process.Pid)+"1")
	ours := filepath.Join(base, folderName(os.Getpid())+"2")
	foreign := filepath.Join(base, "truechimer-dbtest-notes")
	for _, dir := range []string{leftover, ours, foreign} {
		if err := os.MkdirAll(filepath.Join(dir, "datadir"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(base)
	entries, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, entry := range entries {
		have = append(have, filepath.Join(base, entry.Name()))
	}
	if want := ours + " " + foreign; strings.Join(have, " ") != want {
		t.Errorf("left are %q, want %q", have, want)
	}
}

// A database costs milliseconds, so that each test can have its own.
func BenchmarkDatabase(b *testing.B) {
	Database(b) // the first one starts the server
	for b.Loop() {
		db, name, err := shared.database()
		if err != nil {
			b.Fatal(err)
		}
		if err := execute(db, "create database "+name); err != nil {
			b.Fatal(err)
		}
		if err := execute(db, "drop database "+name); err != nil {
			b.Fatal(err)
		}
	}
}

func connect(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func ask(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var answer string
	if err := db.QueryRow(query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}
