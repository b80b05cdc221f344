package persistence

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// What a person can do about an error of the server is said with it, and the error stays what it is.
func TestAnErrorSaysWhatToDo(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string // its end
	}{
		{"wrong password", &mysql.MySQLError{Number: 1045}, "(check user and password in the DSN, and what the user may do)"},
		{"no right to write", &mysql.MySQLError{Number: 1142}, "(grant the user of the DSN that right, or name another user there)"},
		{"no right to a column", &mysql.MySQLError{Number: 1143}, "(grant the user of the DSN that right, or name another user there)"},
		{"no right of an administrator", &mysql.MySQLError{Number: 1227}, "(grant the user of the DSN that right, or name another user there)"},
		{"no right to a routine", &mysql.MySQLError{Number: 1370}, "(grant the user of the DSN that right, or name another user there)"},
		{"no such database", &mysql.MySQLError{Number: 1049}, "(create it, empty; the tables are made at the first start)"},
		{"read-only", &mysql.MySQLError{Number: 1290}, "(use the primary, or make it writable)"},
		{"no table", &mysql.MySQLError{Number: 1146}, "(the database was not migrated)"},
		{"table full", &mysql.MySQLError{Number: 1114, Message: "The table 'log_scores' is full"}, "(make room on the database's disk)"},
		{"disk full", &mysql.MySQLError{Number: 1021}, "(make room on the database's disk)"},
		{"nobody listens", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}, "(start it, or check its address in the DSN)"},
		{"another", io.ErrUnexpectedEOF, "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have := explained(tt.err)
			if !strings.HasSuffix(have.Error(), tt.want) || !errors.Is(have, tt.err) {
				t.Errorf("want %q at the end of %q", tt.want, have)
			}
		})
	}
	if err := explained(nil); err != nil {
		t.Errorf("no error becomes %v", err)
	}
}
