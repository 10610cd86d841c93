package main

import (
	"fmt"
	"strings"
	gosync "sync"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
)

// progress draws one line on the terminal for long work, and nothing elsewhere.
func (a *app) progress() (show func(rostersync.Progress), end func()) {
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
	if p.Total <= 0 {
		return fmt.Sprintf("%-7s %s  %d", p.Step, p.Where, p.Done)
	}
	const width = 30
	full := min(width, width*p.Done/p.Total)
	return fmt.Sprintf("%-7s %s  %s%s  %d/%d", p.Step, p.Where, strings.Repeat("━", full), strings.Repeat("─", width-full), p.Done, p.Total)
}
