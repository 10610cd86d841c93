package ldapd

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// Change is one part of a modification (RFC 4511, section 4.6).
type Change struct {
	Op     ChangeOp
	Attr   string
	Values []string
}

// ChangeOp says what a change does with its values.
type ChangeOp int

// The operations of a modification.
const (
	AddValues     ChangeOp = 0
	DeleteValues  ChangeOp = 1 // without values: the whole attribute
	ReplaceValues ChangeOp = 2
)

// Add makes an entry. Its parent must be there, unless it is a suffix itself;
// naming attributes that are missing are added. The error is an *Error.
func (d *Directory) Add(dn string, attrs map[string][]string) error {
	var changes []Change
	for name, values := range attrs {
		changes = append(changes, Change{Attr: name, Values: values})
	}
	// The order of a map is no order: entries look alike in every run.
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(strings.ToLower(a.Attr), strings.ToLower(b.Attr)) })
	return d.do(dn, func(name identity.DN) *Error { return d.add(name, changes, "", false) })
}

// Modify changes an entry: all of the changes or, with an *Error, none.
func (d *Directory) Modify(dn string, changes ...Change) error {
	return d.do(dn, func(name identity.DN) *Error { return d.modify(name, changes, "", false) })
}

// Rename gives an entry another RDN, and another parent unless newSuperior is
// empty; what lies below it comes along.
func (d *Directory) Rename(dn, newRDN string, deleteOldRDN bool, newSuperior string) error {
	return d.do(dn, func(name identity.DN) *Error {
		superior := name.Parent()
		if newSuperior != "" {
			var err error
			if superior, err = identity.ParseDN(newSuperior); err != nil {
				return refuse(InvalidDNSyntax, "%v", err)
			}
		}
		return d.rename(name, newRDN, deleteOldRDN, superior, "")
	})
}

// Delete removes an entry that has none below it.
func (d *Directory) Delete(dn string) error {
	return d.do(dn, func(name identity.DN) *Error { return d.delete(name, "", false) })
}

