package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// home is the folder of one database and of its keeper, the process that runs in the background and owns the server,
// which lives no longer than its owner.
//
//	database/     what privatedb keeps
//	keeper.lock   locked by the keeper as long as it lives
//	keeper.log    what it has to say
type home struct {
	dir    string // absolute
	listen string
}

// keeperCommand is what start tells the program that it leaves behind.
const keeperCommand = "keep"

const (
	// stopWithin bounds a stop: privatedb gives those attached 1 s and mariadbd 3 s before it kills it.
	stopWithin = 15 * time.Second

	// pollInterval is the pause between two looks at the keeper's lock.
	pollInterval = 10 * time.Millisecond
)

func newHome(dir, listen string) (home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return home{}, fmt.Errorf("find folder of the database: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return home{}, fmt.Errorf("make folder of the database: %w", err)
	}
	return home{dir, listen}, nil
}

func (h home) database() string { return filepath.Join(h.dir, "database") }
func (h home) lockFile() string { return filepath.Join(h.dir, "keeper.lock") }
func (h home) logFile() string  { return filepath.Join(h.dir, "keeper.log") }

// errKept tells that there is a keeper already.
var errKept = errors.New("it runs already")

// claim takes the keeper's lock for as long as the file stays open, or returns errKept.
func (h home) claim() (*os.File, error) {
	file, err := os.OpenFile(h.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the keeper's lock: %w", err)
	}
	err = unix.FcntlFlock(file.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) { // POSIX lets a system choose
		return nil, errKept
	}
	return nil, fmt.Errorf("lock %s: %w", h.lockFile(), err)
}

// keeper is the process id of the keeper, 0 where there is none. The kernel knows it from the lock, so it is never stale.
func (h home) keeper() (pid int, err error) {
	file, err := os.OpenFile(h.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fmt.Errorf("open the keeper's lock: %w", err)
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_GETLK, &lock); err != nil {
		return 0, fmt.Errorf("ask who locks %s: %w", h.lockFile(), err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	return int(lock.Pid), nil
}

// start leaves a keeper behind, in a session of its own so that no terminal ends it, and waits until its database answers.
func (h home) start(ctx context.Context, out io.Writer) error {
	switch pid, err := h.keeper(); {
	case err != nil:
		return err
	case pid != 0:
		fmt.Fprintf(out, "runs already, kept by process %d\n", pid)
		return nil
	}
	log, err := os.OpenFile(h.logFile(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("open the keeper's log: %w", err)
	}
	defer log.Close()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	keeper := exec.Command(program, "-dir", h.dir, "-listen", h.listen, keeperCommand)
	keeper.Stderr = log
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	said, err := keeper.StdoutPipe()
	if err != nil {
		return fmt.Errorf("make a pipe from the keeper: %w", err)
	}
	if err := keeper.Start(); err != nil {
		return fmt.Errorf("start the keeper: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = keeper.Process.Signal(syscall.SIGTERM) })()
	return h.hear(said, keeper, out)
}

// hear passes on what the keeper says when the database is ready. It closes its output then, or ends and says why.
func (h home) hear(said io.Reader, keeper *exec.Cmd, out io.Writer) error {
	text, err := io.ReadAll(said)
	if err != nil {
		return fmt.Errorf("listen to the keeper: %w", err)
	}
	if len(text) > 0 {
		_, err := out.Write(text)
		return errors.Join(err, keeper.Process.Release())
	}
	err = keeper.Wait()
	reason, _ := os.ReadFile(h.logFile()) // without it there is still how the keeper ended
	return fmt.Errorf("the keeper ended (%w): %s", err, bytes.TrimSpace(reason))
}

// stop tells the keeper to end, and waits until it has.
func (h home) stop(ctx context.Context, out io.Writer) error {
	pid, err := h.keeper()
	if err != nil || pid == 0 {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("end the keeper, process %d: %w", pid, err)
	}
	if err := h.awaitEnd(ctx); err != nil {
		return fmt.Errorf("end the keeper, process %d: %w", pid, err)
	}
	fmt.Fprintln(out, "stopped")
	return nil
}

func (h home) awaitEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stopWithin, errors.New("it doesn't end; "+h.logFile()+" may say why"))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if pid, err := h.keeper(); err != nil || pid == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// restart stops the database where it runs, and starts it.
func (h home) restart(ctx context.Context, out, notes io.Writer) error {
	if err := h.stop(ctx, notes); err != nil {
		return err
	}
	if err := h.start(ctx, out); err != nil {
		return err
	}
	fmt.Fprintln(notes, "restarted")
	return nil
}

// reset starts the database anew, empty.
func (h home) reset(ctx context.Context, out, notes io.Writer) error {
	if err := h.stop(ctx, notes); err != nil {
		return err
	}
	if err := os.RemoveAll(h.database()); err != nil {
		return fmt.Errorf("remove the database: %w", err)
	}
	fmt.Fprintln(notes, "emptied")
	return h.start(ctx, out)
}
