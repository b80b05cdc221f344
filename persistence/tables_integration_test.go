//go:build integration

package persistence_test

import (
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"truechimer/persistence/privatedb/dbtest"
)

// Who only reads needs no right to write, and changes nothing: a database that isn't up to date is refused, with the
// words that say who makes it so.
func TestWhoOnlyReadsChangesNothing(t *testing.T) {
	tests := []struct {
		name     string
		migrated bool
		before   []string
		want     string // of the refusal; empty: none
	}{
		{"up to date", true, nil, ""},
		{"empty", false, nil, "it has no tables yet: start the hub, which makes them"},
		{"older", true, []string{"DELETE FROM truechimer_versions WHERE version_id > 1"}, "it is of version 1, and this truechimer is of "},
		{"newer", true, []string{"INSERT INTO truechimer_versions (version_id, is_applied) VALUES (99999, 1)"}, "run the newer truechimer that was here"},
		{"somebody else's", false, []string{"CREATE TABLE letters (id INT PRIMARY KEY)"}, `such as "letters"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dsn := dbtest.Database(t)
			if tt.migrated {
				if err := openMySQL(t, dsn).Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			db := rawDatabase(t, dsn)
			run(t, db, tt.before...)
			tables := schemaTexts(t, db)
			reader := reading(t, dsn)
			run(t, db, "CREATE OR REPLACE USER reader@localhost", "GRANT SELECT ON "+reader.DBName+".* TO reader@localhost")
			store := openMySQL(t, reader.FormatDSN())
			err := store.CheckTables(t.Context())
			if tt.want == "" && err == nil {
				_, err = store.Servers(t.Context())
			}
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("want %q, have %v", tt.want, err)
			}
			if have := schemaTexts(t, db); strings.Join(have, ",") != strings.Join(tables, ",") {
				t.Errorf("want the tables as they were, have %q", have)
			}
			if tt.want == "" {
				if err := store.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "(grant the user of the DSN that right") {
					t.Errorf("who may not write and would: %v", err)
				}
			}
		})
	}
}

// reading is how somebody else than the owner connects.
func reading(t *testing.T, dsn string) *mysql.Config {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Passwd = "reader", ""
	return config
}
