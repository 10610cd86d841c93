package ldapwire

import "strings"

// attributeName is an attribute description (RFC 4512, section 2.5) as it was
// met, taken apart once.
type attributeName struct {
	base    string   // in lower case
	options []string // in lower case
	ranged  bool     // it is a part of the values: ";range=" (Active Directory)
	part    span     // which, if it can be understood
	seen    uint64   // the entry in which it was met last
}

// names interns attribute descriptions, so that a listing of a million entries
// makes a dozen strings for them.
type names struct {
	table map[string]*attributeName
	entry uint64
}

// maxNames bounds the table against a server that makes them up.
const maxNames = 4096

// lookup returns the description, and whether it is new in this entry.
func (n *names) lookup(b []byte) (name *attributeName, fresh bool) {
	name = n.table[string(b)]
	if name == nil {
		if n.table == nil || len(n.table) >= maxNames {
			n.table = make(map[string]*attributeName)
		}
		text := strings.ToLower(string(b))
		parts := strings.Split(text, ";")
		// One name, one object, in whatever case it comes.
		if name = n.table[text]; name == nil {
			name = &attributeName{base: parts[0]}
			for _, o := range parts[1:] {
				limits, ranged := strings.CutPrefix(o, "range=")
				if !ranged {
					name.options = append(name.options, o)
					continue
				}
				name.part = parseSpan(limits)
				if name.ranged {
					name.part = span{}
				}
				name.ranged = true
			}
			n.table[text] = name
		}
		n.table[string(b)] = name
	}
	fresh = name.seen != n.entry
	name.seen = n.entry
	return name, fresh
}
