package messages

import (
	"errors"
	"fmt"
)

const (
	// maxAgentName is what a label of a host name may have (RFC 1035 section 2.3.4): names of agents end up in
	// certificates, in topics of MQTT, in ids of actors and in the names of files.
	maxAgentName = 63

	// maxActorID is more than three times what the longest id of ours has, a path with an agent's name in it.
	maxActorID = 200
)

// LinkMethod is the gRPC method over which an agent and its hub exchange frames, Up and Down.
const LinkMethod = "/truechimer.AgentLink/Connect"

// HubAddress is the address of actors on the hub, as the actors of an agent know it.
const HubAddress = "hub"

// AgentAddress is the address of actors on an agent, as the actors of the hub know it.
func AgentAddress(name string) string { return "agent:" + name }

// ValidAgentName tells what is wrong with an agent's name: it has 1 to 63 lower-case letters, digits, dots and
// hyphens, and begins with a letter or a digit.
func ValidAgentName(name string) error {
	switch {
	case name == "":
		return errors.New("agent's name is empty")
	case len(name) > maxAgentName:
		return fmt.Errorf("agent's name has %d characters, more than %d", len(name), maxAgentName)
	case !isLower(name[0]) && !isDigit(name[0]):
		return fmt.Errorf("agent's name %q doesn't begin with a lower-case letter or a digit", name)
	}
	for i := range len(name) {
		if c := name[i]; !isLower(c) && !isDigit(c) && c != '.' && c != '-' {
			return fmt.Errorf("agent's name %q has other characters than a-z, 0-9, dot and hyphen", name)
		}
	}
	return nil
}

// checkActorID tells what keeps a text from being the id of an actor. Ours are paths of names; protoactor gives
// actors without a name ids like "$1Aj+".
func checkActorID(id string) error {
	switch {
	case id == "":
		return errors.New("actor's id is empty")
	case len(id) > maxActorID:
		return fmt.Errorf("actor's id has %d bytes, more than %d", len(id), maxActorID)
	}
	for i := range len(id) {
		if !isOfActorID(id[i]) {
			return fmt.Errorf("actor's id %q has characters that no id has", id)
		}
	}
	return nil
}

func isOfActorID(c byte) bool {
	switch c {
	case '/', '.', '_', ':', '-', '$', '~', '+':
		return true
	}
	return isLower(c) || isDigit(c) || 'A' <= c && c <= 'Z'
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
