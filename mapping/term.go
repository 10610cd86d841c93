package mapping

import (
	"time"

	"github.com/rosterd/rosterd/internal/moment"
)

// term is from when and until when something of the file holds; zero: always.
type term struct {
	from, until time.Time // until is the first moment after it
	// began and ends say it in words.
	began, ends Reason
}

// term reads the dates of a table of the file. The keys are the last elements
// of the path. What ends before it begins is a mistake; what is over is none,
// since time must not make a file wrong.
func (m *compiler) term(from, until Date, path func(key string) []string) (t term) {
	t.from = m.date(from, path("from")).At
	t.until = m.date(until, path("until")).After
	if !t.from.IsZero() && !t.until.IsZero() && !t.until.After(t.from) {
		m.fail(path("until"), "write the later date here", "it ends before it begins: from %s", from)
		return term{}
	}
	if !t.from.IsZero() {
		t.began = m.reason("from "+string(from), path("from")...)
	}
	if !t.until.IsZero() {
		t.ends = m.reason("until "+string(until), path("until")...)
	}
	return t
}

// date reads one; the zero moment for none, and for a reported mistake.
func (m *compiler) date(d Date, path []string) moment.Moment {
	if d == "" {
		return moment.Moment{}
	}
	m.names.dated = true
	out, err := moment.Parse(string(d), m.names.zone)
	if err == nil && !out.Never {
		return out
	}
	message := "this is never: leave the key out"
	if err != nil {
		message = err.Error()
	}
	m.fail(path, dateError{}.Hint(), "%s", message)
	return moment.Moment{}
}

func (t term) isZero() bool { return t.from.IsZero() && t.until.IsZero() }

// holds says whether it holds now, and records when that changes.
func (t term) holds(s *scope) bool {
	if !t.from.IsZero() {
		s.flips(t.from)
	}
	if !t.until.IsZero() {
		s.flips(t.until)
	}
	return !s.now.Before(t.from) && (t.until.IsZero() || s.now.Before(t.until))
}

// reasons are its dates.
func (t term) reasons() (out []Reason) {
	if !t.from.IsZero() {
		out = append(out, t.began)
	}
	if !t.until.IsZero() {
		out = append(out, t.ends)
	}
	return out
}

// key is its meaning, for the hash.
func (t term) key() string {
	words := ""
	for _, at := range []time.Time{t.from, t.until} {
		if !at.IsZero() {
			words += at.UTC().Format(time.RFC3339Nano)
		}
		words += " "
	}
	return words
}
