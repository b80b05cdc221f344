package pool

import (
	"net/netip"
	"time"
)

// What is kept of the pool, as the actors load it and as they ask for it to be kept.
// Times are UTC. A zero time stands for never.

// Cadence says when a monitor probes a server: once in every Interval, at a moment that only
// the holder of Seed can tell, within Window after Phase (counted from the Unix epoch).
type Cadence struct {
	Interval time.Duration
	Phase    time.Duration // 0 <= Phase < Interval
	Window   time.Duration // 0 < Window <= Interval
	Seed     uint64        // never stored: whoever hands out the assignment derives it; 0 in what is loaded and kept
}

// Assignment is the order to a monitor to watch a server.
type Assignment struct {
	Server  ServerID
	Addr    netip.AddrPort
	Monitor MonitorID
	Status  Status
	Cadence Cadence

	// Start is before when the monitor must not follow the cadence, so that it stays away from the last probes of
	// those who had its place; zero: it may now. A monitor that follows this very cadence already just goes on.
	Start time.Time

	// AtOnce lets the monitor probe once besides the cadence, within one spacing from now: nobody ever has.
	AtOnce bool
}

// Pair is what is kept of one monitor and one server (a row in server_scores).
// A scorer has a pair with each server too.
type Pair struct {
	Monitor MonitorID
	Server  ServerID

	Score   float64 // the monitor's score of the server, or the scorer's value
	ScoreAt time.Time
	Stratum uint8

	Kept Kept // the newest row of the pair in log_scores

	Status         Status
	Cadence        *Cadence // its place in the server's timetable; nil: it has none, it isn't probed
	Violation      string   // the constraint it breaks; empty: none
	ViolationSince time.Time
	LastCheck      time.Time // when a paused pair was last looked at
	PauseReason    string

	// Hours are what its samples of the figures' hours add up to, by hour, those without a sample left out.
	// A scorer has none.
	Hours []HourTally
}

// Decided is the part of a pair that selection and timetable decide.
func (p Pair) Decided() PairStatus {
	return PairStatus{
		Monitor: p.Monitor, Status: p.Status, Cadence: p.Cadence, Violation: p.Violation,
		ViolationSince: p.ViolationSince, LastCheck: p.LastCheck, PauseReason: p.PauseReason,
	}
}

// Kept is the newest row of a pair in log_scores that isn't marked late: what a later score is folded onto,
// and what a scorer's next value is compared with.
type Kept struct {
	ID    LogID // 0: there is none
	At    time.Time
	Score float64
	Step  float64
	RTT   *time.Duration
}

// Review says when a server's monitors were and will be chosen (a row in servers_monitor_review).
type Review struct {
	Last   time.Time
	Next   time.Time
	Change time.Time // when a round last changed something
}

// ServerImage is all that a server's actors start from.
type ServerImage struct {
	Server Server
	Pairs  []Pair // by monitor id; scorers included
	Review Review
}

// AgentImage is all that the actors of one agent start from.
type AgentImage struct {
	Agent       Agent
	Monitors    []Monitor // one for each IP version, by version
	Assignments []Assigned
}

// Assigned is a pair that has a place in a timetable, with what an assignment needs of its server.
type Assigned struct {
	Server  ServerID
	Addr    netip.AddrPort
	Monitor MonitorID
	Status  Status
	Cadence Cadence
}

// Agent is the program on a monitor's host, known by the name in its certificate.
type Agent struct {
	Name    string
	Account AccountID
	Serial  string // of its newest certificate, in hexadecimal
	Revoked bool
	Session string // the ULID of its newest link
}

// ShardImage is all that a shard starts from. Epoch is the number that this activation must show with each commit.
type ShardImage struct {
	Shard   ShardID
	Epoch   uint64
	Servers []ServerImage
	Agents  []AgentImage
}

// Account owns servers and monitors.
type Account struct {
	ID    AccountID
	Name  string
	Flags string // JSON as stored
}

// Roster is what every server needs to know of the whole pool. It is small, read often, and shared: never change one.
type Roster struct {
	Monitors []Monitor // of type monitor, by id; deleted ones left out
	Accounts []Account // by id
	Scorers  []Scorer  // by id
	Settings Settings
	Warnings []string // what is stored but can't be read, and takes its default
}

// LogRow is a row for log_scores: a monitor's sample and what it did to its score, or a scorer's new value.
type LogRow struct {
	Monitor MonitorID
	At      time.Time
	Score   float64
	Step    float64
	Sample  *Sample // nil for a scorer's row
	Late    bool    // older than the pair's newest: stored where it isn't there yet, but it changes no score
	Counted []Ref   // of a scorer's row: which rows its value was made of
	Rule    string  // which row of the step table applied; empty for a scorer's row
}

// Ref names a row of log_scores by its id, or, where the id isn't given yet, by its index in the same commit.
type Ref struct {
	ID  LogID
	Row int // counts where ID is 0
}

// PairScore is what a pair is worth after a commit.
type PairScore struct {
	Monitor MonitorID
	Score   float64
	At      time.Time
	Stratum uint8 // 0: as it was
	Row     int   // index of the pair's newest row in the same commit; -1: none
}

// PairStatus is what selection and timetable decided for a pair.
type PairStatus struct {
	Monitor        MonitorID
	Status         Status
	Cadence        *Cadence
	Violation      string
	ViolationSince time.Time
	LastCheck      time.Time
	PauseReason    string
}

// ServerCommit is what one server asks to be kept, all of it or nothing.
type ServerCommit struct {
	Shard  ShardID
	Epoch  uint64
	Server ServerID

	Rows     []LogRow // in the order in which they get their ids
	Scores   []PairScore
	Overall  *Overall // the server's own score, if it changed
	Statuses []PairStatus
	Review   *Review
}

// Overall is the overall score of a server at a time.
type Overall struct {
	Score   float64
	At      time.Time
	Known   bool  // false: there is no overall score at this time, only Stratum is to be kept
	Stratum uint8 // 0: as it was
}

// CommitOutcome is what became of a ServerCommit.
type CommitOutcome struct {
	IDs    []LogID // of the rows, in their order; 0 for a late one that was there already
	Fenced bool    // another hub has taken the shard: nothing of the commit was kept
	Err    error   // it can't be kept as it is; nothing of it was
}

// AgentSeen says that an agent was here, for monitors.last_seen and last_submit.
type AgentSeen struct {
	Monitor   MonitorID
	Seen      time.Time
	Submitted time.Time // zero: it sent no samples
	Addr      netip.Addr
	Version   string // of the agent's program
}

// Change is a row in the table changes: somebody changed something that running hubs follow.
type Change struct {
	ID   uint64
	Kind ChangeKind
	Key  string // of what was changed: an id in decimal, or an agent's name
}

// ChangeKind says what was changed.
type ChangeKind string

// What hubs follow.
const (
	ChangedServer   ChangeKind = "server"   // Key is the server's id
	ChangedMonitor  ChangeKind = "monitor"  // Key is the agent's name
	ChangedAccount  ChangeKind = "account"  // Key is the account's id
	ChangedSettings ChangeKind = "settings" // Key is the settings' key
)
