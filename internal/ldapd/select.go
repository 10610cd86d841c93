package ldapd

// selection is the attribute list of a search (RFC 4511, section 4.5.1.8, and
// RFC 3673).
type selection struct {
	user        bool // *
	operational bool // +
	named       []desc
	typesOnly   bool
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
			if d, ok := describe(name); ok {
				sel.named = append(sel.named, d)
			}
		}
	}
	return sel
}

func (s selection) has(d desc) bool {
	if d.typ.operational && s.operational || !d.typ.operational && s.user {
		return true
	}
	for _, n := range s.named {
		if n.covers(d) {
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

// encode appends the SearchResultEntry of a record.
func (s selection) encode(e *encoder, id int, v view, r *record, computed []attr) {
	msg := e.open(tagSequence)
	e.integer(tagInteger, id)
	op := e.open(opSearchEntry)
	e.octets(tagOctets, r.dn.String())
	list := e.open(tagSequence)
	for _, attrs := range [2][]attr{r.attrs, computed} {
		for i := range attrs {
			a := &attrs[i]
			if !s.has(a.desc) || v.hides(a.typ.key) {
				continue
			}
			at := e.open(tagSequence)
			e.octets(tagOctets, a.String())
			set := e.open(tagSet)
			if !s.typesOnly {
				for _, value := range a.values {
					e.octets(tagOctets, value)
				}
			}
			e.close(set)
			e.close(at)
		}
	}
	e.close(list)
	e.close(op)
	e.close(msg)
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
		out = append(out, one("contextCSN", d.csn))
	}
	return out
}

// rootDSE is the entry that tells what the server can (RFC 4512, section 5.1).
func (s *Server) rootDSE() *record {
	r := &record{}
	r.set("objectClass", "top")
	for _, a := range []struct {
		name   string
		values []string
	}{
		{"namingContexts", s.dir.Suffixes()},
		{"supportedControl", []string{oidPaged, oidManageDSA}},
		{"supportedExtension", []string{oidStartTLS, oidWhoAmI}},
		{"supportedFeatures", []string{"1.3.6.1.4.1.4203.1.5.1"}},
		{"supportedLDAPVersion", []string{"3"}},
		{"supportedSASLMechanisms", []string{"EXTERNAL"}},
		{"vendorName", []string{"rosterd"}},
	} {
		if len(a.values) == 0 {
			continue
		}
		d, _ := describe(a.name)
		typ := *d.typ
		typ.operational = true
		r.attrs = append(r.attrs, attr{desc: desc{typ: &typ}, values: a.values, norms: a.values})
	}
	return r
}
