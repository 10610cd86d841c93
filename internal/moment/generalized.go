package moment

import (
	"fmt"
	"strings"
	"time"
)

// Generalized reads a generalizedTime (RFC 4517, 3.3.13): minutes and seconds
// may be left out, the last of what is written may have a fraction, and the
// zone must be there. A leap second is the moment after it.
func Generalized(text string) (time.Time, error) {
	t, zoned, err := generalized(text, time.UTC)
	if err == nil && !zoned {
		err = fmt.Errorf("%s says no zone: Z or +hhmm belongs at its end", shown(text))
	}
	if err == nil && (t.UTC().Year() < 1900 || t.UTC().Year() > 9999) {
		err = fmt.Errorf("%s: nobody means such a year", shown(text))
	}
	if err != nil {
		return time.Time{}, err
	}
	return t.UTC(), nil
}

// generalized reads one that says no zone as of the zone given.
func generalized(text string, zone *time.Location) (t time.Time, zoned bool, err error) {
	s := scanner{rest: text}
	year, month, day := s.number(4, 0, 9999), s.number(2, 1, 12), s.number(2, 1, 31)
	hour, minute, second := s.number(2, 0, 23), 0, 0
	unit := time.Hour
	if s.digit() {
		minute, unit = s.number(2, 0, 59), time.Minute
		if s.digit() {
			second, unit = s.number(2, 0, 60), time.Second
		}
	}
	fraction := s.fraction(unit)
	offset, zoned := s.zone()
	if s.wrong || s.rest != "" {
		return time.Time{}, false, fmt.Errorf("%s is no generalizedTime", shown(text))
	}
	if zoned {
		zone = time.FixedZone("", offset)
	}
	if day > daysIn(year, time.Month(month)) {
		return time.Time{}, false, fmt.Errorf("%s: there is no such day", shown(text))
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, zone).Add(fraction), zoned, nil
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// scanner takes a text apart from its beginning.
type scanner struct {
	rest  string
	wrong bool
}

func (s *scanner) digit() bool { return s.rest != "" && s.rest[0] >= '0' && s.rest[0] <= '9' }

// number takes so many digits.
func (s *scanner) number(digits, least, most int) int {
	n := 0
	for range digits {
		if !s.digit() {
			s.wrong = true
			return least
		}
		n = n*10 + int(s.rest[0]-'0')
		s.rest = s.rest[1:]
	}
	if n < least || n > most {
		s.wrong = true
		return least
	}
	return n
}

// fraction takes that of a unit, if there is one; what is below a nanosecond
// is left out.
func (s *scanner) fraction(of time.Duration) time.Duration {
	if s.rest == "" || s.rest[0] != '.' && s.rest[0] != ',' {
		return 0
	}
	s.rest = s.rest[1:]
	s.wrong = s.wrong || !s.digit()
	out := time.Duration(0)
	for ; s.digit(); s.rest = s.rest[1:] {
		// The remainder that this digit's place has of a unit is carried on.
		if of != 0 {
			out += of * time.Duration(s.rest[0]-'0') / 10
			of /= 10
		}
	}
	return out
}

// zone takes Z, +hh or +hhmm, and says how many seconds east that is.
func (s *scanner) zone() (offset int, there bool) {
	switch {
	case s.rest == "":
		return 0, false
	case s.rest == "Z":
		s.rest = ""
		return 0, true
	case s.rest[0] != '+' && s.rest[0] != '-':
		return 0, false
	}
	west := s.rest[0] == '-'
	s.rest = s.rest[1:]
	offset = s.number(2, 0, 23) * 3600
	if s.rest != "" {
		offset += s.number(2, 0, 59) * 60
	}
	if west {
		offset = -offset
	}
	return offset, true
}

// shown is a value in a message: quoted, and not longer than a line.
func shown(text string) string {
	const most = 40
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
