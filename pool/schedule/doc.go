// Package schedule says who probes whom when: how often a monitor probes a server, which place it has in
// the server's timetable, at which moment its next probe is due, and how one probe goes on and ends.
//
// Time is cut for each server by itself. A cycle is as long as the shortest interval; each cycle is cut into
// the same slots, and a slot belongs to one monitor at most. A probe goes at a moment of its window that
// nobody can foretell; the spacing behind the window keeps it away from the next slot:
//
//	|<------------------------- cycle, 9 min ------------------------>|
//	|   slot 0    |   slot 1    |   slot 2    |  ...  |   slot 12     |
//	 window|spacing
//	 ...x..........  ......x.....  .x...........         ....x........
//
// Monitors with a longer interval come once in so many cycles, their turns, and take turns in one slot:
//
//	cycle     0    1    2    3    4    5    6    7   ...
//	slot 3    11   12   13   14   15   11   12   13  ...   (five testing monitors, each every 45 min)
//
// Where cycles begin follows from the server's id, so all hubs agree on it without a word,
// and a monitor's probes of many servers don't come all at once.
//
// The package leaves to others to ask for the time, to send queries, to choose the monitors
// (truechimer/pool/selection) and to make the seed of a cadence (truechimer/pool/ticket).
package schedule
