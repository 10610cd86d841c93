package moment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/span"
)

// Shift is how far a date is put off, or brought forward. Its days are those of
// the calendar: a day stays a day where summer time makes it 23 hours long.
type Shift struct {
	Days int
	Time time.Duration
}

// maxShift is a hundred years of days: whoever writes more means something else.
const maxShift = 36525

// ParseShift reads "-14d", "+2w", "1y" or "12h": weeks are seven days, years
// 365, and hours and less are lengths of time.
func ParseShift(text string) (Shift, error) {
	length := strings.TrimSpace(text)
	back := strings.HasPrefix(length, "-")
	if back || strings.HasPrefix(length, "+") {
		length = length[1:]
	}
	d, err := span.Parse(length)
	if err != nil {
		return Shift{}, err
	}
	const day = 24 * time.Hour
	s := Shift{Days: int(d / day), Time: d % day}
	if s.Days > maxShift {
		return Shift{}, fmt.Errorf("%s is more than a hundred years", shown(text))
	}
	if back {
		s.Days, s.Time = -s.Days, -s.Time
	}
	return s, nil
}

// String writes it in one form for each meaning.
func (s Shift) String() string { return strconv.Itoa(s.Days) + "d" + s.Time.String() }

// Shift moves the moment; what is never stays never. A day that is moved by
// days is another day, whole.
func (m Moment) Shift(s Shift) Moment {
	if m.Never || s == (Shift{}) {
		return m
	}
	zone := m.At.Location()
	if m.Day != "" {
		if t, err := time.Parse(time.DateOnly, m.Day); err == nil {
			t = t.AddDate(0, 0, s.Days)
			d := day(t.Year(), t.Month(), t.Day(), zone)
			d.At, d.After = d.At.Add(s.Time), d.After.Add(s.Time)
			if s.Time != 0 {
				d.Day = ""
			}
			return d
		}
	}
	at := m.At.AddDate(0, 0, s.Days).Add(s.Time)
	return Moment{At: at, After: at.Add(m.After.Sub(m.At))}
}
