package agentside

import (
	"math/rand/v2"
	"time"
)

const (
	// firstDialPause is short since most links are lost for a moment. The agents of a hub that starts anew,
	// be they 10,000, are spread over the 2 s from half of it to one and a half: 5,000 handshakes a second,
	// which take two cores. longestDialPause leaves 170 a second to a hub that was away for long.
	firstDialPause   = 2 * time.Second
	longestDialPause = time.Minute

	// heldForGood is how long a link must have lasted for the pauses to begin anew: else a hub
	// that drops agents as soon as they are in would be dialled every 2 s for ever.
	heldForGood = longestDialPause

	// takeoverForgotten is how long a link must have lasted for earlier takeovers to be forgotten.
	takeoverForgotten = 30 * time.Minute
)

// takeoverPauses are how long an agent stays away that had to give way to another one with its certificate.
// They grow, so that a cloned agent doesn't flap.
var takeoverPauses = [...]time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}

// redial says how long to wait before the hub is dialled again.
type redial struct {
	lost      pauses
	takeovers int // in a row
}

func newRedial() redial {
	return redial{lost: pauses{first: firstDialPause, longest: longestDialPause}}
}

// pause is the wait after a link that lasted for so long, 0 if it didn't come about.
func (r *redial) pause(held time.Duration, takenOver bool, random *rand.Rand) time.Duration {
	if held >= heldForGood {
		r.lost.reset()
	}
	if held >= takeoverForgotten {
		r.takeovers = 0
	}
	if !takenOver {
		return r.lost.take(random)
	}
	pause := takeoverPauses[min(r.takeovers, len(takeoverPauses)-1)]
	r.takeovers++
	return pause
}
