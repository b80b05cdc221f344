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
)

// settingsKey is the row of system_settings that holds the settings.
const settingsKey = "monitors"

// LoadRoster reads what every server needs to know of the whole pool.
func (m *MySQL) LoadRoster(ctx context.Context) (pool.Roster, error) {
	var roster pool.Roster
	err := m.snapshot(ctx, func(q *sqlcgen.Queries) error {
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
	roster.Settings = settingsIn(settings, &roster.Warnings)
	return roster
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

// Accounts lists all accounts by id.
func (m *MySQL) Accounts(ctx context.Context) ([]pool.Account, error) {
	rows, err := sqlcgen.New(m.db).Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", explained(err))
	}
	accounts := make([]pool.Account, len(rows))
	for i, row := range rows {
		accounts[i] = accountOf(row)
	}
	return accounts, nil
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
