package ldapwire

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The hazards that were measured in go-ldap, by number. There, most of them are
// a listing that is cut short without an error.

func all() Request { return Request{Base: "dc=x", Scope: ScopeSubtree, PageSize: 10} }

// within fails the test if f takes longer; a hang is what many hazards are.
func within(t *testing.T, d time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(d):
		buf := make([]byte, 1<<16)
		t.Fatalf("%s hangs\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

func each(t *testing.T, f func(t *testing.T, r Reader)) {
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) { f(t, r.kind) })
	}
}

func TestHazard01ConnectionClosedBefore(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(1, 10) })
		c := dial(t, s.config(r))
		s.mu.Lock()
		_ = s.conns[0].Close()
		s.mu.Unlock()
		// Whether or not the end was noticed by now:
		for range 2 {
			_, done, err := c.Collect(t.Context(), all())
			if err == nil || !IsTransient(err) || done.Entries != 0 {
				t.Errorf("%+v, %v", done, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := c.Collect(t.Context(), all()); !errors.Is(err, ErrDead) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestHazard02Cancelled(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		for name, at := range map[string]int{"in mid-page": 15, "at the last entry": 2000} {
			s := newScripted(t, func(q *query) { q.pages(2, 1000) })
			c := dial(t, s.config(r))
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			done, err := c.Search(ctx, all(), func(*Entry) error {
				if n++; n == at {
					cancel()
				}
				return nil
			})
			if !errors.Is(err, context.Canceled) || done.Entries != 0 || IsTransient(err) || c.Alive() {
				t.Errorf("%s: %d entries, %+v, %v", name, n, done, err)
			}
		}
		// Before it begins: nothing was sent, the connection stays.
		s := newScripted(t, func(q *query) { q.pages(1, 10) })
		c := dial(t, s.config(r))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := c.Collect(ctx, all()); !errors.Is(err, context.Canceled) || !c.Alive() || len(s.cookies()) != 0 {
			t.Errorf("cancelled before: %v", err)
		}
		// While the server is silent.
		s = newScripted(t, func(q *query) { q.entries(0, 5) })
		c = dial(t, s.config(r))
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		within(t, 5*time.Second, "a cancelled search", func() {
			if _, _, err := c.Collect(ctx, all()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("cancelled while waiting: %v", err)
			}
		})
	})
}

func TestHazard03SlowSinkLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(2, 10) })
		cfg := s.config(r)
		cfg.IdleTimeout = 250 * time.Millisecond
		c := dial(t, cfg)
		n := 0
		// Digesting takes longer than the server may be silent.
		done, err := c.Search(t.Context(), all(), func(*Entry) error {
			if n++; n%7 == 0 {
				time.Sleep(400 * time.Millisecond)
			}
			return nil
		})
		if err != nil || n != 20 || done.Entries != 20 {
			t.Errorf("%d entries, %+v, %v", n, done, err)
		}
		time.Sleep(400 * time.Millisecond) // nor does being idle hurt
		if _, err := c.Base(t.Context(), "", "*"); err != nil {
			t.Errorf("after a pause: %v", err)
		}
	})
}

func TestHazard04PanicInTheSink(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(2, 10) })
		c := dial(t, s.config(r))
		done, err := c.Search(t.Context(), all(), func(e *Entry) error {
			if e.First("uid") == "13" {
				panic("thirteen")
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "panic in the sink: thirteen") || done.Entries != 0 || c.Alive() || IsTransient(err) {
			t.Errorf("%+v, %v", done, err)
		}
	})
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(2, 10) })
		c := dial(t, s.config(r))
		full := errors.New("the stage is full")
		_, err := c.Search(t.Context(), all(), func(e *Entry) error {
			if e.First("uid") == "19" { // the very last one
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || c.Alive() {
			t.Errorf("error of the sink: %v", err)
		}
	})
}

func TestHazard05And06RequestsAreFresh(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(3, 10) })
		c := dial(t, s.config(r))
		req := all()
		for range 2 {
			if _, done, err := c.Collect(t.Context(), req); err != nil || done.Entries != 30 {
				t.Fatalf("%+v, %v", done, err)
			}
		}
		if got := strings.Join(s.cookies(), ","); got != ",1,2,,1,2" {
			t.Errorf("cookies %q", got)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range 3 {
			if string(s.asked[i]) != string(s.asked[i+3]) {
				t.Errorf("page %d was asked for differently:\n%q\n%q", i+1, s.asked[i], s.asked[i+3])
			}
		}
	})
}

func TestHazard07IdleIsNotTotal(t *testing.T) {
	steady := func(q *query) {
		for i := range 10 {
			q.entries(i, 1)
			time.Sleep(60 * time.Millisecond)
		}
		q.done(0)
	}
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, steady)
		cfg := s.config(r)
		cfg.IdleTimeout = 400 * time.Millisecond
		if _, done, err := dial(t, cfg).Collect(t.Context(), all()); err != nil || done.Entries != 10 {
			t.Errorf("a steady stream: %+v, %v", done, err)
		}
		s = newScripted(t, steady)
		cfg = s.config(r)
		cfg.TotalTimeout = 100 * time.Millisecond
		c := dial(t, cfg)
		_, _, err := c.Collect(t.Context(), all())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "total_timeout") || !IsTransient(err) || c.Alive() {
			t.Errorf("a stream that takes too long: %v", err)
		}
	})
}

