package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/persistence/privatedb"
)

// databaseName is that of the private server's one database.
const databaseName = "truechimer"

const (
	// detachWithin is how long a hub that ends waits for commands to be done with its database.
	detachWithin = 500 * time.Millisecond

	// stopWithin bounds the private server's end, which takes 2.5 s besides at most: then it is killed. With partWithin
	// it is less than the 5 s that a program may take to end. What the kernel needs longer for, it does without us.
	stopWithin = detachWithin + 2900*time.Millisecond
)

// databaseFlags say which database a command is about.
type databaseFlags struct{ dsn, state *string }

func newDatabaseFlags(fs *flag.FlagSet) databaseFlags {
	return databaseFlags{dsn: dsnFlag(fs), state: stateFlag(fs)}
}

// dsnFlag adds --database-dsn to a command.
func dsnFlag(fs *flag.FlagSet) *string {
	return fs.String("database-dsn", "", "`DSN` of a MySQL or MariaDB of your own, as user:password@tcp(host:3306)/database; "+
		"else $DATABASE_DSN, or what database.yaml in the working folder says")
}

// database is an open store and what keeps it running.
type database struct {
	*persistence.MySQL
	server *privatedb.Server // nil: a database of the user's own
	where  string            // for a person to read, without a password
	isLab  bool              // it is that of a lab that runs now
}

// Close closes the store, and stops the private server if it was started here.
func (d *database) Close() {
	d.MySQL.Close()
	if d.server == nil {
		return
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.Background(), detachWithin)
		defer cancel()
		d.server.Stop(ctx) // it says in its log what went wrong; what was committed is on disk
	}()
	select {
	case <-stopped:
	case <-time.After(stopWithin):
	}
}

// ended is closed when the private server ends by itself; nil where somebody else runs the database.
func (d *database) ended() <-chan struct{} {
	if d.server == nil {
		return nil
	}
	return d.server.Done()
}

// openOwn opens the database that a hub owns: that of a DSN or of database.yaml, else the private one of the state folder.
func openOwn(ctx context.Context, flagged, state string, log zerolog.Logger) (*database, error) {
	dsn, err := dsnOf(flagged)
	if err != nil {
		return nil, err
	}
	if dsn != "" {
		return openForeign(ctx, dsn, openStore)
	}
	return openPrivate(ctx, privatedb.Start, privatedb.Options{Dir: databaseDir(state), Log: log}, openStore)
}

// openToRead opens the database for a command that only reads, which a user without the right to write may do.
func (f databaseFlags) openToRead(ctx context.Context) (*database, error) {
	return f.open(ctx, readStore)
}

// openAsIs opens the database for a command that takes the tables as they are, whoever has made them.
func (f databaseFlags) openAsIs(ctx context.Context) (*database, error) {
	return f.open(ctx, findStore)
}

// opener opens the store that a DSN leads to.
type opener = func(ctx context.Context, dsn string) (*persistence.MySQL, error)

// open opens the database that a command is about for the moment: that of a DSN or of database.yaml, else the private
// one of the state folder; while a lab runs there, the lab's.
func (f databaseFlags) open(ctx context.Context, open opener) (*database, error) {
	dsn, err := dsnOf(*f.dsn)
	if err != nil {
		return nil, err
	}
	if dsn != "" {
		return openForeign(ctx, dsn, open)
	}
	dir, err := stateDir(*f.state)
	if err != nil {
		return nil, err
	}
	runs, _ := tenantOf(dir)
	if runs.Lab {
		dir = filepath.Join(dir, labFolder)
	}
	if !exists(databaseDir(dir)) {
		return nil, fmt.Errorf("there is no database in %s; name one with --database-dsn or --state-dir, or start with: truechimer up SERVER", dir)
	}
	d, err := openPrivate(ctx, privatedb.Open, privatedb.Options{Dir: databaseDir(dir), Log: zerolog.Nop()}, open)
	if err != nil {
		return nil, err
	}
	d.isLab = runs.Lab
	return d, nil
}

// openToChange opens the database for a command that changes what is watched, and by whom. A lab stays as it is: it probes every
// few seconds, which nobody minds but its own servers.
func (f databaseFlags) openToChange(ctx context.Context) (*database, error) {
	d, err := f.open(ctx, openStore)
	if err != nil {
		return nil, err
	}
	if d.isLab {
		d.Close()
		return nil, errors.New("truechimer up is watching a lab, which can't be changed; end it, and start it with servers of your own: truechimer up SERVER")
	}
	return d, nil
}

// openForeign opens a database that others run.
func openForeign(ctx context.Context, dsn string, open opener) (*database, error) {
	store, err := open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &database{MySQL: store, where: whereIs(dsn)}, nil
}

// whereIs is a DSN without the password.
func whereIs(dsn string) string {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "database" // it has been opened: this can't be
	}
	return config.Net + ":" + config.Addr + "/" + config.DBName
}

// openPrivate starts the private database in a folder, or attaches to it, and opens the store in it.
func openPrivate(
	ctx context.Context, start func(context.Context, privatedb.Options) (*privatedb.Server, error), options privatedb.Options, open opener,
) (*database, error) {
	server, err := start(ctx, options)
	if err != nil {
		return nil, err
	}
	store, err := openIn(ctx, server, open)
	if err != nil {
		server.Stop(ctx)
		return nil, err
	}
	return &database{MySQL: store, server: server, where: "unix:" + server.Socket()}, nil
}

// openIn makes the database in a private server where it is missing, and opens the store.
func openIn(ctx context.Context, server *privatedb.Server, open opener) (*persistence.MySQL, error) {
	connector, err := mysql.NewConnector(server.Config(""))
	if err != nil {
		return nil, fmt.Errorf("connect to the private database: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+databaseName); err != nil {
		return nil, fmt.Errorf("make the private database: %w", err)
	}
	return open(ctx, server.DSN(databaseName))
}

// findStore connects.
func findStore(ctx context.Context, dsn string) (*persistence.MySQL, error) {
	return persistence.Open(ctx, dsn, persistence.Options{})
}

// openStore connects, and brings the tables up to date.
func openStore(ctx context.Context, dsn string) (*persistence.MySQL, error) {
	return preparedStore(ctx, dsn, (*persistence.MySQL).Migrate)
}

// readStore connects, and makes sure that the tables are up to date.
func readStore(ctx context.Context, dsn string) (*persistence.MySQL, error) {
	return preparedStore(ctx, dsn, (*persistence.MySQL).CheckTables)
}

// preparedStore connects, and does first what must be done.
func preparedStore(ctx context.Context, dsn string, first func(*persistence.MySQL, context.Context) error) (*persistence.MySQL, error) {
	store, err := findStore(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if err := first(store, ctx); err != nil {
		store.Close()
		return nil, err
	}
	return store, nil
}
