package persistence

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"truechimer"
)

// The migrations take a database of an older Truechimer to the tables of schema.sql. Each holds one statement, since
// MySQL ends a transaction with each DDL: what was cut off is known to a statement. They are never changed once
// released; a new one comes with its change of schema.sql, and a test compares what both lead to.
//
//go:embed migrations/*.sql
var migrations embed.FS

// versionTable says which migrations a database has had. Who has it is ours.
const versionTable = "truechimer_versions"

// migrationLockSeconds is how long a hub waits for another one that migrates: as long as a large table takes.
const migrationLockSeconds = 600

// Migrate gives the database its tables: an empty one those of schema.sql, an older one the missing migrations.
// Hubs that start at once wait for each other. It refuses a database that is read-only, of a newer Truechimer, or not ours.
func (m *MySQL) Migrate(ctx context.Context) error {
	db, err := connect(m.config, migrating())
	if err != nil {
		return err
	}
	defer db.Close()
	return Migrate(ctx, db)
}

// Migrate is the same on any pool of at least two connections whose statements may take their time
// and that may be silent for as long.
func Migrate(ctx context.Context, db *sql.DB) error {
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate the database: %w", explained(err))
	}
	defer lock.Close()
	if err := lockMigration(ctx, lock); err != nil {
		return fmt.Errorf("migrate the database: %w", explained(err))
	}
	// The lock is the connection's, so that it is free when the connection is, and a process that was killed leaves none.
	defer lock.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_ALL_LOCKS()")
	if err := migrate(ctx, db, lock); err != nil {
		return fmt.Errorf("migrate the database: %w", explained(err))
	}
	return nil
}

// CheckTables is for who only reads: it changes nothing, and refuses a database that Migrate would have to change first,
// or would refuse.
func (m *MySQL) CheckTables(ctx context.Context) error {
	if err := m.checkTables(ctx); err != nil {
		return fmt.Errorf("look at the database: %w", explained(err))
	}
	return nil
}

func (m *MySQL) checkTables(ctx context.Context) error {
	provider, err := newProvider(m.db)
	if err != nil {
		return err
	}
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	version, err := versionOf(ctx, conn)
	if err != nil {
		return err
	}
	newest := newestOf(provider.ListSources())
	switch {
	case version > newest:
		return errNewer(version, newest)
	case version == noTables:
		return errors.New("it has no tables yet: start the hub, which makes them")
	case version < newest:
		return fmt.Errorf("it is of version %d, and this truechimer is of %d: start the hub, which brings it up to date", version, newest)
	}
	return nil
}

// newestOf is the version that all migrations lead to.
func newestOf(sources []*goose.Source) int64 { return sources[len(sources)-1].Version }

// errNewer refuses a database of a newer Truechimer.
func errNewer(version, newest int64) error {
	return fmt.Errorf("it is of version %d, and this truechimer knows them up to %d: run the newer truechimer that was here", version, newest)
}

// lockMigration waits for its turn. Such locks are the whole server's, so that the name holds the database's.
func lockMigration(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('truechimer ', MD5(DATABASE())), ?)", migrationLockSeconds).Scan(&got)
	if err != nil {
		return err
	}
	if got.Int64 != 1 {
		return errors.New("somebody else has been migrating it for ten minutes; look at its process list")
	}
	return nil
}

// migrate brings the tables up to date; the caller holds the lock.
func migrate(ctx context.Context, db *sql.DB, conn *sql.Conn) error {
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	version, err := versionOf(ctx, conn)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := newestOf(sources)
	switch {
	case version > newest:
		return errNewer(version, newest)
	case version == newest:
		return tryWriting(ctx, conn)
	case version == noTables:
		return install(ctx, conn, sources)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("go on from version %d: %w", version, err)
	}
	return nil
}

// newProvider makes goose ready to run our migrations.
func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectMySQL, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// noTables is the version of a database without our tables, or with those of an installation that was cut off.
const noTables = 0

// versionOf tells the version of a database. One that holds tables, but not our version table, is somebody else's.
func versionOf(ctx context.Context, conn *sql.Conn) (int64, error) {
	var tables, ours int
	var name, example sql.NullString
	err := conn.QueryRowContext(ctx, `SELECT DATABASE(), COUNT(*), COUNT(CASE WHEN table_name = ? THEN 1 END), MIN(table_name)
		FROM information_schema.tables WHERE table_schema = DATABASE()`, versionTable).Scan(&name, &tables, &ours, &example)
	switch {
	case err != nil:
		return 0, fmt.Errorf("look at its tables: %w", err)
	case tables == 0:
		return noTables, nil
	case ours == 0:
		return 0, fmt.Errorf("%q holds tables that truechimer didn't make, such as %q: give it a database of its own, empty at first",
			name.String, example.String)
	}
	var version sql.NullInt64
	err = conn.QueryRowContext(ctx, "SELECT MAX(version_id) FROM "+versionTable).Scan(&version)
	return version.Int64, err
}

// install makes all tables at once and marks every migration as done. The version table comes first and the marks last:
// an installation that was cut off is of version 0 and starts again, over what is there.
func install(ctx context.Context, conn *sql.Conn, sources []*goose.Source) error {
	versions, err := database.NewStore(database.DialectMySQL, versionTable)
	if err != nil {
		return err
	}
	if _, err := versions.GetLatestVersion(ctx, conn); numberOf(err) == faultNoSuchTable {
		if err := versions.CreateVersionTable(ctx, conn); err != nil {
			return err
		}
	}
	for _, statement := range statements(truechimer.Schema()) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", firstLine(statement), err)
		}
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := markAll(ctx, tx, versions, sources); err != nil {
		return fmt.Errorf("mark the migrations as done: %w", err)
	}
	return tx.Commit()
}

// markAll marks every migration as done, and version 0, which goose wants to find first.
func markAll(ctx context.Context, tx *sql.Tx, versions database.Store, sources []*goose.Source) error {
	if err := versions.Insert(ctx, tx, database.InsertRequest{Version: noTables}); err != nil {
		return err
	}
	for _, source := range sources {
		if err := versions.Insert(ctx, tx, database.InsertRequest{Version: source.Version}); err != nil {
			return err
		}
	}
	return nil
}

// tryWriting finds out at the start, and not at the first sample, that the database can't be written to.
func tryWriting(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "DELETE FROM hub_nodes WHERE 1 = 0")
	return err
}

// statements cuts a text of SQL after each semicolon at the end of a line, and leaves out comment lines.
func statements(text string) []string {
	var all []string
	var lines []string
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "--") {
			continue
		}
		lines = append(lines, line)
		if strings.HasSuffix(trimmed, ";") {
			all = append(all, strings.TrimSuffix(strings.TrimSpace(strings.Join(lines, "")), ";"))
			lines = nil
		}
	}
	return all
}

func firstLine(statement string) string {
	line, _, _ := strings.Cut(statement, "\n")
	return line
}
