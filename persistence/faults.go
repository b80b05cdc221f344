package persistence

import (
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
)

// Errors of the server that mean something to us; the numbers are the same in MySQL and MariaDB.
const (
	faultNoDatabaseAccess = 1044
	faultAccessDenied     = 1045
	faultUnknownDatabase  = 1049
	faultTableDenied      = 1142 // the user may do something here, but not this
	faultColumnDenied     = 1143
	faultRightMissing     = 1227
	faultRoutineDenied    = 1370
	faultNull             = 1048
	faultDuplicate        = 1062
	faultNoSuchTable      = 1146
	faultTooLong          = 1406
	faultTruncated        = 1265
	faultBadDate          = 1292
	faultBadValue         = 1366
	faultOutOfRange       = 1264
	faultNoParent         = 1452
	faultNoPartition      = 1526
	faultReadChanged      = 1020 // a row changed under a snapshot (MariaDB, innodb_snapshot_isolation)
	faultLockTimeout      = 1205
	faultDeadlock         = 1213
	faultReadOnly         = 1290 // started with --read-only
	faultReadOnlyMode     = 1836
	faultReadOnlySession  = 1792
	faultNoPlugin         = 1698 // access denied, of another plugin
	faultDiskFull         = 1021
	faultWrite            = 1026
	faultTableFull        = 1114 // InnoDB's word for a disk that is full
)

// numberOf is the server's number of an error; 0: it isn't the server's.
func numberOf(err error) uint16 {
	var fault *mysql.MySQLError
	if errors.As(err, &fault) {
		return fault.Number
	}
	return 0
}

// isConflict tells whether a transaction was given up for another one's sake: the same again may well go through.
func isConflict(err error) bool {
	switch numberOf(err) {
	case faultDeadlock, faultLockTimeout, faultReadChanged:
		return true
	}
	return false
}

// isDuplicate tells whether a row of the same key is there already.
func isDuplicate(err error) bool { return numberOf(err) == faultDuplicate }

// isRefusal tells whether the server refused what it was given, and would refuse it again.
func isRefusal(err error) bool {
	switch numberOf(err) {
	case faultNull, faultDuplicate, faultTooLong, faultTruncated, faultBadDate, faultBadValue, faultOutOfRange,
		faultNoParent, faultNoPartition:
		return true
	}
	return false
}

// explained adds to an error what a person can do about it, where that is known.
func explained(err error) error {
	switch numberOf(err) {
	case faultAccessDenied, faultNoDatabaseAccess, faultNoPlugin:
		return fmt.Errorf("%w (check user and password in the DSN, and what the user may do)", err)
	case faultTableDenied, faultColumnDenied, faultRightMissing, faultRoutineDenied:
		return fmt.Errorf("%w (grant the user of the DSN that right, or name another user there)", err)
	case faultUnknownDatabase:
		return fmt.Errorf("%w (create it, empty; the tables are made at the first start)", err)
	case faultReadOnly, faultReadOnlyMode, faultReadOnlySession:
		return fmt.Errorf("the database is read-only: %w (use the primary, or make it writable)", err)
	case faultDiskFull, faultWrite, faultTableFull:
		return fmt.Errorf("%w (make room on the database's disk)", err)
	case faultNoSuchTable:
		return fmt.Errorf("%w (the database was not migrated)", err)
	}
	if _, is := errors.AsType[*net.OpError](err); is {
		return fmt.Errorf("%w (start it, or check its address in the DSN)", err)
	}
	return err
}
