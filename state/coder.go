package state

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Values are written as varints and length-prefixed texts behind a byte that
// tells the form. A reader keeps the first error and then reads zeros.

type writer struct{ b []byte }

func (w *writer) byte(c byte)   { w.b = append(w.b, c) }
func (w *writer) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) text(s string) { w.b = append(binary.AppendUvarint(w.b, uint64(len(s))), s...) }
func (w *writer) raw(b []byte)  { w.b = append(w.b, b...) }
func (w *writer) bool(v bool) {
	if v {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

// time is written in nanoseconds since 1970; the zero time and what is before
// 1970 are 0.
func (w *writer) time(t time.Time) { w.uint(nanos(t)) }

type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w (decode value: %s)", ErrCorrupt, what)
	}
	r.b = nil
}

func (r *reader) form(want byte) {
	if got := r.byte(); r.err == nil && got != want {
		r.fail(fmt.Sprintf("form %d, want %d", got, want))
	}
}

// forms reads a form between two that can be read.
func (r *reader) forms(first, last byte) byte {
	got := r.byte()
	if r.err == nil && (got < first || got > last) {
		r.fail(fmt.Sprintf("form %d, want %d to %d", got, first, last))
	}
	return got
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("cut short")
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) uint() uint64 {
	n, used := binary.Uvarint(r.b)
	if used <= 0 {
		r.fail("number")
		return 0
	}
	r.b = r.b[used:]
	return n
}

// count reads how many elements follow, each of at least one byte.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail("count")
		return 0
	}
	return int(n)
}

// view reads a text without copying it.
func (r *reader) view() []byte {
	n := r.count()
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string { return string(r.view()) }

func (r *reader) fixed(out []byte) {
	if len(r.b) < len(out) {
		r.fail("cut short")
		return
	}
	r.b = r.b[copy(out, r.b):]
}

func (r *reader) time() time.Time {
	n := r.uint()
	if n == 0 {
		return nothingAt
	}
	if n > 1<<63-1 {
		r.fail("time")
		return nothingAt
	}
	return time.Unix(0, int64(n)).UTC()
}

// end says what went wrong, left-over bytes included.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail(fmt.Sprintf("%d bytes too many", len(r.b)))
	}
	return r.err
}
