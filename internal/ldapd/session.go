package ldapd

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// queued is how many requests of one connection wait; the reader of the
// stream stops beyond.
const queued = 64

// handshakeWithin is how long a TLS handshake may take.
const handshakeWithin = 10 * time.Second

// errDrop ends a session without another word.
var errDrop = errors.New("drop the connection")

// session is one connection. One goroutine reads, so that Abandon and a closed
// connection are noticed while an operation runs; another answers, one
// operation after the other.
type session struct {
	srv    *Server
	conn   net.Conn // with TLS once that was started
	raw    net.Conn
	out    *bufio.Writer
	secure bool
	bound  identity.DN
	pages  *pages // the paged search that may be continued
	enc    encoder
	cut    bool // the next message breaks off in the middle
	left   int  // octets until the connection breaks off; 0: it does not

	mu      sync.Mutex
	running map[int]context.CancelFunc
}

// work is a request on its way from the reader to the worker.
type work struct {
	ctx      context.Context
	msg      *message
	bad      bool          // what came is not LDAP
	resumed  chan struct{} // closed when the reader may read on, after StartTLS
	finished context.CancelFunc
}

func newSession(s *Server, c net.Conn) *session {
	return &session{srv: s, conn: c, raw: c, running: map[int]context.CancelFunc{}}
}

func (s *session) run(ctx context.Context, secure bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if secure {
		if s.startTLS(ctx) != nil {
			return
		}
	}
	s.out = bufio.NewWriterSize(s.conn, 32<<10)
	queue := make(chan work, queued)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(queue)
		// When the client is gone nothing of it needs an answer.
		defer cancel()
		s.read(ctx, queue)
	}()
	for w := range queue {
		err := s.handle(w)
		if err == nil {
			err = s.out.Flush()
		}
		s.finish(w)
		s.left = 0
		if err != nil {
			break
		}
	}
	cancel()
	s.raw.Close() //nolint:errcheck // also wakes the reader
	for w := range queue {
		s.finish(w) // lets the reader out of its send
	}
	<-done
}

func (s *session) startTLS(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	c := tls.Server(s.raw, s.srv.tls)
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	s.conn, s.secure = c, true
	return nil
}

// read hands requests to the worker until the stream ends.
func (s *session) read(ctx context.Context, queue chan<- work) {
	in := bufio.NewReaderSize(s.conn, 16<<10)
	for {
		b, err := readMessage(in)
		var m *message
		if err == nil {
			m, err = decodeMessage(b)
		}
		if errors.Is(err, errBER) {
			send(ctx, queue, work{bad: true})
			return
		}
		if err != nil {
			return
		}
		s.srv.faults.count(ops[m.tag].op)
		switch m.tag {
		case opUnbindRequest:
			return
		case opAbandonRequest:
			s.abandon(m)
			continue
		}
		w := s.begin(ctx, m)
		if isStartTLS(m) {
			w.resumed = make(chan struct{})
		}
		if !send(ctx, queue, w) {
			return
		}
		if w.resumed != nil {
			select {
			case <-w.resumed:
				in.Reset(s.conn)
			case <-ctx.Done():
				return
			}
		}
	}
}

func send(ctx context.Context, queue chan<- work, w work) bool {
	select {
	case queue <- w:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *session) begin(ctx context.Context, m *message) work {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[m.id] = cancel
	return work{ctx: ctx, msg: m, finished: cancel}
}

func (s *session) finish(w work) {
	if w.msg == nil {
		return
	}
	w.finished()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, w.msg.id)
}

func (s *session) abandon(m *message) {
	d := decoder{rest: append([]byte{tagInteger, byte(len(m.body))}, m.body...)}
	id := d.integer(tagInteger)
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[id]; cancel != nil {
		cancel()
	}
}

// handle answers one request. An error ends the session.
func (s *session) handle(w work) error {
	if w.bad {
		s.disconnect()
		return errDrop
	}
	m := w.msg
	if w.ctx.Err() != nil && m.tag != opBindRequest {
		return nil // abandoned before it began
	}
	for _, c := range m.controls {
		if c.critical && !s.srv.dir.kind.has(c.oid) {
			return s.reply(m, refuse(UnavailableCriticalExtension, "critical extension is not recognized: %s", c.oid), nil, nil)
		}
	}
	var err error
	switch m.tag {
	case opBindRequest:
		err = s.bind(w)
	case opSearchRequest:
		err = s.search(w)
	case opExtendedRequest:
		err = s.extended(w)
	default:
		err = s.operate(w)
	}
	if errors.Is(err, errBER) {
		s.disconnect()
		return errDrop
	}
	return err
}

// reply sends the result of the operation.
func (s *session) reply(m *message, refused *Error, extra, controls func()) error {
	s.enc.buf = s.enc.buf[:0]
	s.enc.result(m.id, ops[m.tag].response, refused, extra, controls)
	return s.write(s.enc.buf)
}

// write sends one whole message, or half of it when a fault says so.
func (s *session) write(b []byte) error {
	if s.cut {
		s.out.Write(b[:len(b)/2]) //nolint:errcheck // the connection is dropped
		s.out.Flush()             //nolint:errcheck // as above
		return errDrop
	}
	if s.left > 0 {
		if s.left <= len(b) {
			s.out.Write(b[:s.left-1]) //nolint:errcheck // the connection is dropped
			s.out.Flush()             //nolint:errcheck // as above
			return errDrop
		}
		s.left -= len(b)
	}
	_, err := s.out.Write(b)
	return err
}

// disconnect sends the notice of disconnection (RFC 4511, section 4.4.1).
func (s *session) disconnect() {
	s.enc.buf = s.enc.buf[:0]
	s.enc.result(0, opExtendedResponse, refuse(ProtocolError, "decoding error"), func() { s.enc.octets(0x8a, oidDisconnect) }, nil)
	s.write(s.enc.buf) //nolint:errcheck // the connection is dropped
	s.out.Flush()      //nolint:errcheck // as above
}

// fault does what a fault says before an operation is answered. proceed is
// false when it was the answer; apply, if any, carries the operation out.
func (s *session) fault(w work, base identity.DN, apply func()) (proceed bool, err error) {
	r := request{op: ops[w.msg.tag].op, bind: s.bound, base: base}
	x := s.srv.faults.strike(r, func(f *Fault) bool {
		// A slow search is slow at each entry.
		return f.After == 0 && (f.Do <= Slow || f.Do == Cut) && (f.Do != Slow || r.op != OpSearch) && (!f.Applied || apply != nil)
	})
	if x == nil {
		return true, nil
	}
	if x.Applied {
		apply()
	}
	return s.act(w, x)
}

// act does what every kind of operation can suffer.
func (s *session) act(w work, x *Fault) (proceed bool, err error) {
	switch x.Do {
	case Answer:
		return false, s.reply(w.msg, refuse(x.Code, "%s", x.Diagnostic), nil, nil)
	case Drop:
		s.out.Flush() //nolint:errcheck // the connection is dropped
		return false, errDrop
	case DropMid:
		s.cut = true
	case Cut:
		s.left = x.Octet + 1
	case Hang:
		if err := s.out.Flush(); err != nil {
			return false, err
		}
		<-w.ctx.Done()
		return false, nil
	case Slow:
		return true, s.pause(w.ctx, x.Delay)
	}
	return true, nil
}

// pause waits, with everything sent so far on its way.
func (s *session) pause(ctx context.Context, d time.Duration) error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return nil
}
