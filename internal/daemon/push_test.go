package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
)

// server is one that can be watched, and lost.
type server struct {
	mu     sync.Mutex
	conns  int
	moved  func()
	lose   chan error
	refuse error
	panics bool
}

func (s *server) watch(ctx context.Context, watching func(string), moved func()) error {
	s.mu.Lock()
	s.conns++
	refuse, panics := s.refuse, s.panics
	s.moved = moved
	s.mu.Unlock()
	if panics {
		panic("nonsense")
	}
	if refuse != nil {
		return refuse
	}
	watching("by signal")
	select {
	case err := <-s.lose:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *server) say() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved()
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// pushService watches one server, on a clock that stands.
func pushService(t *testing.T) (*Push, *server, *clock.Fake, chan Pushed) {
	c := clock.NewFake(at(10, 0))
	said := make(chan Pushed, 100)
	p := &Push{Clock: c, Said: func(s Pushed) { said <- s }}
	s := &server{lose: make(chan error)}
	t.Cleanup(p.Close)
	return p, s, c, said
}

func hear(t *testing.T, said chan Pushed) Pushed {
	t.Helper()
	select {
	case s := <-said:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is said")
	}
	return Pushed{}
}

func woken(p *Push) bool {
	select {
	case <-p.Woken():
		return true
	default:
		return false
	}
}

func TestPushIsOneSignHoweverOften(t *testing.T) {
	p, s, _, said := pushService(t)
	p.Follow(t.Context(), []Pusher{{Name: "corp", Watch: s.watch}})
	if st := hear(t, said); st.Since.IsZero() || st.How != "by signal" || st.Err != nil {
		t.Errorf("%+v", st)
	}
	// The first connection is no sign: the service looks at its start anyway.
	if woken(p) {
		t.Error("woken by the first connection")
	}
	for range 10_000 {
		s.say()
	}
	if !woken(p) || woken(p) {
		t.Error("a storm is not one sign")
	}
	if st := p.States(); len(st) != 1 || st[0].Told.IsZero() || st[0].Since.IsZero() {
		t.Errorf("%+v", st)
	}
}

// A connection that is lost is made again, each time after a longer pause, and
// is then a sign by itself. What held for a while begins anew.
func TestPushConnectsAgain(t *testing.T) {
	p, s, c, said := pushService(t)
	lost := errors.New("lost")
	p.Follow(t.Context(), []Pusher{{Name: "corp", Watch: s.watch}})
	hear(t, said)
	s.mu.Lock()
	s.refuse = lost
	s.mu.Unlock()
	s.lose <- lost
	pause := firstPause
	for i := range 12 {
		st := hear(t, said)
		if !st.Since.IsZero() || !errors.Is(st.Err, lost) {
			t.Fatalf("%+v", st)
		}
		wait := st.Next.Sub(c.Now())
		if wait < pause/2 || wait > pause {
			t.Errorf("attempt %d: after %v, not about %v", i, wait, pause)
		}
		pause = min(2*pause, lastPause)
		if at := c.Waited(); !at.Equal(st.Next) {
			t.Errorf("waits until %v, says %v", at, st.Next)
		}
		if i == 11 {
			s.mu.Lock()
			s.refuse = nil
			s.mu.Unlock()
		}
		c.Set(st.Next)
	}
	if st := hear(t, said); st.Since.IsZero() || st.Err != nil || !st.Next.IsZero() {
		t.Errorf("%+v", st)
	}
	if !woken(p) {
		t.Error("what changed meanwhile is not asked for")
	}
	// Lost at once: the pause stays long. Lost after a while: it is short again.
	s.lose <- lost
	st := hear(t, said)
	if wait := st.Next.Sub(c.Now()); wait < lastPause/2 {
		t.Errorf("after %v", wait)
	}
	c.Waited()
	c.Set(st.Next)
	hear(t, said)
	c.Set(c.Now().Add(heldLong))
	s.lose <- lost
	st = hear(t, said)
	if wait := st.Next.Sub(c.Now()); wait > firstPause {
		t.Errorf("after it held: %v", wait)
	}
	if n := s.count(); n != 14 {
		t.Errorf("%d connections", n)
	}
}

func TestPushSurvivesAPanic(t *testing.T) {
	p, s, c, said := pushService(t)
	s.panics = true
	p.Follow(t.Context(), []Pusher{{Name: "corp", Watch: s.watch}})
	st := hear(t, said)
	if st.Err == nil || st.Next.IsZero() {
		t.Errorf("%+v", st)
	}
	c.Waited()
	s.mu.Lock()
	s.panics = false
	s.mu.Unlock()
	c.Set(st.Next)
	if st := hear(t, said); st.Err != nil {
		t.Errorf("%+v", st)
	}
	// It never was connected, so nothing was missed.
	if woken(p) {
		t.Error("woken")
	}
}

// A reload keeps what stays as it is, and lets go of the rest.
func TestPushFollowsTheFile(t *testing.T) {
	p, a, _, said := pushService(t)
	b := &server{lose: make(chan error)}
	names := func() (out []string) {
		for _, s := range p.States() {
			out = append(out, s.Name)
		}
		return out
	}
	p.Follow(t.Context(), []Pusher{{Name: "corp", Key: "1", Watch: a.watch}, {Name: "branch", Key: "1", Watch: b.watch}})
	hear(t, said)
	hear(t, said)
	p.Follow(t.Context(), []Pusher{{Name: "corp", Key: "1", Watch: a.watch}})
	if got := names(); !slices.Equal(got, []string{"corp"}) || a.count() != 1 {
		t.Errorf("%q, %d connections", got, a.count())
	}
	p.Follow(t.Context(), []Pusher{{Name: "corp", Key: "2", Watch: a.watch}})
	hear(t, said)
	if a.count() != 2 {
		t.Errorf("%d connections", a.count())
	}
	p.Close()
	p.Follow(t.Context(), []Pusher{{Name: "corp", Key: "3", Watch: a.watch}})
	if a.count() != 2 {
		t.Error("connected after the end")
	}
}

// wakeable is a loop that a test wakes, with a cycle that takes as long as the
// test says.
func wakeable(takes time.Duration) (*service, chan struct{}) {
	s := newService(at(10, 2))
	woken := make(chan struct{}, 1)
	s.loop.Woken = woken
	s.loop.Cycle = func(_ context.Context, k Kind) bool {
		s.ran = append(s.ran, string(k)+" "+s.clock.Now().Format("15:04:05"))
		s.clock.Set(s.clock.Now().Add(takes))
		return true
	}
	return s, woken
}

func TestTheLoopIsWoken(t *testing.T) {
	s, signs := wakeable(0)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.loop.Run(context.Background(), stop)
	}()
	slept := func() { // the loop has looked at its signs, and sleeps
		for len(signs) > 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		s.clock.Waited()
	}
	slept()
	s.clock.Set(at(10, 3))
	slept()
	signs <- struct{}{}
	slept() // at once
	s.clock.Set(at(10, 3).Add(500 * time.Millisecond))
	signs <- struct{}{}
	slept() // not at once: one ran just now
	if got := s.clock.Waited(); !got.Equal(at(10, 3).Add(restLeast)) {
		t.Errorf("waits until %v", got)
	}
	s.clock.Set(at(10, 3).Add(restLeast))
	slept()
	s.clock.Set(at(10, 5)) // the schedule goes on
	slept()
	close(stop)
	<-ended
	s.want(t, "woken", "changes 10:02:00", "changes 10:03:00", "changes 10:03:02", "changes 10:05:00")
}

