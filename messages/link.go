package messages

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// ErrUnknownMessage says that a message is of a kind that this program doesn't know: the other side is newer.
// It is to be counted and left alone; any other error of UnwrapUp and UnwrapDown says that the message is malformed.
var ErrUnknownMessage = errors.New("a message that this program doesn't know")

// WrapUp puts a message of an agent's actor into the envelope that takes it to the hub's actor with the id to.
// From is the id of its sender; empty: it has none. It fails for ids that aren't, and for messages that no agent sends.
func WrapUp(to, from string, m proto.Message) (*FromAgent, error) {
	envelope := &FromAgent{To: to, From: from}
	switch m := m.(type) {
	case *Hello:
		envelope.Message = &FromAgent_Hello{Hello: m}
	case *Batch:
		envelope.Message = &FromAgent_Batch{Batch: m}
	case *Pulse:
		envelope.Message = &FromAgent_Pulse{Pulse: m}
	case *Goodbye:
		envelope.Message = &FromAgent_Goodbye{Goodbye: m}
	default:
		return nil, fmt.Errorf("wrap a message for the hub: no agent sends a %T", m)
	}
	if err := checkRoute(to, from); err != nil {
		return nil, fmt.Errorf("wrap a message for the hub: %w", err)
	}
	return envelope, nil
}

// UnwrapUp takes an agent's message out of its envelope. Its ids are ids, its texts legible, its lists bounded;
// what it says of evidence is checked by ToEvidence, one by one.
func UnwrapUp(envelope *FromAgent) (proto.Message, error) {
	if err := checkRoute(envelope.GetTo(), envelope.GetFrom()); err != nil {
		return nil, fmt.Errorf("unwrap a message from an agent: %w", err)
	}
	switch m := envelope.Message.(type) {
	case *FromAgent_Hello:
		return checked(m.Hello, checkHello(m.Hello))
	case *FromAgent_Batch:
		return checked(m.Batch, checkBatch(m.Batch))
	case *FromAgent_Pulse:
		return checked(m.Pulse, checkPulse(m.Pulse))
	case *FromAgent_Goodbye:
		return m.Goodbye, nil
	}
	return nil, whyEmpty(envelope)
}

// WrapDown puts a message of a hub's actor into the envelope that takes it to the agent's actor with the id to.
// From is the id of its sender; empty: it has none. It fails for ids that aren't, and for messages that no hub sends.
func WrapDown(to, from string, m proto.Message) (*FromHub, error) {
	envelope := &FromHub{To: to, From: from}
	switch m := m.(type) {
	case *Welcome:
		envelope.Message = &FromHub_Welcome{Welcome: m}
	case *Assignments:
		envelope.Message = &FromHub_Assignments{Assignments: m}
	case *Verdicts:
		envelope.Message = &FromHub_Verdicts{Verdicts: m}
	case *Dismissal:
		envelope.Message = &FromHub_Dismissal{Dismissal: m}
	default:
		return nil, fmt.Errorf("wrap a message for an agent: no hub sends a %T", m)
	}
	if err := checkRoute(to, from); err != nil {
		return nil, fmt.Errorf("wrap a message for an agent: %w", err)
	}
	return envelope, nil
}

// UnwrapDown takes a hub's message out of its envelope. Its ids are ids, its texts legible, its lists bounded;
// what it says of assignments and terms is checked by ToAssignment and ToTerms, one by one.
func UnwrapDown(envelope *FromHub) (proto.Message, error) {
	if err := checkRoute(envelope.GetTo(), envelope.GetFrom()); err != nil {
		return nil, fmt.Errorf("unwrap a message from a hub: %w", err)
	}
	switch m := envelope.Message.(type) {
	case *FromHub_Welcome:
		return checked(m.Welcome, checkWelcome(m.Welcome))
	case *FromHub_Assignments:
		return checked(m.Assignments, checkAssignments(m.Assignments))
	case *FromHub_Verdicts:
		return checked(m.Verdicts, checkVerdicts(m.Verdicts))
	case *FromHub_Dismissal:
		return checked(m.Dismissal, checkText("reason of a dismissal", m.Dismissal.GetReason(), MaxText))
	}
	return nil, whyEmpty(envelope)
}

// checkRoute checks the ids of an envelope.
func checkRoute(to, from string) error {
	if err := checkActorID(to); err != nil {
		return fmt.Errorf("receiver: %w", err)
	}
	if from == "" {
		return nil
	}
	if err := checkActorID(from); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	return nil
}

// checked is what was in an envelope, unless a check of it failed.
func checked(m proto.Message, err error) (proto.Message, error) {
	if err != nil {
		return nil, fmt.Errorf("unwrap a %T: %w", m, err)
	}
	return m, nil
}

// whyEmpty tells why there is no message in an envelope. What a newer program has put there, protobuf keeps as
// a field that it doesn't know.
func whyEmpty(envelope proto.Message) error {
	if len(envelope.ProtoReflect().GetUnknown()) > 0 {
		return fmt.Errorf("unwrap an envelope: %w", ErrUnknownMessage)
	}
	return errors.New("unwrap an envelope: there is nothing in it")
}
