package ldapd

import (
	"maps"
	"slices"
)

// Copy returns the directory as it is at this moment, with its identity and
// all that it counts: what a backup holds, or a replica that will hear of
// nothing from now on.
func (d *Directory) Copy() *Directory {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := New(d.Suffixes()...)
	out.Strict, out.ServerID, out.SessionLog, out.AD = d.Strict, d.ServerID, d.SessionLog, d.AD
	out.refint, out.kind, out.now, out.seq, out.serial = d.refint, d.kind, d.now, d.seq, d.serial
	out.csnTime, out.csnCount, out.csn, out.csns = d.csnTime, d.csnCount, d.csn, maps.Clone(d.csns)
	out.seen, out.classes = maps.Clone(d.seen), maps.Clone(d.classes)
	out.log = sessionLog{entries: slices.Clip(d.log.entries), floor: maps.Clone(d.log.floor)}
	for a := range d.index {
		out.index[a] = map[string][]*node{}
	}
	twins := map[*node]*node{}
	for _, n := range d.byKey {
		twins[n] = &node{seq: n.seq, kids: map[*node]struct{}{}, rec: n.rec}
	}
	for n, twin := range twins {
		if p := twins[n.parent]; p != nil {
			twin.parent = p
			p.kids[twin] = struct{}{}
		}
		if n.meta != nil {
			twin.meta = n.meta.copy(twins)
		}
		out.place(twin)
	}
	if d.domain != nil {
		m := *d.domain
		m.deleted = twins[d.domain.deleted]
		out.domain = &m
	}
	out.changes = changelog{first: d.changes.first, last: d.changes.last}
	for _, c := range d.changes.entries {
		if c.node = twins[c.node]; c.node == nil {
			c.node = &node{} // deleted since
		}
		c.entry = twins[c.entry]
		out.changes.entries = append(out.changes.entries, c)
	}
	return out
}

func (m *meta) copy(twins map[*node]*node) *meta {
	out := &meta{attrs: maps.Clone(m.attrs), links: map[string]map[*node]link{}, kept: m.kept}
	for attr, links := range m.links {
		out.links[attr] = map[*node]link{}
		for to, l := range links {
			if twin := twins[to]; twin != nil {
				out.links[attr][twin] = l
			}
		}
	}
	for _, h := range m.buried {
		if twin := twins[h.holder]; twin != nil {
			out.buried = append(out.buried, heldLink{twin, h.attr})
		}
	}
	return out
}
