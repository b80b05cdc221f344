// Package clockcheck judges whether a monitor's own clock is fit to judge others, by what its reference servers say.
// It is pure; who asks the references, and when, is left to others.
package clockcheck

import (
	"fmt"
	"strings"
	"time"

	"truechimer/pool"
)

const (
	// MaxOffset is how far a reference may be off. It is well below the 25 ms from which a server loses points,
	// so that a monitor's own error never costs a good server its score.
	MaxOffset = 10 * time.Millisecond

	// Lasting is how long a verdict is kept. A free-running crystal of 100 ppm is off by 18 ms after it at worst.
	Lasting = 180 * time.Second
)

// Needed is how many of n references must hold: more than half, so that no minority of bad ones decides.
func Needed(n int) int { return (n + 2) / 2 }

// Verdict judges by one sample of each reference that has an address of the monitor's IP version.
// The reason tells why the clock is unfit, and is empty when it is fit.
func Verdict(references []pool.Sample) (fit bool, reason string) {
	if len(references) == 0 {
		return false, "no reference server has an address of this IP version"
	}
	var failures []string
	for _, s := range references {
		if failure := failureOf(s); failure != "" {
			failures = append(failures, failure)
		}
	}
	held, needed := len(references)-len(failures), Needed(len(references))
	if held >= needed {
		return true, ""
	}
	return false, fmt.Sprintf("%d of %d reference servers hold, %d must: %s",
		held, len(references), needed, strings.Join(failures, ", "))
}

// failureOf is why a reference doesn't hold, empty if it does.
func failureOf(s pool.Sample) string {
	switch {
	case s.NoReply:
		return "no reply"
	case s.Kiss != "":
		return fmt.Sprintf("kiss code %s", s.Kiss)
	case s.Error != "":
		return s.Error
	case s.Offset == nil:
		return "no time"
	case s.Leap == pool.LeapUnknown:
		return "not synchronised"
	case s.Offset.Abs() > MaxOffset:
		return fmt.Sprintf("off by %s", s.Offset.Round(time.Microsecond))
	}
	return ""
}
