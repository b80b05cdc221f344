package messages

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"truechimer/pool"
	"truechimer/pool/ticket"
)

// upSpecimens is one message of each kind that an agent sends. Between them they set every field.
func upSpecimens() []proto.Message {
	return []proto.Message{
		&Hello{Protocol: 1, Version: "v1.2.3", Features: []string{"traceroute"}},
		&Batch{Id: 300, IpVersion: 6, Evidence: []*Evidence{
			goodEvidence(),
			evidenceOf(&Sample{AtUs: 1_900_000_001_000_000, NoReply: true}),
			evidenceOf(&Sample{AtUs: 1_900_000_002_000_000, RttNs: proto.Int64(1), Kiss: "RATE"}),
			evidenceOf(&Sample{AtUs: 1_900_000_003_000_000, RttNs: proto.Int64(1), Error: "malformed reply"}),
		}},
		&Pulse{Monitors: []*MonitorPulse{
			{IpVersion: 4, Fit: true, Assignments: 40, Spooled: 2},
			{IpVersion: 6, Reason: "2 of 3 references failed"},
		}},
		&Goodbye{},
	}
}

// downSpecimens is one message of each kind that a hub sends. Between them they set every field.
func downSpecimens() []proto.Message {
	return []proto.Message{
		&Welcome{
			SessionId: "01J00000000000000000000000",
			Agent:     "fra1.example",
			Session:   "hub/gateway/session/fra1.example.7",
			Live: &LiveAccess{
				Url: "tls://hub.example:8883", Token: "e30.e30.c2ln", Deployment: "prod", UntilS: 1_900_003_600,
			},
		},
		&Assignments{
			IpVersion: 4, MonitorId: 11, Whole: true, Set: []*Assignment{goodAssignment()}, Dropped: []uint32{8, 9},
			Terms: goodTerms(),
		},
		&Verdicts{BatchId: 300, IpVersion: 6, Verdicts: []*Verdict{
			{Index: 0, Outcome: Verdict_STORED},
			{Index: 1, Outcome: Verdict_REFUSED, Reason: "offset 140y is more than an NTP era"},
			{Index: 499},
		}},
		&Dismissal{Reason: "a newer link of this agent", TakenOver: true},
	}
}

// goodEvidence is what the hub takes.
func goodEvidence() *Evidence { return evidenceOf(goodSample()) }

func evidenceOf(m *Sample) *Evidence {
	return &Evidence{
		ServerId:   7,
		MonitorId:  11,
		IntervalMs: 540_000,
		FromS:      1_899_999_000,
		UntilS:     1_900_013_400,
		Ticket:     []byte(strings.Repeat("t", ticket.Size)),
		Sample:     m,
	}
}

// goodAssignment is what an agent takes.
func goodAssignment() *Assignment {
	return &Assignment{
		ServerId:   7,
		Ip:         []byte{192, 0, 2, 1},
		Port:       123,
		MonitorId:  11,
		Status:     string(pool.Active),
		IntervalMs: 540_000,
		PhaseMs:    41_538,
		WindowMs:   21_538,
		Seed:       0x0123456789abcdef,
		AtOnce:     true,
		FromS:      1_899_999_000,
		UntilS:     1_900_013_400,
		Ticket:     []byte(strings.Repeat("t", ticket.Size)),
		StartUs:    1_899_999_040_000_000,
	}
}

// goodTerms are what an agent takes.
func goodTerms() *Terms {
	return &Terms{
		Status:     string(pool.GlobalTesting),
		Samples:    5,
		NatIp:      "10.0.0.1",
		BaseChecks: []string{"time.example", "192.0.2.53:1123"},
		SpacingMs:  20_000,
	}
}
