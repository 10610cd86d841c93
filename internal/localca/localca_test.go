package localca

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

func TestIssueServes(t *testing.T) {
	p, err := Issue(time.Now(), "dc1.lab.example", "127.3.2.1")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := Issue(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv, err := p.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	try := func(c *tls.Config, name string) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			if a, err := l.Accept(); err == nil {
				tls.Server(a, srv).Handshake() //nolint:errcheck // the client's side is asserted
				a.Close()
			}
		}()
		b, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { b.Close(); <-done }()
		c.ServerName = name
		b.SetDeadline(time.Now().Add(5 * time.Second)) //nolint:errcheck // a fresh connection takes deadlines
		return tls.Client(b, c).Handshake()
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "dc1.lab.example", "127.3.2.1"} {
		if err := try(p.ClientTLS(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if try(p.ClientTLS(), "ldap.example") == nil {
		t.Error("accepted for a name that is not in the certificate")
	}
	if try(stranger.ClientTLS(), "localhost") == nil {
		t.Error("accepted by the clients of another authority")
	}
}
