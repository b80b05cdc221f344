package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/persistence/privatedb"
)

const (
	// databaseName is that of the private server's one database.
	databaseName = "truechimer"
	// stopDatabaseWithin bounds the private server's stop: with the hub's own it stays within 5 s.
	stopDatabaseWithin = 4 * time.Second
)

// dsnFlag adds --database-dsn to a command.
func dsnFlag(fs *flag.FlagSet) *string {
	return fs.String("database-dsn", "", "`DSN` of a MySQL or MariaDB of your own, as user:password@tcp(host:3306)/database")
}

// database is an open store and what keeps it running.
type database struct {
	*persistence.MySQL
	server *privatedb.Server // nil: a database of the user's own
}

// Close closes the store, and stops the private server if it was started here.
func (d *database) Close() {
	d.MySQL.Close()
	if d.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopDatabaseWithin)
	defer cancel()
	d.server.Stop(ctx) // it says in its log what went wrong; what was committed is on disk
}

// where is the database for a person to read, without a password.
func (d *database) where(dsn string) string {
	if d.server != nil {
		return "unix:" + d.server.Socket()
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "database"
	}
	return config.Net + ":" + config.Addr + "/" + config.DBName
}

// tenure is how long a command needs the private database.
type tenure int

const (
	forTheMoment tenure = iota // attach to a running one, or start it until the command is done
	forGood                    // own it
)

// openPrivate starts the private database in a folder, or attaches to it, and opens the store in it.
func openPrivate(ctx context.Context, dir string, t tenure, log zerolog.Logger) (*database, error) {
	start := privatedb.Start
	if t == forTheMoment {
		start = privatedb.Open
	}
	server, err := start(ctx, privatedb.Options{Dir: dir, Log: log.Level(max(log.GetLevel(), zerolog.WarnLevel))})
	if err != nil {
		return nil, err
	}
	d, err := openIn(ctx, server)
	if err != nil {
		server.Stop(ctx)
		return nil, err
	}
	return d, nil
}

// openIn makes the database in a private server where it is missing, and opens the store.
func openIn(ctx context.Context, server *privatedb.Server) (*database, error) {
	connector, err := mysql.NewConnector(server.Config(""))
	if err != nil {
		return nil, fmt.Errorf("connect to the private database: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+databaseName); err != nil {
		return nil, fmt.Errorf("make the private database: %w", err)
	}
	store, err := openStore(ctx, server.DSN(databaseName))
	if err != nil {
		return nil, err
	}
	return &database{MySQL: store, server: server}, nil
}

// openStore connects, and brings the tables up to date.
func openStore(ctx context.Context, dsn string) (*persistence.MySQL, error) {
	store, err := persistence.Open(ctx, dsn, persistence.Options{})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		store.Close()
		return nil, err
	}
	return store, nil
}

// openFor opens the database that a command names: that of --database-dsn or of database.yaml, else the private one
// of the state folder.
func openFor(ctx context.Context, dsn, stateDirFlag string, t tenure, log zerolog.Logger) (*database, error) {
	dsn, err := dsnOf(dsn)
	if err != nil {
		return nil, err
	}
	if dsn != "" {
		store, err := openStore(ctx, dsn)
		if err != nil {
			return nil, err
		}
		return &database{MySQL: store}, nil
	}
	dir, err := stateDir(stateDirFlag)
	if err != nil {
		return nil, err
	}
	if t == forTheMoment && !exists(databaseDir(dir)) {
		return nil, fmt.Errorf("there is no database in %s; name one with --database-dsn or --state-dir, or start with: truechimer up", dir)
	}
	return openPrivate(ctx, databaseDir(dir), t, log)
}

// databaseDir is the private database's folder in a state folder.
func databaseDir(state string) string { return filepath.Join(state, "database") }

// databaseFile is where credentials may be kept instead of on the command line.
const databaseFile = "database.yaml"

// dsnOf is the DSN of the flag (or its environment variable), else that of database.yaml in the working folder, if any.
func dsnOf(flagged string) (string, error) {
	if flagged != "" {
		return flagged, nil
	}
	text, err := os.ReadFile(databaseFile)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", databaseFile, err)
	}
	return parseDatabaseFile(text)
}
