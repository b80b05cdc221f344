package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
	"truechimer/pool/selection"
)

// settingsKey is the row of system_settings that holds the settings.
const settingsKey = "monitors"

// LoadRoster reads what every server needs to know of the whole pool.
func (m *MySQL) LoadRoster(ctx context.Context) (pool.Roster, error) {
	var roster pool.Roster
	err := m.view(ctx, func(tx *sql.Tx) error {
		q := sqlcgen.New(tx)
		monitors, err := q.Monitors(ctx)
		if err != nil {
			return fmt.Errorf("monitors: %w", err)
		}
		accounts, err := q.Accounts(ctx)
		if err != nil {
			return fmt.Errorf("accounts: %w", err)
		}
		scorers, err := q.Scorers(ctx)
		if err != nil {
			return fmt.Errorf("scorers: %w", err)
		}
		settings, err := settingOf(ctx, q, settingsKey)
		if err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		roster = rosterOf(monitors, accounts, scorers, settings)
		if err := warnOfAddresses(ctx, tx, &roster); err != nil {
			return fmt.Errorf("servers: %w", err)
		}
		return nil
	})
	if err != nil {
		return pool.Roster{}, fmt.Errorf("load the roster: %w", err)
	}
	return roster, nil
}

// rosterOf puts a roster together and warns of what can't be read.
func rosterOf(monitors []sqlcgen.MonitorsRow, accounts []sqlcgen.AccountsRow, scorers []sqlcgen.ScorersRow, settings string) pool.Roster {
	var roster pool.Roster
	for _, row := range monitors {
		monitor, err := monitorOf(sqlcgen.MonitorsOfAgentRow(row))
		if err != nil {
			roster.Warnings = append(roster.Warnings, err.Error())
		}
		roster.Monitors = append(roster.Monitors, monitor)
	}
	for _, row := range accounts {
		roster.Accounts = append(roster.Accounts, accountOf(row))
	}
	for _, row := range scorers {
		roster.Scorers = append(roster.Scorers, pool.Scorer{ID: row.ID, Name: pool.ScorerName(row.Hostname)})
	}
	warnOfLimits(&roster)
	roster.Settings = settingsIn(settings, &roster.Warnings)
	return roster
}

// warnOfLimits warns of accounts whose flags don't say how many of their monitors may watch a server, though they try to.
func warnOfLimits(roster *pool.Roster) {
	for _, account := range roster.Accounts {
		if _, err := selection.LimitOf(account.Flags); err != nil {
			roster.Warnings = append(roster.Warnings, fmt.Sprintf("account %d: %s", account.ID, err))
		}
	}
}

// warnOfAddresses warns of servers that nobody can probe, since their address is none.
func warnOfAddresses(ctx context.Context, tx *sql.Tx, roster *pool.Roster) error {
	const query = "SELECT id, ip FROM servers WHERE deletion_on IS NULL OR deletion_on > CURRENT_DATE ORDER BY id"
	return eachRow(ctx, tx, query, func(scan scanner) error {
		var id integer
		var ip word
		err := scan(&id, &ip)
		if err == nil && !parseAddr(string(ip)).IsValid() {
			roster.Warnings = append(roster.Warnings, fmt.Sprintf("server %d: its address %q can't be read, and nobody watches it", id, string(ip)))
		}
		return err
	})
}

func accountOf(row sqlcgen.AccountsRow) pool.Account {
	return pool.Account{ID: row.ID, Name: row.Name.String, Flags: row.Flags}
}

// settingsIn reads stored settings; none are the defaults.
func settingsIn(text string, warnings *[]string) pool.Settings {
	if text == "" {
		return pool.DefaultSettings()
	}
	settings, err := pool.ParseSettings(text)
	if err != nil {
		*warnings = append(*warnings, err.Error())
	}
	return settings
}

// settingOf reads one setting; empty where there is none.
func settingOf(ctx context.Context, q *sqlcgen.Queries, key string) (string, error) {
	text, err := q.Setting(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

// SetSettings stores the settings; what other programs keep beside them stays. Those that are stored already are no change.
func (m *MySQL) SetSettings(ctx context.Context, who string, settings pool.Settings) error {
	err := m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		stored, err := settingOf(ctx, q, settingsKey)
		if err != nil {
			return entry{}, err
		}
		text := overlaidSettings(stored, settings)
		if sameJSON(text, stored) {
			return entry{}, nil
		}
		if err := q.PutSetting(ctx, sqlcgen.PutSettingParams{Key: settingsKey, Value: text}); err != nil {
			return entry{}, err
		}
		return settingsSet(settings), nil
	})
	if err != nil {
		return fmt.Errorf("set the settings: %w", err)
	}
	return nil
}

// sameJSON tells whether two texts say the same: a JSON column of MySQL keeps neither the order nor the spaces.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// settingsSet is the entry of changed settings.
func settingsSet(settings pool.Settings) entry {
	return entry{pool.ChangedSettings, settingsKey, "set to " + settings.JSON()}
}
