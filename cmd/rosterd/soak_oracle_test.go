package main

import (
	"slices"
	"testing"
	"time"
)

// An oracle says which runs there must be, minute by minute and without the code
// of the service: what the clock on the wall shows is compared with what the
// schedule names.
type oracle struct {
	zone  *time.Location
	plans []period
	// out are the times in which nothing runs: from the first instant to before
	// the second. What is due then is done once at its end.
	out []gap
}

// period is from when which schedule of changes holds; a resync is at 02:30.
type period struct {
	from time.Time
	// minute of every so many hours, by the wall; or every so many minutes of
	// the time that passes.
	minute, hours, minutes int
}

type gap struct{ from, until time.Time }

// runAt is one run.
type runAt struct {
	kind string
	at   time.Time
}

func (o oracle) expect(begin, end time.Time) []runAt {
	runs := []runAt{{"changes", begin}} // the first start of all
	changes, resync := false, false
	shown := map[string]bool{}
	for at := begin.Add(time.Minute); !at.After(end); at = at.Add(time.Minute) {
		// In spring one o'clock is followed by three: what the wall never shows
		// is done as long after the gap as it lies in it.
		walls := []time.Time{at.In(o.zone)}
		if _, was := at.Add(-time.Hour).In(o.zone).Zone(); was < offset(at.In(o.zone)) {
			walls = append(walls, wall(at.In(o.zone)).Add(-time.Hour))
		}
		for i, w := range walls {
			key := w.Format("02 15:04")
			if i == 0 {
				w = wall(w)
			}
			// In autumn two o'clock comes twice, and counts once.
			again := shown[key]
			shown[key] = true
			if len(shown) > 3*24*60 {
				shown = map[string]bool{key: true} // as old as no night is long
			}
			if p := o.period(at); p.hours > 0 && !again && w.Minute() == p.minute && w.Hour()%p.hours == 0 {
				changes = true
			}
			if !again && w.Hour() == 2 && w.Minute() == 30 {
				resync = true
			}
		}
		if p := o.period(at); p.minutes > 0 && at.Minute()%p.minutes == 0 {
			changes = true
		}
		if slices.ContainsFunc(o.out, func(g gap) bool { return !at.Before(g.from) && at.Before(g.until) }) {
			continue
		}
		switch {
		case resync:
			runs = append(runs, runAt{"resync", at})
		case changes:
			runs = append(runs, runAt{"changes", at})
		}
		changes, resync = false, false
	}
	return runs
}

// wall is what the clock shows, as an instant that can be reckoned with.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

func offset(t time.Time) int { _, o := t.Zone(); return o }

func (o oracle) period(at time.Time) period {
	var in period
	for _, p := range o.plans {
		if !p.from.After(at) {
			in = p
		}
	}
	return in
}

// The oracle is right where one can count by hand.
func TestTheOracleOfTheSoak(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		begin, end time.Time
		hours      string
	}{
		{"spring", time.Date(2026, 3, 28, 23, 0, 0, 0, berlin), time.Date(2026, 3, 29, 7, 0, 0, 0, berlin), // 02:20 and 02:30 are made up for.
			"changes 23:00, changes 00:20, changes 03:20, resync 03:30, changes 04:20, changes 06:20"},
		{"autumn", time.Date(2026, 10, 24, 23, 0, 0, 0, berlin), time.Date(2026, 10, 25, 7, 0, 0, 0, berlin), "changes 23:00, changes 00:20, changes 02:20, resync 02:30, changes 04:20, changes 06:20"},
	} {
		o := oracle{zone: berlin, plans: []period{{from: c.begin, minute: 20, hours: 2}}}
		got := ""
		for i, r := range o.expect(c.begin, c.end) {
			if i > 0 {
				got += ", "
			}
			got += r.kind + " " + r.at.In(berlin).Format("15:04")
		}
		if got != c.hours {
			t.Errorf("%s: %s, want %s", c.name, got, c.hours)
		}
	}
}
