// Package persistence keeps the pool: servers, monitors, scores and every sample behind them.
//
// It is plain synchronous Go. MySQL keeps it in MySQL 8 or MariaDB 10.11, Memory in memory for the simulation;
// one contract test holds both to what is said here. What is to be kept, and when, is decided elsewhere:
// the hub makes an asynchronous port of a Store, and the actors ask through that.
//
// Times are kept in UTC, times and RTTs to the microsecond; what is finer is cut off. Offsets and scores are kept
// as they are, cadences in whole milliseconds and without their seed, which is a secret.
package persistence

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"time"

	"truechimer/pool"
)

// Store is where the pool is kept.
type Store interface {
	Images
	Evidence
	Rounds
	Presence
	Following
	Administration
}

// Images are what actors start from.
type Images interface {
	// Open activates shards for a hub: it takes the next epoch of each and loads all that belongs to them.
	// From then on commits that show an older epoch of these shards are refused. The images come in the order of
	// their shards. A server past its deletion is loaded like any other. One whose address can't be read is left out, here
	// and wherever servers are loaded, and named in the roster's warnings.
	//
	// The figures of pairs are those of the hours from pool.FiguresSince(now) to the end of the running one,
	// here and wherever else they are loaded.
	Open(ctx context.Context, hub string, shards []pool.ShardID, now time.Time) ([]pool.ShardImage, error)

	// LoadServer loads one server; false: there is none of this id, or none that can be probed.
	LoadServer(ctx context.Context, id pool.ServerID, now time.Time) (pool.ServerImage, bool, error)

	// LoadAgent loads one agent; false: there is none of this name.
	LoadAgent(ctx context.Context, name string) (pool.AgentImage, bool, error)

	// LoadRoster loads what every server needs to know of the whole pool.
	// What is stored but can't be read takes its default and is named in the roster's warnings.
	LoadRoster(ctx context.Context) (pool.Roster, error)
}

// Evidence is the samples and what became of them.
type Evidence interface {
	// Commit keeps each ServerCommit whole or not at all; the outcomes come in the order of the commits.
	// What has an outcome without Fenced and without Err is on disk when Commit returns. The same commit sent again,
	// after an error or not, counts once.
	//
	// An error means that nothing is known of any of them: send them all again. A commit that can never be kept says so
	// in its outcome's Err, and so do later ones of the same server in the same call, since they stand on it.
	Commit(ctx context.Context, commits []pool.ServerCommit) ([]pool.CommitOutcome, error)

	// History is the newest rows of a server by time of sample, at most limit, in the order of their ids.
	// Of a sample they hold what the log keeps: no root delay, root dispersion, reference id, precision or source of timestamps.
	History(ctx context.Context, server pool.ServerID, limit int) ([]LogEntry, error)

	// Housekeep makes room for the samples of the days to come and drops whole days that are older than the retention.
	// It is to be called at start and at least once a day; a call too many does nothing.
	Housekeep(ctx context.Context, now time.Time) error

	// CloseHours adds up the samples of hours that ended at least five minutes ago, and again those of earlier ones that
	// got samples since. It is to be called at start and every few minutes. It changes nothing that can be asked for: it
	// makes figures cheap to load, and the history. A call does as much as figures need after hubs were away; what
	// is older takes further calls.
	CloseHours(ctx context.Context, now time.Time) error
}

// Rounds are what a command needs to run selection itself.
type Rounds interface {
	// Watched are the servers that aren't past their deletion, by id. It works on a database of the pool that was never
	// migrated.
	Watched(ctx context.Context, now time.Time) ([]pool.Server, error)

	// Selections hands over what rounds of selection look at, one server after the other in the order of their ids: those
	// given, as far as there are such, or, where ids is nil, all that aren't past their deletion. The tallies are the
	// pairs' figures, in the order of image.Pairs. Scorers have no pairs here; of the others all that selection doesn't
	// look at is left out: scores, newest rows, places in the timetable, figures hour by hour. What was written by others
	// is passed on as it is: pairs of monitors that there aren't, statuses that we don't know.
	//
	// It works on a database of the pool that was never migrated, and writes nothing. An error of each ends it.
	Selections(ctx context.Context, now time.Time, ids []pool.ServerID, each EachSelection) error

	// ApplyRound keeps what a round decided about a server: statuses, violations, checks and reasons of pairs, which are made
	// where there are none, and the review. Cadences stay as they are: running hubs hear of a change of the server, and
	// give places anew. It too works on a database that was never migrated. ErrNotFound: there is none of this id.
	ApplyRound(ctx context.Context, who string, server pool.ServerID, statuses []pool.PairStatus, review pool.Review) error
}

// EachSelection takes what a round of selection looks at. It may keep what it is given.
type EachSelection = func(image pool.ServerImage, tallies []pool.Tally) error

// LogEntry is a row of log_scores. Its Counted refs are ids.
type LogEntry struct {
	ID pool.LogID
	pool.LogRow
}

