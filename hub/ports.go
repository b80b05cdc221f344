package hub

import (
	"fmt"
	"net"
)

// CheckPorts takes all addresses that a hub is to listen on, and gives them back: whoever would make a database for a hub
// that can't open knows beforehand. The error says which address is taken, and what to do. Open may fail all the same.
func CheckPorts(options Options) error {
	ports := []struct{ whose, address, flag string }{
		{"agents", options.AgentListen, "--agent-listen"},
		{"HTTP", options.HTTPListen, "--http-listen"},
		{"MQTT", options.MQTTListen, "--mqtt-listen, or your own broker with --mqtt-url"},
	}
	if options.MQTTURL != "" {
		ports = ports[:2]
	}
	for _, port := range ports {
		listener, err := net.Listen("tcp", port.address)
		if err != nil {
			return fmt.Errorf("listen for %s on %s: %w; choose another address with %s", port.whose, port.address, err, port.flag)
		}
		defer listener.Close() // after the last one: of two that are the same the second one is taken
	}
	return nil
}
