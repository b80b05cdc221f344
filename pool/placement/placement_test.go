package placement

import (
	"fmt"
	"testing"

	"truechimer/pool"
)

// Servers, whose ids are given one after the other, fill all shards alike.
func TestServersAreBalanced(t *testing.T) {
	var count [Shards]int
	for id := range 10 * Shards {
		count[OfServer(pool.ServerID(id+1))]++
	}
	for shard, n := range count {
		if n != 10 {
			t.Errorf("shard %d: want 10 servers, have %d", shard, n)
		}
	}
}

// Agents are spread by their names: no shard has many times its share.
func TestAgentsAreSpread(t *testing.T) {
	var count [Shards]int
	for i := range 100 * Shards {
		count[OfAgent(fmt.Sprintf("agent-%d.example.org", i))]++
	}
	for shard, n := range count {
		if n < 50 || n > 200 {
			t.Errorf("shard %d: want about 100 agents, have %d", shard, n)
		}
	}
}

// The shard of an agent is stored with it, so it must never change.
func TestAnAgentsShardNeverChanges(t *testing.T) {
	for name, want := range map[string]pool.ShardID{"local": 8, "alpha": 171, "": 197} {
		if have := OfAgent(name); have != want {
			t.Errorf("%q: want %d, have %d", name, want, have)
		}
	}
}
