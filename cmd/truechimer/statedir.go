package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// What is in a state folder, each where there is a use for it.
const (
	databaseFolder = "database"   // the private database
	labFolder      = "lab"        // that of the lab, in a state folder of its own: its scores are no real servers'
	liveFile       = "live.json"  // how commands of the same user follow the hub live
	identityFile   = "agent.pem"  // an agent's identity
	tenantFile     = "tenant.pid" // which process runs a hub here
)

// databaseDir is the private database's folder in a state folder.
func databaseDir(state string) string { return filepath.Join(state, databaseFolder) }

// stateFlag adds --state-dir to a command.
func stateFlag(fs *flag.FlagSet) *string {
	return fs.String("state-dir", "", "`folder` for what has to last; else $MONITOR_STATE_DIR, $STATE_DIRECTORY, or truechimer in the user's configuration folder")
}

// stateDir is the state folder, by the order in which its places are tried; the flag includes $MONITOR_STATE_DIR.
func stateDir(flagged string) (string, error) {
	if flagged != "" {
		return filepath.Abs(flagged)
	}
	if places := filepath.SplitList(os.Getenv("STATE_DIRECTORY")); len(places) > 0 && places[0] != "" {
		return places[0], nil // systemd.exec(5): several are parted by colons
	}
	configuration, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the state: %w; name one with --state-dir", err)
	}
	return filepath.Join(configuration, "truechimer"), nil
}

// unusable is why nothing can be written to the state folder, with the way out.
func unusable(err error) error {
	return fmt.Errorf("use the state folder: %w; make room or give access, or choose another with --state-dir", err)
}

// makePrivate makes a folder that nobody else may look into, or takes one that is there and ours.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w; choose another with --state-dir", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the state folder: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("the state folder %s belongs to another user (uid %d); run as that user, or choose another with --state-dir", dir, owner.Uid)
	}
	if info.Mode().Perm() == 0o700 {
		return nil
	}
	if err := checkClosable(dir, info); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("make the state folder private: %w", err)
	}
	return nil
}

// checkClosable refuses a folder that isn't for us alone: to close somebody's home or /tmp to all others would do harm.
func checkClosable(dir string, info fs.FileInfo) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look into the state folder: %w; choose another with --state-dir", err)
	}
	for _, entry := range entries {
		switch entry.Name() {
		case databaseFolder, labFolder, liveFile, identityFile, tenantFile:
			return nil
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("the state folder %s is open to others (mode %#o) and holds other things; choose another with --state-dir, or close it: chmod 700 %s",
			dir, info.Mode().Perm(), dir)
	}
	return nil
}

// replaceFile writes a private file so that at any moment the old one or the new one is there, whole.
func replaceFile(path string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temporary.Name()) // does nothing once it has its name
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// createFile writes a private file where there is none of its name.
func createFile(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		os.Remove(path) // a part of it is of no use
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// exists tells whether a path is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
