package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

// scanner reads the columns of a row.
type scanner func(columns ...any) error

// eachRow runs a query that is made by hand, and reads its rows as they come.
func eachRow(ctx context.Context, tx *sql.Tx, query string, read func(scanner) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// integer is a column of whole numbers, NULL as 0. It takes them as the driver gives them, which is several times
// faster than the detour of package database/sql by way of text.
type integer int64

// Scan implements sql.Scanner.
func (n *integer) Scan(column any) error {
	switch v := column.(type) {
	case nil:
		*n = 0
	case int64:
		*n = integer(v)
	case []byte: // a sum, which is a decimal
		whole, err := strconv.ParseInt(string(v), 10, 64)
		*n = integer(whole)
		return err
	default:
		return fmt.Errorf("%T is no whole number", column)
	}
	return nil
}

// word is a column of text, NULL as empty. The words that are in most rows are not copied for each of them.
type word string

// Scan implements sql.Scanner.
func (w *word) Scan(column any) error {
	switch v := column.(type) {
	case nil:
		*w = ""
	case []byte:
		*w = wordOf(v)
	case string:
		*w = word(v)
	default:
		return fmt.Errorf("%T is no text", column)
	}
	return nil
}

func wordOf(text []byte) word {
	switch string(text) { // which the compiler compares without a copy
	case "active":
		return "active"
	case "testing":
		return "testing"
	case "candidate":
		return "candidate"
	case "paused":
		return "paused"
	case "limit":
		return "limit"
	case "account":
		return "account"
	case "network_same_subnet":
		return "network_same_subnet"
	case "network_diversity":
		return "network_diversity"
	}
	return word(text)
}

// within is the condition that a column is within a span.
func within(column string, s span) string {
	return fmt.Sprintf(" %[1]s >= %[2]s AND %[1]s < %[3]s ", column, literal(s.from), literal(s.to))
}

// literal is a time in SQL.
func literal(at time.Time) string { return at.UTC().Format("TIMESTAMP'2006-01-02 15:04:05.000000'") }

// among is the condition that a column is one of some ids, which come sorted. Where none is missing in between they are
// one range, which the server goes through in half the time that it takes to look up each of them.
func among[T ~uint32](column string, ids []T) string {
	if last := len(ids) - 1; last > 0 && int(ids[last]-ids[0]) == last {
		return fmt.Sprintf(" %s BETWEEN %d AND %d ", column, ids[0], ids[last])
	}
	return " " + column + " IN (" + idList(ids) + ") "
}

// idList is ids with commas between them.
func idList[T ~uint32](ids []T) string {
	var text []byte
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, uint64(id), 10)
	}
	return string(text)
}

// hourNumber is an SQL expression for the number of a time's hour, counted from the beginning of a window.
func hourNumber(column string, window span) string {
	return fmt.Sprintf("TIMESTAMPDIFF(HOUR, %s, %s)", literal(window.from), column)
}
