package entries

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// formerly is what may stand in groups for the account, in the order in which it had
// those names: that from before the changes, and those between them. Names that it did
// not come to are somebody else's.
func (s *session) formerly(cut []target.Cut, e entry) []string {
	t := s.t
	if t.cfg.Groups.Style == StyleMemberUID {
		return t.others(e, cut[0].Account.Name)
	}
	at := s.from(cut, e)
	if at.IsZero() {
		return nil
	}
	if t.titled() {
		return t.others(e, at.String()) // what name follows which change, the settings say
	}
	path := []identity.DN{at}
	for _, c := range cut {
		at = t.after(at, c.Change)
		path = append(path, at)
	}
	reached := 1 // somebody else moved it since: how far it came before is not known
	for i, dn := range path {
		if dn.Equal(e.dn) {
			reached = i
		}
	}
	var out []string
	for _, dn := range path[:reached] {
		out = append(out, dn.String())
	}
	return t.others(e, out...)
}

// others are the names that are not the one which the entry has, each once.
func (t *Accounts) others(e entry, names ...string) []string {
	var out []string
	for _, n := range names {
		if n != "" && t.memberKey(n) != t.member(e) && !slices.ContainsFunc(out, t.alike(n)) {
			out = append(out, n)
		}
	}
	return out
}

// from is the name of the entry before the changes; zero: it is not known. Where it was
// not noted, the changes say it.
func (s *session) from(cut []target.Cut, e entry) identity.DN {
	t := s.t
	if dn, err := identity.ParseDN(cut[0].Reference); err == nil && !dn.IsZero() {
		return dn
	}
	if cut[0].Account.Name == "" || t.titled() {
		return identity.DN{}
	}
	in, known := e.dn.Parent(), false
	for _, c := range cut {
		if c.Change.Verb == target.Rename {
			known = true // in the container that it is in, unless it moved after
		}
		if from := t.parentBefore(c.Change, e); !from.IsZero() {
			in, known = from, true
			break
		}
	}
	if !known {
		return identity.DN{}
	}
	return identity.JoinRDN(t.cfg.RDN, cut[0].Account.Name, in)
}

// parentBefore is from where a change took the entry, if it did; zero: it is not known.
func (t *Accounts) parentBefore(ch target.Change, e entry) identity.DN {
	switch closed := t.closedPlace(e.dn); {
	case ch.Verb == target.Disable && closed:
		return t.cfg.Base
	case ch.Verb == target.Enable && !closed:
		return t.cfg.MoveTo
	case ch.Verb == target.Update && len(ch.Set) == 1 && isContainer(ch.Set[0].Name) && len(ch.Before) == 1:
		if in, err := identity.ParseDN(ch.Before[0]); err == nil && in.Within(t.cfg.Base) {
			return in
		}
	}
	return identity.DN{}
}

// after is the name of an entry after a change of it.
func (t *Accounts) after(dn identity.DN, ch target.Change) identity.DN {
	name, parent := "", dn.Parent()
	switch ch.Verb {
	case target.Rename:
		name = ch.Name
	case target.Enable, target.Disable:
		open := ch.Verb == target.Enable
		if t.cfg.MoveTo.IsZero() || open != t.closedPlace(dn) {
			return dn
		}
		if parent = t.cfg.MoveTo; open {
			parent = t.cfg.Base
		}
	case target.Update:
		for _, v := range ch.Set {
			if !isContainer(v.Name) || len(v.Values) != 1 {
				continue
			}
			if in, err := identity.ParseDN(v.Values[0]); err == nil {
				parent = in
			}
		}
	}
	to, err := identity.ParseDN(t.rdnText(dn, name) + "," + parent.String())
	if err != nil {
		return dn
	}
	return to
}
