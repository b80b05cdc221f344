package privatedb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// orphanTerm is for an orphan to write its cache to disk; where the kernel has killed it already, to be cleared away.
	orphanTerm = 15 * time.Second

	// orphanKill is for the kernel to clear away a killed one, as killWithin.
	orphanKill = killWithin
)

// vacate takes the server's lock for a new mariadbd. Where an old one still holds it, its owner is dead, since the
// lock of ownership is ours: it is told to end, then killed, and the new one recovers what it had committed.
func (s *site) vacate(ctx context.Context, term, kill time.Duration) (*os.File, error) {
	lock, err := tryLock(s.serverLock(), unix.LOCK_EX)
	if !errors.Is(err, errHeld) {
		return lock, err
	}
	steps := []struct {
		signal syscall.Signal
		within time.Duration
	}{
		{syscall.SIGTERM, term},
		{syscall.SIGKILL, kill},
	}
	for _, step := range steps {
		if err := s.signalOrphan(step.signal); err != nil {
			return nil, err
		}
		lock, err := awaitLock(ctx, s.serverLock(), unix.LOCK_EX, step.within)
		if !errors.Is(err, errPatience) {
			return lock, err
		}
	}
	return nil, fmt.Errorf("state folder %s is held by a mariadbd without an owner that can't be ended: end it by hand (fuser %s)",
		s.folder, s.serverLock())
}

func (s *site) signalOrphan(signal syscall.Signal) error {
	orphan, err := findHolder(s.serverLock())
	if err != nil || orphan == nil { // nil: it has gone meanwhile, or the wait for the lock says that it can't be ended
		return err
	}
	defer orphan.Release()
	s.Log.Warn().Int("pid", orphan.Pid).Stringer("signal", signal).Msg("ending the database that a killed process left")
	if err := orphan.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end orphaned mariadbd %d: %w", orphan.Pid, err)
	}
	return nil
}
