package scoring_test

import (
	"fmt"
	"time"

	"truechimer/pool"
	"truechimer/pool/scoring"
)

// A server that is perfect until it is four seconds off.
func ExampleNext() {
	score := 20.0
	for _, offset := range []time.Duration{2 * time.Millisecond, 60 * time.Millisecond, 4 * time.Second} {
		step := scoring.StepOf(pool.Sample{Offset: &offset, Stratum: 2})
		score = scoring.Next(score, step)
		fmt.Printf("%.3f after %v\n", score, step)
	}
	// Output:
	// 20.000 after 1: good
	// 19.767 after 0.767: offset over 25 ms
	// -20.000 after -4, at most -20: offset over 3 s
}

// A score actor's work with its book: record, store, confirm.
func ExampleBook() {
	const monitor, every, median = 11, 901, 902
	book := scoring.NewBook(scoring.Snapshot{
		RecentMedian: scoring.Scorer{ID: median},
		Every:        scoring.Scorer{ID: every},
		Pairs:        []scoring.Pair{{Monitor: monitor, Status: pool.Active}},
	})
	offset := 3 * time.Millisecond
	entries, _ := book.Record([]scoring.Observation{{
		Monitor: monitor,
		Sample:  pool.Sample{At: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC), Offset: &offset, Stratum: 2},
	}})
	for _, e := range entries {
		fmt.Println(e.Monitor, e.Score, e.Scorer, e.Tier)
	}
	scores, overall := book.Unstored()
	fmt.Println(len(scores), "scores moved, the server's to", overall.Score)

	book.Stored([]pool.LogID{1, 2, 3}) // as the store gave them
	fmt.Println(book.Snapshot().Pairs[0].Last.ID)
	// Output:
	// 11 1  no tier
	// 901 -3.75 every no tier
	// 902 1 recentmedian active within 20 min
	// 3 scores moved, the server's to 1
	// 1
}
