package hubside

import (
	"fmt"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
	"truechimer/messages"
	"truechimer/pool"
)

// shard holds a part of the pool: the actors of its servers and of its agents. It takes the shard's next epoch
// when it starts, so that nothing which an earlier activation still does can be kept.
type shard struct {
	env    *port.Environment
	config *Config
	number pool.ShardID
	reborn bool // the one before may have had kept what it told nobody
	open   question

	epoch   uint64              // 0: the shard isn't open yet
	missed  []*messages.Changed // what was changed while it was being opened
	roster  *messages.Roster
	servers map[pool.ServerID]*shardServer
	agents  map[string]*shardAgent
	credit  int // how many more samples may be on their way
}

// shardServer is a server's actor, with the image it hasn't taken yet and the samples it hasn't settled.
type shardServer struct {
	pid       *actor.PID
	image     *messages.ServerImage
	unsettled int
}

type shardAgent struct {
	pid   *actor.PID
	image *messages.AgentImage
}

func newShard(env *port.Environment, config *Config, number pool.ShardID) *shard {
	return &shard{
		env:     env,
		config:  config,
		number:  number,
		open:    question{env: env},
		servers: make(map[pool.ServerID]*shardServer),
		agents:  make(map[string]*shardAgent),
		credit:  shardCredit,
	}
}

func (a *shard) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.open.put(ctx, local(ctx, archivistName), &messages.OpenShard{Shard: uint32(a.number)})
	case *messages.ShardImage:
		a.onImage(ctx, msg)
	case *messages.Roster:
		a.onRoster(ctx, msg)
	case *messages.Sighted:
		a.onSighted(ctx, msg)
	case *messages.Changed:
		a.onChanged(ctx, msg)
	case *messages.LoadServer:
		a.onLoadServer(ctx, msg)
	case *messages.LoadAgent:
		a.onLoadAgent(ctx, msg)
	case *messages.Samples:
		a.onSamples(ctx, msg)
	case *messages.Settled:
		a.onSettled(msg)
	case *messages.ForAgent:
		a.onForAgent(ctx, msg)
	case *actor.Terminated:
		a.onTerminated(msg)
	case askAgain:
		msg.again(ctx)
	}
}

// onImage opens the shard: every server and agent gets its actor.
func (a *shard) onImage(ctx actor.Context, msg *messages.ShardImage) {
	a.open.drop()
	if a.epoch != 0 { // asked twice, answered twice: the second answer has fenced what began with the first
		restart(ctx)
		return
	}
	a.epoch, a.roster = msg.Epoch, msg.Roster
	for _, image := range msg.Servers {
		a.spawnServer(ctx, pool.ServerID(image.Server.GetId()), image)
	}
	for _, image := range msg.Agents {
		a.spawnAgent(ctx, image.Name, image)
	}
	for _, changed := range a.missed {
		a.onChanged(ctx, changed)
	}
	a.missed = nil
	ctx.Send(ctx.Parent(), &messages.Opened{
		Shard: uint32(a.number), Servers: uint32(len(msg.Servers)), Agents: uint32(len(msg.Agents)),
	})
}

func (a *shard) spawnServer(ctx actor.Context, id pool.ServerID, image *messages.ServerImage) {
	epoch, reborn := a.epoch, a.reborn
	pid := spawn(ctx, fmt.Sprintf("server/%d", id), a.config.Node.Props(func(env *port.Environment) actor.Actor {
		s := newServer(env, a.config, a.number, epoch, id)
		s.reborn, reborn = reborn, true
		return s
	}, supervision.Option(a.config.Node.Runtime)))
	a.servers[id] = &shardServer{pid: pid, image: image}
}

func (a *shard) spawnAgent(ctx actor.Context, name string, image *messages.AgentImage) {
	pid := spawn(ctx, "monitor/"+name, a.config.Node.Props(func(env *port.Environment) actor.Actor {
		return newMonitor(env, a.config, name)
	}, supervision.Option(a.config.Node.Runtime)))
	a.agents[name] = &shardAgent{pid: pid, image: image}
}

// onRoster passes a new roster on to all. Before there are any, the image will bring one that is at least as new.
func (a *shard) onRoster(ctx actor.Context, roster *messages.Roster) {
	a.roster = roster
	for _, id := range sortedKeys(a.servers) {
		ctx.Send(a.servers[id].pid, roster)
	}
	for _, name := range sortedKeys(a.agents) {
		ctx.Send(a.agents[name].pid, roster)
	}
}

// onSighted passes on when agents were seen.
func (a *shard) onSighted(ctx actor.Context, msg *messages.Sighted) {
	if a.epoch == 0 {
		return
	}
	a.roster = msg.Roster
	for _, id := range sortedKeys(a.servers) {
		ctx.Send(a.servers[id].pid, msg)
	}
}

// onChanged makes the actor of what was changed look again, or makes it if it is new.
func (a *shard) onChanged(ctx actor.Context, msg *messages.Changed) {
	if a.epoch == 0 {
		a.missed = append(a.missed, msg) // the image that is on its way may be older
		return
	}
	switch pool.ChangeKind(msg.Kind) {
	case pool.ChangedServer:
		id, err := strconv.ParseUint(msg.Key, 10, 32)
		if err != nil {
			return
		}
		if s := a.servers[pool.ServerID(id)]; s != nil {
			ctx.Send(s.pid, msg)
			return
		}
		a.spawnServer(ctx, pool.ServerID(id), nil)
	case pool.ChangedMonitor:
		if m := a.agents[msg.Key]; m != nil {
			ctx.Send(m.pid, msg)
			return
		}
		a.spawnAgent(ctx, msg.Key, nil)
	}
}

// onLoadServer gives a server's actor what it starts from: the image that came with the shard, once,
// else what is stored now.
func (a *shard) onLoadServer(ctx actor.Context, msg *messages.LoadServer) {
	s := a.servers[pool.ServerID(msg.ServerId)]
	if s == nil {
		return
	}
	ctx.Send(ctx.Sender(), a.roster)
	if image := s.image; image != nil {
		s.image = nil
		ctx.Send(ctx.Sender(), &messages.ServerLoaded{ServerId: msg.ServerId, Question: msg.Question, Image: image})
		return
	}
	ctx.RequestWithCustomSender(local(ctx, archivistName), msg, ctx.Sender())
}

// onLoadAgent is the same for the actor of an agent.
func (a *shard) onLoadAgent(ctx actor.Context, msg *messages.LoadAgent) {
	m := a.agents[msg.Name]
	if m == nil {
		return
	}
	ctx.Send(ctx.Sender(), a.roster)
	if image := m.image; image != nil {
		m.image = nil
		ctx.Send(ctx.Sender(), &messages.AgentLoaded{Name: msg.Name, Question: msg.Question, Image: image})
		return
	}
	ctx.RequestWithCustomSender(local(ctx, archivistName), msg, ctx.Sender())
}

func (a *shard) onForAgent(ctx actor.Context, msg *messages.ForAgent) {
	if m := a.agents[msg.Agent]; m != nil {
		ctx.Forward(m.pid)
	}
}

// onTerminated forgets an actor that ended since what it stood for is gone.
func (a *shard) onTerminated(msg *actor.Terminated) {
	for id, s := range a.servers {
		if s.pid.Equal(msg.Who) {
			a.settle(s, s.unsettled)
			delete(a.servers, id)
			return
		}
	}
	for name, m := range a.agents {
		if m.pid.Equal(msg.Who) {
			delete(a.agents, name)
			return
		}
	}
}
