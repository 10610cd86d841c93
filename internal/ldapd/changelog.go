package ldapd

import (
	"strconv"

	"github.com/rosterd/rosterd/identity"
)

const changelogBase = "cn=changelog"

// changelog is the retro changelog of 389-ds: the last changes, each an entry
// below cn=changelog.
type changelog struct {
	first, last int
	entries     []numbered
}

// numbered is a change with its number.
type numbered struct {
	number int
	op     Op
	id     string // nsUniqueId
	dn     identity.DN
	node   *node
	entry  *node // in the changelog
}

// changeNumbers are the first and the last that are there, as the root entry
// shows them. The lock is held.
func (d *Directory) changeNumbers() (first, last string) {
	return strconv.Itoa(d.changes.first), strconv.Itoa(d.changes.last)
}

// logChange writes a change into the changelog. The lock is held.
func (d *Directory) logChange(c change) {
	root := d.byKey[identity.MustDN(changelogBase).Key()]
	if root == nil {
		return
	}
	l := &d.changes
	l.last++
	if len(l.entries) == 0 {
		l.first = l.last
	}
	of := c.before
	if of == nil {
		of = c.after
	}
	number := strconv.Itoa(l.last)
	r := &record{dn: identity.JoinRDN("changeNumber", number, root.rec.dn)}
	r.set("objectClass", "top", "changelogentry")
	r.set("changeNumber", number)
	r.set("targetDn", of.dn.String())
	r.set("targetUniqueId", of.first("nsuniqueid"))
	r.set("changeTime", d.now().UTC().Format("20060102150405Z"))
	typ := map[Op]string{OpAdd: "add", OpModify: "modify", OpRename: "modrdn", OpDelete: "delete"}[c.op]
	r.set("changeType", typ)
	switch c.op {
	case OpModify:
		text := ""
		for _, x := range c.changes {
			text += map[ChangeOp]string{AddValues: "add", DeleteValues: "delete", ReplaceValues: "replace"}[x.Op] + ": " + x.Attr + "\n"
			for _, v := range x.Values {
				text += x.Attr + ": " + v + "\n"
			}
			text += "-\n"
		}
		r.set("changes", text)
	case OpRename:
		r.set("newRdn", rdnText(c.after.dn))
		r.set("deleteOldRdn", "TRUE")
		r.set("newSuperior", c.after.dn.Parent().String())
	}
	d.seq++
	n := &node{seq: d.seq, parent: root, kids: map[*node]struct{}{}, rec: r}
	root.kids[n] = struct{}{}
	d.place(n)
	l.entries = append(l.entries, numbered{l.last, c.op, of.first("nsuniqueid"), of.dn, c.node, n})
}

// TrimChangelog takes all but the last keep changes out of the changelog, as
// its maximal age does. A sync provider does not say that they are missing.
func (d *Directory) TrimChangelog(keep int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &d.changes
	for len(l.entries) > keep {
		n := l.entries[0].entry
		delete(n.parent.kids, n)
		d.unplace(n)
		n.rec = nil
		l.entries = l.entries[1:]
	}
	l.first = l.last + 1 - len(l.entries)
}
