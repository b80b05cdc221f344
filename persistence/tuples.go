package persistence

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"time"
)

// tuples are the rows of a statement of many rows, written as text.
// Placeholders would do too, but filling in some ten thousand of them costs the hub as much as the insert costs the server.
type tuples struct {
	between string // two rows; empty: as in a list of VALUES
	text    []byte
	count   int
	begun   bool // the row has a value already
}

// tuplesFor has room for so many rows of the usual length.
func tuplesFor(rows int) *tuples {
	const usual = 192 // bytes of a row of log_scores; those of other tables are shorter
	return &tuples{text: make([]byte, 0, rows*usual)}
}

// add begins a row, whose values follow.
func (t *tuples) add() {
	if t.count > 0 {
		t.text = append(t.text, cmp.Or(t.between, "),\n(")...)
	}
	t.count++
	t.begun = false
}

// next begins the next value of the row.
func (t *tuples) next() {
	if t.begun {
		t.text = append(t.text, ',')
	}
	t.begun = true
}

func (t *tuples) null() { t.raw("NULL") }

// raw writes an expression of ours.
func (t *tuples) raw(expression string) {
	t.next()
	t.text = append(t.text, expression...)
}

func (t *tuples) integer(n int64) {
	t.next()
	t.text = strconv.AppendInt(t.text, n, 10)
}

// known writes a number for which 0 stands for none.
func (t *tuples) known(n uint64) {
	if n == 0 {
		t.null()
		return
	}
	t.next()
	t.text = strconv.AppendUint(t.text, n, 10)
}

// float writes a number with all its digits; the exponent has the server read it as a double and not as a decimal.
func (t *tuples) float(f float64) {
	t.next()
	t.text = strconv.AppendFloat(t.text, f, 'e', -1, 64)
}

// micros writes a duration in microseconds, nil as NULL.
func (t *tuples) micros(d *time.Duration) {
	if d == nil {
		t.null()
		return
	}
	t.integer(d.Microseconds())
}

// at writes a time, zero as NULL.
func (t *tuples) at(at time.Time) {
	if at.IsZero() {
		t.null()
		return
	}
	t.next()
	t.text = at.UTC().AppendFormat(t.text, "TIMESTAMP'2006-01-02 15:04:05.000000'")
}

// words writes a text, an empty one as NULL.
func (t *tuples) words(text string) {
	if text == "" {
		t.null()
		return
	}
	t.next()
	t.text = appendWords(t.text, text)
}

// appendWords writes a text between quotes, or in hexadecimal where anything in it might end the quotes:
// so there is nothing to escape, and nothing to get wrong about it.
func appendWords[T string | []byte](sql []byte, text T) []byte {
	if !isPlain(text, '\'') {
		sql = append(sql, "X'"...)
		sql = hex.AppendEncode(sql, []byte(text))
		return append(sql, '\'')
	}
	sql = append(sql, '\'')
	sql = append(sql, text...)
	return append(sql, '\'')
}

// statement is the rows between the beginning and the end of their statement.
func (t *tuples) statement(begin, end string) string {
	return begin + string(t.text) + end
}
