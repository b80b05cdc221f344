package privatedb

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// Around the SQL of the installation: root comes without a password, since the folder keeps others out, and comes
// through the socket or from loopback, never by the name that this machine happens to have today.
const (
	beforeTables = "create database if not exists mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n"
	afterRows    = "\ndelete from global_priv where Host not in ('localhost', '127.0.0.1', '::1');\n" +
		"delete from proxies_priv where Host not in ('localhost', '127.0.0.1', '::1');\n"
)

// bootstrap makes the datadir with the system tables that a server needs to start. It is made under another name and
// renamed when it is whole and on disk, so that whatever happens meanwhile there is a good datadir or none.
// Of MariaDB's SQL the views of its sys schema are left out: they take half of the time, and nobody here reads them.
func (s *site) bootstrap(ctx context.Context, lock *os.File) error {
	if err := os.RemoveAll(s.unfinished()); err != nil {
		return s.unusable(err)
	}
	if err := s.checkSpace(s.firstSpace()); err != nil {
		return err
	}
	if err := os.Mkdir(s.unfinished(), 0o700); err != nil {
		return s.unusable(err)
	}
	if err := s.makeTables(ctx, lock); err != nil {
		os.RemoveAll(s.unfinished()) // a full disk can use the room; what stays the next start removes
		return err
	}
	if !s.Volatile {
		if err := syncFilesystem(s.unfinished()); err != nil {
			return s.unusable(err)
		}
	}
	if err := os.Rename(s.unfinished(), s.datadir()); err != nil {
		return s.unusable(err)
	}
	s.Log.Info().Str("folder", string(s.folder)).Msg("database made")
	return nil
}

// makeTables runs mariadbd once on the SQL.
func (s *site) makeTables(ctx context.Context, lock *os.File) error {
	sql, err := s.systemSQL()
	if err != nil {
		return err
	}
	child, err := s.spawn(s.bootstrapArguments(os.Geteuid()), sql, lock)
	if err != nil {
		return err
	}
	select {
	case <-child.done:
		err = child.err
		if err != nil {
			err = s.explain(err)
		}
	case <-ctx.Done():
		child.end(0)
		err = s.calledOff(ctx)
	}
	if err != nil {
		return fmt.Errorf("make the database in %s: %w", s.folder, err)
	}
	return nil
}

func (s *site) systemSQL() (io.Reader, error) {
	tables, err := os.ReadFile(s.tables)
	if err != nil {
		return nil, fmt.Errorf("read MariaDB's system tables: %w", err)
	}
	rows, err := os.ReadFile(s.rows)
	if err != nil {
		return nil, fmt.Errorf("read MariaDB's system tables: %w", err)
	}
	return strings.NewReader(beforeTables + string(tables) + "\n" + string(rows) + afterRows), nil
}
