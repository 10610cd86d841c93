package ldapd

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// keptByTombstone are the attributes that outlive a deletion where there is no
// recycle bin.
var keptByTombstone = strings.Fields(`objectclass objectguid objectsid samaccountname instancetype usncreated usnchanged whencreated
	whenchanged useraccountcontrol grouptype entryuuid entrycsn name distinguishedname`)

// bury makes a tombstone of an entry: it goes on, under another name, in
// Deleted Objects. Links to it go without a trace.
func (d *Directory) bury(n *node, who string) *Error {
	m := d.domain
	switch {
	case n.rec.first("isdeleted") == "TRUE":
		return refuse(UnwillingToPerform, "00002089: SvcErr: the entry is deleted")
	case n.parent == nil:
		return refuse(UnwillingToPerform, "000020EF: SvcErr: the head of a naming context is not deleted")
	}
	held := d.unlink(n)
	before := n.rec
	r := before.clone()
	var links []attr
	for i := range before.attrs {
		a := &before.attrs[i]
		switch {
		case linked[a.typ.key] != "":
			links = append(links, *a)
			r.drop(a.desc)
		case !d.AD.RecycleBin && !slices.Contains(keptByTombstone, a.typ.key):
			r.drop(a.desc)
		}
	}
	rdn := before.dn.RDN()[0]
	name := rdn.Value + "\nDEL:" + uuidOf(before.first("objectguid"))
	d.label(r, rdn.Type, name, m.deleted)
	r.set("isDeleted", "TRUE")
	r.set("lastKnownParent", n.parent.rec.dn.String())
	if d.AD.RecycleBin {
		r.set("msDS-LastKnownRDN", rdn.Value)
	} else {
		r.set("isRecycled", "TRUE")
	}
	d.stamp(r, who)
	d.adopt(n, m.deleted, r)
	d.committed(change{op: OpDelete, node: n, before: before, after: r, who: who})
	n.meta.buried, n.meta.kept = held, links
	return nil
}

// living says whether the entry is there and not deleted.
func (n *node) living() bool { return n.rec != nil && n.rec.first("isdeleted") != "TRUE" }

// label gives the record its name under a parent.
func (d *Directory) label(r *record, typ, value string, parent *node) {
	x, _ := describe(typ)
	r.set(x.typ.name, value)
	r.dn = identity.JoinRDN(strings.ToUpper(typ), value, parent.rec.dn)
	r.nameAD()
}

// adopt moves a node with its next record to another parent.
func (d *Directory) adopt(n, parent *node, r *record) {
	delete(n.parent.kids, n)
	n.parent = parent
	parent.kids[n] = struct{}{}
	d.replace(n, r)
}

// deletedOf finds a tombstone by the text of its objectGUID.
func (d *Directory) deletedOf(guid string) (*node, error) {
	for _, n := range d.index["objectguid"][guidOf(guid)] {
		if !n.living() {
			return n, nil
		}
	}
	return nil, refuse(NoSuchObject, "no deleted entry has the objectGUID %s", guid)
}

// Undelete brings a deleted entry back under a name, with the attributes that
// its tombstone has kept, and with the links from and to it, which come back
// as silently as they went.
func (d *Directory) Undelete(guid, dn string) error {
	name, err := identity.ParseDN(dn)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.deletedOf(guid)
	if err != nil {
		return err
	}
	parent := d.byKey[name.Parent().Key()]
	switch {
	case n.rec.first("isrecycled") == "TRUE" && d.AD.RecycleBin:
		return refuse(UnwillingToPerform, "the entry is recycled")
	case parent == nil:
		return d.missing(name)
	case d.byKey[name.Key()] != nil:
		return refuse(EntryAlreadyExists, "")
	}
	before := n.rec
	r := before.clone()
	for _, key := range []string{"isDeleted", "isRecycled", "lastKnownParent", "msDS-LastKnownRDN"} {
		x, _ := describe(key)
		r.drop(x)
	}
	rdn := name.RDN()[0]
	d.label(r, rdn.Type, rdn.Value, parent)
	d.classify(r)
	d.principal(r)
	if d.AD.RecycleBin {
		for _, a := range n.meta.kept {
			r.put(a.key(), d.left(a))
		}
	}
	d.stamp(r, "")
	d.adopt(n, parent, r)
	d.committed(change{op: OpRename, node: n, before: before, after: r})
	if d.AD.RecycleBin {
		for _, h := range n.meta.buried {
			if !h.holder.living() {
				continue
			}
			x, _ := describe(h.attr)
			back := h.holder.rec.clone()
			if back.add(x, r.dn.String()) == nil {
				d.replace(h.holder, back)
			}
		}
	}
	n.meta.buried, n.meta.kept = nil, nil
	return nil
}

// left is what a linked attribute still leads to.
func (d *Directory) left(a attr) attr {
	out := attr{desc: a.desc}
	for i, norm := range a.norms {
		if d.byKey[norm] != nil {
			out.values, out.norms = append(out.values, a.values[i]), append(out.norms, norm)
		}
	}
	return out
}

// Recycle is the end of the time in which a deleted entry of the recycle bin
// can come back: it loses what a tombstone does not keep.
func (d *Directory) Recycle(guid string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.deletedOf(guid)
	if err != nil {
		return err
	}
	before := n.rec
	r := before.clone()
	for i := range before.attrs {
		a := &before.attrs[i]
		if !slices.Contains(keptByTombstone, a.typ.key) && !slices.Contains([]string{"isdeleted", "lastknownparent", "cn", "ou"}, a.typ.key) {
			r.drop(a.desc)
		}
	}
	r.set("isRecycled", "TRUE")
	d.stamp(r, "")
	d.replace(n, r)
	d.committed(change{op: OpModify, node: n, before: before, after: r})
	n.meta.buried, n.meta.kept = nil, nil
	return nil
}

// Expunge takes a tombstone away, as garbage collection does after the
// tombstone lifetime: nothing tells of it.
func (d *Directory) Expunge(guid string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.deletedOf(guid)
	if err != nil {
		return err
	}
	delete(n.parent.kids, n)
	d.unplace(n)
	n.rec = nil
	return nil
}

// shows says whether the request may see a deleted entry at all.
func (a *answer) shows(n *node) bool {
	m := a.srv.dir.domain
	if m == nil || n.rec == nil || n.rec.first("isdeleted") != "TRUE" {
		return true
	}
	recycled := a.w.msg.control(oidShowRecycled) != nil
	switch {
	case !recycled && a.w.msg.control(oidShowDeleted) == nil:
		return false
	case n == m.deleted:
		return true
	case !a.seesDeleted():
		return false
	}
	return recycled || !a.srv.dir.AD.RecycleBin || n.rec.first("isrecycled") != "TRUE"
}
