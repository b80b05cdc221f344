//go:build !race

package simulation_test

// underRace tells that the race detector makes all take ten times as long.
const underRace = false
