//go:build integration

package persistence_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"truechimer/persistence"
	"truechimer/persistence/privatedb/dbtest"
)

// rawDatabase is a pool of plain connections to a database of its own.
func rawDatabase(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// run executes statements that must succeed.
func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// column reads the only column of a query as texts.
func column(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// schemaOf is all that a database holds: each table as the server describes it, and the rows it starts with.
func schemaOf(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	numbers := regexp.MustCompile(` AUTO_INCREMENT=\d+`)
	schema := make(map[string]string)
	for _, table := range column(t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()") {
		var name, text string
		if err := db.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+table).Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		schema[table] = numbers.ReplaceAllString(text, "")
	}
	for table, query := range map[string]string{
		"shards":              "SELECT CONCAT_WS(' ', id, epoch, hub) FROM shards ORDER BY id",
		"monitors":            "SELECT CONCAT_WS(' ', id, type, hostname, tls_name, status, config) FROM monitors ORDER BY id",
		"scorer_status":       "SELECT CONCAT_WS(' ', id, scorer_id, log_score_id) FROM scorer_status ORDER BY id",
		"changes":             "SELECT CONCAT_WS(' ', id, kind, `key`, who, what) FROM changes ORDER BY id",
		"truechimer_versions": "SELECT CONCAT_WS(' ', version_id, is_applied) FROM truechimer_versions ORDER BY id",
	} {
		schema["rows of "+table] = strings.Join(column(t, db, query), "\n")
	}
	return schema
}

// migrateTo takes a database to an older version, as an older Truechimer left it.
func migrateTo(t *testing.T, db *sql.DB, version int64) {
	t.Helper()
	provider, err := goose.NewProvider(goose.DialectMySQL, db, migrationFiles(t),
		goose.WithTableName("truechimer_versions"), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

func migrationFiles(t *testing.T) fs.FS {
	t.Helper()
	return os.DirFS("migrations")
}

// freshSchema is what a fresh database gets.
func freshSchema(t *testing.T) map[string]string {
	t.Helper()
	db := rawDatabase(t, dbtest.Database(t))
	if err := persistence.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return schemaOf(t, db)
}

// Both ways lead to the same tables: a fresh database by schema.sql, an older one by the migrations it lacks.
func TestMigrationsLeadToTheSchema(t *testing.T) {
	want := freshSchema(t)
	files, err := fs.Glob(migrationFiles(t), "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations %v, %v", files, err)
	}
	if tables := len(want) - 5; tables < 17 {
		t.Fatalf("only %d tables", tables)
	}
	for _, version := range []int64{1, 4, int64(len(files)) / 2, int64(len(files)) - 1, int64(len(files))} {
		t.Run(fmt.Sprint("from version ", version), func(t *testing.T) {
			db := rawDatabase(t, dbtest.Database(t))
			migrateTo(t, db, version)
			if err := persistence.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, schemaOf(t, db)); diff != "" {
				t.Errorf("schema.sql and migrations differ (-schema.sql +migrations):\n%s", diff)
			}
		})
	}
}

// Hubs that start at once wait for each other, and a database that is up to date stays as it is.
func TestHubsMigrateOneAfterTheOther(t *testing.T) {
	want := freshSchema(t)
	dsn := dbtest.Database(t)
	var wait sync.WaitGroup
	for range 4 {
		store := openMySQL(t, dsn)
		wait.Go(func() {
			if err := store.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if diff := cmp.Diff(want, schemaOf(t, rawDatabase(t, dsn))); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// An installation that was cut off anywhere goes on at the next start.
func TestInstallationThatWasCutOffGoesOn(t *testing.T) {
	want := freshSchema(t)
	text, err := os.ReadFile("../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := strings.SplitAfter(string(text), ";\n")
	version := "CREATE TABLE truechimer_versions (id bigint(20) unsigned NOT NULL AUTO_INCREMENT, version_id bigint NOT NULL," +
		" is_applied boolean NOT NULL, tstamp datetime NULL default CURRENT_TIMESTAMP, PRIMARY KEY(id))"
	for _, done := range []int{0, 1, 7, len(statements) - 2, len(statements) - 1} {
		db := rawDatabase(t, dbtest.Database(t))
		run(t, db, version)
		run(t, db, statements[:done]...)
		if err := persistence.Migrate(t.Context(), db); err != nil {
			t.Fatalf("after %d statements: %v", done, err)
		}
		if diff := cmp.Diff(want, schemaOf(t, db)); diff != "" {
			t.Errorf("after %d statements (-want +have):\n%s", done, diff)
		}
	}
}

// Who meets a database that isn't his is told what to do, and leaves it as it was.
func TestMigrateRefuses(t *testing.T) {
	for _, refused := range []struct {
		name    string
		prepare []string
		want    string
	}{
		{"a newer database", []string{"INSERT INTO truechimer_versions (version_id, is_applied) VALUES (9000, 1)"}, "run the newer truechimer"},
		{"somebody else's database", []string{"DROP TABLE truechimer_versions"}, "give it a database of its own"},
	} {
		t.Run(refused.name, func(t *testing.T) {
			dsn := dbtest.Database(t)
			db := rawDatabase(t, dsn)
			if err := persistence.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			run(t, db, refused.prepare...)
			tables := column(t, db, "SHOW TABLES")
			err := openMySQL(t, dsn).Migrate(t.Context())
			if err == nil || !strings.Contains(err.Error(), refused.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v", err)
			}
			if have := column(t, db, "SHOW TABLES"); !slices.Equal(have, tables) {
				t.Errorf("tables are now %v", have)
			}
		})
	}
}

// A database that can't be written to is found out at the start.
func TestMigrateRefusesAReadOnlyDatabase(t *testing.T) {
	for _, migrated := range []bool{false, true} {
		dsn := dbtest.Database(t)
		root := rawDatabase(t, dsn)
		if migrated {
			if err := persistence.Migrate(t.Context(), root); err != nil {
				t.Fatal(err)
			}
		}
		// The root of tests may write to a server that is read-only; an ordinary user may not.
		run(t, root, "CREATE OR REPLACE USER reader@'%' IDENTIFIED BY 'pass'", "GRANT ALL ON *.* TO reader@'%'",
			"REVOKE READ_ONLY ADMIN, SUPER ON *.* FROM reader@'%'", "SET GLOBAL read_only = 1")
		err := openMySQL(t, strings.Replace(dsn, userOf(dsn), "reader:pass", 1)).Migrate(t.Context())
		run(t, root, "SET GLOBAL read_only = 0", "DROP USER reader@'%'")
		if err == nil || !strings.Contains(err.Error(), "read-only") || strings.Contains(err.Error(), "\n") {
			t.Errorf("migrated %v: error %v", migrated, err)
		}
	}
}

// userOf is the user and password of a DSN.
func userOf(dsn string) string {
	user, _, _ := strings.Cut(dsn, "@")
	return user
}

// What can't be connected to says so in one line, with what to do, and without the password.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	dsn := dbtest.Database(t)
	_, address, _ := strings.Cut(dsn, "@")
	server := address[:strings.LastIndex(address, "/")]
	for _, wrong := range []struct{ name, dsn, want string }{
		{"no DSN", "", "names no database"},
		{"nonsense", "s3cret", "read the DSN"},
		{"no database", "u:s3cret@tcp(127.0.0.1:1)/", "names no database"},
		{"nobody there", "u:s3cret@tcp(127.0.0.1:1)/x", "connection refused"},
		{"no socket", "u:s3cret@unix(/nowhere/socket)/x", "no such file"},
		{"unknown user", "u:s3cret@" + address, "check user and password"},
		{"unknown database", userOf(dsn) + "@" + server + "/nowhere", "create it, empty"},
	} {
		_, err := persistence.Open(t.Context(), wrong.dsn, persistence.Options{})
		if err == nil || !strings.Contains(err.Error(), wrong.want) ||
			strings.Contains(err.Error(), "s3cret@") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", wrong.name, err)
		}
	}
}
