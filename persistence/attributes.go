package persistence

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"truechimer/pool"
)

// attributes is the JSON in log_scores.attributes as we read it. Rows of other writers may hold anything.
type attributes struct {
	Leap       uint8        `json:"leap"`
	Stratum    uint8        `json:"stratum"`
	NoResponse bool         `json:"no_response"`
	Kiss       string       `json:"kiss"`
	Error      string       `json:"error"`
	Warning    string       `json:"warning"`
	Late       bool         `json:"late"`
	Counted    []pool.LogID `json:"counted"`
	Rule       string       `json:"rule"`
}

// textLimit bounds what a server or an agent said in each of a row's texts: enough for any error message,
// and five such texts fit the column many times over.
const textLimit = 1000

// appendAttributes appends the JSON of a row; what is unset is left out, and a row with nothing set has none.
// It is written by hand since it is done for every sample.
func appendAttributes(text []byte, row pool.LogRow, counted []pool.LogID) []byte {
	start := len(text)
	if s := row.Sample; s != nil {
		text = appendNumber(text, "leap", uint64(s.Leap))
		text = appendNumber(text, "stratum", uint64(s.Stratum))
		text = appendTrue(text, "no_response", s.NoReply)
		text = appendText(text, "kiss", string(s.Kiss))
		text = appendText(text, "error", s.Error)
		text = appendText(text, "warning", s.Warning)
	}
	text = appendTrue(text, "late", row.Late)
	text = appendText(text, "rule", row.Rule)
	text = appendIDs(text, "counted", counted)
	if len(text) == start {
		return text
	}
	text[start] = '{' // in place of the comma before the first name
	return append(text, '}')
}

func appendName(text []byte, name string) []byte {
	text = append(text, ',', '"')
	text = append(text, name...)
	return append(text, '"', ':')
}

func appendNumber(text []byte, name string, n uint64) []byte {
	if n == 0 {
		return text
	}
	return strconv.AppendUint(appendName(text, name), n, 10)
}

func appendTrue(text []byte, name string, set bool) []byte {
	if !set {
		return text
	}
	return append(appendName(text, name), "true"...)
}

func appendText(text []byte, name, value string) []byte {
	if value == "" {
		return text
	}
	text = appendName(text, name)
	if value = clipped(value); isPlain(value, '"') {
		text = append(text, '"')
		text = append(text, value...)
		return append(text, '"')
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		panic(err) // a string always marshals
	}
	return append(text, quoted...)
}

func appendIDs(text []byte, name string, ids []pool.LogID) []byte {
	if len(ids) == 0 {
		return text
	}
	text = appendName(text, name)
	for i, id := range ids {
		if i == 0 {
			text = append(text, '[')
		} else {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, uint64(id), 10)
	}
	return append(text, ']')
}

// clipped cuts a text off at textLimit, between two characters.
func clipped(text string) string {
	if len(text) <= textLimit {
		return text
	}
	end := textLimit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// isPlain tells whether a text stands for itself between such quotes, in JSON as in SQL.
func isPlain[T string | []byte](text T, quote byte) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == quote || c == '\\' {
			return false
		}
	}
	return true
}

// parseAttributes reads what a row holds; what can't be read is left unset.
func parseAttributes(text string) attributes {
	var a attributes
	// Fields of an unexpected type are passed over and the others read, which is all that can be done:
	// the row is evidence, and nobody is to change it.
	_ = json.Unmarshal([]byte(text), &a)
	return a
}
