package ldapd

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
)

// attr is one attribute of an entry. norms are the values made ready for
// comparison, in the same order.
type attr struct {
	desc
	values []string
	norms  []string
}

// find returns where the value is, -1 when it is not there.
func (a *attr) find(norm string) int { return slices.Index(a.norms, norm) }

// record is one state of an entry. It is never changed once a search may see
// it, so that results can be sent without a lock.
type record struct {
	dn    identity.DN
	attrs []attr
}

// get returns the attribute with exactly this description.
func (r *record) get(key string) *attr {
	for i := range r.attrs {
		if a := &r.attrs[i]; a.typ.key == key && len(a.options) == 0 || len(a.options) > 0 && a.key() == key {
			return a
		}
	}
	return nil
}

// first returns the first value of the attribute, or "".
func (r *record) first(key string) string {
	if a := r.get(key); a != nil {
		return a.values[0]
	}
	return ""
}

// is says whether the entry has the object class, in lower case.
func (r *record) is(class string) bool {
	a := r.get("objectclass")
	return a != nil && a.find(class) >= 0
}

// clone returns a copy whose attributes may be replaced, added and taken out,
// while their values are still shared.
func (r *record) clone() *record {
	return &record{dn: r.dn, attrs: slices.Clone(r.attrs)}
}

// norm makes a value ready for comparison; one that is not in the syntax of
// the attribute is kept as it is, since nothing here checks a schema.
func (d desc) norm(value string) string {
	n, ok := d.typ.rule.normal(value)
	if !ok {
		return value
	}
	return n
}

// add appends values. The error is one of the protocol's.
func (r *record) add(d desc, values ...string) *Error {
	at := slices.IndexFunc(r.attrs, func(a attr) bool { return a.key() == d.key() })
	var a attr
	if at >= 0 {
		a = r.attrs[at]
	} else {
		a.desc = d
	}
	// A scan is faster for a few values, and quadratic for a whole group.
	var there map[string]bool
	if len(values) > 32 {
		there = make(map[string]bool, len(a.norms)+len(values))
		for _, n := range a.norms {
			there[n] = true
		}
		a.values, a.norms = slices.Grow(a.values, len(values)), slices.Grow(a.norms, len(values))
	}
	for _, v := range values {
		n, ok := d.typ.rule.normal(v)
		switch {
		case !ok && v == "" && (d.typ.rule == ruleIgnore || d.typ.rule == ruleExact):
			return refuse(InvalidAttributeSyntax, "%s: an empty value is not a directory string", d)
		case !ok && d.typ.rule == ruleDN:
			return refuse(InvalidAttributeSyntax, "%s: value is not a distinguished name", d)
		case !ok:
			n = v // nothing here checks a schema
		}
		if there == nil && a.find(n) >= 0 || there[n] {
			return refuse(AttributeOrValueExists, "%s: value already exists", d)
		}
		if there != nil {
			there[n] = true
		}
		// Appending never touches what older records see of the same array.
		a.values, a.norms = append(a.values, v), append(a.norms, n)
	}
	switch {
	case at >= 0:
		r.attrs[at] = a
	case len(a.values) > 0:
		r.attrs = append(r.attrs, a)
	}
	return nil
}

// remove takes one value out.
func (r *record) remove(d desc, value string) *Error {
	a := r.get(d.key())
	if a == nil {
		return refuse(NoSuchAttribute, "%s: no such attribute", d)
	}
	i := a.find(d.norm(value))
	if i < 0 {
		return refuse(NoSuchAttribute, "%s: no such value", d)
	}
	if len(a.values) == 1 {
		r.drop(d)
		return nil
	}
	a.values = slices.Concat(a.values[:i], a.values[i+1:])
	a.norms = slices.Concat(a.norms[:i], a.norms[i+1:])
	return nil
}

// drop takes the whole attribute out and says whether it was there.
func (r *record) drop(d desc) bool {
	key := d.key()
	i := slices.IndexFunc(r.attrs, func(a attr) bool { return a.key() == key })
	if i >= 0 {
		r.attrs = slices.Delete(r.attrs, i, i+1)
	}
	return i >= 0
}

// set replaces the values of an attribute that the server keeps.
func (r *record) set(name string, values ...string) {
	d, _ := describe(name)
	r.drop(d)
	a := attr{desc: d, values: values}
	for _, v := range values {
		a.norms = append(a.norms, d.norm(v))
	}
	r.attrs = append(r.attrs, a)
}

// entry gives the record out, with the operational attributes or without.
func (r *record) entry(operational bool) ldif.Entry {
	e := ldif.Entry{DN: r.dn.String()}
	for i := range r.attrs {
		if a := &r.attrs[i]; operational || !a.typ.operational {
			e.Attrs = append(e.Attrs, ldif.Attr{Name: a.String(), Values: slices.Clone(a.values)})
		}
	}
	return e
}

// rdnText is the first RDN as it was written.
func rdnText(dn identity.DN) string {
	s, parent := dn.String(), dn.Parent().String()
	if parent == "" {
		return s
	}
	s = strings.TrimRight(s[:len(s)-len(parent)], " ")
	return s[:len(s)-1]
}
