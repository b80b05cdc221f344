//go:build integration

package privatedb_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"

	"truechimer/persistence/privatedb"
)

// A command uses the database of a folder, whether a hub has it running or not.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	server, err := privatedb.Open(ctx, privatedb.Options{Dir: dir, Log: zerolog.Nop()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Stop(ctx)

	connector, err := mysql.NewConnector(server.Config(""))
	if err != nil {
		fmt.Println(err)
		return
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var zone string
	if err := db.QueryRow("select @@time_zone").Scan(&zone); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("its clock is at", zone)
	// Output: its clock is at +00:00
}
