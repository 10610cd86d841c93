package ldapd

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// linked are the attributes, by key, whose values are links to other entries
// in an Active Directory, and the attributes that show them from the other
// side.
var linked = map[string]string{"member": "memberOf", "manager": "directReports", "managedby": "managedObjects"}

// KeepReferences has the names in groups follow who is renamed, and go with who
// is deleted, as the overlay refint and its like do: nothing tells that a group
// has changed by that. Call it before anything is added.
func (d *Directory) KeepReferences() {
	d.refint = true
	for a := range linked {
		d.index[a] = map[string][]*node{}
	}
}

// isLinked says whether the attribute holds links here.
func (d *Directory) isLinked(key string) bool { return d.domain != nil && linked[key] != "" }

// links replaces what refers to entries by the names of those: a link to
// nothing is refused.
func (d *Directory) links(x desc, c *Change) *Error {
	if !d.isLinked(x.typ.key) {
		return nil
	}
	values := slices.Clone(c.Values)
	for i, v := range values {
		dn, err := d.resolve(v)
		if err != nil {
			return err
		}
		n := d.byKey[dn.Key()]
		if n == nil || n.rec.first("isdeleted") == "TRUE" {
			return refuse(NoSuchObject, "00000525: NameErr: DSID-031A11FC, problem 2001 (NO_OBJECT), data 0, best match of: '%s'", v)
		}
		values[i] = n.rec.dn.String()
	}
	c.Values = values
	return nil
}

// linkError is the error that an Active Directory gives where a link is there
// already, or is not.
func (d *Directory) linkError(x desc, err *Error) *Error {
	if d.isLinked(x.typ.key) {
		switch err.Code {
		case AttributeOrValueExists:
			return refuse(EntryAlreadyExists, "00000562: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
		case NoSuchAttribute:
			return refuse(UnwillingToPerform, "00000561: SvcErr: DSID-031A1244, problem 5003 (WILL_NOT_PERFORM), data 0")
		}
	}
	return err
}

// names are the keys of an entry and of all below it.
func (d *Directory) names(n *node) map[string]*node {
	if d.domain == nil && !d.refint {
		return nil
	}
	out := map[string]*node{}
	var walk func(*node)
	walk = func(n *node) {
		out[n.rec.dn.Key()] = n
		for k := range n.kids {
			walk(k)
		}
	}
	walk(n)
	return out
}

// relink follows entries that have another name now in every link to them:
// the holder shows the new one, and nothing tells that it has changed.
func (d *Directory) relink(old map[string]*node) {
	for attr := range linked {
		holders := map[*node]bool{}
		for key := range old {
			for _, h := range d.index[attr][key] {
				holders[h] = true
			}
		}
		for h := range holders {
			r := h.rec.clone()
			a := r.get(attr)
			x := attr
			next := attrOf(a)
			for i, norm := range a.norms {
				if n := old[norm]; n != nil {
					next.values[i], next.norms[i] = n.rec.dn.String(), n.rec.dn.Key()
				}
			}
			r.put(x, next)
			d.replace(h, r)
		}
	}
}

// attrOf is a copy of which every value may be changed.
func attrOf(a *attr) attr {
	return attr{desc: a.desc, values: slices.Clone(a.values), norms: slices.Clone(a.norms)}
}

// put replaces the attribute, or takes it out when it has no values.
func (r *record) put(key string, a attr) {
	i := slices.IndexFunc(r.attrs, func(b attr) bool { return b.key() == key })
	switch {
	case len(a.values) == 0 && i >= 0:
		r.attrs = slices.Delete(r.attrs, i, i+1)
	case i >= 0:
		r.attrs[i] = a
	case len(a.values) > 0:
		r.attrs = append(r.attrs, a)
	}
}

// heldLink is a link of another entry to one that was deleted.
type heldLink struct {
	holder *node
	attr   string
}

// unlink takes an entry out of every link to it, silently, and returns those.
func (d *Directory) unlink(n *node) []heldLink {
	var out []heldLink
	key := n.rec.dn.Key()
	for attr := range linked {
		for _, h := range slices.Clone(d.index[attr][key]) {
			out = append(out, heldLink{h, attr})
			r := h.rec.clone()
			next := attrOf(r.get(attr))
			i := next.find(key)
			next.values, next.norms = slices.Delete(next.values, i, i+1), slices.Delete(next.norms, i, i+1)
			r.put(attr, next)
			d.replace(h, r)
			if h.meta != nil {
				delete(h.meta.links[attr], n)
			}
		}
	}
	return out
}

// backlinks are the entries that hold a link of that kind to this one.
func (d *Directory) backlinks(attr string, dn identity.DN) []*node { return d.index[attr][dn.Key()] }
