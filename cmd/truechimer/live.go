package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"truechimer/hub"
)

const (
	// liveFile is where a hub leaves, for commands of the same user, how to follow it live.
	liveFile = "live.json"
	// watcherLife is how long the access in it holds. A hub that runs for longer renews it.
	watcherLife = 30 * 24 * time.Hour
)

// liveAccess is what liveFile holds.
type liveAccess struct {
	URL        string `json:"url"`
	User       string `json:"user"`
	Token      string `json:"token"`
	Deployment string `json:"deployment"`
}

// shareLive leaves an access for watchers in the state folder.
func shareLive(stateFlag string, h *hub.Hub) error {
	dir, err := stateDir(stateFlag)
	if err != nil {
		return err
	}
	if err := makePrivate(dir); err != nil {
		return err
	}
	user, token, err := h.WatcherToken("local", watcherLife)
	if err != nil {
		return err
	}
	text, err := json.Marshal(liveAccess{URL: h.MQTTURL(), User: user, Token: token, Deployment: h.Deployment()})
	if err != nil {
		return fmt.Errorf("write %s: %w", liveFile, err)
	}
	return replaceFile(filepath.Join(dir, liveFile), text)
}

// readLive reads the access that a hub left in the state folder.
func readLive(stateFlag string) (liveAccess, error) {
	var access liveAccess
	dir, err := stateDir(stateFlag)
	if err != nil {
		return access, err
	}
	text, err := os.ReadFile(filepath.Join(dir, liveFile))
	if errors.Is(err, os.ErrNotExist) {
		return access, fmt.Errorf("no hub has run with the state folder %s; start one with: truechimer up", dir)
	}
	if err != nil {
		return access, fmt.Errorf("read the access to live updates: %w", err)
	}
	if err := json.Unmarshal(text, &access); err != nil {
		return access, fmt.Errorf("read the access to live updates in %s: %w", filepath.Join(dir, liveFile), err)
	}
	return access, nil
}
