package sync_test

import (
	"time"

	"pgregory.net/rapid"
)

// dates are the first moment of a person, and the first at which they are over;
// zero is none.
type dates struct{ from, until time.Time }

// hold says whether the moment lies between them.
func (d dates) hold(now time.Time) bool {
	return (d.from.IsZero() || !now.Before(d.from)) && (d.until.IsZero() || now.Before(d.until))
}

// date sets, moves or takes away a first or last moment of somebody.
func (m *model) date() {
	h := m.pick(func(h *human) bool { return h.there })
	if h == nil || !m.spare() {
		return
	}
	name, at := "contractEnd", &h.is.until
	if rapid.Bool().Draw(m.t, "start") {
		name, at = "hireDate", &h.is.from
	}
	in := rapid.SampledFrom([]time.Duration{0, -time.Hour, time.Second, time.Minute, 3 * time.Hour, 30 * time.Hour, 4 * 24 * time.Hour}).Draw(m.t, "in")
	if in == 0 {
		m.say("%s of %s is taken away", name, h.login)
		*at = time.Time{}
		m.setAttribute(h, name)
		return
	}
	*at = m.now.Add(in).Truncate(time.Second)
	m.say("%s of %s is in %s", name, h.login, in)
	m.setAttribute(h, name, at.Format("20060102150405Z"))
}

// wasNow is what somebody should have now as far as the last complete read told.
func (m *model) wasNow(h *human) base {
	if !h.shown.hold(m.now) {
		return nil
	}
	return h.was
}
