package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One process at a time runs a hub in a state folder; the next one is told who does, and may as soon as he has left.
func TestAStateFolderHasOneTenant(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if _, runs := tenantOf(dir); runs {
		t.Error("nobody can run a hub in a folder that there isn't")
	}
	first, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = moveIn(t.Context(), dir)
	want := fmt.Sprintf("process %d runs a hub in the state folder %s already; end it first, or choose another with --state-dir", os.Getpid(), dir)
	if fmt.Sprint(err) != want {
		t.Errorf("want %q, have %v", want, err)
	}
	first.moveOut()
	if _, runs := tenantOf(dir); runs {
		t.Error("he has moved out")
	}
	second, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	second.moveOut()
}

// Who moves out and has put nothing into the folder leaves it as it was; what is there stays.
func TestATenantLeavesNothingOfHisOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	for _, there := range []bool{false, true} { // the folder, before he comes
		if there {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		home, err := moveIn(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		home.moveOut()
		if left, err := os.ReadDir(dir); len(left) > 0 || (err == nil) != there {
			t.Errorf("there before: %t; left: %v (%v)", there, left, err)
		}
	}
	home, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(databaseDir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	home.moveOut()
	if left, err := os.ReadDir(dir); len(left) != 2 || err != nil {
		t.Errorf("want the database and the note, have %v (%v)", left, err)
	}
}

// Who waits for the one before him, who takes his note along, is the tenant then, and not of a file that is gone.
func TestATenantIsOneOfTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	second := &tenancy{dir: dir}
	if err := second.enter(); err != nil {
		t.Fatal(err)
	}
	first.moveOut()
	if err := second.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer second.moveOut()
	if _, runs := tenantOf(dir); !runs {
		t.Error("nobody sees him")
	}
}

// Commands see whether it is the lab that runs, and looking doesn't keep anybody out.
func TestATenantSaysWhatHeRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	home, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer home.moveOut()
	for _, isLab := range []bool{false, true, false} {
		if err := home.sign(isLab); err != nil {
			t.Fatal(err)
		}
		have, runs := tenantOf(dir)
		if diff := cmp.Diff(tenant{PID: os.Getpid(), Lab: isLab}, have); diff != "" || !runs {
			t.Errorf("runs: %t, (-want +have):\n%s", runs, diff)
		}
	}
}

// What a tenant who was killed has left, or somebody has put in its place, is read as nobody.
func TestADamagedNoteIsNobodys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	home, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, tenantFile)
	for _, text := range []string{"", "{", "[]", strings.Repeat(" ", 1<<20) + "{}"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if have, runs := tenantOf(dir); have != (tenant{}) || !runs {
			t.Errorf("%.10q: have %+v, %t", text, have, runs)
		}
	}
	home.moveOut()
	again, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	again.moveOut()
}

// Who waits for the one before him to move out, and is told to end, does so at once.
func TestWhoIsToldToEndWaitsForNoTenant(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	home, err := moveIn(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer home.moveOut()
	ctx, tell := context.WithCancel(t.Context())
	tell()
	if _, err := moveIn(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("want that it was told, have %v", err)
	}
}
