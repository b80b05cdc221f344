package privatedb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// child is a mariadbd that this process has started.
type child struct {
	process *os.Process
	done    chan struct{} // closed when it has ended
	err     error         // how it ended; to be read after done
}

// lockDescriptor is where a child finds the lock that it inherits: the first after the three standard files.
const lockDescriptor = 3

// spawn starts mariadbd. It holds the lock as long as it lives, and is killed when this process dies.
func (s *site) spawn(args []string, stdin io.Reader, lock *os.File) (*child, error) {
	log, err := os.OpenFile(s.errorLog(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, s.unusable(err)
	}
	defer log.Close()
	cmd := exec.Command(s.mariadbd, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, log, log // what it says before it has read its arguments goes there too
	cmd.ExtraFiles = []*os.File{lock}                   // lockDescriptor
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}            // our caller's NOTIFY_SOCKET, MYSQL_HOME and the like aren't for it
	cmd.SysProcAttr = childAttributes()

	c := &child{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kill at our death comes when the thread that started the child ends: this one has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		c.process = cmd.Process
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.mariadbd, err)
	}
	return c, nil
}

// launch starts the server and waits until it answers.
func (s *site) launch(ctx context.Context, lock *os.File) (*child, error) {
	c, err := s.spawn(s.serverArguments(os.Geteuid()), nil, lock)
	if err != nil {
		return nil, err
	}
	server := &Server{site: s, socket: s.socket}
	err = await(ctx, func() (bool, error) {
		if !c.runs() {
			return false, s.explain(c.err)
		}
		return server.answers(ctx), nil
	})
	if err == nil {
		return c, nil
	}
	if c.runs() {
		// Told to end before it answers, mariadbd 10.11 may hang. It is killed: what it hasn't recovered the next start does.
		c.end(0)
		err = s.calledOff(ctx)
	}
	return nil, errors.Join(fmt.Errorf("start the database in %s: %w", s.folder, err), s.withdraw())
}

// calledOff says why a start was given up: its caller didn't want it any more, or mariadbd took too long.
func (s *site) calledOff(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, errPatience) {
		return cause
	}
	return s.explain(fmt.Errorf("no answer within %s", startWithin))
}

// runs tells whether the child hasn't ended yet.
func (c *child) runs() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// killWithin is for the kernel to clear away a killed process; more is a disk that hangs.
const killWithin = 5 * time.Second

// How a child ended that was told to.
var (
	errKilled  = errors.New("mariadbd didn't end when told to and was killed; nothing committed is lost")
	errRemains = errors.New("mariadbd doesn't even end when killed")
)

// end tells the child to end, and kills it when it hasn't within some time; 0: at once.
func (c *child) end(within time.Duration) error {
	steps := []struct {
		signal syscall.Signal
		within time.Duration
		ended  error
	}{
		{syscall.SIGTERM, within, nil},
		{syscall.SIGKILL, killWithin, errKilled},
	}
	for _, step := range steps {
		if err := c.process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end mariadbd: %w", err)
		}
		select {
		case <-c.done:
			return step.ended
		case <-time.After(step.within):
		}
	}
	return errRemains
}
