package privatedb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// start brings the server up. The lock of ownership is the Server's from now on, or given back with the error.
func (s *site) start(ctx context.Context, owner *os.File, t tenure) (_ *Server, err error) {
	defer func() {
		if err != nil {
			owner.Close()
		}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, errPatience)
	defer cancel()
	began := time.Now()
	if err := s.announce(owner, t); err != nil {
		return nil, err
	}
	lock, err := s.vacate(ctx, orphanTerm, orphanKill)
	if err != nil {
		return nil, err
	}
	defer lock.Close() // mariadbd has its own copy of the descriptor
	child, err := s.raise(ctx, lock)
	if err != nil {
		return nil, err
	}
	s.Log.Info().Str("folder", string(s.folder)).Int64("took_ms", time.Since(began).Milliseconds()).Msg("database started")
	return &Server{site: s, socket: s.socket, child: child, owner: owner, linger: t.linger()}, nil
}

// raise does what mariadbd needs before, during and after its start.
func (s *site) raise(ctx context.Context, lock *os.File) (*child, error) {
	installed, err := s.checkVersion(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.furnish(ctx, lock); err != nil {
		return nil, err
	}
	c, err := s.launch(ctx, lock)
	if err != nil {
		return nil, err
	}
	if err := s.noteVersion(installed); err != nil {
		return nil, errors.Join(err, c.end(stopWithin))
	}
	return c, nil
}

// announce says who owns the folder now, having taken away the way to a server whose owner is gone.
func (s *site) announce(owner *os.File, t tenure) error {
	if filepath.Dir(s.socket) != string(s.folder) {
		if err := makeSocketFolder(filepath.Dir(s.socket)); err != nil {
			return err
		}
	}
	if err := removeSocket(s.socket); err != nil {
		return err
	}
	if err := writeNote(owner, note{PID: os.Getpid(), Socket: s.socket, Tenure: t}); err != nil {
		return s.unusable(err)
	}
	return nil
}

// withdraw takes the way to the server away.
func (s *site) withdraw() error {
	err := removeSocket(s.socket)
	if dir := filepath.Dir(s.socket); dir != string(s.folder) {
		os.Remove(dir) // it was for the socket; where it isn't empty it stays
	}
	return err
}

// furnish makes everything in the folder that mariadbd needs: an empty folder for temporary files, a fresh log,
// and the tables where there are none.
func (s *site) furnish(ctx context.Context, lock *os.File) error {
	if err := os.RemoveAll(s.tmp()); err != nil {
		return s.unusable(err)
	}
	if err := os.Mkdir(s.tmp(), 0o700); err != nil {
		return s.unusable(err)
	}
	if err := os.Rename(s.errorLog(), s.errorLog()+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return s.unusable(err)
	}
	switch _, err := os.Stat(s.datadir()); {
	case err == nil:
		return errors.Join(s.checkSpace(spareSpace), s.checkLimit(s.redoLog()))
	case errors.Is(err, os.ErrNotExist):
		return s.bootstrap(ctx, lock)
	default:
		return s.unusable(err)
	}
}
