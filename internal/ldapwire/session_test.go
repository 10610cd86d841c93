package ldapwire

import (
	"context"
	"errors"
	"testing"
	"time"
)

// counted dials a scripted server and counts.
func counted(s *scripted) (func(context.Context) (*Conn, error), *int) {
	n := 0
	return func(ctx context.Context) (*Conn, error) {
		n++
		return Dial(ctx, s.config(Fast))
	}, &n
}

func TestSession(t *testing.T) {
	serve := newScripted(t, func(q *query) { q.pages(1, 3) })
	dial, dialed := counted(serve)
	s := NewSession(time.Minute, time.Hour)
	t.Cleanup(func() { _ = s.Close() })
	var used []*Conn
	ask := func(c *Conn) error {
		used = append(used, c)
		_, _, err := c.Collect(t.Context(), all())
		return err
	}
	for range 3 {
		if err := s.Do(t.Context(), dial, ask); err != nil {
			t.Fatal(err)
		}
	}
	// The root entry and three questions: nobody bound again.
	if *dialed != 1 || used[2] != used[0] || used[0].Requests() != 4 {
		t.Errorf("%d dialed, %d requests", *dialed, used[0].Requests())
	}
	// After any error it is not used again, though the server answered.
	wrong := errors.New("not what I wanted")
	if err := s.Do(t.Context(), dial, func(c *Conn) error { return errors.Join(ask(c), wrong) }); !errors.Is(err, wrong) || used[0].Alive() {
		t.Errorf("%v", err)
	}
	if err := s.Do(t.Context(), dial, ask); err != nil || *dialed != 2 {
		t.Errorf("%d dialed, %v", *dialed, err)
	}
	// What the server closed meanwhile is replaced, noticed before or not.
	for _, wait := range []time.Duration{0, 50 * time.Millisecond} {
		before := *dialed
		serve.mu.Lock()
		for _, c := range serve.conns {
			_ = c.Close()
		}
		serve.mu.Unlock()
		time.Sleep(wait)
		if err := s.Do(t.Context(), dial, ask); err != nil || *dialed != before+1 {
			t.Errorf("%d dialed, %v", *dialed-before, err)
		}
	}
	last := used[len(used)-1]
	if err := s.Close(); err != nil || last.Alive() {
		t.Errorf("after Close: %v", err)
	}
	if err := s.Do(t.Context(), dial, ask); err != nil || used[len(used)-1].Alive() {
		t.Errorf("kept after Close: %v", err)
	}
}

// Two at a time have two connections, of which one is kept.
func TestSessionTwoAtATime(t *testing.T) {
	dial, dialed := counted(newScripted(t, func(q *query) { q.pages(1, 3) }))
	s := NewSession(time.Minute, time.Hour)
	t.Cleanup(func() { _ = s.Close() })
	var inner, outer *Conn
	if err := s.Do(t.Context(), dial, func(a *Conn) error {
		outer = a
		return s.Do(t.Context(), dial, func(b *Conn) error { inner = b; return nil })
	}); err != nil || *dialed != 2 || inner == outer || !inner.Alive() || outer.Alive() {
		t.Errorf("%d dialed, %v", *dialed, err)
	}
}

func TestSessionEnds(t *testing.T) {
	serve := newScripted(t, func(q *query) { q.pages(1, 3) })
	for name, s := range map[string]*Session{
		"idle": NewSession(20*time.Millisecond, time.Hour), "old": NewSession(time.Hour, 20*time.Millisecond), "neither": NewSession(0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			dial, dialed := counted(serve)
			var first *Conn
			ask := func(c *Conn) error {
				if first == nil {
					first = c
				}
				_, err := c.Base(t.Context(), "")
				return err
			}
			if err := s.Do(t.Context(), dial, ask); err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
			if name != "old" && first.Alive() {
				t.Error("still open")
			}
			if err := s.Do(t.Context(), dial, ask); err != nil || *dialed != 2 || first.Alive() {
				t.Errorf("%d dialed, %v", *dialed, err)
			}
			_ = s.Close()
		})
	}
}

// Only what was kept is tried again, and only if nothing came over it: an answer
// that is an error is an answer.
func TestSessionTriesOnce(t *testing.T) {
	cut := false
	serve := newScripted(t, func(q *query) {
		if cut {
			q.entries(0, 2)
			q.Close()
			return
		}
		q.pages(1, 3)
	})
	dial, dialed := counted(serve)
	s := NewSession(time.Minute, time.Hour)
	t.Cleanup(func() { _ = s.Close() })
	calls := 0
	ask := func(c *Conn) error {
		calls++
		_, _, err := c.Collect(t.Context(), all())
		return err
	}
	if err := s.Do(t.Context(), dial, ask); err != nil {
		t.Fatal(err)
	}
	cut = true
	if err := s.Do(t.Context(), dial, ask); err == nil || calls != 2 || *dialed != 1 {
		t.Errorf("%v, %d calls, %d dialed", err, calls, *dialed)
	}
	if err := s.Do(t.Context(), dial, ask); err == nil || calls != 3 || *dialed != 2 {
		t.Errorf("%v, %d calls, %d dialed", err, calls, *dialed)
	}
}
