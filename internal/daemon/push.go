package daemon

import (
	"context"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
)

// Pusher is who can say that something may have changed.
type Pusher struct {
	// Name is that of the source; Key changes when the connection must be another.
	Name, Key string
	// Watch lasts until the context or the connection ends; see directory.Watcher.
	Watch func(ctx context.Context, watching func(how string), moved func()) error
}

// Pushed is how it stands with one of them.
type Pushed struct {
	Name string
	// Since is when it was connected, How in which way; zero while it is not.
	Since time.Time
	How   string
	// Err is why it is not, Next when it is tried again, Failures how often in a
	// row it was tried in vain.
	Err      error
	Next     time.Time
	Failures int
	// Told is when it last said something.
	Told time.Time
}

// Push keeps watches alive and makes one wake-up of whatever they say. It may be
// used from several goroutines.
type Push struct {
	Clock clock.Clock
	// Said hears of each connection made and lost, in words of the log.
	Said func(Pushed)

	once  sync.Once
	wake  chan struct{}
	mu    sync.Mutex
	now   map[string]*pushing
	ended bool
	all   sync.WaitGroup
}

// pushing is one watch that is kept alive.
type pushing struct {
	key    string
	state  Pushed
	cancel context.CancelFunc
	done   chan struct{}
}

// Woken has a value when something was said since it was last taken: one, however
// often it was said.
func (p *Push) Woken() <-chan struct{} {
	p.once.Do(func() { p.wake = make(chan struct{}, 1) })
	return p.wake
}

func (p *Push) moved() {
	p.Woken()
	select {
	case p.wake <- struct{}{}:
	default: // somebody will look anyway
	}
}

// Follow watches those and no others from now on. Whoever is watched by the same
// name and key stays connected.
func (p *Push) Follow(ctx context.Context, pushers []Pusher) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	if p.now == nil {
		p.now = map[string]*pushing{}
	}
	var stopped []*pushing
	for name, running := range p.now {
		if !slices.ContainsFunc(pushers, func(w Pusher) bool { return w.Name == name && w.Key == running.key }) {
			running.cancel()
			stopped = append(stopped, running)
			delete(p.now, name)
		}
	}
	for _, w := range pushers {
		if p.now[w.Name] != nil {
			continue
		}
		inner, cancel := context.WithCancel(ctx)
		running := &pushing{key: w.Key, state: Pushed{Name: w.Name}, cancel: cancel, done: make(chan struct{})}
		p.now[w.Name] = running
		p.all.Go(func() {
			defer close(running.done)
			p.keep(inner, w, running)
		})
	}
	p.mu.Unlock()
	for _, s := range stopped {
		<-s.done
	}
}

// Close ends all watches and waits for them.
func (p *Push) Close() {
	p.mu.Lock()
	p.ended = true
	for _, running := range p.now {
		running.cancel()
	}
	p.mu.Unlock()
	p.all.Wait()
}

// States are those of all watches, by name.
func (p *Push) States() []Pushed {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Pushed
	for _, running := range p.now {
		out = append(out, running.state)
	}
	slices.SortFunc(out, func(a, b Pushed) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// How long until a lost connection is tried again: longer each time, until one
// has held for a while.
const (
	firstPause = time.Second
	lastPause  = 5 * time.Minute
	heldLong   = time.Minute
)

// keep connects again and again.
func (p *Push) keep(ctx context.Context, w Pusher, running *pushing) {
	pause := firstPause
	connected := false // ever
	for {
		err := p.watch(ctx, w, running, connected)
		if ctx.Err() != nil {
			return
		}
		now := p.Clock.Now()
		p.mu.Lock()
		since := running.state.Since
		if !since.IsZero() {
			connected = true
			if now.Sub(since) >= heldLong {
				pause = firstPause
			}
		}
		// Not all at once, when a server that many watch comes back.
		wait := pause/2 + rand.N(pause/2)
		pause = min(2*pause, lastPause)
		running.state.Since, running.state.How = time.Time{}, ""
		running.state.Err, running.state.Next = err, now.Add(wait)
		running.state.Failures++
		state := running.state
		p.mu.Unlock()
		p.Said(state)
		woken, free := p.Clock.After(wait)
		select {
		case <-woken:
		case <-ctx.Done():
		}
		free()
		if ctx.Err() != nil {
			return
		}
	}
}

// watch is one connection. After the first one something may have changed while
// there was none, so a connection made again is a sign too.
func (p *Push) watch(ctx context.Context, w Pusher, running *pushing, again bool) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return w.Watch(ctx, func(how string) {
		p.mu.Lock()
		running.state.Since, running.state.How = p.Clock.Now(), how
		running.state.Err, running.state.Next, running.state.Failures = nil, time.Time{}, 0
		state := running.state
		p.mu.Unlock()
		p.Said(state)
		if again {
			p.moved()
		}
	}, func() {
		p.mu.Lock()
		running.state.Told = p.Clock.Now()
		p.mu.Unlock()
		p.moved()
	})
}
