package messages

import (
	"testing"

	"truechimer/pool"
)

// busyCommit is what a server under 12 monitors has to say now and then: a sample, the scores, an overall one.
func busyCommit() pool.ServerCommit {
	row := monitorRow()
	median := pool.LogRow{Monitor: 1, At: row.At, Score: 17, Counted: []pool.Ref{{ID: 5}, {ID: 6}, {Row: 0}}}
	return pool.ServerCommit{
		Shard: 7, Epoch: 3, Server: 7,
		Rows: []pool.LogRow{row, median},
		Scores: []pool.PairScore{
			{Monitor: 11, Score: 19.5, At: row.At, Stratum: 2, Row: 0}, {Monitor: 1, Score: 17, At: row.At, Row: 1},
		},
		Overall: &pool.Overall{Known: true, Score: 17, At: row.At, Stratum: 2},
	}
}

// A busy hub commits 20,000 samples a second.
func BenchmarkFromServerCommit(b *testing.B) {
	commit := busyCommit()
	b.ReportAllocs()
	for b.Loop() {
		FromServerCommit(1, commit)
	}
}

func BenchmarkToServerCommit(b *testing.B) {
	m := FromServerCommit(1, busyCommit())
	b.ReportAllocs()
	for b.Loop() {
		ToServerCommit(m)
	}
}
