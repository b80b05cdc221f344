package dbtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	// memory is a file system in memory that every Linux has.
	memory = "/dev/shm"

	// memoryNeeded is what it must have free, in bytes: 45 MiB for an empty server, the rest for what tests write and for
	// the packages that are tested at the same time. A container gets 64 MiB by default, which would be too little.
	memoryNeeded = 512 << 20
)

// fastFolder is where the servers' folders go: in memory where there is room, else with the other temporary files.
func fastFolder() string {
	var stat unix.Statfs_t
	if unix.Access(memory, unix.W_OK) == nil && unix.Statfs(memory, &stat) == nil &&
		uint64(stat.Bavail)*uint64(stat.Bsize) >= memoryNeeded {
		return memory
	}
	return os.TempDir()
}

// TempDir is a folder for a test that runs a database by itself, in memory where there is room. It is gone after the test.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test's folder: %v", err)
		}
	})
	return dir
}

// makeFolder makes a folder that another test process removes where this one can't.
func makeFolder() (string, error) {
	base := fastFolder()
	sweep(base)
	dir, err := os.MkdirTemp(base, folderName(os.Getpid())+"*")
	if err != nil {
		return "", fmt.Errorf("make folder for the tests' database: %w", err)
	}
	return dir, nil
}

// folderName is how the folder of a test process begins. The process id tells later ones whether it is still in use.
func folderName(pid int) string {
	return fmt.Sprintf("truechimer-dbtest-%d-", pid)
}

// sweep removes what killed test processes have left, which would stay in memory until the next boot.
// It is no error to fail: others' folders can't be removed, and another process may be sweeping too.
func sweep(base string) {
	folders, err := filepath.Glob(filepath.Join(base, "truechimer-dbtest-*"))
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, dir := range folders {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "truechimer-dbtest-%d-", &pid); err != nil {
			continue
		}
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			os.RemoveAll(dir)
		}
	}
}
