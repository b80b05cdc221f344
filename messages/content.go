package messages

import (
	"errors"
	"fmt"

	"truechimer/pool"
)

// How much one message may say.
const (
	// MaxBatch is how many samples a batch may have: a second's worth of the busiest agent. The hub answers a batch
	// part by part, so a larger one would only hold more in memory on both sides.
	MaxBatch = 500

	// MaxAssignments is how many orders, and how many dropped servers, one Assignments may name: with the longest
	// addresses they take two thirds of a frame. A monitor with more gets them in several.
	MaxAssignments = 2000

	// maxPulses is one for each IP version.
	maxPulses = 2

	// maxFeatures is more than a program will ever tell about itself.
	maxFeatures = 32

	// maxToken is room for a JWT with the topics of an agent (about 600 bytes), several times over.
	maxToken = 4096
)

func checkHello(m *Hello) error {
	if err := checkText("version", m.GetVersion(), MaxText); err != nil {
		return err
	}
	if n := len(m.GetFeatures()); n > maxFeatures {
		return fmt.Errorf("%d features are more than %d", n, maxFeatures)
	}
	for _, feature := range m.GetFeatures() {
		if err := checkText("feature", feature, MaxText); err != nil {
			return err
		}
	}
	return nil
}

// checkBatch leaves what is in the batch to ToEvidence, so that one bad sample doesn't spoil the others.
func checkBatch(m *Batch) error {
	if n := len(m.GetEvidence()); n > MaxBatch {
		return fmt.Errorf("%d samples are more than %d", n, MaxBatch)
	}
	return checkIPVersion(m.GetIpVersion())
}

func checkWelcome(m *Welcome) error {
	if err := checkText("session's id", m.GetSessionId(), MaxText); err != nil {
		return err
	}
	if err := ValidAgentName(m.GetAgent()); err != nil {
		return err
	}
	if err := checkActorID(m.GetSession()); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if err := checkText("broker's URL", m.GetLive().GetUrl(), MaxText); err != nil {
		return err
	}
	if err := checkText("broker's token", m.GetLive().GetToken(), maxToken); err != nil {
		return err
	}
	return checkText("deployment", m.GetLive().GetDeployment(), MaxText)
}

// checkAssignments leaves the orders to ToAssignment and the terms to ToTerms, so that one bad order
// doesn't spoil the others.
func checkAssignments(m *Assignments) error {
	if n := max(len(m.GetSet()), len(m.GetDropped())); n > MaxAssignments {
		return fmt.Errorf("%d orders are more than %d", n, MaxAssignments)
	}
	if m.GetMonitorId() == 0 {
		return errors.New("no monitor")
	}
	return checkIPVersion(m.GetIpVersion())
}

func checkVerdicts(m *Verdicts) error {
	if n := len(m.GetVerdicts()); n > MaxBatch {
		return fmt.Errorf("%d verdicts are more than %d", n, MaxBatch)
	}
	for _, verdict := range m.GetVerdicts() {
		if verdict.GetIndex() >= MaxBatch {
			return fmt.Errorf("verdict on sample %d, a batch has %d at most", verdict.GetIndex(), MaxBatch)
		}
		if err := checkText("reason of a verdict", verdict.GetReason(), MaxText); err != nil {
			return err
		}
	}
	return checkIPVersion(m.GetIpVersion())
}

func checkIPVersion(version uint32) error {
	if version != uint32(pool.IPv4) && version != uint32(pool.IPv6) {
		return fmt.Errorf("IP version %d", version)
	}
	return nil
}

// NewVerdict makes the verdict on the sample with an index in its batch. The reason is made legible.
func NewVerdict(index uint32, outcome Verdict_Outcome, reason string) *Verdict {
	return &Verdict{Index: index, Outcome: outcome, Reason: Legible(reason)}
}
