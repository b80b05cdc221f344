package port

// What a hub counts. The kinds are few and known, so that they can be labels of a metric.
const (
	CountPulses      = "pulses" // kind: fit, unfit: what agents say of their monitors' clocks, twice a minute each
	CountStored      = "samples_stored"
	CountRefused     = "samples_refused" // kind: why
	CountLater       = "samples_undecided"
	CountCommits     = "commits" // kind: kept, fenced, refused, failed
	CountUnpublished = "live_messages_dropped"
	CountLinks       = "links" // kind: opened, closed, taken over, and why some were refused
)
