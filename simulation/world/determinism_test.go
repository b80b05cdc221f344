package world

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// townOf is set in the environment of a process that has only to say what hash the town of that seed gives.
const townOf = "WORLD_TEST_TOWN_OF"

func TestMain(m *testing.M) {
	if seed, err := strconv.ParseUint(os.Getenv(townOf), 10, 64); err == nil {
		town := newTown(townConfig(seed))
		if err := town.RunFor(townLife); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(town.Hash())
		return
	}
	os.Exit(m.Run())
}

// townLife is long enough for some troubles of each kind.
const townLife = 5 * time.Minute

func townConfig(seed uint64) Config {
	return Config{Seed: seed, StepTime: 10 * time.Microsecond, Policy: Policy(seed % 3)}
}

func townHash(t *testing.T, config Config) uint64 {
	t.Helper()
	town := newTown(config)
	run(t, town.World, townLife)
	if town.answers == 0 {
		t.Fatal("nobody got an answer")
	}
	return town.Hash()
}

// Go shuffles its maps anew in each run, so that two hundred equal hashes also say that no map's order shows.
func TestOneSeedGivesOneHistory(t *testing.T) {
	for seed := range uint64(4) {
		want := townHash(t, townConfig(seed))
		for range 50 {
			if have := townHash(t, townConfig(seed)); have != want {
				t.Fatalf("seed %d: want hash %x, have %x", seed, want, have)
			}
		}
	}
}

// A hash that never changes would pass all other tests of determinism.
func TestSeedsGiveDifferentHistories(t *testing.T) {
	seen := make(map[uint64]uint64)
	for seed := range uint64(20) {
		config := townConfig(seed)
		config.Policy = Random
		h := townHash(t, config)
		if other, twice := seen[h]; twice {
			t.Errorf("seeds %d and %d give one hash", other, seed)
		}
		seen[h] = seed
	}
}

// Addresses, hash seeds and the number of processors differ between processes, and must not show.
func TestOtherProcessesGiveTheSameHistory(t *testing.T) {
	for seed := range uint64(3) {
		want := fmt.Sprint(townHash(t, townConfig(seed)))
		for _, processors := range []string{"1", "2"} {
			again := exec.Command(os.Args[0])
			again.Env = append(os.Environ(), fmt.Sprintf("%s=%d", townOf, seed), "GOMAXPROCS="+processors)
			out, err := again.CombinedOutput()
			if have := strings.TrimSpace(string(out)); err != nil || have != want {
				t.Errorf("seed %d, %s processors: want %s, have %s (%v)", seed, processors, want, have, err)
			}
		}
	}
}

// What is logged and kept is for people, and changes nothing.
func TestWatchingChangesNothing(t *testing.T) {
	want := townHash(t, townConfig(1))
	watched := townConfig(1)
	watched.Keep, watched.OneGoroutine = 100, true
	if have := townHash(t, watched); have != want {
		t.Errorf("want %x, have %x", want, have)
	}
}

// A goroutine that anyone starts has a time of its own, so nobody may.
func TestNoGoroutineIsStarted(t *testing.T) {
	before := runtime.NumGoroutine()
	townHash(t, townConfig(1))
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("want at most %d goroutines, have %d", before, after)
	}
}
