package sync

import (
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// reading is what a pending policy reads where it reads in another way than the
// one in force. The snapshot does not hear of it.
type reading struct {
	// outside are people who would not be read any more.
	outside map[identity.ID]bool
	// by source
	by map[string]*listed
}

// listed is a stage that keeps who was seen, and who is in which group.
type listed struct {
	cycle  *cycle
	source string
	people int
	ids    map[identity.ID]bool
	// byDN and byLogin find the people that groups name, groups the groups.
	byDN    map[string]identity.ID
	byLogin map[string][]spelled
	groups  map[string]*listedGroup
	// entries are people as they were seen; nil: nobody asked.
	entries map[identity.ID]directory.Entry
	// belongs are the memberships in the groups of the policy, and told the
	// groups that they are told of.
	belongs map[identity.ID][]identity.Membership
	told    map[identity.Ordinal]bool
}

type spelled struct {
	login string
	id    identity.ID
}

type listedGroup struct {
	id       identity.ID
	dn, name string
	members  []directory.Member
}

func (c *cycle) newListed(source string) *listed {
	return &listed{cycle: c, source: source, ids: map[identity.ID]bool{}, byDN: map[string]identity.ID{},
		byLogin: map[string][]spelled{}, groups: map[string]*listedGroup{}}
}

// Add keeps what is needed of entries.
func (l *listed) Add(entries []directory.Entry) error {
	for _, e := range entries {
		switch e.Kind {
		case directory.Person:
			l.ids[e.ID] = true
			l.people++
			if l.entries != nil {
				l.entries[e.ID] = e
			}
			l.byDN[e.DN.Key()] = e.ID
			if e.Login != "" {
				key := strings.ToLower(strings.TrimSpace(e.Login))
				l.byLogin[key] = append(l.byLogin[key], spelled{e.Login, e.ID})
			}
		case directory.Group:
			l.groups[e.DN.Key()] = &listedGroup{id: e.ID, dn: e.DN.String(), name: e.Name, members: e.Members}
		}
	}
	l.cycle.progress("read", l.source, l.people, 0)
	return nil
}

// pins puts the groups as they were listed in the place of those of the snapshot.
// One that was not listed, or lost all its members, stays as it was: what its
// loss would take is held whatever the policy.
func (l *listed) pins(pins []ledger.Pin) []ledger.Pin {
	l.belongs, l.told = map[identity.ID][]identity.Membership{}, map[identity.Ordinal]bool{}
	out := make([]ledger.Pin, len(pins))
	for i, p := range pins {
		out[i] = p
		at, here := l.group(p)
		if here == nil || len(here.members) == 0 && p.Had >= ledger.EmptiedFrom {
			continue
		}
		if !p.Group.Valid() {
			p.Group, p.ID = unnumbered+identity.Ordinal(i), here.id
		}
		p.DN, p.Status, p.Members = here.dn, ledger.PinOK, len(here.members)
		out[i] = p
		l.told[p.Group] = true
		l.walk(at, p.Group)
	}
	return out
}

// unnumbered is where the numbers of groups begin that no snapshot has.
const unnumbered identity.Ordinal = 1 << 62

// group finds a group of the policy: by its ID where that is known.
func (l *listed) group(p ledger.Pin) (key string, _ *listedGroup) {
	if p.ID != "" {
		for key, g := range l.groups {
			if g.id == p.ID {
				return key, g
			}
		}
		return "", nil
	}
	dn, err := identity.ParseDN(p.Written)
	if err != nil {
		return "", nil
	}
	return dn.Key(), l.groups[dn.Key()]
}

// walk notes who is in the group, or in one that is in it, by a shortest way.
func (l *listed) walk(from string, named identity.Ordinal) {
	type step struct {
		key string
		way []identity.GroupStep // from the group up to the named one
	}
	seen, in := map[string]bool{from: true}, map[identity.ID]bool{}
	for queue := []step{{key: from}}; len(queue) > 0; queue = queue[1:] {
		g := l.groups[queue[0].key]
		way := append([]identity.GroupStep{{Group: named, Name: g.name, DN: g.dn}}, queue[0].way...)
		for _, m := range g.members {
			if l.groups[m.DN.Key()] != nil && !m.DN.IsZero() && !seen[m.DN.Key()] {
				seen[m.DN.Key()] = true
				queue = append(queue, step{m.DN.Key(), way})
			}
			for _, who := range l.named(m) {
				if !in[who] {
					in[who] = true
					l.belongs[who] = append(l.belongs[who], identity.Membership{Group: named, Path: way})
				}
			}
		}
	}
}

// named are the people that a member is. Another spelling of a login means
// somebody unless somebody has exactly it.
func (l *listed) named(m directory.Member) []identity.ID {
	if m.Login == "" {
		if id, is := l.byDN[m.DN.Key()]; is {
			return []identity.ID{id}
		}
		return nil
	}
	var exact, all []identity.ID
	for _, s := range l.byLogin[strings.ToLower(strings.TrimSpace(m.Login))] {
		if all = append(all, s.id); s.login == m.Login {
			exact = append(exact, s.id)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return all
}

// memberships are those of the snapshot, but for the groups that were listed
// otherwise.
func (r reading) memberships(who identity.Key, known []identity.Membership) []identity.Membership {
	l := r.by[who.Source]
	if l == nil {
		return known
	}
	var out []identity.Membership
	for _, m := range known {
		if !l.told[m.Group] {
			out = append(out, m)
		}
	}
	return append(out, l.belongs[who.ID]...)
}

// leave notes somebody who would not be read.
func (r *reading) leave(id identity.ID) {
	if r.outside == nil {
		r.outside = map[identity.ID]bool{}
	}
	r.outside[id] = true
}

// beside takes out of scope whom the pending policy would not read, and shows whom
// it read as they were seen.
func (r reading) beside(p identity.Person) identity.Person {
	there := p.Standing == identity.Active || p.Standing == identity.Disabled
	if l := r.by[p.Key.Source]; l != nil && l.entries != nil {
		if e, seen := l.entries[p.Key.ID]; seen {
			return asSeen(p, e)
		}
		if there {
			p.Standing, p.Why = identity.OutOfScope, "was not seen"
		}
		return p
	}
	if r.outside[p.Key.ID] && there {
		p.Standing, p.Why = identity.OutOfScope, "outside the bases or the filter of the changed file"
	}
	return p
}

// asSeen is the person as their entry is now.
func asSeen(p identity.Person, e directory.Entry) identity.Person {
	p.DN, p.Login, p.Mail, p.Name, p.RehireKey = e.DN, e.Login, e.Mail, e.Name, e.RehireKey
	p.Attributes, p.Validity = e.Attributes, e.Validity
	if p.Standing != identity.Active && p.Standing != identity.Disabled {
		p.Standing, p.Why, p.Doubt = identity.Active, "was seen", identity.NoDoubt
	}
	return p
}
