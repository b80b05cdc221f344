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
	Presence
	Following
	Administration
}

// Images are what actors start from.
type Images interface {
	// Open activates shards for a hub: it takes the next epoch of each and loads all that belongs to them.
	// From then on commits that show an older epoch of these shards are refused. The images come in the order of
	// their shards. A server past its deletion is loaded like any other.
	Open(ctx context.Context, hub string, shards []pool.ShardID) ([]pool.ShardImage, error)

	// LoadServer loads one server; false: there is none of this id.
	LoadServer(ctx context.Context, id pool.ServerID) (pool.ServerImage, bool, error)

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
}

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
	Accounts(ctx context.Context) ([]pool.Account, error)

	// AddServer has a server watched from now on: Addr, Account and Hostname are taken from it. One that is watched
	// already stays as it is and isn't added; one that was removed comes back with the score it had.
	AddServer(ctx context.Context, who string, server pool.Server) (id pool.ServerID, added bool, err error)

	// RemoveServer has a server watched no more from the day of now on. ErrNotFound: there is none of this id.
	RemoveServer(ctx context.Context, who string, id pool.ServerID, now time.Time) error

	// Servers lists all of them by id, removed ones too.
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
)

// ServerListing is a server with how many monitors it has.
type ServerListing struct {
	pool.Server
	Active  int
	Testing int
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
