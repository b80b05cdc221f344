package hubside_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"truechimer/messages"
	"truechimer/pool/ticket"
)

// A sample counts only from the monitor it was ordered from, for the server it was ordered for, within the order's
// life. Anything else is refused with the reason, counted, and changes nothing.
func TestTicketMustFitTheSample(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(r *rig, e *messages.Evidence)
		want  string
	}{
		{"fits", func(*rig, *messages.Evidence) {}, "stored"},
		{"forged", func(_ *rig, e *messages.Evidence) { e.Ticket[7] ^= 1 }, "refused: ticket doesn't fit the assignment"},
		{"another agent's", func(r *rig, e *messages.Evidence) {
			e.Ticket = r.links.agents["oslo"].order(1).Ticket
		}, "refused: ticket doesn't fit the assignment"},
		{"another agent's, with its monitor", func(r *rig, e *messages.Evidence) {
			theirs := r.links.agents["oslo"].order(1)
			proto.Reset(e)
			proto.Merge(e, messages.FromEvidence(theirs.Grant, theirs.Ticket, r.links.agents["oslo"].sample(0)))
		}, "refused: ticket doesn't fit the assignment"},
		{"another server's", func(_ *rig, e *messages.Evidence) { e.ServerId = 2 }, "refused: ticket doesn't fit the assignment"},
		{"another monitor's", func(r *rig, e *messages.Evidence) {
			e.MonitorId = uint32(r.monitor("oslo").ID)
		}, "refused: ticket doesn't fit the assignment"},
		{"a longer life", func(_ *rig, e *messages.Evidence) { e.UntilS += 3600 }, "refused: ticket doesn't fit the assignment"},
		{"unknown key", func(_ *rig, e *messages.Evidence) { e.Ticket[3] = 9 }, "refused: ticket of an unknown key"},
		{"before the order", func(_ *rig, e *messages.Evidence) {
			e.Sample.AtUs -= int64(3 * time.Minute / time.Microsecond)
		}, "refused: sample taken before the assignment began"},
		{"after the order", func(_ *rig, e *messages.Evidence) {
			e.Sample.AtUs += int64(ticket.Lifetime / time.Microsecond)
		}, "refused: sample taken after the assignment ended"},
		{"in the future", func(_ *rig, e *messages.Evidence) {
			e.Sample.AtUs += int64(2 * time.Minute / time.Microsecond)
		}, "refused: sample taken in the future"},
		{"within the shelf", func(r *rig, _ *messages.Evidence) { r.hub.StepClock(ticket.Shelf - time.Hour) }, "stored"},
		{"beyond the shelf", func(r *rig, _ *messages.Evidence) {
			r.hub.StepClock(ticket.Shelf + time.Hour)
		}, "refused: sample arrived too late"},
		{"malformed", func(_ *rig, e *messages.Evidence) { e.Sample.Stratum = 256 }, "refused: malformed sample"},
		{"no sample", func(_ *rig, e *messages.Evidence) { e.Sample = nil }, "refused: malformed sample"},
		{"no ticket", func(_ *rig, e *messages.Evidence) { e.Ticket = nil }, "refused: malformed sample"},
		{"no server", func(_ *rig, e *messages.Evidence) { e.ServerId = 0 }, "refused: malformed sample"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, paris, _ := newPool(t, 2)
			r.run(time.Minute)
			e := paris.evidence(1, paris.sample(0))
			e.Ticket = append([]byte(nil), e.Ticket...)
			test.spoil(r, e)
			batch := paris.submit(e)
			r.run(soon)
			paris.wantAnswers(batch, test.want)
			reason, refused := strings.CutPrefix(test.want, "refused: ")
			if refused {
				r.wantStored(1, 0)
				r.wantStored(2, 0)
				r.wantCount("samples_refused/"+reason, 1)
			}
		})
	}
}
