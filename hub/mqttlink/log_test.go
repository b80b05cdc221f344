package mqttlink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// How long the pause is that follows a failed connection is logged in whole milliseconds, as the field's name says.
func TestAPauseIsLoggedInMilliseconds(t *testing.T) {
	var log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	link, err := New(Options{
		Access: Access{URL: "mqtt://127.0.0.1:1", Token: func() (string, error) {
			time.AfterFunc(firstPause/10, stop) // in the midst of the pause
			return "", errors.New("no token")
		}},
		Log: zerolog.New(&log),
	})
	if err != nil {
		t.Fatal(err)
	}
	link.Hold(ctx, nil, func(error) {})
	var line struct {
		Pause int64 `json:"pause_ms"`
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", log.String(), err)
	}
	if least, most := firstPause.Milliseconds()/2, firstPause.Milliseconds(); line.Pause < least || line.Pause > most {
		t.Errorf("want a pause of %d to %d ms, have %s", least, most, log.String())
	}
}
