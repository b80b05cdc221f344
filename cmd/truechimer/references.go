package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"truechimer/pool/clockcheck"
)

// defaultReferences are well-kept public servers of three operators.
func defaultReferences() []string {
	return []string{"time.cloudflare.com", "time.nist.gov", "ptbtime1.ptb.de"}
}

// referenceHelp is the help on --reference.
func referenceHelp() string {
	return "NTP server by which the agent checks its own clock, as `host` or host:port; repeatable (default " +
		strings.Join(defaultReferences(), ", ") + ")"
}

// orDefault are the references that were named, if any: an agent without references never judges anybody.
func orDefault(references []string) []string {
	if len(references) == 0 {
		return defaultReferences()
	}
	return references
}

// checkReferences tells what is wrong with references before an agent stumbles over them.
func checkReferences(references []string) error {
	for _, text := range references {
		if _, err := clockcheck.ParseReference(text); err != nil {
			return fmt.Errorf("--reference: %w", err)
		}
	}
	return nil
}

// checkHostPort tells what keeps a flag's value from being an address to dial.
func checkHostPort(name, value string) error {
	host, port, err := net.SplitHostPort(value)
	if err != nil || host == "" {
		return fmt.Errorf("%s %q is not host:port", name, value)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%s %q has no port between 1 and 65535", name, value)
	}
	return nil
}
