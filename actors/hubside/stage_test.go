package hubside_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
	"truechimer/simulation/world"
)

// archivistPath and gatewayPath are where these actors are.
const (
	archivistPath = "hub/archivist"
	gatewayPath   = "hub/gateway"
)

// shardPath is where the actor of a server's shard is.
func shardPath(server int) string {
	return fmt.Sprintf("hub/shard/%d", placement.OfServer(pool.ServerID(server)))
}

// serverPath, scorePath and selectorPath are where the actors of a server are.
func serverPath(server int) string   { return fmt.Sprintf("%s/server/%d", shardPath(server), server) }
func scorePath(server int) string    { return serverPath(server) + "/score" }
func selectorPath(server int) string { return serverPath(server) + "/selector" }

// agentShardPath, monitorPath and probePath are where the actors of an agent are.
func agentShardPath(agent string) string {
	return fmt.Sprintf("hub/shard/%d", placement.OfAgent(agent))
}
func monitorPath(agent string) string { return agentShardPath(agent) + "/monitor/" + agent }
func probePath(agent string) string   { return monitorPath(agent) + "/probe/v4" }

// newPool is a running hub with servers and two agents that are active for all of them: paris and oslo.
func newPool(t testing.TB, servers int) (r *rig, paris, oslo *agent) {
	t.Helper()
	r = newRig(t, world.Config{})
	r.addServers(servers)
	active := []pool.PairStatus{
		{Monitor: r.addAgent("paris", pool.GlobalActive).ID, Status: pool.Active},
		{Monitor: r.addAgent("oslo", pool.GlobalActive).ID, Status: pool.Active},
	}
	for server := 1; server <= servers; server++ {
		r.preset(server, active...)
	}
	r.start()
	return r, r.joined("paris"), r.joined("oslo")
}

// listener is an actor of the test: it hears what the hub's actors answer.
type listener struct {
	rig   *rig
	pid   *actor.PID
	heard []any
}

func (r *rig) listen() *listener {
	l := &listener{rig: r}
	l.pid = r.hub.System.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage:
		default:
			l.heard = append(l.heard, m)
		}
	}))
	return l
}

// ask asks the actor at a path.
func (l *listener) ask(path string, message any) {
	l.rig.hub.System.Root.RequestWithCustomSender(l.rig.pid(path), message, l.pid)
}

// changed tells the hub that somebody has changed a server.
func (r *rig) changed(server int) {
	r.send(shardPath(server), &messages.Changed{Kind: string(pool.ChangedServer), Key: fmt.Sprint(server)})
}

// assign tells an agent's actor its place in the timetable of a server, as that would; without a cadence that it has none.
func (r *rig) assign(agent string, server int, interval time.Duration) {
	r.Helper()
	addr := serverAddr(server)
	assigned := &messages.Assigned{
		ServerId: uint32(server), Ip: addr.Addr().AsSlice(), Port: uint32(addr.Port()),
		MonitorId: uint32(r.monitor(agent).ID), Status: string(pool.Active),
	}
	if interval != 0 {
		assigned.Cadence = messages.FromCadence(pool.Cadence{Interval: interval, Window: time.Second})
	}
	r.send(agentShardPath(agent), &messages.ForAgent{Agent: agent, Message: &messages.ForAgent_Assigned{Assigned: assigned}})
}

// arrangement matches the commits of a server's statuses and places.
func arrangement(server int) func(string) bool { return is(fmt.Sprintf("commit %d*", server)) }

// evidenceCommit matches the commits of a server's samples.
func evidenceCommit(server int) func(string) bool { return is(fmt.Sprintf("commit %d", server)) }

// wantServers compares the servers that the agent watches.
func (a *agent) wantServers(want ...int) {
	a.rig.Helper()
	if have := a.servers(); !slices.Equal(want, have) {
		a.rig.Errorf("%s watches: want servers %v, have %v", a.name, want, have)
	}
}

// wantInterval compares how often the agent probes a server.
func (a *agent) wantInterval(server int, want time.Duration) {
	a.rig.Helper()
	if have := a.order(server).Assignment.Cadence.Interval; have != want {
		a.rig.Errorf("%s probes server %d every %s, want %s", a.name, server, have, want)
	}
}

// wantLogged compares how often a line was logged.
func (r *rig) wantLogged(message string, want int) {
	r.Helper()
	if have := r.logged(message); have != want {
		r.Errorf("logged %q: want %d times, have %d", message, want, have)
	}
}

// wantCount compares what the hub counted.
func (r *rig) wantCount(what string, want int) {
	r.Helper()
	if have := r.counts[what]; have != want {
		r.Errorf("counted %s: want %d, have %d", what, want, have)
	}
}

// wantStored compares how many samples of a server are stored.
func (r *rig) wantStored(server, want int) {
	r.Helper()
	if have := len(r.samples(server)); have != want {
		r.Errorf("server %d: want %d samples stored, have %d", server, want, have)
	}
}
