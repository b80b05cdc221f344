package privatedb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What mariadbd wrote into its log, each from a run in that state, becomes one line for whoever runs this.
func TestReasonIsOneLine(t *testing.T) {
	tests := []struct{ log, want string }{
		{"healthy", ""},
		{"disk_full", "the disk is full, make room: InnoDB: preallocating 134217728 bytes for file ./ib_logfile101 failed with error 28"},
		{"disk_full_waiting", "the disk is full, make room: InnoDB: preallocating 12582912 bytes for file ./ibdata1 failed with error 28"},
		{"limit", "a limit keeps files from growing, raise it (ulimit -f): InnoDB: preallocating 12582912 bytes for file ./ibdata1 failed with error 27"},
		{"not_writable", "a file is not ours to read and write, give it back to this user: InnoDB: The data file './ibdata1' must be writable"},
		{"not_readable", "a file is not ours to read and write, give it back to this user: " +
			`Can't change dir to '/db/datadir/' (Errcode: 13 "Permission denied")`},
		{"port_taken", "the port is taken, choose another: Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use"},
		{"damaged", "its files are damaged, put back a copy of the folder, or move it away and start anew: " +
			"InnoDB: Inconsistent tablespace ID in ./ibdata1"},
		{"system_tables_gone", "its files are damaged, put back a copy of the folder, or move it away and start anew: " +
			`Could not open mysql.plugin table: "Table 'mysql.plugin' doesn't exist". Some plugins may be not loaded`},
		{"bad_sql", "1064  You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version " +
			"for the right syntax to use near 'use mysql; set @auth_root_socket=NULL;' at line 1"},
		{"unknown_option", "unknown variable 'bogus=1'"},
	}
	for _, tt := range tests {
		t.Run(tt.log, func(t *testing.T) {
			log, err := os.ReadFile(filepath.Join("testdata", "errorlog", tt.log+".log"))
			if err != nil {
				t.Fatal(err)
			}
			if have := reasonIn(string(log)); have != tt.want {
				t.Errorf("have %q\nwant %q", have, tt.want)
			}
		})
	}
}

// The explanation says how it ended, why where that is known, and where to read more; all in one line.
func TestExplanationSaysWhereToReadMore(t *testing.T) {
	ended := errors.New("exit status 1")
	tests := []struct{ name, log, want string }{
		{"known", "2026-11-23 23:51:17 0 [ERROR] Something new\n", "Something new (mariadbd: exit status 1; more in "},
		{"unknown", "2026-11-23 23:51:17 0 [Note] All is well\n", "mariadbd: exit status 1; it wrote no reason into "},
		{"at the end of a long log", strings.Repeat("0 [Note] x\n", logTail) + "0 [ERROR] late\n", "late (mariadbd: exit status 1; more in "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &site{folder: folder(t.TempDir())}
			if err := os.WriteFile(s.errorLog(), []byte(tt.log), 0o600); err != nil {
				t.Fatal(err)
			}
			have := s.explain(ended)
			if !strings.HasPrefix(have.Error(), tt.want) || !strings.Contains(have.Error(), s.errorLog()) || !errors.Is(have, ended) {
				t.Errorf("have %q, want %q and the log's path", have, tt.want)
			}
		})
	}
	if have := (&site{folder: "/nowhere"}).explain(ended); !errors.Is(have, ended) {
		t.Errorf("without a log: %v, want how it ended all the same", have)
	}
}

// Whatever mariadbd writes, the reason is a line without line breaks.
func FuzzReasonIn(f *testing.F) {
	logs, err := filepath.Glob("testdata/errorlog/*.log")
	if err != nil || len(logs) == 0 {
		f.Fatal("no logs to start from", err)
	}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(log))
	}
	f.Fuzz(func(t *testing.T, log string) {
		if have := reasonIn(log); strings.ContainsAny(have, "\n") {
			t.Errorf("%q has line breaks", have)
		}
	})
}
