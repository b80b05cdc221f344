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

// stateFlag adds --state-dir to a command.
func stateFlag(fs *flag.FlagSet) *string {
	return fs.String("state-dir", "", "`folder` for what has to last; else $MONITOR_STATE_DIR, $STATE_DIRECTORY, or truechimer in the user's configuration folder")
}

// stateDir is the state folder, by the order in which its places are tried; the flag includes $MONITOR_STATE_DIR.
func stateDir(flagged string) (string, error) {
	if flagged != "" {
		return filepath.Abs(flagged)
	}
	if systemd := os.Getenv("STATE_DIRECTORY"); systemd != "" {
		return systemd, nil
	}
	configuration, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the state: %w; name one with --state-dir", err)
	}
	return filepath.Join(configuration, "truechimer"), nil
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
		return fmt.Errorf("the state folder %s belongs to another user (uid %d); choose another with --state-dir", dir, owner.Uid)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("make the state folder private: %w", err)
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

// exists tells whether a path is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
