//go:build integration

package privatedb

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the folder's path is too long for a socket, the socket is in a private folder of its own; commands find it
// there, and a clean stop takes it away.
func TestLongPathHasItsSocketElsewhere(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp")
	dir := filepath.Join(newDir(t), strings.Repeat("long/", 30))
	hub := start(t, options(dir))
	place := filepath.Dir(hub.Socket())
	info, err := os.Stat(place)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(place) != "/tmp" || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket is in %s, mode %o", place, info.Mode().Perm())
	}
	t.Setenv("TMPDIR", t.TempDir()) // the command's may be another
	command := open(t, options(dir))
	makeNotes(t, command)
	if err := addRow(command); err != nil {
		t.Error(err)
	}
	stop(t, command)
	stop(t, hub)
	if exists(t, place) {
		t.Errorf("%s is left behind", place)
	}
}

// In the temporary folder anybody may have put something where our socket would be: then there is no start.
func TestSocketFolderOfAnybodyIsRefused(t *testing.T) {
	temp, err := os.MkdirTemp("/tmp", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	t.Setenv("TMPDIR", temp)
	dir := filepath.Join(newDir(t), strings.Repeat("long/", 30))
	socket, err := socketPath(folder(dir), temp)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Dir(socket)); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), options(dir))
	if err == nil || !strings.Contains(err.Error(), "must be a folder of mode 0700") {
		t.Errorf("have %v, want that the link is refused", err)
	}
}

// Each of these ends in one line that says what is wrong and what to do, and leaves nothing running.
func TestStartSaysWhatIsWrong(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, f folder) // after a first start and stop
		want  string
	}{
		{"tables of a newer MariaDB", func(t *testing.T, f folder) {
			overwrite(t, f.version(), "99.1\n")
		}, "was written by MariaDB 99.1"},
		{"damaged InnoDB", func(t *testing.T, f folder) {
			overwrite(t, filepath.Join(f.datadir(), "ibdata1"), strings.Repeat("x", 12<<20))
		}, "damaged"},
		{"InnoDB is gone", func(t *testing.T, f folder) {
			overwrite(t, filepath.Join(f.datadir(), "ibdata1"), "")
		}, "damaged"},
		{"system tables are gone", func(t *testing.T, f folder) {
			if err := os.RemoveAll(filepath.Join(f.datadir(), "mysql")); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		{"datadir is a file", func(t *testing.T, f folder) {
			if err := os.RemoveAll(f.datadir()); err != nil {
				t.Fatal(err)
			}
			overwrite(t, f.datadir(), "")
		}, "damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := newDir(t)
			stop(t, start(t, options(dir)))
			tt.spoil(t, folder(dir))
			s, err := Start(t.Context(), options(dir))
			if err == nil {
				s.Stop(t.Context())
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("have %q, want one line with %q", err, tt.want)
			}
			if !nobodyServes(t, dir) {
				t.Error("mariadbd still runs")
			}
		})
	}
}

func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A folder of another user is refused before anything is put there. Root gives one away, others take root's.
func TestFolderOfSomebodyElseIsRefused(t *testing.T) {
	const nobody = 65534
	dir := "/usr"
	if os.Geteuid() == 0 {
		dir = t.TempDir()
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Start(t.Context(), options(dir))
	if err == nil || !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("have %v, want whose it is", err)
	}
	if exists(t, folder(dir).ownerLock()) {
		t.Error("something was put there")
	}
}

// For development the server listens on a port of loopback as well; one that is taken is named.
func TestListenOpensAPortOfLoopback(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	opts := options(newDir(t))
	opts.Listen = taken.Addr().String()
	if _, err := Start(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "port") {
		t.Errorf("have %v, want that the port is taken", err)
	}
	taken.Close()
	start(t, opts)
	db, err := sql.Open("mysql", "root@tcp("+opts.Listen+")/")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if have := ask(t, db, "select 1"); have != "1" {
		t.Errorf("have %s, want 1", have)
	}
}
