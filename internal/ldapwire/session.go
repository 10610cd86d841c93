package ldapwire

import (
	"context"
	"sync"
	"time"
)

// Session keeps one bound connection between uses, so that asking whether
// anything changed costs no handshake. It may be used by several goroutines: one
// takes what is kept, the others find nothing.
//
// A connection is kept only after a use without an error, for as long as idle at
// most, and never past age: rights and passwords that were taken away are noticed
// by then.
type Session struct {
	idle, age time.Duration

	mu     sync.Mutex
	kept   *Conn
	timer  *time.Timer
	closed bool
}

// NewSession returns an empty one. An idle or age of zero keeps nothing.
func NewSession(idle, age time.Duration) *Session { return &Session{idle: idle, age: age} }

// Take returns the connection that was kept, or nil. What the server says of
// itself was read again, so Conn.Server is as of now, and the connection answers; who
// it takes us for is what it was after the bind (Conn.Confirm asks).
// Whoever takes it gives it back, or closes it.
func (s *Session) Take(ctx context.Context) *Conn {
	s.mu.Lock()
	c := s.kept
	s.forget()
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	if !c.Alive() || time.Since(c.born) >= s.age || c.readRoot(ctx) != nil {
		_ = c.Close() // a new one says why
		return nil
	}
	c.confirmed = false
	return c
}

// Give keeps the connection after a use that ended with err; where there is no
// point in that it closes it.
func (s *Session) Give(c *Conn, err error) {
	s.mu.Lock()
	keep := err == nil && !s.closed && s.kept == nil && c.Alive() && s.idle > 0 && time.Since(c.born) < s.age
	if keep {
		s.kept = c
		s.timer = time.AfterFunc(s.idle, func() { s.expire(c) })
	}
	s.mu.Unlock()
	if !keep {
		_ = c.Close()
	}
}

// expire closes the connection if it is still kept.
func (s *Session) expire(c *Conn) {
	s.mu.Lock()
	mine := s.kept == c
	if mine {
		s.forget()
	}
	s.mu.Unlock()
	if mine {
		_ = c.Close()
	}
}

func (s *Session) forget() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.kept, s.timer = nil, nil
}

// Close closes what is kept, and keeps nothing any more.
func (s *Session) Close() error {
	s.mu.Lock()
	c := s.kept
	s.closed = true
	s.forget()
	s.mu.Unlock()
	if c != nil {
		return c.Close()
	}
	return nil
}
