// Package lab serves NTP on loopback, badly and well: one server for each behaviour that a monitor may meet.
// It is what `up` watches when it is given nothing else to watch, and what tests of the client ask.
//
// Its servers are real: they speak NTPv4 over UDP, and whatever NTP client runs on this host can ask them. Their
// addresses lie in 127.0.0.0/8, all of which Linux takes for its own; elsewhere only those that were set up.
package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Port is where a lab serves when it is to be found again at the same addresses after a restart. It is high enough to
// need no privilege, below the range that systems pick source ports from, and ends like NTP's own, 123.
const Port = 11123

// How many servers fit: the last byte of an address is 1 to 254; the named ones have 127.0.1.0/24,
// the extra ones 127.0.2.0/24 to 127.0.255.0/24.
const (
	maxNamed = 254
	maxExtra = 254 * 254
)

// Options of a lab. The zero value is the default list, on free ports, silent in the log.
type Options struct {
	Log        zerolog.Logger
	Behaviours []Behaviour // one server each, on 127.0.1.1 and following, in this order; nil: Default()
	Extra      int         // so many more good servers, on 127.0.2.1 and following, for measurements with a crowd
	Port       uint16      // of all servers; 0: each has a free one of its own
	Seed       uint64      // of what is random about a behaviour: the same seed drops the same queries
}

// Server is one of the lab's servers.
type Server struct {
	Name      string // unique in the lab: the behaviour, numbered from 1 where several have it; extra-1 and following
	Behaviour Behaviour
	Addr      netip.AddrPort
}

// Lab is a set of running servers.
type Lab struct {
	servers []*server
	serving sync.WaitGroup
}

// Start starts the lab's servers. They answer when it returns. When one can't start, none does.
func Start(options Options) (*Lab, error) {
	l := &Lab{}
	began := time.Now()
	plan, err := planned(options)
	if err != nil {
		return nil, err
	}
	for i, p := range plan {
		s, err := open(p, began, rand.New(rand.NewPCG(options.Seed, uint64(i))), options.Log)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		l.servers = append(l.servers, s)
		l.serving.Go(s.serve)
	}
	options.Log.Info().Int("servers", len(l.servers)).Msg("lab serves")
	return l, nil
}

// Servers lists the servers: the named ones, then the extra ones.
func (l *Lab) Servers() []Server {
	list := make([]Server, len(l.servers))
	for i, s := range l.servers {
		list[i] = s.Server
	}
	return list
}

// Close ends all servers and returns when they have ended. It may be called again, and then does nothing.
func (l *Lab) Close() error {
	var failed []error
	for _, s := range l.servers {
		if err := s.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			failed = append(failed, fmt.Errorf("close lab server %s: %w", s.Name, err))
		}
	}
	l.serving.Wait()
	return errors.Join(failed...)
}

// planned names and places the servers that options ask for.
func planned(options Options) ([]Server, error) {
	behaviours := options.Behaviours
	if behaviours == nil {
		behaviours = Default()
	}
	if len(behaviours) > maxNamed || options.Extra < 0 || options.Extra > maxExtra {
		return nil, fmt.Errorf("start a lab with %d servers and %d extra ones: it has room for %d and %d",
			len(behaviours), options.Extra, maxNamed, maxExtra)
	}
	var plan []Server
	const firstNamedBlock, firstExtraBlock = 1, 2
	for i, name := range names(behaviours) {
		plan = append(plan, Server{name, behaviours[i], address(firstNamedBlock, i, options.Port)})
	}
	for i := range options.Extra {
		plan = append(plan, Server{fmt.Sprintf("extra-%d", i+1), Good, address(firstExtraBlock, i, options.Port)})
	}
	return plan, nil
}

// names gives each behaviour its name, and a number too where it comes more than once.
func names(behaviours []Behaviour) []string {
	total, seen := make(map[Behaviour]int), make(map[Behaviour]int)
	for _, b := range behaviours {
		total[b]++
	}
	list := make([]string, len(behaviours))
	for i, b := range behaviours {
		seen[b]++
		list[i] = string(b)
		if total[b] > 1 {
			list[i] = fmt.Sprintf("%s-%d", b, seen[b])
		}
	}
	return list
}

// address is the place of the server with this index, counted from 127.0.block.1.
func address(block, index int, port uint16) netip.AddrPort {
	const inBlock = 254 // 1 to 254
	ip := netip.AddrFrom4([4]byte{127, 0, byte(block + index/inBlock), byte(1 + index%inBlock)})
	return netip.AddrPortFrom(ip, port)
}

// open takes the server's address; it answers from then on, once serve runs.
func open(place Server, began time.Time, random *rand.Rand, log zerolog.Logger) (*server, error) {
	character, known := characterOf(place.Behaviour)
	if !known {
		return nil, fmt.Errorf("start lab server %s: there is no such behaviour", place.Name)
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(place.Addr))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("start lab server %s: %s is taken, does another lab run? %w", place.Name, place.Addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("start lab server %s: %w", place.Name, err)
	}
	place.Addr = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	log = log.With().Str("server", place.Name).Stringer("address", place.Addr).Logger()
	log.Debug().Msg("lab server serves")
	return &server{Server: place, character: character, conn: conn, began: began, random: random, log: log}, nil
}
