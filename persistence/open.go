package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// MySQL keeps the pool in a database of MySQL 8 or MariaDB 10.11.
type MySQL struct {
	db      *sql.DB
	config  *mysql.Config
	options Options

	scorersRead sync.Mutex
	scorers     map[pool.MonitorID]bool // nil: not read yet
}

var _ Store = (*MySQL)(nil)

const (
	// dialTimeout is short: who waits for a database that isn't there wants to be told.
	dialTimeout = 5 * time.Second

	// greetWithin is for the first greeting: a server that takes a connection and says nothing hangs.
	greetWithin = 10 * time.Second

	// connections are enough for one writer, the loads of restarting actors and a few questions of people.
	connections = 8

	// connectionLife ends connections now and then, so that a changed address behind a name is noticed.
	connectionLife = 30 * time.Minute
)

// patience is how long the server waits for us and we for others, in seconds.
type patience struct {
	// statement bounds each statement: the server would go on with it after its context has ended. 0: no bound.
	statement int

	// idle is how long a connection may be silent. A hub that was stopped in the midst of a transaction holds the locks
	// of its shards no longer than that, and the next owner gets them.
	idle int

	// lock is how long a statement waits for another transaction's locks: longer than a silent one can hold them.
	lock int
}

// inService is the patience of a hub. The longest statement, a load of all shards, takes a few seconds.
func inService() patience { return patience{statement: 60, idle: 5, lock: 10} }

// migrating is the patience of a migration: to change a large table takes its time, and while goose does so the
// connection that holds the lock is silent.
func migrating() patience { return patience{statement: 0, idle: 86400, lock: 60} }

// Open connects to the database of a DSN (user:password@net(address)/database, as github.com/go-sql-driver/mysql has it).
// It makes no tables: see Migrate. An error is one line that says what to do, and never shows the password.
func Open(ctx context.Context, dsn string, options Options) (*MySQL, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the DSN of the database: %w", err)
	}
	if config.DBName == "" {
		return nil, errors.New("read the DSN of the database: it names no database (user:password@tcp(host:port)/DATABASE)")
	}
	if err := prepare(config); err != nil {
		return nil, fmt.Errorf("read the DSN of the database: %w", err)
	}
	db, err := connect(config, inService())
	if err != nil {
		return nil, err
	}
	if err := greet(ctx, db, greetWithin); err != nil {
		db.Close()
		return nil, fmt.Errorf("connect to the database %q at %s(%s) as %q: %w",
			config.DBName, config.Net, config.Addr, config.User, explained(err))
	}
	return &MySQL{db: db, config: config, options: options}, nil
}

// greet makes the first connection.
func greet(ctx context.Context, db *sql.DB, within time.Duration) error {
	hangs := fmt.Errorf("it takes connections and doesn't answer within %s", within)
	ctx, cancel := context.WithTimeoutCause(ctx, within, hangs)
	defer cancel()
	err := db.PingContext(ctx)
	if err != nil && errors.Is(context.Cause(ctx), hangs) {
		return hangs
	}
	return err
}

// Close ends all connections.
func (m *MySQL) Close() error { return m.db.Close() }

// prepare gives the connection the settings that the statements of this package rely on.
func prepare(config *mysql.Config) error {
	config.ParseTime, config.Loc = true, time.UTC
	config.InterpolateParams = true // one round trip for a statement instead of three
	config.ClientFoundRows = true   // an update that changes nothing still tells whether its row is there
	config.MultiStatements = false
	config.AllowAllFiles = false
	config.Logger = &mysql.NopLogger{} // what it would log comes as an error too
	if config.Timeout == 0 {
		config.Timeout = dialTimeout
	}
	// MySQL would round what is finer than a column, MariaDB cuts it off: cut it off here.
	return config.Apply(mysql.TimeTruncate(time.Microsecond))
}

// connect opens a pool of connections.
func connect(config *mysql.Config, p patience) (*sql.DB, error) {
	config = config.Clone()
	if config.Params == nil {
		config.Params = make(map[string]string)
	}
	maps.Copy(config.Params, sessionOf(p))
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("read the DSN of the database: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxLifetime(connectionLife)
	db.SetConnMaxIdleTime(time.Duration(p.idle) * time.Second / 2) // before the server ends it
	return db, nil
}

// sessionOf are the variables of each session.
func sessionOf(p patience) map[string]string {
	return map[string]string{
		// MySQL knows no max_statement_time and reads a comment where MariaDB reads a second assignment.
		"time_zone":                fmt.Sprintf("'+00:00' /*M!100100 , max_statement_time = %d */", p.statement),
		"wait_timeout":             strconv.Itoa(p.idle),
		"innodb_lock_wait_timeout": strconv.Itoa(p.lock),
		"lock_wait_timeout":        strconv.Itoa(p.lock), // who waits to change a table holds up all who come after him
		"auto_increment_increment": "1",                  // the ids of one INSERT follow each other
		"sql_mode": "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
			"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
	}
}

// beginner is what transactions are begun on: all connections, or one of them.
type beginner interface {
	BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error)
}

// snapshot reads with several statements as of one moment.
func (m *MySQL) snapshot(ctx context.Context, read func(*sqlcgen.Queries) error) error {
	return m.view(ctx, func(tx *sql.Tx) error { return read(sqlcgen.New(tx)) })
}

// view is a snapshot for statements that are made by hand too.
func (m *MySQL) view(ctx context.Context, read func(*sql.Tx) error) error {
	return transaction(ctx, m.db, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, read)
}

// change writes in one transaction, which is done again where another one stood in its way.
// It must therefore set what it gives back anew each time.
func (m *MySQL) change(ctx context.Context, write func(*sql.Tx) error) error {
	return changeOn(ctx, m.db, write)
}

func changeOn(ctx context.Context, on beginner, write func(*sql.Tx) error) error {
	// Read committed takes no locks between rows, so that hubs which write neighbouring rows don't meet.
	options := &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	for try := 1; ; try++ {
		err := transaction(ctx, on, options, write)
		if try == conflictTries || !isConflict(err) {
			return err
		}
	}
}

// conflictTries is how often a transaction is tried that meets others: writers sort their keys, so that a second
// meeting is rare and a fifth means that something else is wrong.
const conflictTries = 5

// transaction runs one transaction.
func transaction(ctx context.Context, on beginner, options *sql.TxOptions, do func(*sql.Tx) error) error {
	tx, err := on.BeginTx(ctx, options)
	if err != nil {
		return explained(err)
	}
	if err := do(tx); err != nil {
		// The cause is what counts: a rollback fails where the connection is gone, and then there is nothing to roll back.
		_ = tx.Rollback()
		return explained(err)
	}
	return explained(tx.Commit())
}
