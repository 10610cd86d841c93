package ldapd

// selection is the attribute list of a search (RFC 4511, section 4.5.1.8, and
// RFC 3673).
type selection struct {
	user        bool // *
	operational bool // +
	named       []desc
	typesOnly   bool
	ranges      map[string]valueRange // by attribute key
}

func selectAttributes(list []string, typesOnly bool) selection {
	sel := selection{user: len(list) == 0, typesOnly: typesOnly}
	for _, name := range list {
		switch name {
		case "*":
			sel.user = true
		case "+":
			sel.operational = true
		case "1.1":
		default:
			d, ok := describe(name)
			if !ok {
				continue
			}
			if r, rest, ok := d.cutRange(); ok {
				if sel.ranges == nil {
					sel.ranges = map[string]valueRange{}
				}
				sel.ranges[rest.key()], d = r, rest
			}
			sel.named = append(sel.named, d)
		}
	}
	return sel
}

func (s selection) has(d desc, v view) bool {
	operational := d.typ.operational && v.dir.domain == nil
	if operational && s.operational || !operational && s.user {
		return true
	}
	for _, n := range s.named {
		if n.covers(d, v.flat()) {
			return true
		}
	}
	return false
}

// computed says whether attributes are asked for that no record holds.
func (s selection) computed() bool {
	if s.operational {
		return true
	}
	for _, n := range s.named {
		if n.typ.operational {
			return true
		}
	}
	return false
}

// encode appends the SearchResultEntry of a result.
func (s selection) encode(e *encoder, id int, v view, r result) {
	msg := e.open(tagSequence)
	e.integer(tagInteger, id)
	op := e.open(opSearchEntry)
	name := r.name
	if name == "" {
		name = r.rec.dn.String()
	}
	e.octets(tagOctets, name)
	list := e.open(tagSequence)
	for _, attrs := range [2][]attr{r.rec.attrs, r.computed} {
		for i := range attrs {
			a := &attrs[i]
			if !s.has(a.desc, v) || v.hides(a.typ.key) {
				continue
			}
			if s.ranges != nil || len(a.values) > 1 && v.dir.domain != nil && !r.rec.dn.IsZero() {
				s.encodeRange(e, v, a)
				continue
			}
			s.encodeAttr(e, a.String(), a.values)
		}
	}
	e.close(list)
	e.close(op)
	if r.controls != nil {
		r.controls(e)
	}
	e.close(msg)
}

func (s selection) encodeAttr(e *encoder, name string, values []string) {
	at := e.open(tagSequence)
	e.octets(tagOctets, name)
	set := e.open(tagSet)
	if !s.typesOnly {
		for _, value := range values {
			e.octets(tagOctets, value)
		}
	}
	e.close(set)
	e.close(at)
}

// computed are the attributes that no record holds. The lock is held.
func (d *Directory) computed(n *node) []attr {
	one := func(name, value string) attr {
		x, _ := describe(name)
		return attr{desc: x, values: []string{value}}
	}
	kids := "FALSE"
	if len(n.kids) > 0 {
		kids = "TRUE"
	}
	out := []attr{one("entryDN", n.rec.dn.String()), one("hasSubordinates", kids)}
	if n.parent == nil && d.csn != "" {
		x := one("contextCSN", "")
		x.values = d.contextCSN()
		out = append(out, x)
	}
	return out
}
