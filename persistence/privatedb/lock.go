package privatedb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// errHeld tells that somebody else holds a lock.
var errHeld = errors.New("the lock is held")

// tryLock takes an flock(2) on a file, shared or exclusive, or returns errHeld at once.
// Closing the file gives it back, unless a child has inherited the descriptor.
func tryLock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, folder(filepath.Dir(path)).unusable(err)
	}
	err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errHeld
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// awaitLock takes a lock as soon as it is free; errPatience when that lasts too long.
func awaitLock(ctx context.Context, path string, how int, patience time.Duration) (*os.File, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	var lock *os.File
	err := await(ctx, func() (bool, error) {
		var err error
		lock, err = tryLock(path, how)
		if errors.Is(err, errHeld) {
			return false, nil
		}
		return true, err
	})
	return lock, err
}

// tenure is how long an owner means to stay.
type tenure string

const (
	forGood      tenure = "for good"       // a hub: until it is told to end
	forTheMoment tenure = "for the moment" // a command: until its work is done
)

// patience is how long a start waits for an owner. A command will be done soon. A hub won't;
// the second is for one that was killed just now and that the kernel hasn't cleared away yet.
func (t tenure) patience() time.Duration {
	if t == forTheMoment {
		return 20 * time.Second
	}
	return time.Second
}

// linger is how long an owner that stops waits for those that are attached. Nobody waits for a command's exit
// but its user, who can interrupt it; a hub has to end within 5 s in all.
func (t tenure) linger() time.Duration {
	if t == forTheMoment {
		return 30 * time.Second
	}
	return time.Second
}

// note is what the owner writes into owner.lock. It is true as long as the lock is held.
type note struct {
	PID    int    `json:"pid"`
	Socket string `json:"socket"` // owner and attached may have different TMPDIRs
	Tenure tenure `json:"tenure"`
}

func writeNote(owner *os.File, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // a number and two strings always marshal
	}
	if err := owner.Truncate(0); err != nil {
		return err
	}
	_, err = owner.WriteAt(text, 0)
	return err
}

// readNote says who owns the folder; nothing where that one hasn't written it yet.
func (f folder) readNote() note {
	file, err := os.Open(f.ownerLock())
	if err != nil {
		return note{}
	}
	defer file.Close()
	const longest = 64 << 10 // far beyond a note; it bounds what a damaged file costs
	text, err := io.ReadAll(io.LimitReader(file, longest))
	if err != nil {
		return note{}
	}
	return parseNote(text)
}

func parseNote(text []byte) note {
	var n note
	if json.Unmarshal(text, &n) != nil {
		return note{}
	}
	return n
}

// InUseError tells that another process of ours owns the folder and goes on running.
type InUseError struct {
	Dir string
	PID int // 0 where it hasn't said yet
}

func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("state folder %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("state folder %s is in use by process %d", e.Dir, e.PID)
}

// own takes the lock of ownership, waiting for another owner as long as makes sense.
func (s *site) own(ctx context.Context) (*os.File, error) {
	var lock *os.File
	began := time.Now()
	err := await(ctx, func() (bool, error) {
		var err error
		lock, err = tryLock(s.ownerLock(), unix.LOCK_EX)
		if !errors.Is(err, errHeld) {
			return true, err
		}
		if by := s.readNote(); time.Since(began) > by.Tenure.patience() {
			return false, &InUseError{Dir: string(s.folder), PID: by.PID}
		}
		return false, nil
	})
	return lock, err
}
