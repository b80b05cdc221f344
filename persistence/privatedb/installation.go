package privatedb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// errNotInstalled says all that has to be done.
var errNotInstalled = errors.New("mariadbd is not installed: apt-get install mariadb-server-core, " +
	"or name a MySQL or MariaDB of your own with --database-dsn")

// installation is the mariadbd of this machine and what came with it.
type installation struct {
	mariadbd string // the program
	tables   string // SQL that makes the system tables
	rows     string // SQL that fills them
}

// findInstallation looks for mariadbd below root ("/" but in tests) where the distributions put it, which is not in
// the PATH of plain users, and for its SQL: share/mysql/mysql_*.sql up to 10.11, share/mariadb/mariadb_*.sql since.
func findInstallation(root string) (installation, error) {
	for _, name := range []string{"usr/sbin/mariadbd", "usr/bin/mariadbd", "usr/libexec/mariadbd", "usr/local/bin/mariadbd"} {
		program := filepath.Join(root, name)
		if info, err := os.Stat(program); err != nil || info.IsDir() {
			continue
		}
		prefix := filepath.Dir(filepath.Dir(program))
		for _, brand := range []string{"mariadb", "mysql"} {
			base := filepath.Join(prefix, "share", brand, brand+"_system_tables")
			found := installation{mariadbd: program, tables: base + ".sql", rows: base + "_data.sql"}
			if exist(found.tables, found.rows) {
				return found, nil
			}
		}
		return installation{}, fmt.Errorf("%s is here without the SQL files that belong to it below %s: "+
			"apt-get install --reinstall mariadb-server-core", program, filepath.Join(prefix, "share"))
	}
	return installation{}, errNotInstalled
}

func exist(paths ...string) bool {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// release is the part of MariaDB's version that decides what can read which tables: 10.11, 11.8.
type release struct{ major, minor int }

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

func (r release) newerThan(other release) bool {
	return r.major > other.major || r.major == other.major && r.minor > other.minor
}

var releaseIn = regexp.MustCompile(`\b(\d{1,4})\.(\d{1,4})\b`)

// parseRelease finds the first release in a text.
func parseRelease(text string) (release, error) {
	found := releaseIn.FindStringSubmatch(text)
	if found == nil {
		return release{}, fmt.Errorf("no MariaDB release in %q", text)
	}
	major, err := strconv.Atoi(found[1])
	if err != nil {
		return release{}, fmt.Errorf("read MariaDB release: %w", err)
	}
	minor, err := strconv.Atoi(found[2])
	if err != nil {
		return release{}, fmt.Errorf("read MariaDB release: %w", err)
	}
	return release{major, minor}, nil
}

// release asks mariadbd what it is.
func (i installation) release(ctx context.Context) (release, error) {
	out, err := exec.CommandContext(ctx, i.mariadbd, "--no-defaults", "--version").Output()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // it was killed since nobody wants to know any more
	}
	if err != nil {
		return release{}, fmt.Errorf("ask %s for its version: %w", i.mariadbd, err)
	}
	// mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)
	_, version, _ := strings.Cut(string(out), " Ver ")
	return parseRelease(version)
}

// checkVersion refuses tables that a newer MariaDB has written, before this one touches them: 10.11 starts on those
// of 11.8, and complains of a damaged change buffer.
func (s *site) checkVersion(ctx context.Context) (installed release, err error) {
	installed, err = s.release(ctx)
	if err != nil {
		return release{}, err
	}
	text, err := os.ReadFile(s.version())
	if errors.Is(err, os.ErrNotExist) {
		return installed, nil
	}
	if err != nil {
		return release{}, s.unusable(err)
	}
	last, err := parseRelease(string(text))
	if err != nil {
		return release{}, fmt.Errorf("read %s: %w", s.version(), err)
	}
	if last.newerThan(installed) {
		return release{}, fmt.Errorf("the database in %s was written by MariaDB %s, and this is %s, which would damage it: "+
			"install mariadb-server-core %s or newer", s.folder, last, installed, last)
	}
	return installed, nil
}

// noteVersion says which release the tables are for from now on. It comes after the start, since a release that
// didn't get that far mustn't keep the one before it from coming back.
func (s *site) noteVersion(r release) error {
	text := r.String() + "\n"
	if last, err := os.ReadFile(s.version()); err == nil && string(last) == text {
		return nil
	}
	next := s.version() + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return s.unusable(err)
	}
	if err := os.Rename(next, s.version()); err != nil {
		return s.unusable(err)
	}
	return nil
}
