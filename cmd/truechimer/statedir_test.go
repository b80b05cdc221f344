package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The state folder is the flag's (or its variable's), else systemd's, else one in the user's configuration folder.
func TestTheStateFolderHasItsOrder(t *testing.T) {
	clean(t)
	home := os.Getenv("HOME")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := func(want, flagged string) {
		t.Helper()
		if have, err := stateDir(flagged); err != nil || have != want {
			t.Errorf("want %s, have %s (%v)", want, have, err)
		}
	}
	want(filepath.Join(home, ".config", "truechimer"), "")
	t.Setenv("XDG_CONFIG_HOME", "/srv/configuration")
	want("/srv/configuration/truechimer", "")
	t.Setenv("STATE_DIRECTORY", "/var/lib/truechimer")
	want("/var/lib/truechimer", "")
	t.Setenv("STATE_DIRECTORY", "/var/lib/truechimer:/var/lib/other")
	want("/var/lib/truechimer", "")
	want("/srv/state", "/srv/state")
	want(filepath.Join(here, "state"), "state")

	t.Setenv("STATE_DIRECTORY", "")
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	if dir, err := stateDir(""); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("who has no home is told of --state-dir, have %s and %v", dir, err)
	}
}

// A state folder is made with what is above it, closed to others where it is ours alone, and taken again.
func TestAStateFolderIsMadeAndClosed(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"missing": 0, "open": 0o755, "closed": 0o700, "not to be written": 0o500} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "b")
			if mode != 0 {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(dir, mode); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := makePrivate(dir); err != nil {
					t.Fatal(err)
				}
			}
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("want mode 0700, have %v (%v)", info.Mode(), err)
			}
		})
	}
}

// A folder of ours that somebody opened is closed again; one with other things in it is left alone.
func TestAFolderWithOtherThingsIsLeftAlone(t *testing.T) {
	ours := t.TempDir()
	if err := os.Mkdir(databaseDir(ours), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(ours, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := makePrivate(ours); err != nil {
		t.Error(err)
	}

	others := t.TempDir()
	if err := os.WriteFile(filepath.Join(others, "letter"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(others, 0o755); err != nil {
		t.Fatal(err)
	}
	err := makePrivate(others)
	if err == nil || !strings.Contains(err.Error(), "is open to others (mode 0755) and holds other things; choose another with --state-dir") {
		t.Errorf("have %v", err)
	}
	if info, err := os.Stat(others); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("its mode has changed to %v (%v)", info.Mode(), err)
	}
	if err := os.Chmod(others, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := makePrivate(others); err != nil {
		t.Errorf("whoever closes it may use it: %v", err)
	}
}

// somebodyElses is a folder of another user: root gives one away, others take one of root's.
func somebodyElses(t *testing.T) string {
	t.Helper()
	const nobody = 65534
	if os.Geteuid() != 0 {
		return "/usr"
	}
	dir := t.TempDir()
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A folder of somebody else is refused: he could read and replace what we put there.
func TestAFolderOfSomebodyElseIsRefused(t *testing.T) {
	dir := somebodyElses(t)
	err := makePrivate(dir)
	if err == nil || !strings.Contains(err.Error(), dir+" belongs to another user") || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("have %v", err)
	}
}

// What stands in the way of a folder is said, with the way out.
func TestWhatIsNoFolderIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below"), "/proc/none"} {
		if err := makePrivate(path); err == nil || !strings.Contains(err.Error(), "--state-dir") {
			t.Errorf("%s: have %v", path, err)
		}
	}
}

// A file that is replaced is the old one or the new one, private, and nothing else is left in its folder.
func TestAFileIsReplacedWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"old", "new"} {
		if err := replaceFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		wantAlone(t, path, text)
	}
	if err := replaceFile(filepath.Join(dir, "missing", "file"), nil); err == nil || !strings.Contains(err.Error(), "missing/file") {
		t.Errorf("want the file named, have %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(filepath.Join(dir, "folder"), []byte("new")); err == nil {
		t.Error("a folder was replaced")
	}
	if err := os.Remove(filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	wantAlone(t, path, "new")
}

// A file that is made isn't there before; one that is there stays as it is.
func TestAFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := createFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := createFile(path, []byte("second")); err == nil {
		t.Error("it was made twice")
	}
	wantAlone(t, path, "first")
}

// wantAlone wants a private file with a text, alone in its folder.
func wantAlone(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || string(text) != want {
		t.Errorf("want %q, have %q (%v)", want, text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want mode 0600, have %v (%v)", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("want it alone, have %v (%v)", entries, err)
	}
}
