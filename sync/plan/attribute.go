package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// attributes plans what is to be written of them.
func (m *matter) attributes(d *difference) {
	for _, a := range m.want.Attributes {
		switch {
		case !m.tended(a), awaits(d.link, a), m.closed(a) && !m.opens():
		case m.later(d.link, a, m.t.Description.Equal(a.Name, m.account.Attributes[a.Name], a.Values)):
		case a.Mode == mapping.IfEmpty:
			m.fill(d, a)
		case a.Mode == mapping.Merge:
			m.merge(d, a)
		default:
			m.enforce(d, a)
		}
	}
}

// tended says whether the attribute is looked after once the account is there. The
// name has a change of its own. What a closed account has lost for being closed it is
// given again when it is opened, as when it was made.
func (m *matter) tended(a mapping.Attribute) bool {
	return a.Name != m.t.Description.NameAttribute && (a.Mode != mapping.OnCreate || m.account != nil && m.closed(a) && m.opens())
}

// closed says whether the attribute is one that the account lacks for being closed.
func (m *matter) closed(a mapping.Attribute) bool {
	return !m.account.Enabled && slices.ContainsFunc(m.t.Description.WhileOpen, func(name string) bool { return strings.EqualFold(name, a.Name) })
}

// opens says whether this plan lets the account be used again.
func (m *matter) opens() bool {
	return slices.ContainsFunc(m.s.Changes, func(p Planned) bool { return p.Change.Verb == target.Enable })
}

// awaits says that the attribute is left to when an account that it refers to is
// known: what stands there was not written by us, and may be right.
func awaits(l ledger.Link, a mapping.Attribute) bool {
	_, ours := l.Written[a.Name]
	return a.Waits && !ours
}

// later leaves an attribute that we wrote as it is, where it is to be another one and
// whom it refers to has no account yet: they may be about to get one, and what stands
// there is not cleared to be written again. What an edit would do is told at once.
func (m *matter) later(l ledger.Link, a mapping.Attribute, same bool) bool {
	if _, ours := l.Written[a.Name]; !a.Waits || !ours || same || m.in.Second || m.in.Assumed {
		return false
	}
	m.s.Later = true
	m.note("%s waits for the account of whom it refers to: it is written in a second pass, or cleared if there is none", a.Name)
	return true
}

// settled says whether the link shows nothing to be done about the attribute.
func (m *matter) settled(l ledger.Link, a mapping.Attribute) bool {
	switch a.Mode {
	case mapping.IfEmpty:
		return len(a.Values) == 0 || filled(l, a.Name)
	case mapping.Merge:
		return wrote(l, a) && len(m.stale(l, a)) == 0
	}
	return wrote(l, a)
}

// enforce keeps the attribute as the policy says.
func (m *matter) enforce(d *difference, a mapping.Attribute) {
	actual := m.account.Attributes[a.Name]
	if m.t.Description.Equal(a.Name, actual, a.Values) {
		if !wrote(d.link, a) {
			d.link.Written[a.Name] = ledger.DigestOf(a.Values)
		}
		delete(d.link.Added, a.Name)
		return
	}
	m.update(d, a, target.Value{Values: slices.Clone(a.Values)}, wroteExactly(d.link, a) && !m.closed(a), "")
}

// fill writes the attribute where it has no value. Whose value stands there is all
// the same, and that it was seen is remembered, so that nobody looks each time.
func (m *matter) fill(d *difference, a mapping.Attribute) {
	actual := m.account.Attributes[a.Name]
	switch {
	case len(a.Values) == 0:
	case len(actual) > 0:
		if !filled(d.link, a.Name) {
			d.link.Written[a.Name] = ledger.SeenDigest(actual)
		}
	default:
		m.update(d, a, target.Value{Values: slices.Clone(a.Values), How: target.Fill}, filled(d.link, a.Name), "")
	}
}

