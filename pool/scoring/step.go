package scoring

import (
	"fmt"
	"time"

	"truechimer/pool"
)

// Step is what one sample is worth, and why.
type Step struct {
	Value  float64 // what is added to the decayed score: −10 to 1
	Cap    float64 // what the score is at most after this step; holds only where Capped
	Capped bool
	Rule   Rule
}

// String says the step in words for a person: "-4, at most -20: offset over 3 s".
func (s Step) String() string {
	if s.Capped {
		return fmt.Sprintf("%.4g, at most %.4g: %s", s.Value, s.Cap, s.Rule)
	}
	return fmt.Sprintf("%.4g: %s", s.Value, s.Rule)
}

// Where an offset becomes worth less. All are exclusive: an offset of exactly 3 s isn't far off yet.
const (
	farOff    = 3 * time.Second        // no path makes 3 s of error: the server's clock is wrong
	badOff    = 750 * time.Millisecond // from here on the size of the error no longer matters
	poorOff   = 100 * time.Millisecond // more than the asymmetry of most paths explains
	slightOff = 25 * time.Millisecond  // within it the path is as likely at fault as the server
)

// tooFarDown is the first stratum that isn't served to users: RFC 5905 section 7.3 allows up to 15, but a clock
// eight hops from its reference is most often one of a loop of servers that follow each other.
const tooFarDown = 8

// What a sample is worth. A step s repeated for ever leads to the score 20·s.
const (
	stepGood    = 1.0
	stepNoTime  = -2.0  // it says itself that it has no time, as while it starts
	stepOff750  = -2.0  // twice as bad as just under 750 ms: it leaves service, but slowly, for clocks get set
	stepRate    = -3.5  // milder than wrong: our own probing may have brought it about
	stepWrong   = -4.0  // a reply that gives no time to use
	stepSilent  = -5.0  // worse: users wait for nothing, and it is what a dead server does
	stepRefused = -10.0 // whoever doesn't want to be asked must not be
)

// Caps take a server out of service at once where it would be wrong to wait for its score to fall.
const (
	capNoTime  = 5.0   // eight good samples lead back
	capFarOff  = -20.0 // a falseticker needs 28
	capRefused = -50.0 // one that refuses needs 38
)

// Between 25 and 750 ms a step falls with the offset in seconds, on two straight lines that (nearly) meet:
// 1 at 25 ms, 0.5 at 100 ms, −1 at 750 ms.
const (
	slightStart, slightSlope = 1.167, 6.667
	poorStart, poorSlope     = 0.731, 2.308
)

// StepOf is what a sample is worth. The first rule that fits decides.
func StepOf(s pool.Sample) Step {
	switch {
	case s.NoReply:
		return Step{Rule: RuleNoReply, Value: stepSilent}
	case s.Kiss == pool.KissRate:
		return Step{Rule: RuleKissRate, Value: stepRate}
	case s.Kiss == pool.KissDeny, s.Kiss == pool.KissRestrict:
		return Step{Rule: RuleKissDeny, Value: stepRefused, Cap: capRefused, Capped: true}
	case s.Stratum == 0 && s.Kiss == "" && s.Error == "":
		return Step{Rule: RuleNoTime, Value: stepNoTime, Cap: capNoTime, Capped: true}
	case !s.Valid():
		return Step{Rule: RuleError, Value: stepWrong}
	default:
		return stepOfTime(s.Offset.Abs(), s.Leap, s.Stratum)
	}
}

// stepOfTime is what a reply that carries time is worth.
func stepOfTime(off time.Duration, leap pool.Leap, stratum uint8) Step {
	switch {
	case off > farOff:
		return Step{Rule: RuleFarOff, Value: stepWrong, Cap: capFarOff, Capped: true}
	case leap == pool.LeapUnknown:
		return Step{Rule: RuleUnsynchronised, Value: stepWrong}
	case stratum >= tooFarDown:
		return Step{Rule: RuleStratum, Value: stepWrong}
	case off > badOff:
		return Step{Rule: RuleOff750, Value: stepOff750}
	case off > poorOff:
		return Step{Rule: RuleOff100, Value: falling(poorStart, poorSlope, off)}
	case off > slightOff:
		return Step{Rule: RuleOff25, Value: min(falling(slightStart, slightSlope, off), stepGood)}
	default:
		return Step{Rule: RuleGood, Value: stepGood}
	}
}

// falling is start − slope·off, off in seconds. The conversion keeps product and difference apart, as in decayed.
func falling(start, slope float64, off time.Duration) float64 {
	return start - float64(slope*off.Seconds())
}