// do parses the name and runs a write with the lock held.
func (d *Directory) do(dn string, write func(identity.DN) *Error) error {
	name, err := identity.ParseDN(dn)
	if err != nil {
		return refuse(InvalidDNSyntax, "%v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := write(name); err != nil {
		return err
	}
	return nil
}

// add makes an entry. loading lets the operational attributes in.
func (d *Directory) add(dn identity.DN, attrs []Change, who string, loading bool) *Error {
	suffix, ok := d.suffixOf(dn)
	if !ok {
		return refuse(UnwillingToPerform, "no global superior knowledge")
	}
	if d.byKey[dn.Key()] != nil {
		return refuse(EntryAlreadyExists, "")
	}
	var parent *node
	if !dn.Equal(suffix) {
		if parent = d.byKey[dn.Parent().Key()]; parent == nil {
			return d.missing(dn)
		}
		// The parent's part of the name is spelled as the parent is.
		dn = identity.MustDN(rdnText(dn) + "," + parent.rec.dn.String())
	}
	r := &record{dn: dn}
	for _, c := range attrs {
		desc, ok := describe(c.Attr)
		switch {
		case !ok:
			return refuse(UndefinedAttributeType, "%s: not an attribute description", c.Attr)
		case d.keeps(desc, who) && !loading:
			return refuse(ConstraintViolation, "%s: no user modification allowed", desc)
		case len(c.Values) == 0:
			return refuse(ProtocolError, "%s: no values", desc)
		}
		if err := d.links(desc, &c); err != nil {
			return err
		}
		if err := r.add(desc, c.Values...); err != nil {
			return err
		}
	}
	if err := r.name(); err != nil {
		return err
	}
	if err := d.check(r); err != nil {
		return err
	}
	now := d.now().UTC().Format("20060102150405Z")
	for _, op := range []struct{ name, value string }{{"entryUUID", ""}, {"creatorsName", who}, {"createTimestamp", now}} {
		if r.get(strings.ToLower(op.name)) == nil {
			if op.name == "entryUUID" {
				op.value = newUUID()
			}
			r.set(op.name, op.value)
		}
	}
	if err := d.furnish(r, who); err != nil {
		return err
	}
	if old := r.first("entrycsn"); !loading || old == "" {
		d.stamp(r, who)
	} else {
		d.serial++
		d.csn = max(d.csn, old)
		d.knowCSN(old)
	}
	d.seq++
	n := &node{seq: d.seq, parent: parent, kids: map[*node]struct{}{}, rec: r}
	if parent != nil {
		parent.kids[n] = struct{}{}
	}
	d.place(n)
	d.committed(change{op: OpAdd, node: n, after: r, who: who})
	return nil
}

// name adds the naming values that the record lacks.
func (r *record) name() *Error {
	for _, ava := range r.dn.RDN() {
		d, ok := describe(ava.Type)
		if !ok {
			return refuse(NamingViolation, "%s: not an attribute description", ava.Type)
		}
		if a := r.get(d.key()); a == nil || a.find(d.norm(ava.Value)) < 0 {
			if err := r.add(d, ava.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// named says whether the record still has its naming values.
func (r *record) named() bool {
	for _, ava := range r.dn.RDN() {
		d, _ := describe(ava.Type)
		if a := r.get(d.key()); a == nil || a.find(d.norm(ava.Value)) < 0 {
			return false
		}
	}
	return true
}

// check holds what little of a schema there is.
func (d *Directory) check(r *record) *Error {
	if r.get("objectclass") == nil {
		return refuse(ObjectClassViolation, "no objectClass attribute")
	}
	if d.Strict {
		for class, attr := range map[string]string{"groupofnames": "member", "groupofuniquenames": "uniquemember"} {
			if r.is(class) && r.get(attr) == nil {
				return refuse(ObjectClassViolation, "object class '%s' requires attribute '%s'", class, attr)
			}
		}
	}
	return nil
}

// modify changes an entry. permissive takes what is so already for done.
func (d *Directory) modify(dn identity.DN, changes []Change, who string, permissive bool) *Error {
	n := d.byKey[dn.Key()]
	if n == nil {
		if _, ok := d.suffixOf(dn); !ok {
			return refuse(UnwillingToPerform, "no global superior knowledge")
		}
		return d.missing(dn)
	}
	r := n.rec.clone()
	for _, c := range changes {
		desc, ok := describe(c.Attr)
		if !ok {
			return refuse(UndefinedAttributeType, "%s: not an attribute description", c.Attr)
		}
		if d.keeps(desc, who) {
			return refuse(ConstraintViolation, "%s: no user modification allowed", desc)
		}
		if err := d.links(desc, &c); err != nil {
			return err
		}
		if permissive {
			c = r.lacking(c, desc)
			if c.Op != ReplaceValues && len(c.Values) == 0 && r.get(desc.key()) == nil {
				continue
			}
			if c.Op == AddValues && len(c.Values) == 0 {
				continue
			}
		}
		if err := r.apply(c, desc); err != nil {
			return d.linkError(desc, err)
		}
	}
	if !r.named() {
		return refuse(NamingViolation, "value of naming attribute is not present in entry")
	}
	if err := d.check(r); err != nil {
		return err
	}
	said := slices.ContainsFunc(changes, func(c Change) bool { return strings.EqualFold(c.Attr, "pwdLastSet") })
	if err := d.checkAccount(n.rec, r, said, who); err != nil {
		return err
	}
	before := n.rec
	d.stamp(r, who)
	d.replace(n, r)
	d.committed(change{op: OpModify, node: n, before: before, after: r, who: who, changes: changes})
	d.changedPrimaryGroup(n, before, who)
	return nil
}

// lacking is what is left to do of a change that may be done already.
func (r *record) lacking(c Change, desc desc) Change {
	a := r.get(desc.key())
	there := func(v string) bool { return a != nil && a.find(desc.norm(v)) >= 0 }
	if c.Op == ReplaceValues || c.Op == DeleteValues && len(c.Values) == 0 {
		return c
	}
	var values []string
	for _, v := range c.Values {
		if there(v) == (c.Op == DeleteValues) {
			values = append(values, v)
		}
	}
	if c.Op == DeleteValues && len(values) == 0 {
		// Nothing at all must not become the whole attribute.
		return Change{Op: AddValues, Attr: c.Attr}
	}
	c.Values = values
	return c
}

func (r *record) apply(c Change, desc desc) *Error {
	switch c.Op {
	case AddValues:
		if len(c.Values) == 0 {
			return refuse(ProtocolError, "modify/add operation (%s) requires values", desc)
		}
	case DeleteValues:
		if len(c.Values) == 0 && !r.drop(desc) {
			return refuse(NoSuchAttribute, "modify/delete: %s: no such attribute", desc)
		}
		for _, v := range c.Values {
			if err := r.remove(desc, v); err != nil {
				return err
			}
		}
		return nil
	case ReplaceValues:
		r.drop(desc)
	default:
		return refuse(ProtocolError, "unrecognized modify operation (%d)", c.Op)
	}
	return r.add(desc, c.Values...)
}

func (d *Directory) rename(dn identity.DN, newRDN string, deleteOld bool, superior identity.DN, who string) *Error {
	rdn, err := identity.ParseDN(newRDN)
	if err != nil || rdn.Depth() != 1 {
		return refuse(InvalidDNSyntax, "invalid DN: %s is not one RDN", newRDN)
	}
	n := d.byKey[dn.Key()]
	if n == nil {
		if _, ok := d.suffixOf(dn); !ok {
			return refuse(UnwillingToPerform, "no global superior knowledge")
		}
		return d.missing(dn)
	}
	parent := d.byKey[superior.Key()]
	switch {
	case n.parent == nil:
		return refuse(UnwillingToPerform, "a suffix is not renamed")
	case parent == nil:
		if _, ok := d.suffixOf(superior); !ok {
			return refuse(AffectsMultipleDSAs, "cannot rename between DSAs")
		}
		return refuse(NoSuchObject, "new superior not found")
	case parent.rec.dn.Within(n.rec.dn):
		return refuse(UnwillingToPerform, "new superior lies below the entry")
	}
	target := identity.MustDN(newRDN + "," + parent.rec.dn.String())
	if there := d.byKey[target.Key()]; there != nil && there != n {
		return refuse(EntryAlreadyExists, "")
	}
	r := n.rec.clone()
	if deleteOld {
		for _, ava := range r.dn.RDN() {
			desc, _ := describe(ava.Type)
			if err := r.remove(desc, ava.Value); err != nil {
				return err
			}
		}
	}
	r.dn = target
	if err := r.name(); err != nil {
		return err
	}
	if err := d.check(r); err != nil {
		return err
	}
	if d.domain != nil {
		r.nameAD()
	}
	before, old := n.rec, d.names(n)
	d.stamp(r, who)
	delete(n.parent.kids, n)
	n.parent = parent
	parent.kids[n] = struct{}{}
	d.replace(n, r)
	d.follow(n)
	d.relink(old)
	d.committed(change{op: OpRename, node: n, before: before, after: r, who: who})
	return nil
}

// follow gives everything below a renamed node its new name. As on slapd, the
// stamps of those entries stay as they were.
func (d *Directory) follow(n *node) {
	for k := range n.kids {
		r := k.rec.clone()
		r.dn = identity.MustDN(rdnText(r.dn) + "," + n.rec.dn.String())
		if d.domain != nil {
			r.nameAD()
		}
		d.replace(k, r)
		d.follow(k)
	}
}

func (d *Directory) delete(dn identity.DN, who string, tree bool) *Error {
	n := d.byKey[dn.Key()]
	if n == nil {
		if _, ok := d.suffixOf(dn); !ok {
			return refuse(UnwillingToPerform, "no global superior knowledge")
		}
		return d.missing(dn)
	}
	if tree {
		for k := range n.kids {
			if err := d.delete(k.rec.dn, who, true); err != nil {
				return err
			}
		}
	}
	if len(n.kids) > 0 {
		return refuse(NotAllowedOnNonLeaf, "subordinate objects must be deleted first")
	}
	if d.domain != nil {
		return d.bury(n, who)
	}
	if n.parent != nil {
		delete(n.parent.kids, n)
	}
	if d.refint {
		d.unlink(n)
	}
	before := n.rec
	d.unplace(n)
	d.tick()
	n.rec = nil
	d.committed(change{op: OpDelete, node: n, before: before, who: who})
	return nil
}
