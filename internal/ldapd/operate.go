package ldapd

import (
	"sync"

	"github.com/rosterd/rosterd/identity"
)

// operate answers a compare or a write.
func (s *session) operate(w work) error {
	name, run, err := s.decodeOperation(w.msg)
	if err != nil {
		return err
	}
	dn, refused := s.parseName(name)
	if refused != nil {
		return s.reply(w.msg, refused, nil, nil)
	}
	do := sync.OnceValue(func() *Error {
		if refused := s.mayOperate(w.msg, dn); refused != nil {
			return refused
		}
		return run(dn)
	})
	var apply func()
	if ops[w.msg.tag].op.write() {
		apply = func() { do() }
	}
	if proceed, err := s.fault(w, dn, apply); !proceed {
		return err
	}
	return s.reply(w.msg, do(), nil, nil)
}

func (s *session) mayOperate(m *message, dn identity.DN) *Error {
	write := ops[m.tag].op.write()
	switch {
	case s.srv.dir.domain != nil && s.bound.IsZero():
		return errNotBound()
	case write && s.bound.IsZero():
		return refuse(StrongerAuthRequired, "modifications require authentication")
	case s.bound.IsZero() && s.srv.opts.NoAnonymous:
		return refuse(InsufficientAccessRights, "")
	case dn.IsZero() && write:
		return refuse(UnwillingToPerform, "root DSE is not modified")
	}
	if m.manageDSA {
		return nil
	}
	s.srv.dir.mu.RLock()
	defer s.srv.dir.mu.RUnlock()
	if r := s.srv.dir.referral(dn); r != nil {
		return referTo(r)
	}
	return nil
}

// decodeOperation reads the request whole and returns the entry it is about
// and what to do with it.
func (s *session) decodeOperation(m *message) (name string, run func(identity.DN) *Error, err error) {
	d := decoder{rest: m.body}
	dir := s.srv.dir
	locked := func(f func(dn identity.DN, who string) *Error) func(identity.DN) *Error {
		who := s.bound.String()
		return func(dn identity.DN) *Error {
			dir.mu.Lock()
			defer dir.mu.Unlock()
			return f(dn, who)
		}
	}
	switch m.tag {
	case opDeleteRequest:
		tree := m.control(oidTreeDelete) != nil
		return string(m.body), locked(func(dn identity.DN, who string) *Error { return dir.delete(dn, who, tree) }), nil
	case opAddRequest:
		name = d.text(tagOctets)
		list := d.sub(tagSequence)
		var attrs []Change
		for list.more() {
			attrs = append(attrs, decodeAttribute(&list))
		}
		run = locked(func(dn identity.DN, who string) *Error {
			if refused := s.passwords(attrs); refused != nil {
				return refused
			}
			return dir.add(dn, attrs, who, false)
		})
		return name, run, firstError(d, list)
	case opModifyRequest:
		name = d.text(tagOctets)
		list := d.sub(tagSequence)
		var changes []Change
		for list.more() {
			item := list.sub(tagSequence)
			op := ChangeOp(item.integer(tagEnumerated))
			c := decodeAttribute(&item)
			c.Op = op
			changes = append(changes, c)
			if err := item.end(); err != nil {
				return "", nil, err
			}
		}
		permissive := m.control(oidPermissive) != nil
		run = locked(func(dn identity.DN, who string) *Error {
			if refused := s.passwords(changes); refused != nil {
				return refused
			}
			return dir.modify(dn, changes, who, permissive)
		})
		return name, run, firstError(d, list)
	case opRenameRequest:
		name = d.text(tagOctets)
		rdn, deleteOld := d.text(tagOctets), d.boolean(tagBoolean)
		superior, moved := "", d.peek() == 0x80
		if moved {
			superior = d.text(0x80)
		}
		run = locked(func(dn identity.DN, who string) *Error {
			to := dn.Parent()
			if moved {
				var refused *Error
				if to, refused = s.parseName(superior); refused != nil {
					return refused
				}
			}
			return dir.rename(dn, rdn, deleteOld, to, who)
		})
		return name, run, d.end()
	}
	// Compare is all that is left.
	name = d.text(tagOctets)
	ava := d.sub(tagSequence)
	attr, value := ava.text(tagOctets), ava.text(tagOctets)
	return name, func(dn identity.DN) *Error { return s.compare(dn, attr, value) }, firstError(d, ava)
}

func decodeAttribute(d *decoder) Change {
	a := d.sub(tagSequence)
	c := Change{Attr: a.text(tagOctets)}
	values := a.sub(tagSet)
	for values.more() {
		c.Values = append(c.Values, values.text(tagOctets))
	}
	if firstError(a, values) != nil {
		d.fail()
	}
	return c
}

// firstError ends both decoders.
func firstError(outer, inner decoder) error {
	if err := inner.end(); err != nil {
		return err
	}
	return outer.end()
}

// compare is the compare operation (RFC 4511, section 4.10).
func (s *session) compare(dn identity.DN, attribute, value string) *Error {
	dir := s.srv.dir
	d, ok := describe(attribute)
	dir.mu.RLock()
	defer dir.mu.RUnlock()
	v := s.view()
	n := dir.byKey[dn.Key()]
	switch {
	case n == nil || v.concealed(dn):
		return dir.missing(dn)
	case !ok || !dir.knows(d.typ):
		return refuse(UndefinedAttributeType, "%s: attribute type undefined", attribute)
	case d.typ.rule == ruleNone:
		return refuse(InappropriateMatching, "inappropriate matching request")
	}
	norm, ok := d.typ.rule.normal(value)
	if !ok {
		return refuse(InvalidAttributeSyntax, "%s: value is not in its syntax", d)
	}
	found := false
	for i := range n.rec.attrs {
		a := &n.rec.attrs[i]
		if !d.covers(a.desc, v.flat()) || v.hides(a.typ.key) {
			continue
		}
		found = true
		if a.find(norm) >= 0 {
			return refuse(CompareTrue, "")
		}
	}
	if !found {
		return refuse(NoSuchAttribute, "")
	}
	return refuse(CompareFalse, "")
}
