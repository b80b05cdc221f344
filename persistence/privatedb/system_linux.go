package privatedb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttributes let the kernel kill the child when we die, and keep it from the terminal's Ctrl-C,
// which is for us alone: the server ends after those who write to it. To be told to end, by SIGTERM, would do for a
// server in service, but one that still starts may hang from it (see launch), and nobody would be left to kill it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// syncFilesystem puts everything below a folder on disk.
func syncFilesystem(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// freeSpace is how many bytes we may still write to a folder's disk; a quota isn't seen.
func freeSpace(path string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return 0, fmt.Errorf("ask for the space on disk: %w", err)
	}
	return int64(stat.Bavail) * stat.Bsize, nil
}

// findHolder finds the mariadbd that has inherited a lock; nil where nobody has, or none that this user may look at.
// It is the lock's descriptor that proves it: a process id in a file may be anybody's by now.
func findHolder(lock string) (*os.Process, error) {
	want, err := os.Stat(lock)
	if err != nil {
		return nil, fmt.Errorf("look at lock: %w", err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// The handle comes before the look: what was looked at is what gets the signal, even if the id is reused.
		process, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		if have, err := os.Stat(fmt.Sprintf("/proc/%d/fd/%d", pid, lockDescriptor)); err == nil && os.SameFile(want, have) && isMariadbd(pid) {
			return process, nil
		}
		process.Release()
	}
	return nil, nil
}

func isMariadbd(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	program, _, _ := strings.Cut(string(line), "\x00")
	return filepath.Base(program) == "mariadbd"
}
