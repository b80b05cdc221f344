// Package privatedb runs a MariaDB server of one's own as a child process: the database of one machine, of tests
// and of CI. Nothing but the program mariadbd must be installed; no service, no account, no port.
//
// # The folder
//
// Everything is in one folder (mode 0700, ours alone):
//
//	datadir/     the tables; made in datadir.new/ and renamed when it is whole
//	mysql.sock   the socket; in a private folder under os.TempDir where this path is too long for one
//	error.log    what mariadbd says since its start, error.log.old what it said before that
//	version      the newest MariaDB that has run here
//	tmp/         mariadbd's temporary files
//	*.lock       see below; never removed, for a lock on a removed file excludes nobody
//
// # Who may do what
//
// Three locks decide, each an flock(2), which the kernel gives back however its holder ends:
//
//	owner.lock   exclusive, the process that started mariadbd, which alone may stop it. Its note names the process.
//	server.lock  exclusive, mariadbd itself, through a descriptor that it inherits: held until it is really gone.
//	users.lock   shared, each process that is attached to an owner's server;
//	             exclusive, the owner while it stops the server.
//
//	owner.lock  server.lock
//	free        free         nothing runs: start
//	held        any          somebody runs it: Open attaches, Start waits a while and then says who
//	free        held         an orphan, whose owner was killed: it is ended, then started anew
//
// The kernel kills mariadbd when its owner dies, so an orphan is short-lived; the next start recovers what was
// committed. For the same reason an owner can't go and leave its server to others: Stop waits for those that are
// attached. An owner by Open, a command that will be done soon, gives them 30 s; an owner by Start, a hub, 1 s. Who
// comes later waits until the server is down and starts it again. Commands whose server is taken away all the same
// (the owner was killed, the wait was over) see their connections break; what they had committed is on disk.
//
// A service manager that stops a hub has to signal the hub alone (systemd: KillMode=mixed), or the server ends
// before those who write to it.
package privatedb

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// Options say where the database is and how it runs.
type Options struct {
	// Dir is the database's folder, for it alone. It is made where it is missing.
	Dir string

	// BufferPool is the size of InnoDB's cache in bytes, from 8 MiB; 0 takes DefaultBufferPool.
	BufferPool int64

	// Volatile is for tests: commits don't wait for the disk, so a crash may lose them.
	Volatile bool

	// Listen is a loopback address and port, as 127.0.0.1:3307, on which the server listens besides its socket; empty:
	// none. Whoever can reach it is root in this database, without a password: for tests and development only.
	Listen string

	Log zerolog.Logger
}

// DefaultBufferPool holds the indexes of log_scores past 2.7 million rows. With 64 MiB inserts fell
// from 65,000 to 10,000 rows a second at one million.
const DefaultBufferPool = 256 << 20

const (
	// startWithin bounds a start. A warm one takes 0.1 s; the replay of a full redo log on a slow disk about a minute.
	startWithin = 2 * time.Minute

	// attachWithin bounds how long Open waits for a server that somebody else owns. One that starts or stops takes less,
	// but for the recovery of a full redo log; a command whose server hangs is done soon, and says so.
	attachWithin = 10 * time.Second

	// pollInterval is the pause between two looks at a lock or a socket: short beside a start of 0.1 s.
	pollInterval = 5 * time.Millisecond
)

// site is a folder with all that is needed to run mariadbd in it.
type site struct {
	Options
	folder
	installation
	socket string
}

// Start starts the database of a folder and owns it until Stop. An orphan of a killed owner is ended first.
// Where another process owns the folder Start waits for it, 20 s for a command and 1 s for a hub, and then returns
// an *InUseError. The context bounds the start alone.
func Start(ctx context.Context, opts Options) (*Server, error) {
	s, err := prepare(opts)
	if err != nil {
		return nil, err
	}
	lock, err := s.own(ctx)
	if err != nil {
		return nil, err
	}
	return s.start(ctx, lock, forGood)
}

// Open attaches to the database of a folder, or starts it for the moment where nobody runs it.
// In both cases Stop must be called as soon as the work is done, since others may be waiting for it.
func Open(ctx context.Context, opts Options) (*Server, error) {
	s, err := prepare(opts)
	if err != nil {
		return nil, err
	}
	patience, cancel := context.WithTimeoutCause(ctx, attachWithin, errPatience)
	defer cancel()
	var server *Server
	err = await(patience, func() (bool, error) {
		lock, err := tryLock(s.ownerLock(), unix.LOCK_EX)
		switch {
		case err == nil:
			server, err = s.start(ctx, lock, forTheMoment)
		case errors.Is(err, errHeld):
			server, err = s.attach(patience)
		}
		return server != nil, err
	})
	if errors.Is(err, errPatience) {
		return nil, fmt.Errorf("the database in %s doesn't answer; it belongs to process %d", s.folder, s.readNote().PID)
	}
	return server, err
}

// prepare checks what can be checked before anything is touched, and makes the folder.
func prepare(opts Options) (*site, error) {
	if opts.Listen != "" {
		if err := checkListen(opts.Listen); err != nil {
			return nil, err
		}
	}
	if opts.BufferPool == 0 {
		opts.BufferPool = DefaultBufferPool
	}
	found, err := findInstallation("/")
	if err != nil {
		return nil, err
	}
	s := &site{Options: opts, installation: found}
	if s.folder, err = makeFolder(opts.Dir, s.firstSpace()); err != nil {
		return nil, err
	}
	if s.socket, err = socketPath(s.folder, os.TempDir()); err != nil {
		return nil, err
	}
	return s, nil
}

// checkListen refuses all but loopback: the server asks for no password.
func checkListen(listen string) error {
	addr, err := netip.ParseAddrPort(listen)
	if err != nil {
		return fmt.Errorf("read the database's listen address: %w", err)
	}
	if !addr.Addr().IsLoopback() || addr.Port() == 0 {
		return fmt.Errorf("the private database listens on a loopback address and port only, not on %s", listen)
	}
	return nil
}

// attach joins a server that somebody else owns; nil where it isn't ready or is being stopped.
func (s *site) attach(ctx context.Context) (*Server, error) {
	users, err := tryLock(s.usersLock(), unix.LOCK_SH)
	if errors.Is(err, errHeld) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	server := &Server{site: s, socket: s.readNote().Socket, users: users}
	if !server.answers(ctx) {
		return nil, users.Close()
	}
	return server, nil
}

// errPatience is why a wait of ours ended without what it waited for.
var errPatience = errors.New("waited long enough")

// await asks until the answer is yes or an error, or until the context ends, which it then says why.
func await(ctx context.Context, answer func() (bool, error)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if yes, err := answer(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
