// Package truechimer_test holds the tree to its design: who may import whom, what the deterministic parts never do,
// and how long a file and a function may get. architecture_rules_test.go shows each rule at work.
package truechimer_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Where the modules are that the rules name.
const (
	domain      = "truechimer/pool/..."
	messages    = "truechimer/messages/..."
	actors      = "truechimer/actors/..."
	agentnode   = "truechimer/agentnode/..."
	hub         = "truechimer/hub/..."
	persistence = "truechimer/persistence/..."
	simulation  = "truechimer/simulation/..."
	commands    = "truechimer/cmd/..."

	protoactor = "github.com/asynkron/protoactor-go"
	protobuf   = "google.golang.org/protobuf/..."
	zerolog    = "github.com/rs/zerolog"
)

// importRule says what the packages of some folders import.
type importRule struct {
	of    patterns // the packages it is for
	tests bool     // their test files too
	only  patterns // all that they may import; nil: anything
	never patterns // what they may not
	why   string
}

// importRules are those of the design, and why each is there.
func importRules() []importRule {
	return []importRule{
		{of: patterns{"truechimer"}, only: patterns{"std"},
			why: "the root holds what belongs to all, so it knows nobody"},
		{of: patterns{domain}, only: patterns{"std", domain},
			why: "the domain is pure: it knows no actors, no protobuf and no logger"},
		{of: patterns{domain}, never: patterns{"context", "crypto/rand", "database/...", "log/...", "net/...", "!net/netip", "os/...", "syscall"},
			why: "the domain neither waits nor talks to anybody: it is handed facts and returns verdicts"},
		{of: patterns{messages}, only: patterns{"std", protobuf, domain, messages},
			why: "a message is the domain and its encoding"},
		{of: patterns{actors}, only: patterns{"std", protobuf, zerolog, protoactor + "/actor", domain, messages, actors},
			why: "an actor knows others by their messages and the world by its ports, so that it runs in the simulation as it is"},
		{of: patterns{actors}, never: patterns{"crypto/rand", "database/...", "net/...", "!net/netip", "os/...", "syscall"},
			why: "an actor reaches the world through its ports"},
		{of: patterns{persistence}, only: patterns{"std", "parts", "truechimer", domain, persistence},
			why: "the store keeps the domain's records for whoever asks"},
		{of: patterns{persistence}, never: patterns{protoactor + "/..."},
			why: "the store is plain synchronous Go; the hub makes it an asynchronous port"},
		{of: patterns{hub}, tests: true, never: patterns{agentnode, simulation},
			why: "a hub meets agents over the wire, and knows nothing of being simulated"},
		{of: patterns{agentnode}, tests: true, never: patterns{hub, simulation},
			why: "an agent meets hubs over the wire, and knows nothing of being simulated"},
		{of: patterns{"truechimer/...", "!" + commands}, never: patterns{commands},
			why: "cmd assembles the parts; none is built on it"},
		{of: patterns{"truechimer/...", "!truechimer/agentnode/ntp"}, never: patterns{"github.com/beevik/ntp"},
			why: "a reply can crash its parser, which agentnode/ntp guards against"},
		{of: patterns{"truechimer/...", "!" + hub}, never: patterns{protoactor + "/remote/...", protoactor + "/cluster/..."},
			why: "any peer can crash or command protoactor's remote: it is for hubs among themselves"},
	}
}

// callRule says which names of a package some others don't use.
type callRule struct {
	of    patterns
	from  string
	never patterns
	why   string
}

// deterministic is what has to run alike under the same seed.
var deterministic = patterns{domain, actors}

// callRules are what keeps the domain and the actors deterministic.
func callRules() []callRule {
	owned := patterns{"...", "!New", "!NewSource", "!NewPCG", "!NewChaCha8", "!NewZipf", "!Rand", "!Source", "!Source64", "!PCG", "!ChaCha8", "!Zipf"}
	return []callRule{
		{of: deterministic, from: "time", never: patterns{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"},
			why: "time is the environment's: Now, Elapsed and After"},
		{of: deterministic, from: "context", never: patterns{"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"},
			why: "it runs on wall time; a deadline is a timer of the environment"},
		{of: patterns{actors}, from: protoactor + "/actor", never: patterns{"NewFuture"},
			why: "a future waits on wall time, and whoever waits for it stands still"},
		{of: deterministic, from: "math/rand", never: owned, why: "chance is the environment's Rand, a stream for each actor"},
		{of: deterministic, from: "math/rand/v2", never: owned, why: "chance is the environment's Rand, a stream for each actor"},
	}
}

// methodRule says which methods some packages never call, whatever they belong to.
type methodRule struct {
	of    patterns
	never patterns
	why   string
}

// methodRules keep actors away from what protoactor runs on wall time or on goroutines of its own.
func methodRules() []methodRule {
	return []methodRule{
		{of: patterns{actors}, never: patterns{"RequestFuture", "StopFuture", "PoisonFuture", "SetReceiveTimeout"},
			why: "it runs on wall time: send a request, and set a timer of the environment"},
		{of: patterns{actors}, never: patterns{"ReenterAfter"},
			why: "its closure survives a restart and runs against the actor that was: the answer is a message"},
	}
}

const (
	// longestFile, in lines: a reader finds a rule by its name, in a file that he can take in.
	longestFile = 300

	// longestFunction, in lines: it fits on a screen.
	longestFunction = 70
)

// Each file of the tree keeps every rule.
func TestTheTreeKeepsItsRules(t *testing.T) {
	for _, s := range readTree(t) {
		for _, b := range s.breaches() {
			t.Error(b)
		}
	}
}

// A rule whose folder was renamed would hold for nobody, and nobody would notice.
func TestEveryRuleHasSomebodyToKeepIt(t *testing.T) {
	tree := readTree(t)
	held := func(of patterns) bool {
		for _, s := range tree {
			if of.match(s.pkg()) && !s.isTest() {
				return true
			}
		}
		return false
	}
	var all []patterns
	for _, r := range importRules() {
		all = append(all, r.of)
	}
	for _, r := range callRules() {
		all = append(all, r.of)
	}
	for _, r := range methodRules() {
		all = append(all, r.of)
	}
	for _, of := range all {
		for i := range of {
			if strings.HasPrefix(of[i], "!") {
				continue
			}
			if !held(of[i : i+1]) {
				t.Errorf("a rule is for %s, where there is no Go file", of[i])
			}
		}
	}
}

// readTree reads every Go file of the module, whatever its build constraints say.
func readTree(t *testing.T) []source {
	t.Helper()
	var tree []source
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && isForeign(entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		s, err := readSource(filepath.ToSlash(path), nil)
		tree = append(tree, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// isForeign tells a folder whose Go files, if any, are no part of the module.
func isForeign(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules"
}
