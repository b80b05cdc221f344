package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// database.yaml gives the whole DSN, or a DSN and credentials that replace those in it.
func TestDatabaseFileGivesTheDSN(t *testing.T) {
	tests := []struct {
		name, text, want string
		bad              bool
	}{
		{name: "DSN alone", text: "mysql: {dsn: 'me:secret@tcp(db.example.org:3306)/there'}", want: "me:secret@tcp(db.example.org:3306)/there"},
		{name: "credentials besides", text: "mysql:\n  user: me\n  pass: secret\n  dsn: tcp(db.example.org:3306)/there\n", want: "me:secret@tcp(db.example.org:3306)/there"},
		{name: "credentials instead", text: "mysql: {user: me, pass: secret, dsn: 'you:yours@tcp(db.example.org:3306)/there'}", want: "me:secret@tcp(db.example.org:3306)/there"},
		{name: "a user alone", text: "mysql: {user: me, dsn: 'you:yours@unix(/run/my.sock)/there'}", want: "me:yours@unix(/run/my.sock)/there"},
		{name: "with other things", text: "mysql: {dsn: '/there'}\nvault: {path: x}\n", want: "tcp(127.0.0.1:3306)/there"},
		{name: "a password that needs no quotes in a DSN", text: "mysql: {user: me, pass: 'a@b:c/d', dsn: '/there'}", want: "me:a@b:c/d@tcp(127.0.0.1:3306)/there"},
		{name: "empty", text: "", bad: true},
		{name: "without a DSN", text: "mysql: {user: me, pass: secret}", bad: true},
		{name: "no DSN", text: "mysql: {user: me, pass: secret, dsn: nonsense}", bad: true},
		{name: "no YAML", text: "mysql: {pass: secret", bad: true},
		{name: "a list", text: "- mysql", bad: true},
		{name: "a list of passwords", text: "mysql: {pass: [secret], dsn: /there}", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dsn, err := parseDatabaseFile([]byte(tt.text))
			if dsn != tt.want || (err != nil) != tt.bad {
				t.Fatalf("want %q, have %q (%v)", tt.want, dsn, err)
			}
			if err == nil {
				return
			}
			if say := err.Error(); !strings.HasPrefix(say, "read database.yaml: ") || strings.Contains(say, "\n") || strings.Contains(say, "secret") {
				t.Errorf("want one line without the password, have %q", say)
			}
		})
	}
}

// Whatever is in database.yaml, it gives a DSN that the driver takes, or an error in one line.
func FuzzParseDatabaseFile(f *testing.F) {
	for _, seed := range []string{"mysql: {dsn: 'a:b@tcp(c:1)/d'}", "mysql:\n  dsn: /x\n  user: me\n", "{", "mysql: 3", "&a [*a]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dsn, err := parseDatabaseFile(text)
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("more than a line: %q", err)
		case err == nil && whereIs(dsn) == "database":
			t.Errorf("no DSN: %q", dsn)
		}
	})
}

// The flag, or its variable, comes before database.yaml of the working folder, and both may be missing.
func TestTheDSNHasItsOrder(t *testing.T) {
	clean(t)
	want := func(want, flagged string) {
		t.Helper()
		if have, err := dsnOf(flagged); err != nil || have != want {
			t.Errorf("want %q, have %q (%v)", want, have, err)
		}
	}
	want("", "")
	want("flag@/there", "flag@/there")
	if err := os.WriteFile(databaseFile, []byte("mysql: {dsn: file@/there}"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("file@tcp(127.0.0.1:3306)/there", "")
	want("flag@/there", "flag@/there")
	if err := os.Remove(databaseFile); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(databaseFile, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := dsnOf(""); err == nil || !strings.HasPrefix(err.Error(), "read database.yaml: ") {
		t.Errorf("have %v", err)
	}
}

// A person is told where the database is, and never the password.
func TestWhereHidesThePassword(t *testing.T) {
	for dsn, want := range map[string]string{
		"me:secret@tcp(db.example.org:3306)/there?tls=true": "tcp:db.example.org:3306/there",
		"me:secret@unix(/run/my.sock)/there":                "unix:/run/my.sock/there",
	} {
		if have := whereIs(dsn); have != want {
			t.Errorf("want %s, have %s", want, have)
		}
	}
}

// While a lab runs in a state folder, commands are about the lab's database; else about that of real servers.
func TestCommandsFindTheDatabaseInUse(t *testing.T) {
	clean(t)
	dir, none := filepath.Join(t.TempDir(), "state"), ""
	flags := databaseFlags{dsn: &none, state: &dir}
	want := func(folder string) {
		t.Helper()
		_, err := flags.openToRead(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "there is no database in "+folder+";") {
			t.Errorf("want %s to be looked at, have %v", folder, err)
		}
	}
	want(dir)
	home, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want(dir)
	if err := home.sign(true); err != nil {
		t.Fatal(err)
	}
	want(filepath.Join(dir, "lab"))
	home.moveOut()
	want(dir)
}

// A hub has a name that can stand in a topic, whatever its machine is called.
func TestAHubHasAName(t *testing.T) {
	for hostname, want := range map[string]string{
		"mon1.example.org": "mon1.example.org", "my_host-2": "my_host-2", "(none)": "none", "": "hub", "---": "hub", "b\u00fcro pc": "b-ro-pc", "a/b": "a-b",
	} {
		if have := hubID(hostname); have != want {
			t.Errorf("%q: want %q, have %q", hostname, want, have)
		}
	}
}
