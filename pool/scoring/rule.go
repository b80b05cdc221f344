package scoring

import "fmt"

// Rule is the row of the step table that decided what a sample is worth.
// Zero stands for no rule: a step that isn't one sample's own.
type Rule uint8

// The rows of the table, in its order: the first one that fits decides.
const (
	RuleNoReply        Rule = iota + 1 // nothing came back
	RuleKissRate                       // kiss code RATE
	RuleKissDeny                       // kiss code DENY or RSTR
	RuleNoTime                         // stratum 0 without a kiss code: it answers, but serves no time
	RuleError                          // any other kiss code, an unusable reply, or no offset
	RuleFarOff                         // more than 3 s off
	RuleUnsynchronised                 // leap 3
	RuleStratum                        // stratum 8 or more
	RuleOff750                         // more than 750 ms off
	RuleOff100                         // more than 100 ms off
	RuleOff25                          // more than 25 ms off
	RuleGood                           // none of these
)

// String says the rule in words for a person.
func (r Rule) String() string {
	switch r {
	case 0:
		return "no rule"
	case RuleNoReply:
		return "no reply"
	case RuleKissRate:
		return "kiss code RATE"
	case RuleKissDeny:
		return "kiss code DENY or RSTR"
	case RuleNoTime:
		return "stratum 0 without a kiss code"
	case RuleError:
		return "unusable reply"
	case RuleFarOff:
		return "offset over 3 s"
	case RuleUnsynchronised:
		return "not synchronised"
	case RuleStratum:
		return "stratum 8 or more"
	case RuleOff750:
		return "offset over 750 ms"
	case RuleOff100:
		return "offset over 100 ms"
	case RuleOff25:
		return "offset over 25 ms"
	case RuleGood:
		return "good"
	default:
		return fmt.Sprintf("rule %d", uint8(r))
	}
}
