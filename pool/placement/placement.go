// Package placement says which shard a server or an agent belongs to.
package placement

import (
	"hash/fnv"

	"truechimer/pool"
)

// Shards is into how many parts the pool is cut. It is stored with every row that belongs to a shard,
// so it is fixed at installation: 256 keeps shards small enough to load in a blink and gives each of
// a dozen hubs twenty or more, which balances them to a few per cent.
const Shards = 256

// OfServer is the shard of a server: ids are given one after the other, so their remainder is balanced.
func OfServer(id pool.ServerID) pool.ShardID { return pool.ShardID(id % Shards) }

// OfAgent is the shard of an agent, from its name (FNV-1a).
func OfAgent(name string) pool.ShardID {
	h := fnv.New32a()
	h.Write([]byte(name))
	return pool.ShardID(h.Sum32() % Shards)
}
