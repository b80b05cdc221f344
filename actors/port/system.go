package port

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// quietDeadLetters is how many letters to actors that are gone protoactor logs in a second, whole messages included.
// They are expected here (verdicts for a session that ended, timers of the library), and senders never rely on them.
const quietDeadLetters = 1

// NewSystem makes an actor system that logs to the given logger what concerns operators: warnings and errors.
func NewSystem(address string, log zerolog.Logger) *actor.ActorSystem {
	log = log.Level(max(log.GetLevel(), zerolog.WarnLevel))
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(zerolog.NewSlogHandler(log)) }),
		actor.WithDeadLetterRequestLogging(false),
		actor.WithDeadLetterThrottleCount(quietDeadLetters),
		actor.WithDeadLetterThrottleInterval(time.Second),
	)
	// protoactor's own default means "here" to every system, so that messages for one node would stay on another.
	system.ProcessRegistry.Address = address
	return system
}
