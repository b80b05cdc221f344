package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/persistence/privatedb"
)

// databaseName is that of the one database, as in a state folder of `truechimer up`.
const databaseName = "truechimer"

// keep runs the database until it is told to end. When the database is ready it says so, and nothing after that.
func (h home) keep(ctx context.Context, out io.Writer) (err error) {
	lock, err := h.claim()
	if err != nil {
		return err
	}
	defer lock.Close()
	log := zerolog.New(os.Stderr).Level(zerolog.WarnLevel) // what is left is worth showing to who waits for the start
	server, err := privatedb.Start(ctx, privatedb.Options{Dir: h.database(), Listen: h.listen, Log: log})
	if err != nil {
		return err
	}
	// The context is over by then; privatedb bounds a stop by itself.
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	if err := install(ctx, server); err != nil {
		return err
	}
	if err := h.announce(out); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-server.Done():
		return server.Err()
	}
}

// install makes the database with its tables where it is missing, and brings older tables up to date.
func install(ctx context.Context, server *privatedb.Server) error {
	connector, err := mysql.NewConnector(server.Config(""))
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "create database if not exists "+databaseName); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	store, err := persistence.Open(ctx, server.DSN(databaseName), persistence.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	return store.Migrate(ctx)
}

// announce says where the database is, and that this is all there is to hear.
func (h home) announce(out io.Writer) error {
	_, err := fmt.Fprintf(out, "database %s on %s, user root, no password\nDATABASE_DSN='root@tcp(%[2]s)/%[1]s'\n", databaseName, h.listen)
	if file, ok := out.(io.Closer); ok {
		err = errors.Join(err, file.Close())
	}
	return err
}
