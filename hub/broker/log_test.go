package broker

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// How long a client was connected is logged in whole milliseconds, as the field's name says.
func TestAConnectionIsLoggedInMilliseconds(t *testing.T) {
	var log bytes.Buffer // zerolog writes a line at once; it is read after Close, when nobody logs any more
	h := open(t, func(o *Options, _ *limits) { o.Log = zerolog.New(zerolog.SyncWriter(&log)) })
	began := time.Now()
	h.connect(h.watcher("w1"))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	var line struct {
		Message   string
		Connected *int64 `json:"connected_ms"`
	}
	for lines := json.NewDecoder(&log); line.Message != "mqtt client left"; {
		if err := lines.Decode(&line); err != nil {
			t.Fatalf("nobody left: %v", err)
		}
	}
	if most := time.Since(began).Milliseconds(); line.Connected == nil || *line.Connected < 0 || *line.Connected > most {
		t.Errorf("want at most %d ms, have %v", most, line.Connected)
	}
}
