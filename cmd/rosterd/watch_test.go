package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// frames is what was drawn, one write each.
type frames struct {
	mu  sync.Mutex
	all []string
}

func (f *frames) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, string(b))
	return len(b), nil
}

func (f *frames) last() (string, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return "", 0
	}
	return f.all[len(f.all)-1], len(f.all)
}

// A watched status shows what is so now, holds nothing while it waits, and ends
// with 0 when somebody stops it.
func TestWatchedStatus(t *testing.T) {
	s := newSite(t, company.Company{People: 5, Groups: 1, Units: 1}, strings.Replace(guardOff, `"apply"`, `"hold"`, 1))
	s.want(4, "plan")
	var out frames
	var errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, getenv: func(string) string { return "" }, stop: make(chan struct{})}
	ended := make(chan int, 1)
	go func() { ended <- a.run([]string{"-c", s.config, "status", "--watch=100ms"}) }()
	shows := func(text string) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			last, n := out.last()
			if strings.Contains(last, text) {
				return
			}
			if time.Since(began) > 20*time.Second {
				t.Fatalf("%q is not shown by drawing %d:\n%s", text, n, last)
			}
		}
	}
	shows("rosterd approve h1")
	s.want(0, "approve", "h1", "--version", s.version("h1"), "--yes")
	shows("5 accounts open")
	close(a.stop)
	select {
	case code := <-ended:
		if code != 0 || errs.Len() > 0 {
			t.Errorf("it ended with %d: %s", code, &errs)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a stop does not end it")
	}
	for _, args := range [][]string{{"status", "--watch=1ms"}, {"status", "--watch", "--json"}, {"status", "--watch=soon"}} {
		s.want(2, args...)
	}
}

// On a terminal each drawing is one write over the last one, no longer than the
// window, and the end leaves it as it was.
func TestScreen(t *testing.T) {
	var out frames
	rows := 5
	s := &screen{w: &out, size: func() (int, int) { return 80, rows }}
	if err := s.draw("one\ntwo\n"); err != nil {
		t.Fatal(err)
	}
	if first, n := out.last(); n != 1 || first != cursorHide+clearAll+cursorHome+"one"+clearLine+"\ntwo"+clearLine+"\n"+clearBelow {
		t.Errorf("%d writes: %q", n, first)
	}
	if err := s.draw("1\n2\n3\n4\n5\n6\n"); err != nil {
		t.Fatal(err)
	}
	second, n := out.last()
	if n != 2 || strings.Count(second, "\n") != rows-1 || strings.Contains(second, clearAll) || !strings.Contains(second, "3 more lines") || strings.Contains(second, "4"+clearLine) {
		t.Errorf("%d writes: %q", n, second)
	}
	s.end()
	if last, _ := out.last(); !strings.Contains(last, cursorShow) {
		t.Errorf("the cursor stays away: %q", last)
	}
	rows = 0
	var pipe frames
	p := &screen{w: &pipe, size: func() (int, int) { return 0, 0 }}
	for range 2 {
		if err := p.draw("one\n"); err != nil {
			t.Fatal(err)
		}
	}
	p.end()
	if got := strings.Join(pipe.all, ""); got != "one\n\none\n" {
		t.Errorf("into a pipe: %q", got)
	}
}
