package ldapd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/localca"
)

// Options say how a directory is served.
type Options struct {
	// AdminDN may bind with AdminPassword without an entry. Any other entry
	// binds with a value of its userPassword, in plain text.
	AdminDN       string
	AdminPassword string
	// Socket is the path of the ldapi socket; empty: none.
	Socket string
	// NoAnonymous refuses everything but the root entry to who has not bound.
	NoAnonymous bool
	// MaxPage is the largest page that is given; 0: as asked.
	MaxPage int
	// Faults are what goes wrong; nil: Server.Faults, none at first.
	Faults *Faults
}

// Server serves a directory on loopback.
type Server struct {
	dir     *Directory
	opts    Options
	admin   identity.DN
	faults  *Faults
	started time.Time
	pair    localca.Pair
	tls     *tls.Config

	listeners []net.Listener
	cancel    context.CancelFunc
	unhook    func() bool
	wg        sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// Serve listens on free ports of 127.0.0.1, one of them for TLS, and on the
// socket. It returns at once; the server ends with ctx or by Close.
func (d *Directory) Serve(ctx context.Context, o Options) (*Server, error) {
	admin, err := identity.ParseDN(o.AdminDN)
	if err != nil {
		return nil, fmt.Errorf("serve the directory: administrator: %w", err)
	}
	s := &Server{dir: d, opts: o, admin: admin, faults: o.Faults, started: time.Now(), conns: map[net.Conn]struct{}{}}
	if s.faults == nil {
		s.faults = &Faults{}
	}
	if d.log.floor == nil {
		// What was there when the server began is in no session log.
		d.Forget()
	}
	// The certificate is for this process and this day: never a stopped clock.
	if s.pair, err = localca.Issue(time.Now()); err != nil {
		return nil, fmt.Errorf("serve the directory: %w", err)
	}
	if s.tls, err = s.pair.ServerTLS(); err != nil {
		return nil, fmt.Errorf("serve the directory: %w", err)
	}
	if err := s.listen(); err != nil {
		for _, l := range s.listeners {
			err = errors.Join(err, l.Close())
		}
		return nil, fmt.Errorf("serve the directory: %w", err)
	}
	ctx, s.cancel = context.WithCancel(ctx)
	for i, l := range s.listeners {
		s.wg.Add(1)
		go s.accept(ctx, l, i == 1)
	}
	s.unhook = context.AfterFunc(ctx, s.shut)
	return s, nil
}

// listen opens the plain port, the TLS port and the socket, in this order.
func (s *Server) listen() error {
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, l)
	}
	if s.opts.Socket == "" {
		return nil
	}
	l, err := net.Listen("unix", s.opts.Socket)
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, l)
	if err := os.Chmod(s.opts.Socket, 0o600); err != nil {
		return fmt.Errorf("protect the socket: %w", err)
	}
	return nil
}

// URL returns ldap://127.0.0.1:PORT, where StartTLS works too.
func (s *Server) URL() string { return "ldap://" + s.listeners[0].Addr().String() }

// TLSURL returns ldaps://127.0.0.1:PORT.
func (s *Server) TLSURL() string { return "ldaps://" + s.listeners[1].Addr().String() }

// LDAPIURL returns the URL of the socket, "" without one.
func (s *Server) LDAPIURL() string {
	if s.opts.Socket == "" {
		return ""
	}
	return "ldapi://" + url.PathEscape(s.opts.Socket)
}

// CAPEM returns the certificate of the authority that a client must trust.
func (s *Server) CAPEM() []byte { return s.pair.CA }

// Faults returns the script of what goes wrong, to be changed at any time.
func (s *Server) Faults() *Faults { return s.faults }

// Close ends the server, its connections and every goroutine of it.
func (s *Server) Close() {
	s.unhook()
	s.shut()
	s.wg.Wait()
}

// DropAll closes every connection, as a restart of the server would, and keeps
// listening.
func (s *Server) DropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close() //nolint:errcheck // a connection that is thrown away
	}
}

func (s *Server) shut() {
	s.cancel()
	for _, l := range s.listeners {
		l.Close() //nolint:errcheck // closing twice is an error, and no matter
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.DropAll()
}

func (s *Server) accept(ctx context.Context, l net.Listener, secure bool) {
	defer s.wg.Done()
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors or the like: what is open goes on.
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		if !s.hold(c) {
			return
		}
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			defer s.release(c)
			newSession(s, c).run(ctx, secure)
		}()
	}
}

// hold remembers an open connection; false: the server is closed, and so is c.
func (s *Server) hold(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close() //nolint:errcheck // nobody listens to it
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) release(c net.Conn) {
	c.Close() //nolint:errcheck // the session has ended
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}
