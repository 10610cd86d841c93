package state

import (
	"time"

	"github.com/rosterd/rosterd/identity"
)

// validity is written as a byte that says which parts follow: of nearly
// everybody there is none.
func (w *writer) validity(v identity.Validity) {
	var has byte
	for i, part := range []bool{v.ClosedBy != "", v.From.Set(), v.Until.Set(), len(v.Unread) > 0} {
		if part {
			has |= 1 << i
		}
	}
	w.byte(has)
	if has&1 != 0 {
		w.text(v.ClosedBy)
	}
	if has&2 != 0 {
		w.bound(v.From)
	}
	if has&4 != 0 {
		w.bound(v.Until)
	}
	if has&8 != 0 {
		w.texts(v.Unread)
	}
}

func (r *reader) validity() (v identity.Validity) {
	has := r.byte()
	if has > 15 {
		r.fail("validity")
		return v
	}
	if has&1 != 0 {
		v.ClosedBy = r.text()
	}
	if has&2 != 0 {
		v.From = r.bound()
	}
	if has&4 != 0 {
		v.Until = r.bound()
	}
	if has&8 != 0 {
		v.Unread = r.texts()
	}
	return v
}

// bound is a moment in any year of four digits; those of writer.time end in 2262.
func (w *writer) bound(b identity.Bound) {
	w.uint(uint64(b.At.Unix() - firstSecond))
	w.uint(uint64(b.At.Nanosecond()))
	w.text(b.By)
	w.text(b.Day)
}

func (r *reader) bound() identity.Bound {
	seconds, nanos := r.uint(), r.uint()
	if seconds > lastSecond-firstSecond || nanos >= uint64(time.Second) {
		r.fail("moment")
		return identity.Bound{}
	}
	b := identity.Bound{At: time.Unix(int64(seconds)+firstSecond, int64(nanos)).UTC(), By: r.text(), Day: r.text()}
	if !b.Set() {
		r.fail("moment")
	}
	return b
}

// The seconds at which the years 0 and 9999 begin and end.
const (
	firstSecond = -62167219200
	lastSecond  = 253402300799
)
