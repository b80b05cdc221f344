//go:build unix && !linux

package privatedb

import (
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttributes keep the child from the terminal's Ctrl-C. Only Linux ends a child with its parent;
// elsewhere an orphan stays until it is ended by hand.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// syncFilesystem puts everything on disk; there is no call for one file system alone.
func syncFilesystem(string) error {
	unix.Sync()
	return nil
}

// freeSpace sets no bound: each system answers this in a way of its own. mariadbd says when its disk is full.
func freeSpace(string) (int64, error) {
	return math.MaxInt64, nil
}

// findHolder finds nobody: there is no /proc that says who has a file open.
func findHolder(string) (*os.Process, error) {
	return nil, nil
}
