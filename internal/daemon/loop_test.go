package daemon

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is a loop on a clock that stands, with what it ran.
type service struct {
	clock *clock.Fake
	kept  map[Kind]time.Time
	ran   []string
	loop  *Loop
}

func every(d time.Duration) func(time.Time) time.Time {
	return func(after time.Time) time.Time { return after.Truncate(d).Add(d) }
}

func newService(begin time.Time) *service {
	s := &service{clock: clock.NewFake(begin), kept: map[Kind]time.Time{}}
	s.loop = &Loop{Clock: s.clock,
		Schedules: func() []Schedule {
			return []Schedule{{Kind: Changes, Next: every(5 * time.Minute), AtOnce: true}, {Kind: Resync, Next: every(24 * time.Hour)}}
		},
		Last: func(k Kind) time.Time { return s.kept[k] },
		Ran:  func(k Kind, at time.Time) { s.kept[k] = at },
		Cycle: func(_ context.Context, k Kind) bool {
			s.ran = append(s.ran, string(k)+" "+s.clock.Now().Format("02 15:04"))
			return true
		},
		Panicked: func(any, []byte) { s.ran = append(s.ran, "panicked") },
		Idle:     func(time.Time) {},
	}
	return s
}

// until runs the loop and moves the clock from wait to wait, until the end.
func (s *service) until(end time.Time) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.loop.Run(context.Background(), stop)
	}()
	for {
		at := s.clock.Waited()
		if at.After(end) {
			break
		}
		s.clock.Set(at)
	}
	close(stop)
	<-ended
}

func (s *service) want(t *testing.T, what string, want ...string) {
	t.Helper()
	if len(s.ran) != len(want) {
		t.Fatalf("%s: ran %q, want %q", what, s.ran, want)
	}
	for i := range want {
		if s.ran[i] != want[i] {
			t.Errorf("%s: run %d was %q, want %q", what, i, s.ran[i], want[i])
		}
	}
	s.ran = nil
}

func at(hour, minute int) time.Time { return time.Date(2026, 3, 10, hour, minute, 0, 0, time.UTC) }

func TestTheLoopRunsWhatIsDue(t *testing.T) {
	s := newService(at(10, 2))
	s.until(at(10, 16))
	s.want(t, "first start", "changes 10 10:02", "changes 10 10:05", "changes 10 10:10", "changes 10 10:15")
	// Stopped for hours: once, and then as ever.
	s.clock.Set(at(15, 31))
	s.until(at(15, 41))
	s.want(t, "missed while stopped", "changes 10 15:31", "changes 10 15:35", "changes 10 15:40")
	// A restart between two runs doubles none.
	s.until(at(15, 44))
	s.want(t, "restart")
}

func TestAResyncTakesTheOthersPlace(t *testing.T) {
	s := newService(at(23, 56))
	s.until(time.Date(2026, 3, 11, 0, 6, 0, 0, time.UTC))
	s.want(t, "midnight", "changes 10 23:56", "resync 11 00:00", "changes 11 00:05")
}

// A sweep is not left out where changes are due as well, nor the other way: neither
// does the other's work.
func TestASweepHasItsTurn(t *testing.T) {
	s := newService(at(10, 2))
	s.loop.Schedules = func() []Schedule {
		return []Schedule{{Kind: Changes, Next: every(10 * time.Minute), AtOnce: true}, {Kind: Sweep, Next: every(30 * time.Minute)}, {Kind: Resync, Next: every(2 * time.Hour)}}
	}
	s.until(at(10, 41))
	s.want(t, "at the same times", "changes 10 10:02", "changes 10 10:10", "changes 10 10:20", "changes 10 10:30", "sweep 10 10:30", "changes 10 10:40")
	s.until(at(12, 1))
	s.ran = s.ran[len(s.ran)-1:]
	s.want(t, "a resync does both", "resync 10 12:00")
}

// Where every cycle takes longer than until the next one, each kind has its turn.
func TestNothingStarves(t *testing.T) {
	s := newService(at(10, 2))
	ran, stop := s.loop.Cycle, make(chan struct{})
	s.loop.Cycle = func(ctx context.Context, k Kind) bool {
		ended := ran(ctx, k)
		s.clock.Set(s.clock.Now().Add(7 * time.Minute))
		if len(s.ran) == 6 {
			close(stop)
		}
		return ended
	}
	s.loop.Schedules = func() []Schedule {
		return []Schedule{{Kind: Changes, Next: every(time.Minute), AtOnce: true}, {Kind: Sweep, Next: every(time.Minute)}}
	}
	s.loop.Run(t.Context(), stop)
	s.want(t, "seven minutes each", "changes 10 10:02", "changes 10 10:09", "sweep 10 10:16", "changes 10 10:23", "sweep 10 10:30", "changes 10 10:37")
}

func TestAClockThatJumps(t *testing.T) {
	s := newService(at(10, 2))
	s.until(at(10, 4))
	s.ran = nil
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.loop.Run(context.Background(), stop)
	}()
	s.clock.Waited()
	s.clock.Set(at(13, 1)) // the machine slept
	s.clock.Waited()
	s.clock.Set(at(8, 0)) // somebody set it
	for range 7 {
		s.clock.Set(s.clock.Waited())
	}
	s.clock.Waited()
	close(stop)
	<-ended
	if len(s.ran) < 2 || s.ran[0] != "changes 10 13:01" {
		t.Fatalf("ran %q: want one run after the sleep, and more after the clock was set back", s.ran)
	}
}

func TestAPanicDoesNotEndTheLoop(t *testing.T) {
	s := newService(at(10, 2))
	ran := s.loop.Cycle
	s.loop.Cycle = func(ctx context.Context, k Kind) bool {
		if s.clock.Now().Equal(at(10, 5)) {
			panic("no")
		}
		return ran(ctx, k)
	}
	s.until(at(10, 11))
	s.want(t, "panic", "changes 10 10:02", "panicked", "changes 10 10:10")
}

// A stop that cuts a cycle short does not take its place: the next start does it.
func TestACycleThatWasCutShortIsDueAgain(t *testing.T) {
	s := newService(at(10, 2))
	s.until(at(10, 4))
	s.ran = nil
	stop, ended := make(chan struct{}), make(chan struct{})
	ran := s.loop.Cycle
	s.loop.Cycle = func(ctx context.Context, k Kind) bool {
		ran(ctx, k)
		close(stop)
		return false
	}
	go func() {
		defer close(ended)
		s.loop.Run(context.Background(), stop)
	}()
	for !s.clock.Now().Equal(at(10, 5)) {
		s.clock.Set(s.clock.Waited())
	}
	<-ended
	s.loop.Cycle = ran
	s.clock.Set(at(10, 7))
	s.until(at(10, 11))
	s.want(t, "cut short", "changes 10 10:05", "changes 10 10:07", "changes 10 10:10")
}
