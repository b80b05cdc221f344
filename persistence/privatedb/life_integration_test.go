//go:build integration

package privatedb

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// A folder that isn't there becomes a database, closed to others, that keeps what the design asks for.
func TestColdStartMakesADatabase(t *testing.T) {
	dir := newDir(t)
	s := start(t, options(dir))
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if have := info.Mode().Perm(); have != 0o700 {
		t.Errorf("the folder has mode %o, want 700", have)
	}
	if exists(t, folder(dir).unfinished()) {
		t.Error("the unfinished datadir is still there")
	}
	db := connect(t, s, "")
	have := map[string]string{}
	for _, name := range []string{
		"innodb_flush_log_at_trx_commit", "log_bin", "skip_networking", "performance_schema",
		"character_set_server", "time_zone", "sql_mode", "innodb_buffer_pool_size",
	} {
		have[name] = ask(t, db, "select @@"+name)
	}
	want := map[string]string{
		"innodb_flush_log_at_trx_commit": "1", "log_bin": "0", "skip_networking": "1", "performance_schema": "0",
		"character_set_server": "utf8mb4", "time_zone": "+00:00", "innodb_buffer_pool_size": "16777216",
		"sql_mode": have["sql_mode"],
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("settings (-want +have):\n%s", diff)
	}
	for _, mode := range strings.Split(sqlMode, ",") {
		if !strings.Contains(have["sql_mode"], mode) {
			t.Errorf("sql_mode lacks %s: %s", mode, have["sql_mode"])
		}
	}
	if have := ask(t, db, "select @@innodb_doublewrite in ('1', 'ON')"); have != "1" { // 10.11, 11.8
		t.Error("pages are not written twice")
	}
	if have := ask(t, db, "select group_concat(distinct Host order by Host) from mysql.global_priv"); have != "127.0.0.1,::1,localhost" {
		t.Errorf("accounts on %s, want none but those of this machine", have)
	}
}

// What a volatile server gives up is the wait for the disk, nothing else.
func TestVolatileServerDoesNotWaitForTheDisk(t *testing.T) {
	opts := options(newDir(t))
	opts.Volatile = true
	if have := ask(t, connect(t, start(t, opts), ""), "select @@innodb_flush_log_at_trx_commit"); have != "0" {
		t.Errorf("flush is %s, want 0", have)
	}
}

// A database that was stopped comes back with all its rows.
func TestWarmStartKeepsRows(t *testing.T) {
	dir := newDir(t)
	s := start(t, options(dir))
	execute(t, makeNotes(t, s), "insert into notes values (1), (2), (3)")
	stop(t, s)
	if have := countNotes(t, start(t, options(dir))); have != 3 {
		t.Errorf("%d rows, want 3", have)
	}
}

// After Stop nothing is left but files: no process, no socket, no lock; and it isn't taken for an accident.
func TestStopLeavesNothingRunning(t *testing.T) {
	dir := newDir(t)
	s := start(t, options(dir))
	stop(t, s)
	if !nobodyServes(t, dir) {
		t.Error("mariadbd still holds its lock")
	}
	if exists(t, s.Socket()) {
		t.Error("the socket is still there")
	}
	select {
	case <-s.Done():
	default:
		t.Error("Done is not closed")
	}
	if err := s.Err(); err != nil {
		t.Errorf("a stop counts as an accident: %v", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("the second Stop: %v", err)
	}
	log, err := os.ReadFile(folder(dir).errorLog())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "Shutdown complete") || strings.Contains(string(log), "[ERROR]") {
		t.Errorf("the stop wasn't clean:\n%s", log)
	}
}

// A row whose insert was acknowledged is there after mariadbd was killed in mid-write, and its owner hears of the end.
func TestKilledServerLosesNoCommittedRow(t *testing.T) {
	dir := newDir(t)
	s := start(t, options(dir))
	db := makeNotes(t, s)
	acknowledged := make(chan int)
	go func() {
		n := 0
		for {
			if _, err := db.Exec("insert into notes () values ()"); err != nil {
				acknowledged <- n
				return
			}
			if n++; n == 200 {
				s.child.process.Kill() // the loop writes on until it notices
			}
		}
	}()
	want := <-acknowledged
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("why it ended: %v, want that it was killed", err)
	}
	stop(t, s)
	// One insert may have been committed without its answer having come.
	if have := countNotes(t, start(t, options(dir))); have != want && have != want+1 {
		t.Errorf("%d rows, %d were acknowledged", have, want)
	}
}

