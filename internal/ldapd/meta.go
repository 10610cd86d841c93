package ldapd

import "slices"

// meta is what an Active Directory knows of when the parts of an entry
// changed, which DirSync tells by.
type meta struct {
	attrs  map[string]stamp
	links  map[string]map[*node]link // by attribute key, then by who it leads to
	buried []heldLink                // links of others to this entry, while it is deleted
	kept   []attr                    // its own links likewise
}

// stamp says which change of the directory an attribute changed with last. It
// stays when the attribute goes.
type stamp struct {
	desc   desc
	serial uint64
}

// link is one value of a linked attribute. It stays, absent, when it was taken
// out.
type link struct {
	serial  uint64
	order   uint64
	present bool
}

// unreplicated are attributes that each domain controller has for itself, or
// that DirSync leaves out.
var unreplicated = []string{"usnchanged", "usncreated", "whenchanged", "lastlogon", "badpwdcount", "distinguishedname", "cn", "ou", "dc",
	"entryuuid", "entrycsn", "creatorsname", "modifiersname", "createtimestamp", "modifytimestamp", "userpassword", "objectguid"}

// account notes what a change has changed. The lock is held.
func (d *Directory) account(c change) {
	m := c.node.meta
	if m == nil {
		m = &meta{attrs: map[string]stamp{}, links: map[string]map[*node]link{}}
		c.node.meta = m
	}
	mark := func(x desc) {
		if !slices.Contains(unreplicated, x.typ.key) {
			m.attrs[x.key()] = stamp{x, c.serial}
		}
	}
	for i := range c.after.attrs {
		a := &c.after.attrs[i]
		var old *attr
		if c.before != nil {
			old = c.before.get(a.key())
		}
		switch {
		case old != nil && slices.Equal(old.values, a.values):
		case linked[a.typ.key] != "":
			d.accountLinks(m, a.desc, old, a)
		default:
			mark(a.desc)
		}
	}
	if c.before != nil {
		for i := range c.before.attrs {
			a := &c.before.attrs[i]
			switch {
			case c.after.get(a.key()) != nil:
			case linked[a.typ.key] != "":
				d.accountLinks(m, a.desc, a, nil)
			default:
				mark(a.desc)
			}
		}
	}
	if c.op == OpRename || c.op == OpDelete {
		// A move is told by the name, whether or not that is another one.
		mark(c.after.get("name").desc)
	}
	if c.op == OpDelete {
		m.links = map[string]map[*node]link{}
	}
}

// accountLinks notes which values of a linked attribute came and went.
func (d *Directory) accountLinks(m *meta, x desc, before, after *attr) {
	key := x.key()
	if m.links[key] == nil {
		m.links[key] = map[*node]link{}
	}
	had, has := map[string]bool{}, map[string]bool{}
	if before != nil {
		for _, n := range before.norms {
			had[n] = true
		}
	}
	note := func(norm string, present bool) {
		if n := d.byKey[norm]; n != nil {
			d.seq++
			m.links[key][n] = link{serial: d.serial, order: d.seq, present: present}
		}
	}
	if after != nil {
		for _, n := range after.norms {
			has[n] = true
			if !had[n] {
				note(n, true)
			}
		}
	}
	if before != nil {
		for _, n := range before.norms {
			if !has[n] {
				note(n, false)
			}
		}
	}
}
