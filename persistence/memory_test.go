package persistence_test

import (
	"testing"

	"truechimer/persistence"
)

// The store of the simulation keeps what the one of production keeps.
func TestMemoryKeepsTheContract(t *testing.T) {
	holdTo(t, func(*testing.T) persistence.Store { return persistence.NewMemory(persistence.Options{}) })
}
