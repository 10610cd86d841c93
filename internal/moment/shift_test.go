package moment

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseShift(t *testing.T) {
	for text, want := range map[string]Shift{
		"14d": {Days: 14}, "-14d": {Days: -14}, "+2w": {Days: 14}, "1y": {Days: 365}, "12h": {Time: 12 * time.Hour},
		"-1d12h": {Days: -1, Time: -12 * time.Hour}, "0d": {}, " -1w ": {Days: -7}, "100y": {Days: 36500},
	} {
		if got, err := ParseShift(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "--1d", "+-1d", "14", "1 d", "101y", "d", "soon", "2026-12-31"} {
		if got, err := ParseShift(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// A day that is moved is a whole day on the wall, over the change of summer time
// too; what has a time of day keeps it.
func TestShift(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ date, shift, at, after, day string }{
		{"2026-04-05", "-14d", "2026-03-22T00:00:00+01:00", "2026-03-23T00:00:00+01:00", "2026-03-22"},
		{"2026-03-22", "1w", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-29"},
		{"2026-03-22T08:00", "14d", "2026-04-05T08:00:00+02:00", "2026-04-05T08:00:00+02:00", ""},
		{"2026-03-22", "12h", "2026-03-22T12:00:00+01:00", "2026-03-23T12:00:00+01:00", ""},
		{"2026-12-31", "1d", "2027-01-01T00:00:00+01:00", "2027-01-02T00:00:00+01:00", "2027-01-01"},
		{"2026-12-31", "0d", "2026-12-31T00:00:00+01:00", "2027-01-01T00:00:00+01:00", "2026-12-31"},
	} {
		m, err := Parse(c.date, berlin)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseShift(c.shift)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Shift(s)
		if got.At.Format(time.RFC3339) != c.at || got.After.Format(time.RFC3339) != c.after || got.Day != c.day || got.Never {
			t.Errorf("%s %s: %s to %s, %q", c.date, c.shift, got.At.Format(time.RFC3339), got.After.Format(time.RFC3339), got.Day)
		}
	}
	if got := (Moment{Never: true}).Shift(Shift{Days: 3}); !got.Never || !got.At.IsZero() {
		t.Errorf("never became %+v", got)
	}
}

// There and back again is the same day, in zones that leave out days and midnights too.
func TestShiftAndBack(t *testing.T) {
	var zones []*time.Location
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, zone)
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		date := time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 9000).Draw(t, "day")).Format(time.DateOnly)
		days := rapid.IntRange(-400, 400).Draw(t, "shift")
		m, err := Parse(date, zone)
		if err != nil {
			t.Fatal(err)
		}
		there := m.Shift(Shift{Days: days})
		back := there.Shift(Shift{Days: -days})
		if back.Day != m.Day || !back.At.Equal(m.At) || !back.After.Equal(m.After) {
			t.Fatalf("%s %+d: %+v, want %+v", date, days, back, m)
		}
		if there.After.Before(there.At) {
			t.Fatalf("%+v ends before it begins", there)
		}
	})
}
