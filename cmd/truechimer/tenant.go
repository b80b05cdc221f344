package main

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

// tenancy is the right to run a hub in a state folder, which one process has at a time: two would take the commands'
// access to live updates from each other. It is an flock(2), which the kernel takes back however the process ends.
type tenancy struct {
	dir  string
	made bool // the folder wasn't there before
	file *os.File
}

// tenant is who has the tenancy. It writes itself into the file that it locks.
type tenant struct {
	PID int  `json:"pid"`
	Lab bool `json:"lab"` // it runs the lab, not the database of real servers
}

const (
	// moveOutWithin is for a tenant that was killed just now and that the kernel hasn't cleared away yet,
	// and for a command that looks who the tenant is.
	moveOutWithin = time.Second

	// lookAgainEvery is the pause between two looks at the lock.
	lookAgainEvery = 10 * time.Millisecond
)

// moveIn makes the state folder where it is missing and takes the tenancy.
func moveIn(ctx context.Context, stateFlag string) (*tenancy, error) {
	dir, err := stateDir(stateFlag)
	if err != nil {
		return nil, err
	}
	t := &tenancy{dir: dir, made: !exists(dir)}
	if err := t.enter(); err != nil {
		return nil, err
	}
	if err = t.lock(ctx); err == nil {
		err = t.sign(false)
	}
	if err != nil {
		t.file.Close()
		return nil, err
	}
	return t, nil
}

// enter opens the file that is to be locked, and makes it where it is missing.
func (t *tenancy) enter() error {
	if err := makePrivate(t.dir); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(t.dir, tenantFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return unusable(err)
	}
	t.file = file
	return nil
}

// isCurrent tells whether the file is still the folder's: a lock on one that was removed excludes nobody.
func (t *tenancy) isCurrent() bool {
	mine, err := t.file.Stat()
	there, missing := os.Stat(filepath.Join(t.dir, tenantFile))
	return err == nil && missing == nil && os.SameFile(mine, there)
}

// lock waits a moment for a tenant who is on his way out.
func (t *tenancy) lock(ctx context.Context) error {
	patience := time.After(moveOutWithin)
	for {
		err := unix.Flock(int(t.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil && t.isCurrent():
			return nil
		case err == nil: // the one before us has taken it along
			t.file.Close()
			if err := t.enter(); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return unusable(fmt.Errorf("lock %s: %w", t.file.Name(), err))
		}
		select {
		case <-time.After(lookAgainEvery):
		case <-ctx.Done():
			return ctx.Err()
		case <-patience:
			return fmt.Errorf("process %d runs a hub in the state folder %s already; end it first, or choose another with --state-dir",
				readTenant(t.file).PID, t.dir)
		}
	}
}

// sign says that this process is the tenant, and whether it runs the lab.
func (t *tenancy) sign(isLab bool) error {
	text, err := json.Marshal(tenant{PID: os.Getpid(), Lab: isLab})
	if err != nil {
		panic(err) // a number and a truth always marshal
	}
	if err = t.file.Truncate(0); err == nil {
		_, err = t.file.WriteAt(text, 0)
	}
	if err != nil {
		return unusable(err)
	}
	return nil
}

// moveOut gives the tenancy back. Who has put nothing else into the folder leaves nothing there.
func (t *tenancy) moveOut() {
	defer t.file.Close() // last: until then nobody else can have put anything there either
	if entries, err := os.ReadDir(t.dir); err != nil || len(entries) != 1 || !t.isCurrent() {
		return
	}
	os.Remove(t.file.Name())
	if t.made {
		os.Remove(t.dir) // unless somebody has just come in
	}
}

// tenantOf is who runs a hub in a state folder; false: nobody.
func tenantOf(dir string) (tenant, bool) {
	file, err := os.Open(filepath.Join(dir, tenantFile))
	if err != nil {
		return tenant{}, false
	}
	defer file.Close()
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == nil {
		return tenant{}, false
	}
	return readTenant(file), true
}

// readTenant reads who the tenant is; the zero tenant where he hasn't said so yet.
func readTenant(file *os.File) (t tenant) {
	const longest = 1 << 10 // far beyond what one writes
	text, err := io.ReadAll(io.NewSectionReader(file, 0, longest))
	if err != nil || json.Unmarshal(text, &t) != nil {
		return tenant{}
	}
	return t
}
