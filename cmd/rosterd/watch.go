package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/rosterd/rosterd/internal/clock"
	rostersync "github.com/rosterd/rosterd/sync"
)

const (
	// watchEvery is how often a watched status is drawn anew.
	watchEvery = 2 * time.Second
	// watchLeast keeps it from being all that the state does.
	watchLeast = 100 * time.Millisecond
)

// watch shows the status again and again until a signal. Each time is a command
// of its own: it holds nothing in between, and shows what there is to say also
// while a service ends and another begins.
func (a *app) watch(ctx context.Context, every time.Duration, exitCode bool) error {
	switch {
	case a.json:
		return usage(errors.New("status --watch: it is drawn for people"), "for a machine, again and again: rosterd status --json")
	case every < watchLeast:
		return usage(fmt.Errorf("status --watch=%s: too often", every), "at least "+watchLeast.String())
	}
	ctx, end := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer end()
	s := &screen{w: a.stdout, size: a.windowSize}
	defer s.end()
	for {
		text, exit := a.glance(ctx, s)
		if ctx.Err() == nil {
			if err := s.draw(fmt.Sprintf("every %s, until ^C; %s\n\n%s", every, moment(a.now()), text)); err != nil {
				return failed(err)
			}
		}
		next, free := clock.Real{}.After(every)
		select {
		case <-next:
			continue
		case <-ctx.Done():
		case <-a.stop:
		}
		free()
		if !exitCode {
			exit = rostersync.ExitDone
		}
		return code(exit)
	}
}

// glance is one status, as it is shown by the verb.
func (a *app) glance(ctx context.Context, s *screen) (string, int) {
	var out bytes.Buffer
	color := "never"
	if a.colored(a.stdout) {
		color = "always"
	}
	one := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: a.now, getenv: a.getenv, by: a.caller(),
		stop: make(chan struct{}), listening: true, columns: s.columns()}
	exit := one.runContext(ctx, []string{"-c", a.config, "--color", color, "status", "--exit-code"})
	return out.String(), exit
}

// windowSize is that of the terminal; 0 where there is none.
func (a *app) windowSize() (columns, rows int) {
	if f, ok := a.stdout.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil {
			// A line to a machine far away may not know its size.
			return cmp.Or(w, 80), cmp.Or(h, 24)
		}
	}
	return 0, 0
}

// screen is what is drawn over and over. On a terminal each drawing is one write
// over the last one, so that nothing flickers; elsewhere they follow one another.
type screen struct {
	w     io.Writer
	size  func() (columns, rows int)
	drawn bool
}

// What a terminal is told.
const (
	cursorHome = "\x1b[H"
	cursorHide = "\x1b[?25l"
	cursorShow = "\x1b[?25h"
	clearAll   = "\x1b[2J"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
)

func (s *screen) columns() int {
	columns, _ := s.size()
	return columns
}

func (s *screen) draw(text string) error {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	_, rows := s.size()
	var b strings.Builder
	switch {
	case rows == 0:
		if s.drawn {
			b.WriteByte('\n')
		}
		b.WriteString(strings.Join(lines, "\n") + "\n")
	default:
		// What needs a person stands first, so the end is what is left out.
		if most := max(rows-1, 2); len(lines) > most {
			left := len(lines) - most + 1
			lines = append(lines[:most-1:most-1], fmt.Sprintf("… %d more lines: rosterd status", left))
		}
		if !s.drawn {
			b.WriteString(cursorHide + clearAll)
		}
		b.WriteString(cursorHome)
		for _, l := range lines {
			b.WriteString(l + clearLine + "\n")
		}
		b.WriteString(clearBelow)
	}
	s.drawn = true
	_, err := io.WriteString(s.w, b.String())
	return err
}

// end leaves the last drawing, and the terminal as it was.
func (s *screen) end() {
	if _, rows := s.size(); s.drawn && rows > 0 {
		_, _ = io.WriteString(s.w, string(reset)+cursorShow)
	}
}