// A storm is one cycle that waits, and four fifths of the time are left to others.
func TestAStormLeavesTime(t *testing.T) {
	s, signs := wakeable(3 * time.Second)
	cycle := s.loop.Cycle
	s.loop.Cycle = func(ctx context.Context, k Kind) bool {
		for range 1000 {
			select {
			case signs <- struct{}{}:
			default:
			}
		}
		return cycle(ctx, k)
	}
	s.loop.Schedules = func() []Schedule {
		return []Schedule{{Kind: Changes, Next: every(time.Hour), AtOnce: true}}
	}
	s.until(at(10, 3))
	s.want(t, "a storm of a minute", "changes 10:02:00", "changes 10:02:15", "changes 10:02:30", "changes 10:02:45", "changes 10:03:00")
}

// Signs during a sweep, which does not see what changed, are not answered by it;
// those of before a resync are.
func TestASweepIsNoAnswer(t *testing.T) {
	for kind, want := range map[Kind]int{Sweep: 2, Resync: 1} {
		s, signs := wakeable(0)
		first := true
		s.loop.Schedules = func() []Schedule {
			return []Schedule{{Kind: kind, Next: func(after time.Time) time.Time {
				if first {
					return after
				}
				return at(23, 0)
			}}, {Kind: Changes, Next: func(time.Time) time.Time { return at(23, 0) }}}
		}
		s.loop.Ran = func(Kind, time.Time) { first = false }
		signs <- struct{}{}
		s.until(at(10, 10))
		if len(s.ran) != want || s.ran[0] != fmt.Sprintf("%s 10:02:00", kind) {
			t.Errorf("%s: ran %q", kind, s.ran)
		}
	}
}

func TestRestEndsWhenTheClockIsSetBack(t *testing.T) {
	r := restAfter(at(10, 0), at(11, 0))
	if r.over(at(14, 59)) || !r.over(at(15, 0)) || !r.over(at(10, 59)) || !(rest{}).over(at(0, 0)) {
		t.Errorf("%+v", r)
	}
}
