package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// freeAddress returns an address of 127.0.0.0/8 where all these ports, TCP and
// UDP, were free a moment ago: a domain controller cannot choose its ports, so
// each has an address of its own.
func freeAddress(ports ...int) (string, error) {
	var last error
	for range 100 {
		addr := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254))
		if last = portsFree(addr, ports); last == nil {
			return addr, nil
		}
	}
	return "", fmt.Errorf("find a free address: %w", last)
}

func portsFree(addr string, ports []int) error {
	for _, port := range ports {
		at := net.JoinHostPort(addr, fmt.Sprint(port))
		l, err := net.Listen("tcp4", at)
		if err != nil {
			return err
		}
		l.Close()
		u, err := net.ListenPacket("udp4", at)
		if err != nil {
			return err
		}
		u.Close()
	}
	return nil
}