// filled says whether the attribute had a value when it was last seen or written.
func filled(l ledger.Link, name string) bool {
	d, known := l.Written[name]
	return known && d != ledger.DigestOf(nil) && d != ledger.MergedDigest(nil)
}

// merge adds our values to those of others, and takes those that we added and want
// no more. What was there before we came is not ours to take.
func (m *matter) merge(d *difference, a mapping.Attribute) {
	actual, rules := m.account.Attributes[a.Name], m.t.Description
	if len(actual) > 0 && d.link.Written[a.Name] == ledger.DigestOf(actual) {
		// While the mode was another one we wrote all that stands there.
		d.link.SetAdded(a.Name, slices.Clone(actual))
	}
	v := target.Value{Name: a.Name, Values: slices.Clone(a.Values), How: target.Merge, Without: m.stale(d.link, a)}
	add, take := v.Steps(actual, rules)
	if len(add) == 0 && len(take) == 0 {
		if !wrote(d.link, a) {
			d.link.Written[a.Name] = ledger.MergedDigest(a.Values)
		}
		if len(v.Without) > 0 { // somebody else took them
			d.link.SetAdded(a.Name, slices.DeleteFunc(slices.Clone(d.link.Added[a.Name]), func(x string) bool { return slices.Contains(v.Without, x) }))
		}
		return
	}
	for _, x := range v.Values {
		if !slices.Contains(add, x) && !slices.Contains(d.link.Added[a.Name], x) {
			v.Kept = append(v.Kept, x)
		}
	}
	m.update(d, a, v, wroteExactly(d.link, a), fmt.Sprintf("%d of our values of %s were taken in the target", len(add), a.Name))
}

// stale are the values that we added and want no more.
func (m *matter) stale(l ledger.Link, a mapping.Attribute) []string {
	var out []string
	for _, x := range l.Added[a.Name] {
		if !slices.ContainsFunc(a.Values, func(y string) bool { return m.t.Description.Equal(a.Name, []string{x}, []string{y}) }) {
			out = append(out, x)
		}
	}
	return out
}

// update plans the change, unless it would undo what somebody else did and the
// file says only to report that.
func (m *matter) update(d *difference, a mapping.Attribute, v target.Value, drift bool, told string) {
	d.drifted, d.changed = d.drifted || drift, d.changed || !drift
	if drift && m.t.Rules.Drift.Attributes == report {
		if told == "" {
			told = a.Name + " was changed in the target"
		}
		m.note("%s", told)
		return
	}
	v.Name = a.Name
	before := slices.Clone(m.account.Attributes[a.Name])
	_, ours := d.link.Written[a.Name]
	m.change(Planned{Change: target.Change{Verb: target.Update, Before: before, Set: []target.Value{v}}, Reasons: []mapping.Reason{a.Reason},
		awaited: !ours && len(before) == 0 && slices.Contains(d.link.Awaits, a.Name)})
}

// wrote says whether the values are those last written. Nothing written is as
// good as no values.
func wrote(l ledger.Link, a mapping.Attribute) bool {
	return wroteExactly(l, a) || len(a.Values) == 0 && l.Written[a.Name] == ledger.Digest{}
}

func wroteExactly(l ledger.Link, a mapping.Attribute) bool {
	d, ok := l.Written[a.Name]
	if a.Mode == mapping.Merge {
		return ok && d == ledger.MergedDigest(a.Values)
	}
	return ok && d == ledger.DigestOf(a.Values)
}

// left is what the link tells of an attribute: what it had when it was last
// written or seen, as far as that is known.
func left(l ledger.Link, a mapping.Attribute) []string {
	switch {
	case a.Mode == mapping.IfEmpty && filled(l, a.Name):
		return []string{"?"}
	case a.Mode == mapping.Merge && (wroteExactly(l, a) || l.Written[a.Name] == ledger.DigestOf(a.Values)):
		return slices.Concat(a.Values, l.Added[a.Name])
	case a.Mode == mapping.Merge:
		return l.Added[a.Name]
	case wroteExactly(l, a):
		return a.Values
	}
	return nil
}
