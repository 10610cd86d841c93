package main

import (
	"fmt"
	"strings"
	gosync "sync"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/daemon"
	rostersync "github.com/rosterd/rosterd/sync"
)

// progress draws one line on the terminal for long work, and is the status line
// of a command that systemd started (systemctl status rosterd-resync).
func (a *app) progress() (show func(rostersync.Progress), end func()) {
	if a.service != nil && a.service.progress != nil {
		return a.service.progress()
	}
	draw, end := a.draw()
	if a.getenv("NOTIFY_SOCKET") == "" {
		return draw, end
	}
	systemd := &teller{notify: daemon.NewNotifier(clock.Real{}), clock: clock.Real{}}
	return func(p rostersync.Progress) {
		systemd.tell(p)
		if draw != nil {
			draw(p)
		}
	}, end
}

// tellEvery is how often the status line moves within a step.
const tellEvery = 200 * time.Millisecond

// teller tells systemd how far a cycle has come: that a step begins at once, and
// the rest now and then.
type teller struct {
	notify *daemon.Notifier
	clock  clock.Clock
	mu     gosync.Mutex
	last   time.Time
}

func (t *teller) tell(p rostersync.Progress) {
	t.mu.Lock()
	now := t.clock.Now()
	quiet := p.Done > 0 && now.Sub(t.last) < tellEvery
	if !quiet {
		t.last = now
	}
	t.mu.Unlock()
	if !quiet {
		t.notify.Status("%s", stand(p))
	}
}

// stand is a line for systemctl status.
func stand(p rostersync.Progress) string {
	line := strings.TrimSpace(p.Step + " " + p.Where)
	switch {
	case p.Total > 0:
		return fmt.Sprintf("%s: %d of %d", line, p.Done, p.Total)
	case p.Done > 0:
		return fmt.Sprintf("%s: %d", line, p.Done)
	}
	return line
}

// draw draws the line on the terminal.
func (a *app) draw() (show func(rostersync.Progress), end func()) {
	if !terminal(a.stderr) {
		return nil, func() {}
	}
	var mu gosync.Mutex
	var last time.Time
	drawn := false
	show = func(p rostersync.Progress) {
		mu.Lock()
		defer mu.Unlock()
		now := a.now()
		if now.Sub(last) < 100*time.Millisecond && (p.Total == 0 || p.Done < p.Total) {
			return
		}
		last, drawn = now, true
		fmt.Fprintf(a.stderr, "\r\x1b[K%s", bar(p))
	}
	end = func() {
		mu.Lock()
		defer mu.Unlock()
		if drawn {
			fmt.Fprint(a.stderr, "\r\x1b[K")
		}
	}
	return show, end
}

// bar is one line of progress.
func bar(p rostersync.Progress) string {
	switch {
	case p.Total <= 0 && p.Done <= 0:
		return strings.TrimSpace(fmt.Sprintf("%-7s %s", p.Step, p.Where))
	case p.Total <= 0:
		return fmt.Sprintf("%-7s %s  %d", p.Step, p.Where, p.Done)
	}
	const width = 30
	full := min(width, width*p.Done/p.Total)
	return fmt.Sprintf("%-7s %s  %s%s  %d/%d", p.Step, p.Where, strings.Repeat("━", full), strings.Repeat("─", width-full), p.Done, p.Total)
}
