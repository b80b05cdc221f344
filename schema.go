// Package truechimer holds what belongs to the whole tree: the tables of the database.
package truechimer

import _ "embed"

//go:embed schema.sql
var schema string

// Schema is the text of schema.sql: statements that each end in a semicolon at the end of a line.
func Schema() string { return schema }