func TestHazard08SilentServer(t *testing.T) {
	silent := newScripted(t, nil)
	silent.raw = func(*scriptedConn, message) bool { return true }
	cfg := silent.config(Fast)
	cfg.IdleTimeout, cfg.DialTimeout = 100*time.Millisecond, 100*time.Millisecond
	tls, start, bind := cfg, cfg, cfg
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, and that is all
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tls.URLs = []string{"ldaps://" + l.Addr().String()}
	start.AllowPlaintext = false
	bind.BindDN, bind.Password = "cn=sync", password("x")
	for name, cfg := range map[string]Config{"TLS": tls, "StartTLS": start, "bind": bind, "root entry": cfg} {
		within(t, 5*time.Second, name, func() {
			c, err := Dial(t.Context(), cfg)
			if !errors.Is(err, ErrIdle) || !IsTransient(err) {
				t.Errorf("%s: %v, %v", name, c, err)
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		cfg.IdleTimeout, cfg.DialTimeout = time.Hour, time.Hour
		time.AfterFunc(50*time.Millisecond, cancel)
		within(t, 5*time.Second, name+", cancelled", func() {
			if c, err := Dial(ctx, cfg); !errors.Is(err, context.Canceled) {
				t.Errorf("%s, cancelled: %v, %v", name, c, err)
			}
		})
	}
}

// whenSent waits until the next request begins to leave, and a little more.
func whenSent(ctx context.Context, c *Conn, then func()) {
	for ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		c.w.mu.Lock()
		sent := c.w.id != 0
		c.w.mu.Unlock()
		if sent {
			time.Sleep(50 * time.Millisecond)
			then()
			return
		}
	}
}

func TestHazard09PeerStopsReading(t *testing.T) {
	const big = 12 << 20 // more than the buffers of the kernel
	value := []Change{{ReplaceValues, "jpegPhoto", []string{strings.Repeat("x", big)}}}
	stuck := func(t *testing.T) (*scripted, chan struct{}) {
		s, release := newScripted(t, nil), make(chan struct{})
		s.raw = func(c *scriptedConn, m message) bool {
			if m.op == opDelete { // from here on nothing is read
				c.send(envelope(m.id, answer(opDeleteResult, 0, "")))
				<-release
			}
			return false
		}
		return s, release
	}
	t.Run("idle", func(t *testing.T) {
		s, release := stuck(t)
		defer close(release)
		cfg := s.config(Fast)
		cfg.IdleTimeout = 200 * time.Millisecond
		c := dial(t, cfg)
		if err := c.Delete(t.Context(), "dc=x"); err != nil {
			t.Fatal(err)
		}
		within(t, 30*time.Second, "Modify", func() {
			err := c.Modify(t.Context(), "dc=x", value)
			if !errors.Is(err, ErrIdle) || !IsInDoubt(err) {
				t.Errorf("%v, in doubt %v", err, IsInDoubt(err))
			}
		})
		within(t, 5*time.Second, "Close", func() { _ = c.Close() })
	})
	t.Run("cancelled", func(t *testing.T) {
		s, release := stuck(t)
		defer close(release)
		c := dial(t, s.config(Fast))
		if err := c.Delete(t.Context(), "dc=x"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go whenSent(ctx, c, cancel)
		within(t, 30*time.Second, "Modify", func() {
			if err := c.Modify(ctx, "dc=x", value); !errors.Is(err, context.Canceled) || !IsInDoubt(err) {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("closed by another", func(t *testing.T) {
		s, release := stuck(t)
		defer close(release)
		c := dial(t, s.config(Fast))
		if err := c.Delete(t.Context(), "dc=x"); err != nil {
			t.Fatal(err)
		}
		go whenSent(t.Context(), c, func() { _ = c.Close() })
		within(t, 30*time.Second, "Modify", func() {
			if err := c.Modify(t.Context(), "dc=x", value); !errors.Is(err, ErrDead) {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestHazard10AbandonedConsumer(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(2, 1000) })
		c := dial(t, s.config(r))
		ctx, cancel := context.WithCancel(t.Context())
		entered := make(chan struct{})
		ended := make(chan error)
		go func() {
			once := false
			_, err := c.Search(ctx, all(), func(*Entry) error {
				if !once {
					once = true
					close(entered)
				}
				<-ctx.Done()
				return ctx.Err()
			})
			ended <- err
		}()
		<-entered
		within(t, 5*time.Second, "a second operation", func() {
			if _, err := c.Base(t.Context(), "", "*"); !errors.Is(err, ErrBusyConn) {
				t.Errorf("a second operation: %v", err)
			}
		})
		within(t, 5*time.Second, "Close", func() { _ = c.Close() })
		cancel()
		within(t, 5*time.Second, "the search", func() {
			if err := <-ended; err == nil {
				t.Error("an abandoned search is complete")
			}
		})
	})
}
