package messages

import (
	"errors"
	"fmt"

	"truechimer/pool"
	"truechimer/pool/ticket"
)

// Claim is what an agent says in evidence: a sample, the grant that it says it was taken under, and the ticket that
// proves it, if it does.
type Claim struct {
	Grant  ticket.Grant // its Agent is not said: it is whoever the link comes from
	Ticket ticket.Ticket
	Sample pool.Sample
}

// FromEvidence makes the message of a sample with the grant that it was taken under and the ticket that proves it.
func FromEvidence(g ticket.Grant, proof []byte, s pool.Sample) *Evidence {
	return &Evidence{
		ServerId:   uint32(g.Server),
		MonitorId:  uint32(g.Monitor),
		IntervalMs: fromMillis(g.Interval),
		FromS:      g.From.Unix(),
		UntilS:     g.Until.Unix(),
		Ticket:     proof,
		Sample:     FromSample(s),
	}
}

// ToEvidence checks an agent's evidence and converts it. The ticket has yet to be checked against the grant,
// and the grant's life against the sample. The error is fit to be told to the agent.
func ToEvidence(m *Evidence) (Claim, error) {
	claim, err := toClaim(m)
	if err != nil {
		return Claim{}, fmt.Errorf("evidence on server %d: %w", m.GetServerId(), err)
	}
	return claim, nil
}

func toClaim(m *Evidence) (Claim, error) {
	switch {
	case m.GetServerId() == 0:
		return Claim{}, errors.New("no server")
	case m.MonitorId == 0:
		return Claim{}, errors.New("no monitor")
	}
	if err := checkInterval(m.IntervalMs); err != nil {
		return Claim{}, err
	}
	if err := checkLife(m.FromS, m.UntilS); err != nil {
		return Claim{}, err
	}
	proof, err := ticket.Parse(m.Ticket)
	if err != nil {
		return Claim{}, err
	}
	sample, err := ToSample(m.Sample)
	if err != nil {
		return Claim{}, err
	}
	return Claim{
		Grant: ticket.Grant{
			Monitor:  pool.MonitorID(m.MonitorId),
			Server:   pool.ServerID(m.ServerId),
			Interval: toMillis(m.IntervalMs),
			From:     toSeconds(m.FromS),
			Until:    toSeconds(m.UntilS),
		},
		Ticket: proof,
		Sample: sample,
	}, nil
}
