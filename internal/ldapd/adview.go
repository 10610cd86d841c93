package ldapd

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// computedAD are the attributes that no record holds and that were asked for.
// The lock is held.
func (v view) computedAD(n *node, sel selection) []attr {
	d := v.dir
	var out []attr
	give := func(name string, values ...string) {
		x, _ := describe(name)
		if len(values) > 0 {
			out = append(out, attr{desc: x, values: values})
		}
	}
	asked := func(key string) bool {
		return slices.ContainsFunc(sel.named, func(x desc) bool { return x.typ.key == key })
	}
	for from, to := range linked {
		if key := strings.ToLower(to); sel.user || asked(key) {
			var values []string
			back := slices.Clone(d.backlinks(from, n.rec.dn))
			slices.SortFunc(back, func(a, b *node) int { return cmp.Compare(a.seq, b.seq) })
			for _, h := range back {
				if !v.concealed(h.rec.dn) {
					values = append(values, h.rec.dn.String())
				}
			}
			give(to, values...)
		}
	}
	if asked("parentguid") && n.parent != nil {
		give("parentGUID", n.parent.rec.first("objectguid"))
	}
	if asked("repluptodatevector") && n.rec.dn.Equal(d.domain.nc) {
		give("replUpToDateVector", d.domain.vector(d.now()))
	}
	if asked("primarygrouptoken") && n.rec.is("group") {
		give("primaryGroupToken", ridOf(n.rec.first("objectsid")))
	}
	if asked("msds-user-account-control-computed") && n.rec.is("user") {
		state := 0
		if t := n.rec.first("lockouttime"); t != "" && t != "0" {
			state |= 0x10
		}
		if n.rec.first("pwdlastset") == "0" {
			state |= 0x800000
		}
		give("msDS-User-Account-Control-Computed", strconv.Itoa(state))
	}
	return out
}

func ridOf(sid string) string {
	if len(sid) < 4 {
		return ""
	}
	return strconv.FormatUint(uint64(binary.LittleEndian.Uint32([]byte(sid[len(sid)-4:]))), 10)
}

// matchAD evaluates what is a matter of Active Directory alone. ok is false
// when it is not.
func (v view) matchAD(f *filter, r *record) (t truth, ok bool) {
	key := f.attr.typ.key
	if key == "objectcategory" && f.kind == filterEqual {
		a := r.get(key)
		return of(a != nil && (a.norms[0] == f.value || categoryOf(f.value) == categoryName(a.values[0]))), true
	}
	for from, to := range linked {
		if strings.ToLower(to) != key {
			continue
		}
		back := v.dir.backlinks(from, r.dn)
		switch {
		case f.kind == filterPresent:
			return of(len(back) > 0), true
		case f.kind == filterEqual || f.kind == filterExtensible && !f.chain:
			return of(slices.ContainsFunc(back, func(n *node) bool { return n.rec.dn.Key() == f.value })), true
		case f.kind == filterExtensible:
			return of(v.dir.reaches(from, f.value, r.dn.Key(), map[string]bool{})), true
		}
	}
	if f.chain {
		return of(v.dir.reaches(key, r.dn.Key(), f.value, map[string]bool{})), true
	}
	return isUndefined, false
}

// reaches says whether links lead from one entry to another, over others.
func (d *Directory) reaches(attr, from, to string, seen map[string]bool) bool {
	n := d.byKey[from]
	if n == nil || seen[from] {
		return false
	}
	seen[from] = true
	a := n.rec.get(attr)
	if a == nil {
		return false
	}
	return slices.ContainsFunc(a.norms, func(next string) bool { return next == to || d.reaches(attr, next, to, seen) })
}

// categoryOf is the name of the category that a class belongs to.
func categoryOf(class string) string {
	if c, ok := adClasses[class]; ok {
		return strings.ToLower(c.category)
	}
	return class
}

func categoryName(dn string) string {
	name, err := identity.ParseDN(dn)
	if err != nil || name.IsZero() {
		return dn
	}
	return strings.ToLower(name.RDN()[0].Value)
}

// extend puts objectGUID and objectSid before each name in a result, as the
// control for extended names asks: as hex, or as text.
func (d *Directory) extend(r *result, value []byte) {
	text := false
	if len(value) > 0 {
		in := decoder{rest: value}
		seq := in.sub(tagSequence)
		text = seq.integer(tagInteger) == 1 && seq.err == nil
	}
	r.name = d.extended(r.rec.dn, text)
	rec := r.rec.clone()
	for i := range rec.attrs {
		if rec.attrs[i].typ.rule == ruleDN {
			rec.attrs[i] = d.extendedAttr(rec.attrs[i], text)
		}
	}
	computed := slices.Clone(r.computed)
	for i := range computed {
		if computed[i].typ.rule == ruleDN {
			computed[i] = d.extendedAttr(computed[i], text)
		}
	}
	r.rec, r.computed = rec, computed
}

func (d *Directory) extendedAttr(a attr, text bool) attr {
	out := attr{desc: a.desc, norms: a.norms}
	for _, v := range a.values {
		if dn, err := identity.ParseDN(v); err == nil {
			v = d.extended(dn, text)
		}
		out.values = append(out.values, v)
	}
	return out
}

func (d *Directory) extended(dn identity.DN, text bool) string {
	n := d.byKey[dn.Key()]
	if n == nil {
		return dn.String()
	}
	guid, sid := n.rec.first("objectguid"), n.rec.first("objectsid")
	out := "<GUID=" + hex.EncodeToString([]byte(guid)) + ">;"
	if text {
		out = "<GUID=" + uuidOf(guid) + ">;"
	}
	switch {
	case sid != "" && text:
		out += "<SID=" + textSID(sid) + ">;"
	case sid != "":
		out += "<SID=" + hex.EncodeToString([]byte(sid)) + ">;"
	}
	return out + dn.String()
}

// textSID is the opposite of parseSID.
func textSID(sid string) string {
	b := []byte(sid)
	if len(b) < 8 || len(b) != 8+4*int(b[1]) {
		return ""
	}
	out := "S-1-" + strconv.FormatUint(binary.BigEndian.Uint64(append([]byte{0, 0}, b[2:8]...)), 10)
	for i := 8; i < len(b); i += 4 {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[i:])), 10)
	}
	return out
}

// subordinates sends the references to the other naming contexts, which lie
// below the domain in name only.
func (a *answer) subordinates(refused *Error) error {
	d := a.srv.dir
	m := d.domain
	if m == nil || refused != nil || d.AD.NoReferrals || a.rootDSE || a.req.scope != scopeSub || !a.base.Equal(m.nc) || a.domainScope() {
		return nil
	}
	nc := m.nc.String()
	for _, url := range []string{
		"ldap://ForestDnsZones." + m.dns + "/DC=ForestDnsZones," + nc, "ldap://DomainDnsZones." + m.dns + "/DC=DomainDnsZones," + nc,
		"ldap://" + m.dns + "/CN=Configuration," + nc,
	} {
		a.enc.buf = a.enc.buf[:0]
		a.reference(url)
		if err := a.write(a.enc.buf); err != nil {
			return err
		}
	}
	return nil
}

// domainScope says whether the client wants no references.
func (a *answer) domainScope() bool {
	if a.w.msg.control(oidDomainScope) != nil {
		return true
	}
	c := a.w.msg.control(oidSearchOption)
	if c == nil {
		return false
	}
	in := decoder{rest: c.value}
	seq := in.sub(tagSequence)
	return seq.integer(tagInteger)&1 != 0 && seq.err == nil
}
