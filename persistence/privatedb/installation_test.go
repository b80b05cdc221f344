package privatedb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Both layouts are found: Debian 12 has MariaDB's SQL under MySQL's name, Debian 13 under its own.
func TestBothLayoutsAreFound(t *testing.T) {
	debian12 := []string{"usr/share/mysql/mysql_system_tables.sql", "usr/share/mysql/mysql_system_tables_data.sql"}
	debian13 := []string{"usr/share/mariadb/mariadb_system_tables.sql", "usr/share/mariadb/mariadb_system_tables_data.sql"}
	tests := []struct {
		name       string
		files      []string
		wantTables string
		wantError  string
	}{
		{"Debian 12", append(debian12, "usr/sbin/mariadbd"), debian12[0], ""},
		{"Debian 13", append(debian13, "usr/sbin/mariadbd"), debian13[0], ""},
		{"upgraded, with the old files left", append(append(debian12, debian13...), "usr/sbin/mariadbd"), debian13[0], ""},
		{"not installed", nil, "", "apt-get install mariadb-server-core"},
		{"SQL without the program", debian12, "", "--database-dsn"},
		{"the program without SQL", []string{"usr/sbin/mariadbd"}, "", "--reinstall mariadb-server-core"},
		{"half of the SQL", []string{"usr/sbin/mariadbd", debian13[0]}, "", "--reinstall mariadb-server-core"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for _, name := range tt.files {
				place(t, filepath.Join(root, name))
			}
			have, err := findInstallation(root)
			if tt.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantError) {
					t.Fatalf("have %v, want an error with %q", err, tt.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(root, tt.wantTables); have.tables != want {
				t.Errorf("have %s, want %s", have.tables, want)
			}
		})
	}
}

func place(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
}

// The release is major and minor, wherever in the text it comes first.
func TestReleaseIsMajorAndMinor(t *testing.T) {
	tests := []struct {
		text string
		want release
	}{
		{"10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", release{10, 11}},
		{"11.8.9-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64", release{11, 8}},
		{"10.11\n", release{10, 11}},
	}
	for _, tt := range tests {
		have, err := parseRelease(tt.text)
		if err != nil || have != tt.want {
			t.Errorf("%q: have %v, %v, want %v", tt.text, have, err, tt.want)
		}
	}
	for _, text := range []string{"", "MariaDB", "10", "12345.1"} {
		if have, err := parseRelease(text); err == nil {
			t.Errorf("%q: have %v, want an error", text, have)
		}
	}
}

// Releases are numbers, not text: 10.11 comes after 10.9.
func TestNewerReleaseIsTold(t *testing.T) {
	order := []release{{9, 99}, {10, 9}, {10, 11}, {11, 0}, {11, 8}, {12, 0}}
	for i, a := range order {
		for j, b := range order {
			if have, want := a.newerThan(b), i > j; have != want {
				t.Errorf("%v newer than %v: have %t, want %t", a, b, have, want)
			}
		}
	}
}
