package moment

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Moment is what a value says. Where a day was written, it is that day from
// its beginning to its end in the zone in which it was read.
type Moment struct {
	// At is the moment, or the beginning of the day.
	At time.Time
	// After is the moment too, or the end of the day: the beginning of the next.
	After time.Time
	// Day is the day as YYYY-MM-DD, where no time was written.
	Day string
	// Never: the value says that there is no such moment.
	Never bool
}

// Forms says what Parse understands, for hints.
const Forms = "2026-12-31, 20261231, 2026-12-31T17:00:00Z, 20261231170000Z, days since 1970, or a file time of Active Directory"

// Parse reads a value of an attribute by its form:
//
//	2026-12-31, 20261231                a day
//	2026-12-31T17:00[:00][zone]         a moment (RFC 3339; without zone in the one given)
//	20261231170000Z, 202612311700       a moment (RFC 4517; likewise)
//	20819                               a day: up to six digits are days since 1970
//	134116128000000000                  a moment: 17 to 19 digits are a file time
//	-1, 9223372036854775807             never
//
// A lone 0 means never where file times are counted and 1970 where days are, so
// it is an error; and so are years before 1900 or after 9999, which nobody means.
func Parse(text string, zone *time.Location) (Moment, error) {
	m, err := parse(strings.TrimSpace(text), zone)
	if year := m.At.UTC().Year(); err == nil && !m.Never && (year < 1900 || year > 9999) {
		err = fmt.Errorf("%s: nobody means such a year", shown(text))
	}
	if err != nil || m.Never {
		return Moment{Never: m.Never && err == nil}, err
	}
	if m.After.UTC().Year() > 9999 {
		m.After = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	m.At, m.After = m.At.In(zone), m.After.In(zone)
	return m, nil
}

func parse(text string, zone *time.Location) (Moment, error) {
	digits := len(text) > 0 && strings.Trim(text, "0123456789") == ""
	switch {
	case text == "-1":
		return Moment{Never: true}, nil
	case text == "0":
		return Moment{}, fmt.Errorf(`"0" is never as a file time and 1970 as a day: it can be either`)
	case digits && len(text) <= 6:
		n, _ := strconv.Atoi(text)
		if n > maxDays {
			break
		}
		t := time.Unix(int64(n)*86400, 0).UTC()
		return day(t.Year(), t.Month(), t.Day(), zone), nil
	case digits && len(text) == 8:
		if t, err := time.Parse("20060102", text); err == nil {
			return day(t.Year(), t.Month(), t.Day(), zone), nil
		}
	case digits && len(text) >= 17 && len(text) <= 19:
		at, never, err := FileTime(text)
		return Moment{At: at, After: at, Never: never}, err
	case digits && len(text) != 12 && len(text) != 14:
		// Ten digits are as much seconds since 1970 as an hour of a day.
	case len(text) == 10 && text[4] == '-':
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			return day(t.Year(), t.Month(), t.Day(), zone), nil
		}
	case len(text) > 10 && text[4] == '-':
		for _, form := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
			if t, err := time.ParseInLocation(form, strings.Replace(text, " ", "T", 1), zone); err == nil {
				return Moment{At: t, After: t}, nil
			}
		}
	default:
		if t, _, err := generalized(text, zone); err == nil {
			return Moment{At: t, After: t}, nil
		}
	}
	return Moment{}, fmt.Errorf("%s is no date that is understood", shown(text))
}

// day is a whole day.
func day(year int, month time.Month, date int, zone *time.Location) Moment {
	next := time.Date(year, month, date+1, 0, 0, 0, 0, time.UTC)
	return Moment{At: begin(year, month, date, zone), After: begin(next.Year(), next.Month(), next.Day(), zone),
		Day: fmt.Sprintf("%04d-%02d-%02d", year, month, date)}
}

// begin is the first moment of a day: midnight, or later where summer time
// leaves midnight out.
func begin(year int, month time.Month, date int, zone *time.Location) time.Time {
	t := time.Date(year, month, date, 0, 0, 0, 0, zone)
	for range 48 {
		if y, m, d := t.Date(); y == year && m == month && d == date {
			break
		}
		t = t.Add(30 * time.Minute)
	}
	return t
}
