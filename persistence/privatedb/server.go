package privatedb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// Server is a database that runs: one that this process owns, or another's that it is attached to.
type Server struct {
	site   *site
	socket string

	child  *child        // nil when attached
	owner  *os.File      // the lock of ownership; nil when attached
	linger time.Duration // how long Stop waits for those that are attached
	users  *os.File      // our share of the users' lock; nil when owner

	once    sync.Once
	stopped error       // what Stop returned
	told    atomic.Bool // Stop, not the server itself, has ended it
}

const (
	// stopWithin is for a clean stop, which takes some 10 ms, or as long as the disk needs for a cache full of changes.
	// A hub ends within 5 s in all, on a busy machine too. Killing it then costs nothing but the recovery at the next start.
	stopWithin = 2500 * time.Millisecond

	// answerWithin is for one greeting. Shorter than any wait that contains it, so that a server that hangs is told
	// from one that isn't there yet.
	answerWithin = time.Second
)

// The driver's bounds on a connection that has no context of its own.
const (
	dialTimeout  = 5 * time.Second  // a busy server queues connections
	readTimeout  = 2 * time.Minute  // beyond any statement but a change of a big table, which sets its own
	writeTimeout = 30 * time.Second // beyond any batch; the reader is on this machine
)

// Socket is the path of the server's unix socket.
func (s *Server) Socket() string { return s.socket }

// Config is how go-sql-driver connects to one of the server's databases, or to none in particular when it is empty.
// Times are UTC, both ways. What the driver has to complain of goes to the log.
func (s *Server) Config(database string) *mysql.Config {
	cfg := s.config(database)
	cfg.Logger = driverLog{s.site.Log}
	return cfg
}

// DSN is Config as text, for sql.Open and for people.
func (s *Server) DSN(database string) string {
	return s.config(database).FormatDSN()
}

func (s *Server) config(database string) *mysql.Config {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.DBName = "root", "unix", s.socket, database
	cfg.ParseTime, cfg.Loc, cfg.InterpolateParams = true, time.UTC, true
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = dialTimeout, readTimeout, writeTimeout
	cfg.Logger = &mysql.NopLogger{}
	return cfg
}

// answers tells whether the server greets a client now.
func (s *Server) answers(ctx context.Context) bool {
	connector, err := mysql.NewConnector(s.config(""))
	if err != nil {
		panic(err) // the configuration is ours
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := connector.Connect(ctx)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Done is closed when the server has ended, by Stop or by itself; Err says which. That of an attached server never is:
// there the next query tells.
func (s *Server) Done() <-chan struct{} {
	if s.child == nil {
		return nil
	}
	return s.child.done
}

// Err says why the server ended by itself; nil while it runs, and where Stop has ended it.
func (s *Server) Err() error {
	if s.child == nil || s.child.runs() || s.told.Load() {
		return nil
	}
	return fmt.Errorf("the database in %s ended: %w", s.site.folder, s.site.explain(s.child.err))
}

// Stop ends the server, or detaches from another's. It waits for those that are attached, until the context ends
// or its own patience does (see the package's comment). It then takes 2.5 s at most, after which mariadbd is killed,
// which is an error but loses nothing that was committed. A second call returns what the first one did.
func (s *Server) Stop(ctx context.Context) error {
	s.once.Do(func() {
		if s.child == nil {
			s.stopped = s.users.Close()
			return
		}
		s.stopped = s.end(ctx)
	})
	return s.stopped
}

func (s *Server) end(ctx context.Context) error {
	defer s.owner.Close()
	users, err := awaitLock(ctx, s.site.usersLock(), unix.LOCK_EX, s.linger)
	if err == nil {
		defer users.Close() // nobody attaches until the next server
	}
	s.told.Store(s.child.runs())
	err = s.site.withdraw() // nobody connects any more, even where somebody is still attached
	err = errors.Join(err, s.child.end(stopWithin))
	s.site.Log.Info().Str("folder", string(s.site.folder)).Err(err).Msg("database stopped")
	return err
}

// driverLog passes on what the driver says when it drops a connection.
type driverLog struct{ log zerolog.Logger }

func (l driverLog) Print(v ...any) {
	l.log.Warn().Str("reason", fmt.Sprint(v...)).Msg("database driver complains")
}
