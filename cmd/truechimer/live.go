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

// watcherLife is how long the access in liveFile holds. A hub that runs for longer renews it.
const watcherLife = 30 * 24 * time.Hour

// liveAccess is what liveFile holds.
type liveAccess struct {
	URL        string `json:"url"`
	User       string `json:"user"`
	Token      string `json:"token"`
	Deployment string `json:"deployment"`
}

// shareLive leaves an access for watchers of the same user in the state folder.
func shareLive(dir string, h *hub.Hub) error {
	user, token, err := h.WatcherToken(localName, watcherLife)
	if err != nil {
		return err
	}
	text, err := json.Marshal(liveAccess{URL: h.MQTTURL(), User: user, Token: token, Deployment: h.Deployment()})
	if err != nil {
		panic(err) // texts always marshal
	}
	if err := replaceFile(filepath.Join(dir, liveFile), text); err != nil {
		return unusable(err)
	}
	return nil
}

// readLive reads the access that a hub left in the state folder.
func readLive(dir string) (liveAccess, error) {
	var access liveAccess
	path := filepath.Join(dir, liveFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return access, fmt.Errorf("no hub has run with the state folder %s; name another with --state-dir, or start one with: truechimer up", dir)
	}
	if err != nil {
		return access, fmt.Errorf("read the access to live updates: %w", err)
	}
	if err := json.Unmarshal(text, &access); err != nil || access.URL == "" {
		return access, fmt.Errorf("%s is damaged; a hub that starts writes it anew", path)
	}
	return access, nil
}
