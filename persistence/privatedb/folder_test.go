package privatedb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The socket is in the folder where its path fits, else in a folder below the temporary one, else nowhere.
func TestSocketIsWhereItsPathFits(t *testing.T) {
	long := "/" + strings.Repeat("x", longestSocket)
	fitting := "/" + strings.Repeat("x", longestSocket-len("//mysql.sock"))
	tests := []struct {
		name      string
		dir, temp string
		want      string // its folder; empty: refused
	}{
		{"short", "/state/db", "/tmp", "/state/db"},
		{"longest", fitting, "/tmp", fitting},
		{"one byte more", fitting + "x", "/tmp", "/tmp"},
		{"an @, which a DSN can't carry", "/me@home/db", "/tmp", "/tmp"},
		{"both long", long, long, ""},
		{"an @ in both", "/a@b", "/c@d", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, err := socketPath(folder(tt.dir), tt.temp)
			if (err != nil) != (tt.want == "") {
				t.Fatalf("error %v, want a socket in %q", err, tt.want)
			}
			if err != nil {
				return
			}
			have := filepath.Dir(path)
			if tt.want != tt.dir {
				have = filepath.Dir(have) // a folder of its own in between
			}
			if have != tt.want || len(path) > longestSocket {
				t.Errorf("have %s (%d bytes), want it in %s", path, len(path), tt.want)
			}
		})
	}
}

// Two folders never share a socket, and one has always the same.
func TestSocketBelongsToOneFolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dirs := rapid.Custom(func(t *rapid.T) string {
			return "/" + rapid.StringMatching(`[a-z@/]{1,200}`).Draw(t, "dir")
		})
		a, b := filepath.Clean(dirs.Draw(t, "a")), filepath.Clean(dirs.Draw(t, "b"))
		ofA, err := socketPath(folder(a), "/tmp")
		if err != nil {
			t.Fatal(err)
		}
		ofB, err := socketPath(folder(b), "/tmp")
		if err != nil {
			t.Fatal(err)
		}
		if (a == b) != (ofA == ofB) {
			t.Fatalf("%s has %s, %s has %s", a, ofA, b, ofB)
		}
	})
}

// A DSN says the same as the configuration it was written from, wherever the socket is.
func TestDSNSaysWhatTheConfigurationSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := filepath.Clean("/" + rapid.StringMatching(`[ -~é]{0,120}`).Draw(t, "dir"))
		socket, err := socketPath(folder(dir), "/tmp")
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{socket: socket}
		have, err := mysql.ParseDSN(s.DSN("work"))
		if err != nil {
			t.Fatal(err)
		}
		want := s.config("work")
		want.Logger, have.Logger = nil, nil // text carries none
		if have.FormatDSN() != want.FormatDSN() || have.Addr != socket || have.DBName != "work" || have.User != "root" {
			t.Fatalf("have %s, want %s", have.FormatDSN(), want.FormatDSN())
		}
		if !have.ParseTime || !have.InterpolateParams || have.Loc.String() != "UTC" {
			t.Fatalf("have %s without the settings of the design", have.FormatDSN())
		}
		if diff := cmp.Diff(map[string]string{"time_zone": "'+00:00'"}, have.Params); diff != "" {
			t.Fatalf("parameters (-want +have):\n%s", diff)
		}
	})
}

// A folder that is missing is made, one that is open is closed, a link to one is followed.
func TestFolderIsClosedToOthers(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	open, link := filepath.Join(base, "open"), filepath.Join(base, "link")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(open, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(base, "a", "b"): filepath.Join(base, "a", "b"),
		open:                          open,
		link:                          open,
	} {
		have, err := makeFolder(path, 1)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(string(have))
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != want || info.Mode().Perm() != 0o700 {
			t.Errorf("%s became %s with mode %o, want %s with 700", path, have, info.Mode().Perm(), want)
		}
	}
}

// What can't be a folder is refused with the way out.
func TestFolderThatCannotBeIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := makeFolder(path, 1); err == nil || !strings.Contains(err.Error(), "--state-dir") {
			t.Errorf("%s: have %v, want a refusal with the way out", path, err)
		}
	}
	if _, err := makeFolder("", 1); err == nil {
		t.Error("no folder at all was taken")
	}
}

// A folder belongs to whom the file system says.
func TestFolderOfAnotherUserIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkOwner(dir, info, os.Geteuid()); err != nil {
		t.Errorf("our own folder: %v", err)
	}
	if err := checkOwner(dir, info, os.Geteuid()+1); err == nil {
		t.Error("a folder of another user was taken")
	}
}

// A disk without the room is refused, and the error says how much is missing.
func TestFullDiskIsRefused(t *testing.T) {
	f := folder(t.TempDir())
	if err := f.checkSpace(1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	const exbibyte = 1 << 60
	if err := f.checkSpace(exbibyte); err == nil || !strings.Contains(err.Error(), "needs 1099511627776") {
		t.Errorf("have %v, want how much it needs", err)
	}
}

// Where the disk has no room for a first start nothing is made; tables that are there take no more than they have.
func TestAFullDiskIsLeftAsItWas(t *testing.T) {
	const exbibyte = 1 << 60
	base := t.TempDir()
	dir := filepath.Join(base, "state", "database")
	if _, err := makeFolder(dir, exbibyte); err == nil || !strings.Contains(err.Error(), "state folder "+dir+" can't be used: its disk has") {
		t.Errorf("have %v, want a refusal that names the folder", err)
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("left: %v (%v)", left, err)
	}
	if err := os.MkdirAll(folder(dir).datadir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := makeFolder(dir, exbibyte); err != nil {
		t.Errorf("with tables: %v", err)
	}
}

// Below the temporary folder only a closed folder of ours holds a socket.
func TestSocketFolderMustBeClosed(t *testing.T) {
	base := t.TempDir()
	closed, open, link, file := filepath.Join(base, "closed"), filepath.Join(base, "open"), filepath.Join(base, "link"), filepath.Join(base, "file")
	err := errors.Join(os.Mkdir(closed, 0o700), os.Mkdir(open, 0o755), os.Symlink(closed, link), os.WriteFile(file, nil, 0o700))
	if err != nil {
		t.Fatal(err)
	}
	for path, fits := range map[string]bool{filepath.Join(base, "new"): true, closed: true, open: false, link: false, file: false} {
		if err := makeSocketFolder(path); (err == nil) != fits {
			t.Errorf("%s: %v, want it taken: %t", filepath.Base(path), err, fits)
		}
	}
}
