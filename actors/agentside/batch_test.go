package agentside

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// A batch fits into a frame whatever its samples say, and is full where there was no room for more.
func TestBatchFitsIntoAFrame(t *testing.T) {
	for _, test := range []struct {
		name           string
		samples, texts int
		want           int
		full           bool
	}{
		{"few", 3, 10, 3, false},
		{"as many as a batch takes", messages.MaxBatch, 10, messages.MaxBatch, true},
		{"more", messages.MaxBatch + 1, 10, messages.MaxBatch, true},
		{"all with the longest texts", messages.MaxBatch, messages.MaxText, messages.MaxBatch, true},
		{"longer than any text may be", 100, 20_000, 12, true},
		{"one that fits no frame", 2, messages.MaxFrame, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			collected := &messages.Collected{IpVersion: 4}
			text := strings.Repeat("x", test.texts)
			for i := range test.samples {
				collected.Spooled = append(collected.Spooled, &messages.Spooled{Number: uint64(i), Evidence: &messages.Evidence{
					Ticket: make([]byte, 60), Sample: &messages.Sample{Error: text, Warning: text},
				}})
			}
			b := newBatch(7, collected)
			if len(b.numbers) != test.want || len(b.message.Evidence) != test.want || b.full != test.full {
				t.Errorf("want %d samples, full %t; have %d, %t", test.want, test.full, len(b.numbers), b.full)
			}
			envelope, err := messages.WrapUp("hub/gateway/session/paris.1", "agent/uplink", b.message)
			if err != nil {
				t.Fatal(err)
			}
			size := proto.Size(&messages.Up{Messages: []*messages.FromAgent{envelope}})
			if size > messages.MaxFrame && test.want > 1 {
				t.Errorf("a frame with it has %d bytes", size)
			}
		})
	}
}
