package privatedb

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// folder is the absolute path of the database's folder, without symbolic links.
type folder string

func (f folder) datadir() string    { return filepath.Join(string(f), "datadir") }
func (f folder) unfinished() string { return filepath.Join(string(f), "datadir.new") }
func (f folder) tmp() string        { return filepath.Join(string(f), "tmp") }
func (f folder) errorLog() string   { return filepath.Join(string(f), "error.log") }
func (f folder) pidFile() string    { return filepath.Join(string(f), "mariadbd.pid") }
func (f folder) version() string    { return filepath.Join(string(f), "version") }
func (f folder) ownerLock() string  { return filepath.Join(string(f), "owner.lock") }
func (f folder) serverLock() string { return filepath.Join(string(f), "server.lock") }
func (f folder) usersLock() string  { return filepath.Join(string(f), "users.lock") }

// unusable says in which folder something failed, and the way out.
func (f folder) unusable(err error) error {
	return fmt.Errorf("state folder %s can't be used: %w; make room or give access, or choose another with --state-dir", f, err)
}

// makeFolder makes the folder where it is missing, and makes sure that it is ours and that nobody else can enter. Where
// there are no tables yet, and the disk has no room for the bytes that they need, nothing is made.
func makeFolder(dir string, need int64) (folder, error) {
	if dir == "" {
		return "", errors.New("the private database needs a folder")
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", folder(dir).unusable(err)
	}
	if err := folder(path).checkRoom(need); err != nil {
		return "", err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", folder(path).unusable(err)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", folder(path).unusable(err)
	}
	f := folder(path)
	info, err := os.Stat(path)
	if err != nil {
		return "", f.unusable(err)
	}
	if err := checkOwner(path, info, os.Geteuid()); err != nil {
		return "", err
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(path, 0o700); err != nil { // the socket asks for no password: the folder is its guard
			return "", f.unusable(err)
		}
	}
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return "", f.unusable(err)
	}
	return f, nil
}

// checkOwner refuses a folder of somebody else: its owner could read, change and replace what we put there.
func checkOwner(path string, info fs.FileInfo, uid int) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == uid {
		return nil
	}
	return fmt.Errorf("folder %s belongs to user %d, and this is user %d: run as that user, or choose another with --state-dir",
		path, stat.Uid, uid)
}

// spareSpace is what a disk must have left at a start, in bytes: for InnoDB's temporary tables and the files that grow
// first. With less mariadbd may not fail but wait for space, without end and without an answer.
const spareSpace = 64 << 20

// firstTables is what else a first start writes, in bytes: InnoDB's own files and a hub's empty tables take
// 81 MiB besides the redo log. Without this the disk would be full in the midst of making them.
const firstTables = 96 << 20

// checkRoom refuses a first start where the disk has no room for the tables.
func (f folder) checkRoom(need int64) error {
	if _, err := os.Stat(f.datadir()); err == nil {
		return nil
	}
	return f.checkSpace(need)
}

// checkSpace refuses a disk that is as good as full; the folder itself may still be missing.
func (f folder) checkSpace(need int64) error {
	there := string(f)
	for _, err := os.Stat(there); errors.Is(err, os.ErrNotExist) && there != filepath.Dir(there); _, err = os.Stat(there) {
		there = filepath.Dir(there)
	}
	free, err := freeSpace(there)
	if err != nil {
		return f.unusable(err)
	}
	if free >= need {
		return nil
	}
	return f.unusable(fmt.Errorf("its disk has %d MiB left, and the database needs %d", free>>20, need>>20))
}

// checkLimit refuses to open tables where no file may grow to some size: mariadbd would wait without end for a write of
// its log that never goes through, and what it leaves when it is killed then, it can't recover. While it makes the tables
// it says by itself what keeps it from writing, and there is nothing to lose.
func (f folder) checkLimit(need int64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return f.unusable(fmt.Errorf("ask for the limit on the size of files: %w", err))
	}
	if limit.Cur >= uint64(need) {
		return nil
	}
	return fmt.Errorf("the files in %s may not grow beyond %d MiB, and the database needs %d: raise the limit (ulimit -f)",
		f, limit.Cur>>20, need>>20)
}

// longestSocket is the longest path of a unix socket: sun_path has 108 bytes and ends in a zero (unix(7)).
const longestSocket = 107

// socketPath says where the socket is: in the folder; where that path is too long, or can't be written in a DSN,
// which takes an @ for the end of the user's name, in a folder of our own below temp, named after the first one.
func socketPath(f folder, temp string) (string, error) {
	const name = "mysql.sock"
	path := filepath.Join(string(f), name)
	if fitsSocket(path) {
		return path, nil
	}
	sum := sha256.Sum256([]byte(f))
	path = filepath.Join(temp, fmt.Sprintf("truechimer-%x", sum[:8]), name)
	if fitsSocket(path) {
		return path, nil
	}
	return "", fmt.Errorf("no room for a socket of at most %d bytes, without @, in %s or %s: choose a shorter --state-dir or TMPDIR",
		longestSocket, f, temp)
}

func fitsSocket(path string) bool {
	return len(path) <= longestSocket && !strings.Contains(path, "@")
}

// makeSocketFolder makes a folder below the temporary one, where anybody may have put anything:
// it has to be a folder, ours, and closed to others.
func makeSocketFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		return nil
	}
	if !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make folder for the database's socket: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at folder for the database's socket: %w", err)
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("%s, for the database's socket, must be a folder of mode 0700 and is %s: remove it", path, info.Mode())
	}
	return checkOwner(path, info, os.Geteuid())
}

func removeSocket(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the database's socket: %w", err)
	}
	return nil
}
