package messages

import (
	"truechimer/pool"
)

// FromServer makes the message of a server.
func FromServer(s pool.Server) *Server {
	return &Server{
		Id:         uint32(s.ID),
		Ip:         fromAddr(s.Addr.Addr()),
		Port:       uint32(s.Addr.Port()),
		AccountId:  uint32(s.Account),
		Hostname:   s.Hostname,
		DeletionUs: fromTime(s.Deletion),
		Score:      s.Score,
		ScoreUs:    fromTime(s.ScoreAt),
		Stratum:    uint32(s.Stratum),
	}
}

// ToServer is the server of a message.
func ToServer(m *Server) pool.Server {
	return pool.Server{
		ID:       pool.ServerID(m.GetId()),
		Addr:     toAddrPort(m.GetIp(), m.GetPort()),
		Account:  pool.AccountID(m.GetAccountId()),
		Hostname: m.GetHostname(),
		Deletion: toTime(m.GetDeletionUs()),
		Score:    m.GetScore(),
		ScoreAt:  toTime(m.GetScoreUs()),
		Stratum:  uint8(m.GetStratum()),
	}
}

// FromReview makes the message of a review.
func FromReview(r pool.Review) *Review {
	return &Review{LastUs: fromTime(r.Last), NextUs: fromTime(r.Next), ChangeUs: fromTime(r.Change)}
}

// ToReview is the review of a message.
func ToReview(m *Review) pool.Review {
	return pool.Review{
		Last:   toTime(m.GetLastUs()),
		Next:   toTime(m.GetNextUs()),
		Change: toTime(m.GetChangeUs()),
	}
}

// FromServerImage makes the message of a server's image.
func FromServerImage(i pool.ServerImage) *ServerImage {
	return &ServerImage{
		Server: FromServer(i.Server),
		Pairs:  each(i.Pairs, FromPair),
		Review: FromReview(i.Review),
	}
}

// ToServerImage is the server's image of a message.
func ToServerImage(m *ServerImage) pool.ServerImage {
	server := ToServer(m.GetServer())
	return pool.ServerImage{
		Server: server,
		Pairs:  each(m.GetPairs(), func(p *Pair) pool.Pair { return ToPair(server.ID, p) }),
		Review: ToReview(m.GetReview()),
	}
}

// FromShardImage makes the message of a shard's image. The roster that goes with it is the same for all shards
// that are opened together, so it is made once and shared.
func FromShardImage(i pool.ShardImage, roster *Roster) *ShardImage {
	return &ShardImage{
		Shard:   uint32(i.Shard),
		Epoch:   i.Epoch,
		Servers: each(i.Servers, FromServerImage),
		Agents:  each(i.Agents, FromAgentImage),
		Roster:  roster,
	}
}

// ToShardImage is the shard's image of a message; its roster is converted apart.
func ToShardImage(m *ShardImage) pool.ShardImage {
	return pool.ShardImage{
		Shard:   pool.ShardID(m.GetShard()),
		Epoch:   m.GetEpoch(),
		Servers: each(m.GetServers(), ToServerImage),
		Agents:  each(m.GetAgents(), ToAgentImage),
	}
}
