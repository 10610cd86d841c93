package ldapwire

import (
	"context"
	"sync"
	"time"
)

// Session keeps one bound connection between uses, so that asking whether
// anything changed costs a question and not a handshake. It may be used by
// several goroutines; each use has a connection of its own, and one is kept.
//
// A connection is kept only after a use without an error, for as long as idle at
// most, and thrown away when it is older than age: rights and passwords that were
// taken away are noticed by then.
type Session struct {
	idle, age time.Duration

	mu     sync.Mutex
	kept   *Conn
	timer  *time.Timer
	closed bool
}

// NewSession returns an empty one. An idle or age of zero keeps nothing.
func NewSession(idle, age time.Duration) *Session { return &Session{idle: idle, age: age} }

// Do uses the connection that was kept, or one that it dials. What was kept may
// have been closed by the server meanwhile: if nothing at all came over it, do is
// called again with a new one.
func (s *Session) Do(ctx context.Context, dial func(context.Context) (*Conn, error), do func(*Conn) error) error {
	if c := s.take(); c != nil {
		before := c.w.received.Load()
		err := do(c)
		if err == nil {
			s.give(c)
			return nil
		}
		_ = c.Close()
		if c.w.received.Load() != before || !IsTransient(err) || ctx.Err() != nil {
			return err
		}
	}
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	if err := do(c); err != nil {
		_ = c.Close()
		return err
	}
	s.give(c)
	return nil
}

// take returns the connection that was kept, or nil.
func (s *Session) take() *Conn {
	s.mu.Lock()
	c := s.kept
	s.forget()
	s.mu.Unlock()
	if c != nil && (!c.Alive() || time.Since(c.born) >= s.age) {
		_ = c.Close()
		return nil
	}
	return c
}

// give keeps the connection, if there is a point in it.
func (s *Session) give(c *Conn) {
	s.mu.Lock()
	keep := !s.closed && s.kept == nil && c.Alive() && s.idle > 0 && time.Since(c.born) < s.age
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
