//go:build integration

package privatedb

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// The tests need other processes that own a database and are killed: the test binary plays them, told by the
// environment in which role and on which folder.
const (
	roleVariable   = "PRIVATEDB_TEST_ROLE"
	folderVariable = "PRIVATEDB_TEST_FOLDER"
	ownerRole      = "owner"   // starts the database, says so, stays until it is killed
	visitorRole    = "visitor" // opens it, adds a row, stops it, ends
)

// testPool keeps the tests' servers small.
const testPool = 16 << 20

// testPatience bounds whatever a test waits for: far beyond what a slow machine takes, so that it only ends a hang.
const testPatience = time.Minute

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case ownerRole:
		playOwner(os.Getenv(folderVariable))
	case visitorRole:
		playVisitor(os.Getenv(folderVariable))
	default:
		if _, err := findInstallation("/"); err != nil {
			fmt.Fprintln(os.Stderr, "these tests need a real MariaDB:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
}

func playOwner(dir string) {
	if _, err := Start(context.Background(), Options{Dir: dir, BufferPool: testPool, Log: zerolog.Nop()}); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("started")
	io.Copy(io.Discard, os.Stdin) // until the test is gone, should it forget us
}

func playVisitor(dir string) {
	ctx := context.Background()
	db, err := Open(ctx, Options{Dir: dir, BufferPool: testPool, Log: zerolog.Nop()})
	if err == nil {
		err = addRow(db)
		err = errors.Join(err, db.Stop(ctx))
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

// addRow adds a row to the table notes that makeNotes has made.
func addRow(s *Server) error {
	db, err := sql.Open("mysql", s.DSN("work"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("insert into notes () values ()")
	return err
}

// play starts this binary in a role.
func play(t *testing.T, role, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, folderVariable+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, bufio.NewReader(out)
}

// startOwner starts another process that owns the database, and waits until it has started it.
func startOwner(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd, out := play(t, ownerRole, dir)
	line, err := out.ReadString('\n')
	if err != nil || line != "started\n" {
		t.Fatalf("the owner said %q, %v", line, err)
	}
	return cmd
}

// kill ends a process as a power cut does, and waits until the kernel has cleared it away.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // its error is the kill
}

func options(dir string) Options {
	return Options{Dir: dir, BufferPool: testPool, Log: zerolog.Nop()}
}

// start starts a database and stops it at the end of the test.
func start(t *testing.T, opts Options) *Server {
	t.Helper()
	return bring(t, opts, Start)
}

// open opens a database and stops it at the end of the test.
func open(t *testing.T, opts Options) *Server {
	t.Helper()
	return bring(t, opts, Open)
}

func bring(t *testing.T, opts Options, by func(context.Context, Options) (*Server, error)) *Server {
	t.Helper()
	s, err := by(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, s *Server, database string) *sql.DB {
	t.Helper()
	connector, err := mysql.NewConnector(s.Config(database))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func ask(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var answer string
	if err := db.QueryRowContext(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// makeNotes makes the table that the tests and their visitors write to.
func makeNotes(t *testing.T, s *Server) *sql.DB {
	t.Helper()
	execute(t, connect(t, s, ""), "create database work", "create table work.notes (id int auto_increment primary key)")
	return connect(t, s, "work")
}

func countNotes(t *testing.T, s *Server) int {
	t.Helper()
	n, err := strconv.Atoi(ask(t, connect(t, s, "work"), "select count(*) from notes"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// waitFor waits until something holds, within the test's patience.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	if err := await(ctx, func() (bool, error) { return holds(), nil }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// nobodyServes tells whether no mariadbd holds the folder.
func nobodyServes(t *testing.T, dir string) bool {
	t.Helper()
	lock, err := tryLock(folder(dir).serverLock(), unix.LOCK_EX)
	if errors.Is(err, errHeld) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
	return true
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func newDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "database")
}
