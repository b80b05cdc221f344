//go:build integration

package privatedb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// A second hub on the same folder is told which process has it, soon enough for whoever waits at a terminal.
func TestSecondStartSaysWhoUsesTheFolder(t *testing.T) {
	dir := newDir(t)
	owner := startOwner(t, dir)
	_, err := Start(t.Context(), options(dir))
	var inUse *InUseError
	if !errors.As(err, &inUse) {
		t.Fatalf("have %v, want an InUseError", err)
	}
	if inUse.PID != owner.Process.Pid {
		t.Errorf("it names process %d, want %d", inUse.PID, owner.Process.Pid)
	}
	if want := fmt.Sprintf("state folder %s is in use by process %d", dir, owner.Process.Pid); err.Error() != want {
		t.Errorf("have %q, want %q", err, want)
	}
}

// A command uses the server of a running hub, and leaves it running.
func TestOpenAttachesToARunningServer(t *testing.T) {
	dir := newDir(t)
	hub := start(t, options(dir))
	makeNotes(t, hub)
	command := open(t, options(dir))
	if err := addRow(command); err != nil {
		t.Fatal(err)
	}
	stop(t, command)
	if have := countNotes(t, hub); have != 1 {
		t.Errorf("%d rows, want 1", have)
	}
}

// A hub that starts while a command has the database waits for it instead of failing.
func TestStartWaitsForACommand(t *testing.T) {
	dir := newDir(t)
	command := open(t, options(dir))
	makeNotes(t, command)
	var gone atomic.Bool
	var running errgroup.Group
	running.Go(func() error {
		hub, err := Start(t.Context(), options(dir))
		if err != nil {
			return err
		}
		if !gone.Load() {
			return errors.Join(errors.New("the hub started beside the command"), hub.Stop(t.Context()))
		}
		return hub.Stop(t.Context())
	})
	longerThanAHubWaits(t, command)
	gone.Store(true)
	stop(t, command)
	if err := running.Wait(); err != nil {
		t.Error(err)
	}
}

// longerThanAHubWaits keeps a server at work for longer than an owner for good would be waited for.
func longerThanAHubWaits(t *testing.T, s *Server) {
	t.Helper()
	ask(t, connect(t, s, ""), fmt.Sprintf("select sleep(%f)", (forGood.patience()+forGood.patience()/2).Seconds()))
}

// A command that has started the database stays until the ones that attached to it are done.
func TestCommandThatStartedItWaitsForTheOthers(t *testing.T) {
	dir := newDir(t)
	first := open(t, options(dir))
	second := open(t, options(dir))
	if second.child != nil {
		t.Fatal("the second command started a server of its own")
	}
	var done atomic.Bool
	var stopping errgroup.Group
	stopping.Go(func() error {
		err := first.Stop(context.Background())
		if !done.Load() {
			return errors.Join(err, errors.New("the server was stopped while it was in use"))
		}
		return err
	})
	longerThanAHubWaits(t, second)
	done.Store(true)
	stop(t, second)
	if err := stopping.Wait(); err != nil {
		t.Error(err)
	}
}

// A hub has to end within seconds: it doesn't wait for a command that doesn't end.
func TestHubEndsThoughACommandIsAttached(t *testing.T) {
	dir := newDir(t)
	hub := start(t, options(dir))
	command := open(t, options(dir))
	began := time.Now()
	stop(t, hub)
	if took, most := time.Since(began), forGood.linger()+stopWithin; took > most {
		t.Errorf("the stop took %s, want at most %s", took, most)
	}
	if command.answers(t.Context()) {
		t.Error("the command's server still answers")
	}
	stop(t, command)
}

// The end of the context ends the wait for others, not the care for the database.
func TestInterruptedStopIsClean(t *testing.T) {
	dir := newDir(t)
	first := open(t, options(dir))
	open(t, options(dir))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.Stop(ctx); err != nil {
		t.Error(err)
	}
	if !nobodyServes(t, dir) {
		t.Error("mariadbd still runs")
	}
}

// Commands at once, in one process and in many, share a server or follow each other; none fails, no row is lost.
func TestCommandsAtOnceAllSucceed(t *testing.T) {
	const inHere, others, each = 4, 4, 5
	dir := newDir(t)
	s := start(t, options(dir))
	makeNotes(t, s)
	stop(t, s)
	var commands errgroup.Group
	for range others {
		_, out := play(t, visitorRole, dir)
		commands.Go(func() error {
			line, err := out.ReadString('\n')
			if strings.TrimSpace(line) != "done" {
				return fmt.Errorf("a visitor said %q, %w", line, err)
			}
			return nil
		})
	}
	for range inHere {
		commands.Go(func() error {
			for range each {
				s, err := Open(t.Context(), options(dir))
				if err != nil {
					return err
				}
				if err := errors.Join(addRow(s), s.Stop(t.Context())); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := commands.Wait(); err != nil {
		t.Fatal(err)
	}
	if have, want := countNotes(t, open(t, options(dir))), inHere*each+others; have != want {
		t.Errorf("%d rows, want %d", have, want)
	}
}
