// Package span reads and writes lengths of time as an administrator does: with
// days, weeks and years beside what Go knows. A day has 24 hours and a year 365
// days; no calendar is asked. It is pure.
package span

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units from the longest to the shortest.
var units = []struct {
	name   string
	length time.Duration
}{
	{"y", 365 * 24 * time.Hour},
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// hint is what every error of this package advises.
const hint = `write a number and a unit of ms, s, m, h, d, w or y, such as "10m", "30d" or "1d12h"`

// Error is a text that is no length of time.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says how one is written.
func (e *Error) Hint() string { return hint }

// Duration is a length of time in the configuration.
type Duration time.Duration

// UnmarshalTOML takes a text such as "30d".
func (d *Duration) UnmarshalTOML(value any) error {
	text, ok := value.(string)
	if !ok {
		return &Error{errors.New("must be a length of time in quotes")}
	}
	length, err := Parse(text)
	*d = Duration(length)
	return err
}

// String writes it as Parse reads it.
func (d Duration) String() string { return Format(time.Duration(d)) }

// Parse reads one or more numbers with a unit each, from long to short, no unit
// twice. Fractions and signs are refused.
func Parse(text string) (time.Duration, error) {
	if text == "" {
		return 0, &Error{errors.New("a length of time is empty")}
	}
	bad := func(format string, args ...any) (time.Duration, error) {
		return 0, &Error{fmt.Errorf("not a length of time: %q: "+format, append([]any{text}, args...)...)}
	}
	var total time.Duration
	next := 0
	for rest := text; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 {
			return bad("a whole number is missing before %q", rest)
		}
		number, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return bad("too long")
		}
		rest = rest[digits:]
		letters := strings.IndexAny(rest, "0123456789")
		if letters < 0 {
			letters = len(rest)
		}
		name := rest[:letters]
		rest = rest[letters:]
		if name == "" {
			return bad("the unit is missing after %d", number)
		}
		at := -1
		for i, unit := range units {
			if unit.name == name {
				at = i
			}
		}
		if at < 0 {
			return bad("unknown unit %q", name)
		}
		if at < next {
			return bad("the units must go from long to short")
		}
		next = at + 1
		length := units[at].length
		if number > int64(math.MaxInt64-total)/int64(length) {
			return bad("too long")
		}
		total += time.Duration(number) * length
	}
	return total, nil
}

// Format writes a length with whole units, the largest that divides it without
// a rest first: 10m, 30d, 90m, 7y. What is shorter than a millisecond is cut.
func Format(length time.Duration) string {
	if length < time.Millisecond {
		return "0s"
	}
	var out strings.Builder
	for _, unit := range units {
		// Weeks stand for days only where nothing is left over: 14d is 2w, 400d stays.
		if n := length / unit.length; n > 0 && (length%unit.length == 0 || out.Len() > 0 || unit.length < 7*24*time.Hour) {
			fmt.Fprintf(&out, "%d%s", n, unit.name)
			length %= unit.length
		}
	}
	return out.String()
}
