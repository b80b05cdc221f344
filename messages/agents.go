package messages

import (
	"net/netip"

	"truechimer/pool"
)

// FromAgentImage makes the message of an agent's image. The serial of its certificate stays behind:
// whoever checks certificates asks the store, and no actor does.
func FromAgentImage(i pool.AgentImage) *AgentImage {
	return &AgentImage{
		Name:        i.Agent.Name,
		AccountId:   uint32(i.Agent.Account),
		Revoked:     i.Agent.Revoked,
		SessionId:   i.Agent.Session,
		Monitors:    each(i.Monitors, FromMonitor),
		Assignments: each(i.Assignments, FromAssigned),
	}
}

// ToAgentImage is the agent's image of a message, without a serial.
func ToAgentImage(m *AgentImage) pool.AgentImage {
	return pool.AgentImage{
		Agent: pool.Agent{
			Name:    m.GetName(),
			Account: pool.AccountID(m.GetAccountId()),
			Revoked: m.GetRevoked(),
			Session: m.GetSessionId(),
		},
		Monitors:    each(m.GetMonitors(), ToMonitor),
		Assignments: each(m.GetAssignments(), ToAssigned),
	}
}

// FromAssigned makes the message of a monitor's place in a server's timetable. Whether it shall probe at once, and
// from when on it may follow the cadence, is news of the moment, for the sender to add.
func FromAssigned(a pool.Assigned) *Assigned {
	return &Assigned{
		ServerId:  uint32(a.Server),
		Ip:        fromAddr(a.Addr.Addr()),
		Port:      uint32(a.Addr.Port()),
		MonitorId: uint32(a.Monitor),
		Status:    string(a.Status),
		Cadence:   FromCadence(a.Cadence),
	}
}

// ToAssigned is the place of a message. A message without a cadence says that the monitor has lost the server;
// its cadence is zero here.
func ToAssigned(m *Assigned) pool.Assigned {
	return pool.Assigned{
		Server:  pool.ServerID(m.GetServerId()),
		Addr:    toAddrPort(m.GetIp(), m.GetPort()),
		Monitor: pool.MonitorID(m.GetMonitorId()),
		Status:  pool.Status(m.GetStatus()),
		Cadence: ToCadence(m.GetCadence()),
	}
}

// FromAgentSeen makes the message that an agent was here.
func FromAgentSeen(s pool.AgentSeen) *MonitorSeen {
	m := &MonitorSeen{
		MonitorId:   uint32(s.Monitor),
		SeenUs:      fromTime(s.Seen),
		SubmittedUs: fromTime(s.Submitted),
		Version:     s.Version,
	}
	if s.Addr.IsValid() {
		m.Ip = s.Addr.Unmap().String()
	}
	return m
}

// ToAgentSeen is what a message says of an agent that was here.
func ToAgentSeen(m *MonitorSeen) pool.AgentSeen {
	addr, _ := netip.ParseAddr(m.GetIp()) // what isn't an address isn't known
	return pool.AgentSeen{
		Monitor:   pool.MonitorID(m.GetMonitorId()),
		Seen:      toTime(m.GetSeenUs()),
		Submitted: toTime(m.GetSubmittedUs()),
		Addr:      addr.Unmap(),
		Version:   m.GetVersion(),
	}
}