// A start that is called off, here between the making of the tables and the server's start, leaves nothing running
// and the folder free for the next.
func TestStartCalledOffLeavesNothingRunning(t *testing.T) {
	dir := newDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	opts := options(dir)
	opts.Log = zerolog.New(io.Discard).Hook(zerolog.HookFunc(func(_ *zerolog.Event, _ zerolog.Level, message string) {
		if message == "database made" {
			cancel()
		}
	}))
	if _, err := Start(ctx, opts); !errors.Is(err, context.Canceled) {
		t.Fatalf("have %v, want that it was called off", err)
	}
	if !nobodyServes(t, dir) {
		t.Error("mariadbd still runs")
	}
	start(t, options(dir))
}

// A bootstrap that is called off leaves neither a process nor a datadir.
func TestBootstrapCalledOffLeavesNoDatadir(t *testing.T) {
	dir := newDir(t)
	s, err := prepare(options(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.tmp(), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := s.vacate(t.Context(), orphanTerm, orphanKill)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.bootstrap(ctx, lock); !errors.Is(err, context.Canceled) {
		t.Errorf("have %v, want that it was called off", err)
	}
	lock.Close()
	if !nobodyServes(t, dir) {
		t.Error("mariadbd still runs")
	}
	if exists(t, s.datadir()) || exists(t, s.unfinished()) {
		t.Error("there is a datadir")
	}
}

// What a bootstrap that was cut off has left behind is not taken for a database.
func TestUnfinishedDatadirIsMadeAnew(t *testing.T) {
	dir := newDir(t)
	if err := os.MkdirAll(folder(dir).unfinished(), 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(folder(dir).unfinished(), "ibdata1"), "half a table")
	makeNotes(t, start(t, options(dir)))
}

// An owner killed while it makes the database, whenever exactly, leaves a folder in which the next one starts.
func TestStartFollowsAKilledBootstrap(t *testing.T) {
	dir := newDir(t)
	owner, _ := play(t, ownerRole, dir)
	waitFor(t, "the bootstrap writes", func() bool { return exists(t, filepath.Join(folder(dir).unfinished(), "ibdata1")) })
	kill(t, owner)
	makeNotes(t, start(t, options(dir)))
}

// When its owner is killed the kernel kills mariadbd too; the next owner finds every row.
func TestServerEndsWithItsOwner(t *testing.T) {
	dir := newDir(t)
	owner := startOwner(t, dir)
	s := open(t, options(dir))
	execute(t, makeNotes(t, s), "insert into notes values (1), (2)")
	kill(t, owner)
	waitFor(t, "mariadbd ends", func() bool { return nobodyServes(t, dir) })
	if have := countNotes(t, start(t, options(dir))); have != 2 {
		t.Errorf("%d rows, want 2", have)
	}
}

// A start doesn't wait for an orphan to end by itself, and works at once after the owner was killed.
func TestStartFollowsAKilledOwner(t *testing.T) {
	dir := newDir(t)
	owner := startOwner(t, dir)
	execute(t, makeNotes(t, open(t, options(dir))), "insert into notes values (1), (2)")
	kill(t, owner)
	if have := countNotes(t, start(t, options(dir))); have != 2 {
		t.Errorf("%d rows, want 2", have)
	}
}

// An orphan that doesn't end when told to, here because it is stopped, is killed, and loses nothing by it. With its
// owner the kernel would have killed it, so here the owner lives on and has lost the folder.
func TestOrphanThatHangsIsKilled(t *testing.T) {
	dir := newDir(t)
	owner := start(t, options(dir))
	execute(t, makeNotes(t, owner), "insert into notes values (1), (2)")
	orphan := owner.child.process
	if err := orphan.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { orphan.Kill() }) // should the test fail before it is
	owner.owner.Close()

	s, err := prepare(options(dir))
	if err != nil {
		t.Fatal(err)
	}
	lock, err := s.vacate(t.Context(), 100*time.Millisecond, testPatience)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
	<-owner.Done()
	if err := owner.Err(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("why it ended: %v, want that it was killed", err)
	}
	if have := countNotes(t, start(t, options(dir))); have != 2 {
		t.Errorf("%d rows, want 2", have)
	}
}
