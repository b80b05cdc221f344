// Package dbtest gives integration tests a real MariaDB: one server for each test process, which is as fast as memory
// and loses everything at the end, and for each test an empty database of its own, in some 3 ms.
//
//	func TestMain(m *testing.M) { dbtest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		db, err := sql.Open("mysql", dbtest.Database(t))
//		...
//	}
//
// A test doesn't skip where mariadbd is missing: it fails and says what to install.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"truechimer/persistence/privatedb"
)

const (
	// bufferPool holds what tests write. A server takes 60 MB in all, and CI runs one for each package at a time.
	bufferPool = 64 << 20

	// lockWait, in seconds, is how long the end of a test waits for its own connections to let go of its tables.
	// By default it would be a day.
	lockWait = 10
)

// shared is a variable of the package because go test gives TestMain and the tests no other place to meet.
var shared server

// server is the one server of this test process, started for the first test that asks.
type server struct {
	mu    sync.Mutex
	main  bool // Main will stop it
	db    *privatedb.Server
	dir   string
	err   error // why there is none; it isn't tried again for the next test
	named int   // how many databases there were
}

// Main runs the tests of a package, stops the server where one was started, and exits. TestMain must call it,
// and needs nothing else.
func Main(m *testing.M) {
	shared.mu.Lock()
	shared.main = true
	shared.mu.Unlock()
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the tests' database:", err)
		code = 1
	}
	os.Exit(code)
}

// Database makes an empty database and returns its DSN for the driver "mysql". It is dropped at the end of the test,
// when the test's own connections must be closed or at least idle.
func Database(t testing.TB) (dsn string) {
	t.Helper()
	db, name, err := shared.database()
	if err != nil {
		t.Fatal(err)
	}
	if err := execute(db, "create database "+name); err != nil {
		t.Fatalf("make database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(db, "drop database "+name); err != nil {
			t.Errorf("drop the test's database; is a transaction still open? %v", err)
		}
	})
	return db.DSN(name)
}

// database returns the server and a name that no other test has.
func (s *server) database() (*privatedb.Server, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.main {
		return nil, "", errors.New("dbtest: TestMain must call dbtest.Main, which stops the server")
	}
	if s.db == nil && s.err == nil {
		s.err = s.start()
	}
	s.named++
	return s.db, fmt.Sprintf("test_%d", s.named), s.err
}

func (s *server) start() error {
	dir, err := makeFolder()
	if err != nil {
		return err
	}
	s.dir = dir
	s.db, err = privatedb.Start(context.Background(), privatedb.Options{
		Dir: dir, BufferPool: bufferPool, Volatile: true, Log: zerolog.Nop(),
	})
	if err != nil {
		return errors.Join(fmt.Errorf("start the tests' database: %w", err), os.RemoveAll(dir))
	}
	return nil
}

func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	err := s.db.Stop(context.Background())
	return errors.Join(err, os.RemoveAll(s.dir))
}

// execute runs a statement on a connection of its own.
func execute(s *privatedb.Server, statement string) error {
	cfg := s.Config("")
	cfg.Params["lock_wait_timeout"] = fmt.Sprint(lockWait)
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}
