package privatedb

import (
	"fmt"
	"net/netip"
)

const (
	// redoLog holds what isn't in the tables' files yet. The insert rates of the design were measured with it.
	redoLog = 128 << 20

	// volatileRedoLog is for tests, whose files lie in memory.
	volatileRedoLog = 16 << 20

	// bootstrapPool is enough to write a few dozen empty tables.
	bootstrapPool = 32 << 20
)

// sqlMode is MySQL 8's default and rounds fractions of seconds as MySQL does:
// what is refused or changed there is refused or changed here.
const sqlMode = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,TIME_ROUND_FRACTIONAL"

// basics are the arguments of both runs of mariadbd, the one that makes the tables and the one that serves them.
func (s *site) basics(datadir string, uid int) []string {
	args := []string{
		"--no-defaults", // it comes first or not at all; the machine's /etc/mysql is for the machine's own server
		"--datadir=" + datadir,
		"--tmpdir=" + s.tmp(),
		"--skip-log-bin",
		"--skip-ssl",             // MariaDB 11.4 and newer make a key at each start, which takes up to seconds
		"--table-open-cache=400", // a few dozen tables with their partitions; more by default than files may be open
		"--performance-schema=OFF",
		"--key-buffer-size=1M",            // MyISAM's cache, which nobody uses
		"--aria-pagecache-buffer-size=8M", // that of the system tables
		fmt.Sprintf("--innodb-log-file-size=%d", s.redoLog()),
	}
	if uid == 0 {
		args = append(args, "--user=root") // mariadbd refuses to run as root unless told to
	}
	return args
}

func (s *site) redoLog() int64 {
	if s.Volatile {
		return volatileRedoLog
	}
	return redoLog
}

// firstSpace is what a first start needs of the disk, in bytes.
func (s *site) firstSpace() int64 { return s.redoLog() + firstTables + spareSpace }

// bootstrapArguments are those of the run that reads SQL from its standard input and ends.
func (s *site) bootstrapArguments(uid int) []string {
	return append(s.basics(s.unfinished(), uid),
		"--bootstrap",
		fmt.Sprintf("--innodb-buffer-pool-size=%d", bootstrapPool),
	)
}

// serverArguments are those of the run that serves.
func (s *site) serverArguments(uid int) []string {
	args := append(s.basics(s.datadir(), uid),
		"--socket="+s.socket,
		"--pid-file="+s.pidFile(),
		"--log-error="+s.errorLog(),
		"--secure-file-priv="+s.tmp(), // SQL reads and writes no file elsewhere
		"--skip-name-resolve",

		"--sql-mode="+sqlMode,
		"--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_general_ci",
		"--default-time-zone=+00:00",
		"--transaction-isolation=REPEATABLE-READ",
		"--loose-innodb-snapshot-isolation=OFF", // as in MySQL; older ones of MariaDB 10.11 don't know it

		fmt.Sprintf("--innodb-buffer-pool-size=%d", s.BufferPool),
		fmt.Sprintf("--innodb-flush-log-at-trx-commit=%d", s.flush()),
		"--innodb-log-buffer-size=8M",
		"--max-allowed-packet=64M", // as the driver's
		"--max-connections=64",     // a hub has a handful, a command one; the rest is for whoever looks
	)
	if s.Volatile {
		args = append(args, "--innodb-doublewrite=OFF")
	}
	return append(args, networkArguments(s.Listen)...)
}

// flush is 1, each commit is on disk when it returns, but where nothing has to outlive a crash.
// Batches gain nothing from 2.
func (s *site) flush() int {
	if s.Volatile {
		return 0
	}
	return 1
}

// networkArguments are for an address that checkListen has passed.
func networkArguments(listen string) []string {
	if listen == "" {
		return []string{"--skip-networking"}
	}
	addr := netip.MustParseAddrPort(listen)
	return []string{"--bind-address=" + addr.Addr().String(), fmt.Sprintf("--port=%d", addr.Port())}
}
