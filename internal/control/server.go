package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	gosync "sync"
	"time"
)

const (
	// together is how many commands are run at once; more wait to be accepted.
	together = 32
	// Who may not decide has less room, so that some is left for who may: so many
	// commands at once of all of them, of one user, and so long a request.
	lookers   = 24
	ofOne     = 8
	lookLimit = 64 << 10
	// hello is how long a client may take to say what it wants.
	hello = 10 * time.Second
	// patience is how long a client may take to read what it is sent.
	patience = 30 * time.Second
)

// Session is one command that a server runs.
type Session struct {
	Request
	Peer    Peer
	Streams Streams
	// Gone ends when the client goes away, or asks a second time to end it. What
	// only looks ends then; a decision that was taken is carried out.
	Gone context.Context
	// Stop is closed when the client asks to end in good order.
	Stop <-chan struct{}
}

// Handler runs a command and returns its exit code.
type Handler func(*Session) int

// Server serves the control socket.
type Server struct {
	listener net.Listener
	handler  Handler
	decides  func(Peer) bool
	room     room
	ctx      context.Context
	cancel   context.CancelFunc
	running  gosync.WaitGroup
	// panicked hears of commands that panicked.
	panicked func(any, []byte)
}

// Serve answers on the listener until Close. Decides says who may decide: they
// find room whatever others do.
func Serve(l net.Listener, h Handler, decides func(Peer) bool, panicked func(any, []byte)) *Server {
	s := &Server{listener: l, handler: h, decides: decides, panicked: panicked, room: room{of: map[uint32]int{}}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	return s
}

// Close takes no more commands and waits until those that run have ended. Those
// that look are cut off.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.cancel()
	s.running.Wait()
	return err
}

func (s *Server) accept() {
	slots := make(chan struct{}, together)
	for {
		select {
		case slots <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		conn, err := s.listener.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return
			}
			<-slots
			// Out of descriptors, as a rule; it passes.
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.ctx.Done():
			}
			continue
		}
		s.running.Go(func() {
			defer func() { <-slots }()
			s.serve(conn)
		})
	}
}

// serve runs the command of one connection.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	w := &wire{conn: conn}
	peer, err := peerOf(conn)
	if err != nil {
		w.refuse(err.Error())
		return
	}
	longest := int64(limit)
	if !s.decides(peer) {
		if longest = lookLimit; !s.room.enter(peer.UID) {
			w.refuse("too many commands are running there; try again")
			return
		}
		defer s.room.leave(peer.UID)
	}
	var ask Request
	end := context.AfterFunc(s.ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	_ = conn.SetReadDeadline(time.Now().Add(hello))
	err = receive(conn, &ask, longest)
	end()
	switch {
	case errors.Is(err, errLong):
		w.refuse(err.Error())
		return
	case err != nil:
		return
	case ask.Version != version:
		w.refuse(fmt.Sprintf("the service speaks version %d of the control protocol, this command %d: restart the service after an upgrade", version, ask.Version))
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	gone, cancel := context.WithCancel(s.ctx)
	defer cancel()
	stop := make(chan struct{})
	lines := make(chan reply, 1)
	var reading gosync.WaitGroup
	reading.Go(func() {
		defer cancel()
		listen(conn, stop, lines, cancel)
	})
	session := &Session{Request: ask, Peer: peer, Gone: gone, Stop: stop, Streams: Streams{
		In:  bufio.NewReader(&asking{w: w, lines: lines, gone: gone}),
		Out: w.to(func(b []byte) frame { return frame{Out: b} }), Err: w.to(func(b []byte) frame { return frame{Err: b} }),
		File: w.to(func(b []byte) frame { return frame{File: b} }),
	}}
	code := s.run(session)
	_ = w.send(frame{Exit: &code})
	conn.Close()
	reading.Wait()
}

// run keeps a panic of one command from ending the others.
func (s *Server) run(session *Session) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintln(session.Streams.Err, "rosterd: error: the command failed inside the service; its journal says more")
			s.panicked(p, debug.Stack())
			code = 1
		}
	}()
	return s.handler(session)
}

// listen takes what the client says after its request.
func listen(conn net.Conn, stop chan<- struct{}, lines chan<- reply, abort func()) {
	stopped := false
	for {
		var r reply
		if receive(conn, &r, 1<<20) != nil {
			return
		}
		switch {
		case !r.Signal:
			select {
			case lines <- r:
			default: // nobody asked
			}
		case stopped:
			abort()
		default:
			stopped = true
			close(stop)
		}
	}
}

// wire sends frames. A client that does not read is given up: what it asked for
// goes on without anybody to hear of it.
type wire struct {
	mu   gosync.Mutex
	conn net.Conn
	err  error
}

func (w *wire) send(f frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	_ = w.conn.SetWriteDeadline(time.Now().Add(patience))
	w.err = send(w.conn, f)
	return w.err
}

func (w *wire) refuse(why string) {
	code := 1
	_ = w.send(frame{Err: []byte("rosterd: error: " + why + "\n")})
	_ = w.send(frame{Exit: &code})
}

func (w *wire) to(make func([]byte) frame) io.Writer { return &stream{w, make} }

type stream struct {
	w    *wire
	make func([]byte) frame
}

// Write never fails: nobody who listens is no reason to leave work half done.
func (s *stream) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), chunk)
		_ = s.w.send(s.make(bytes.Clone(rest[:n])))
		rest = rest[n:]
	}
	return len(b), nil
}

// asking is the input of a command: each read asks the client for a line.
type asking struct {
	w     *wire
	lines <-chan reply
	gone  context.Context
}

func (a *asking) Read(b []byte) (int, error) {
	if err := a.w.send(frame{Ask: true}); err != nil {
		return 0, io.EOF
	}
	select {
	case r := <-a.lines:
		n := copy(b, r.Line)
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	case <-a.gone.Done():
		return 0, io.EOF
	}
}