// Presence is who is here.
type Presence interface {
	// Seen notes when monitors were seen and sent samples; both only move forward, and unknown monitors are passed over.
	// An address that isn't the one stored is stored and is a change of the monitor, made by its agent.
	Seen(ctx context.Context, seen []pool.AgentSeen) error
}

// Following is how running hubs learn what others changed.
type Following interface {
	// Changes are those after one that is known, in their order; none is missed by asking for those after the last one got.
	Changes(ctx context.Context, after uint64) ([]pool.Change, error)

	// LatestChange is the id of the newest one.
	LatestChange(ctx context.Context) (uint64, error)
}

// Administration is what people change; who is the person or program that does, for the audit trail.
// A change and its row in changes are kept together or not at all.
type Administration interface {
	// Authority gets a secret by its name. Where there is none yet it keeps what create makes; of several hubs that do so
	// at once all get the same one.
	Authority(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error)

	// EnsureAccount gives the account of this name, a new one where there is none.
	EnsureAccount(ctx context.Context, who, name string) (pool.AccountID, error)

	// Accounts lists all of them by id.
	Accounts(ctx context.Context) ([]AccountListing, error)

	// SetAccount changes an account. Of its flags those named are changed, and what others keep beside them stays.
	// ErrNotFound: there is none of this id. ErrNameTaken: another one has this name. ErrFlagsUnreadable: they are no
	// JSON object, so that nothing can be kept of them; naming every flag replaces them.
	SetAccount(ctx context.Context, who string, id pool.AccountID, change AccountChange) error

	// AddServer has a server watched from now on: Addr, Account and Hostname are taken from it. One that is watched
	// already stays as it is and isn't added; one that was removed comes back with the score it had.
	AddServer(ctx context.Context, who string, server pool.Server) (id pool.ServerID, added bool, err error)

	// RemoveServer has a server watched no more from the day of now on. ErrNotFound: there is none of this id.
	RemoveServer(ctx context.Context, who string, id pool.ServerID, now time.Time) error

	// Servers lists all of them by id, removed ones too, and those whose address can't be read.
	Servers(ctx context.Context) ([]ServerListing, error)

	// AddAgent adds an agent with its monitors: Version, Addr, Status and Config are taken from them, the rest from the agent.
	// ErrNameTaken: there is one of this name. ErrMonitorsRefused: its account may not have so many.
	AddAgent(ctx context.Context, who string, agent pool.Agent, monitors []pool.Monitor) error

	// Agents lists all of them by name.
	Agents(ctx context.Context) ([]AgentListing, error)

	// SetMonitor changes a monitor. ErrNotFound: there is none of this id.
	SetMonitor(ctx context.Context, who string, id pool.MonitorID, change MonitorChange) error

	// SetSettings stores the settings. Those that are stored already are no change, and nobody hears of them.
	SetSettings(ctx context.Context, who string, settings pool.Settings) error
}

// What callers branch on.
var (
	ErrNotFound        = errors.New("not found")
	ErrNameTaken       = errors.New("the name is taken")
	ErrMonitorsRefused = errors.New("the account's flags allow no more monitors")
	ErrFlagsUnreadable = errors.New("the account's flags are no JSON object")
)

// ServerListing is a server with how many monitors it has.
type ServerListing struct {
	pool.Server
	Odd     string // the address as stored, where it can't be read; Addr is invalid then
	Active  int
	Testing int
}

// AccountListing is an account with what belongs to it.
type AccountListing struct {
	pool.Account
	Servers  int // that aren't removed
	Monitors int // that aren't deleted
}

// AccountChange is what is to become of an account; what is nil stays as it is.
type AccountChange struct {
	Name                   *string
	MonitorLimit           *int // 0: none
	MonitorsPerServerLimit *int // 0: the default
	MonitorEnabled         *bool
}

// AgentListing is an agent with its monitors, by IP version.
type AgentListing struct {
	pool.Agent
	Monitors []MonitorListing
}

// MonitorListing is a monitor with what only people want to know of it.
type MonitorListing struct {
	pool.Monitor
	Location      string
	ClientVersion string    // of the agent's program
	LastSubmit    time.Time // when it last sent samples; zero: never
}

// MonitorChange is what is to become of a monitor; what is nil stays as it is.
type MonitorChange struct {
	Status   *pool.GlobalStatus
	Account  *pool.AccountID // 0: none
	Addr     *netip.Addr     // invalid: not known
	Location *string
	Config   *pool.MonitorConfig
}

// Options of a store.
type Options struct {
	// Retention is how long samples are kept at least: whole days are dropped. 0 stands for DefaultRetention.
	Retention time.Duration
}

// DefaultRetention is how long samples are kept: as long as a sample of an agent that was cut off may come late.
const DefaultRetention = 15 * 24 * time.Hour

// oldestDay is the oldest day whose samples are kept: a day is dropped when none of it is younger than the retention.
func (o Options) oldestDay(now time.Time) time.Time {
	return dayOf(now.Add(-cmp.Or(o.Retention, DefaultRetention)))
}

const day = 24 * time.Hour
