package lab

import (
	"math/rand/v2"
	"time"
)

// Behaviour is what is right or wrong with a server.
type Behaviour string

// The behaviours of the default list.
const (
	Good           Behaviour = "good"
	Offset40ms     Behaviour = "offset-40ms"    // its clock is 40 ms ahead
	Offset2s       Behaviour = "offset-2s"      // its clock is 2 s behind
	Unsynchronised Behaviour = "unsynchronised" // it says so: leap 3
	KissRate       Behaviour = "kiss-rate"      // it finds that we ask too often, and says so instead of the time
	Silent         Behaviour = "silent"         // it never answers
	Drifting       Behaviour = "drifting"       // its clock runs away and is set right every ten minutes
	Lossy          Behaviour = "lossy"          // it doesn't answer 40 % of the queries
)

// The behaviours that only tests ask for.
const (
	KissDeny   Behaviour = "kiss-deny"  // it refuses us
	Stratum0   Behaviour = "stratum-0"  // it has no time to serve and no kiss code for it, as an unsynchronised chronyd
	Stratum16  Behaviour = "stratum-16" // it counts itself as unsynchronised by its stratum, though not by its leap
	Malformed  Behaviour = "malformed"  // it answers our query without saying when
	Mismatched Behaviour = "mismatched" // it answers a query that we never sent
	Garbage    Behaviour = "garbage"    // it answers with random bytes, or with the beginning of a reply
)

// Default is what a lab serves when it isn't told: three good servers, which can be references too, and one of each
// behaviour that a person should see the score of.
func Default() []Behaviour {
	return []Behaviour{
		Good, Good, Good, Offset40ms, Offset2s, Unsynchronised, KissRate, Silent, Drifting, Lossy,
	}
}

// The drifting server gains a millisecond a second and starts anew at 600 ms, which is every ten minutes. Probed every
// 5 s its score rises to 10 in a minute and a half (100 ms, where steps begin to fall), comes down through 0 in the
// seventh minute and to -8 in the tenth, and recovers when the clock is set right: all of it while a person watches.
const (
	driftOneIn = 1000
	driftReset = 600 * time.Millisecond
)

// lossyShare is the share of queries that the lossy server drops: so much that a person sees it within a minute.
// Where a probe is one query its score goes to -28, for 20 * (0.6 * 1 - 0.4 * 5); the three queries of a usual probe,
// of which one answer is enough, would bring it to 12: 20 * (0.936 * 1 - 0.064 * 5).
const lossyShare = 0.4

// character is what a behaviour comes down to. The zero value is a good server's.
type character struct {
	ahead func(elapsed time.Duration) time.Duration       // of its clock, so long after the lab's start; nil: right
	claim func(reply *packet)                             // what it says against the truth; nil: nothing
	spoil func(random *rand.Rand, datagram []byte) []byte // what it does to its datagram; nil: nothing
	loss  float64                                         // the share of queries that it drops, 0 to 1
}

// characterOf tells what a behaviour comes down to; false: there is no such behaviour.
func characterOf(b Behaviour) (character, bool) {
	switch b {
	case Good:
		return character{}, true
	case Offset40ms:
		return character{ahead: always(40 * time.Millisecond)}, true
	case Offset2s:
		return character{ahead: always(-2 * time.Second)}, true
	case Unsynchronised:
		return character{claim: func(p *packet) { p.leap = leapUnknown }}, true
	case KissRate:
		return character{claim: kiss("RATE")}, true
	case KissDeny:
		return character{claim: kiss("DENY")}, true
	case Silent:
		return character{loss: 1}, true
	case Drifting:
		return character{ahead: drift}, true
	case Lossy:
		return character{loss: lossyShare}, true
	case Stratum0:
		return character{claim: kiss("\x00\x00\x00\x00")}, true
	case Stratum16:
		return character{claim: func(p *packet) { p.stratum = 16 }}, true
	case Malformed:
		return character{claim: func(p *packet) { p.transmit = 0 }}, true
	case Mismatched:
		return character{claim: func(p *packet) { p.origin++ }}, true
	case Garbage:
		return character{spoil: garble}, true
	}
	return character{}, false
}

// always is the clock that is off by the same amount at all times.
func always(ahead time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return ahead }
}

// drift is the clock that runs away.
func drift(elapsed time.Duration) time.Duration {
	return elapsed / driftOneIn % driftReset
}

// kiss makes a reply a kiss-o'-death: stratum 0, not synchronised, the code for a reference id (RFC 5905 section 7.4).
func kiss(code string) func(*packet) {
	return func(p *packet) {
		p.leap, p.stratum, p.referenceID = leapUnknown, 0, [4]byte([]byte(code))
	}
}

// garble cuts a datagram short, or puts random bytes in its place.
func garble(random *rand.Rand, datagram []byte) []byte {
	if random.IntN(2) == 0 {
		return datagram[:random.IntN(len(datagram))]
	}
	for i := range datagram {
		datagram[i] = byte(random.Uint32())
	}
	return datagram
}
