package world

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// stream is the stream of random numbers that a seed gives for a purpose. Streams of different seeds or purposes
// have nothing in common: both go through a cryptographic hash, since PCG streams of neighbouring seeds correlate.
func stream(seed uint64, purpose string) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, purpose))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}
