package mapping

import (
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/moment"
)

// date is an attribute that says when somebody begins or ends.
type date struct {
	shown
	end bool
}

// dates are the attributes that start and end name.
func (m *compiler) dates(c SourcePerson, path func(string) []string) (out []date) {
	for _, a := range []struct {
		key, attribute string
		end            bool
	}{{"start", c.Start, false}, {"end", c.End, true}} {
		if a.attribute == "" {
			continue
		}
		if slot := m.person(path(a.key), a.attribute); slot >= 0 {
			out = append(out, date{shown{slot: slot, name: a.attribute}, a.end})
		}
	}
	if c.Start != "" && strings.EqualFold(c.Start, c.End) {
		m.fail(path("end"), "name the attribute that holds the last day", "%s is the start already", c.End)
	}
	return out
}

// validity is what the attributes say. One that was not read, has more than one
// value or cannot be understood says nothing, and that is told: it is neither
// long past nor never.
func (p *Policy) validity(dates []date, sc *scope) (v identity.Validity) {
	for _, d := range dates {
		sl := &sc.slots[d.slot]
		if sl.presence == identity.NotRead {
			v.Unread = append(v.Unread, d.name+" was not read")
			continue
		}
		var values []string
		for _, text := range sl.values {
			if text = strings.TrimSpace(text); text != "" {
				values = append(values, text)
			}
		}
		switch {
		case len(values) == 0:
		case len(values) > 1:
			v.Unread = append(v.Unread, d.name+" has more than one value")
		default:
			b, err := d.bound(values[0], p.zone)
			switch {
			case err != nil:
				v.Unread = append(v.Unread, d.name+": "+err.Error())
			case d.end:
				v.Until = b
			default:
				v.From = b
			}
		}
	}
	return v
}

// bound reads a value.
func (d date) bound(text string, zone *time.Location) (identity.Bound, error) {
	m, err := attributeDate(d.name, text, zone)
	if err != nil || m.Never {
		return identity.Bound{}, err
	}
	b := identity.Bound{At: m.At, By: d.name, Day: m.Day}
	if d.end {
		b.At = m.After
	}
	return b, nil
}

// attributeDate reads a value of an attribute. Those of two well-known ones have
// forms of their own, by which a 0 is told.
func attributeDate(name, text string, zone *time.Location) (moment.Moment, error) {
	known := func(at time.Time, never bool, err error) (moment.Moment, error) {
		if err != nil || never {
			return moment.Moment{Never: never && err == nil}, err
		}
		return moment.Moment{At: at.In(zone), After: at.In(zone)}, nil
	}
	switch strings.ToLower(name) {
	case "accountexpires":
		return known(moment.FileTime(text))
	case "shadowexpire":
		return known(moment.ShadowExpire(text))
	}
	return moment.Parse(text, zone)
}
