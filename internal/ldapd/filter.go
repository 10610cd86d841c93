package ldapd

import "strings"

// filterKind is the choice of a filter (RFC 4511, section 4.5.1.7).
type filterKind uint8

const (
	filterAnd filterKind = iota
	filterOr
	filterNot
	filterEqual
	filterSubstrings
	filterGreater
	filterLess
	filterPresent
	filterApprox
	filterExtensible
)

// maxFilterDepth bounds the nesting that a client may send.
const maxFilterDepth = 100

// filter is one node of a decoded filter. Assertions are normal already; bad
// marks one that can match nothing, nor can its opposite.
type filter struct {
	kind  filterKind
	parts []filter // of and, or, not

	attr    desc
	noAttr  bool // extensible without a type
	value   string
	bad     bool
	initial *string
	any     []string
	final   *string

	chain bool // extensible: over any number of links, in Active Directory
	bits  bool // extensible: bit rules of Active Directory
	every bool // all bits, else any
	rule  rule // the rule to match with
	dn    bool // extensible: the entry's own name, too
	class bool // equality of objectClass
}

// decodeFilter reads a filter. An error is a protocol error; an assertion in
// the wrong syntax is not.
func decodeFilter(d *decoder, depth int) (filter, error) {
	if depth > maxFilterDepth {
		return filter{}, errBER
	}
	e := d.any()
	if d.err != nil {
		return filter{}, d.err
	}
	in := decoder{rest: e.body}
	f := filter{}
	switch e.tag {
	case 0xa0, 0xa1:
		f.kind = filterAnd
		if e.tag == 0xa1 {
			f.kind = filterOr
		}
		for in.more() {
			p, err := decodeFilter(&in, depth+1)
			if err != nil {
				return filter{}, err
			}
			f.parts = append(f.parts, p)
		}
	case 0xa2:
		f.kind = filterNot
		p, err := decodeFilter(&in, depth+1)
		if err != nil {
			return filter{}, err
		}
		f.parts = []filter{p}
	case 0xa3, 0xa5, 0xa6, 0xa8:
		f.kind = map[byte]filterKind{0xa3: filterEqual, 0xa5: filterGreater, 0xa6: filterLess, 0xa8: filterApprox}[e.tag]
		f.assert(in.text(tagOctets), in.text(tagOctets))
	case 0xa4:
		f.kind = filterSubstrings
		f.decodeSubstrings(&in)
	case 0x87:
		f.kind = filterPresent
		f.describe(string(e.body))
		return f, nil
	case 0xa9:
		f.kind = filterExtensible
		f.decodeExtensible(&in)
	default:
		return filter{}, errBER
	}
	return f, in.end()
}

func (f *filter) describe(name string) {
	d, ok := describe(name)
	f.attr, f.rule = d, 0
	if !ok {
		f.bad = true
		return
	}
	f.rule = d.typ.rule
	f.class = f.rule == ruleOID
}

func (f *filter) assert(name, value string) {
	f.describe(name)
	if f.bad {
		return
	}
	ordered := f.kind == filterGreater || f.kind == filterLess
	if f.rule == ruleNone || ordered && !f.attr.typ.ordering {
		f.bad = true
		return
	}
	v, ok := f.rule.normal(value)
	f.value, f.bad = v, !ok
}

func (f *filter) decodeSubstrings(in *decoder) {
	f.describe(in.text(tagOctets))
	if !f.bad && !f.attr.typ.substrings {
		f.bad = true
	}
	fold := f.rule != ruleExact
	parts := in.sub(tagSequence)
	if in.err != nil || !parts.more() {
		in.fail()
		return
	}
	for parts.more() {
		e := parts.any()
		v := string(e.body)
		left, right := e.tag != 0x80, e.tag != 0x82
		if f.rule == rulePhone {
			v, _ = rulePhone.normal(v)
		} else {
			v = prepare(v, fold, left, right)
		}
		switch {
		case e.tag == 0x80 && f.initial == nil && f.any == nil && f.final == nil:
			f.initial = &v
		case e.tag == 0x81 && f.final == nil:
			f.any = append(f.any, v)
		case e.tag == 0x82 && f.final == nil:
			f.final = &v
		default:
			parts.fail()
		}
	}
	if parts.end() != nil {
		in.fail()
	}
}

// oidInChain is the rule that follows links.
const oidInChain = "1.2.840.113556.1.4.1941"

// matchingRules that an extensible filter may name, with what they do here.
var matchingRules = map[string]rule{
	"caseignorematch": ruleIgnore, "2.5.13.2": ruleIgnore,
	"caseexactmatch": ruleExact, "2.5.13.5": ruleExact,
	"caseignoreia5match": ruleIgnore, "1.3.6.1.4.1.1466.109.114.2": ruleIgnore,
	"caseexactia5match": ruleExact, "1.3.6.1.4.1.1466.109.114.1": ruleExact,
	"distinguishednamematch": ruleDN, "2.5.13.1": ruleDN,
	"integermatch": ruleInteger, "2.5.13.14": ruleInteger,
	"1.2.840.113556.1.4.803": ruleInteger, "1.2.840.113556.1.4.804": ruleInteger,
	oidInChain: ruleDN,
}

func (f *filter) decodeExtensible(in *decoder) {
	var ruleName, value string
	f.noAttr = true
	if in.peek() == 0x81 {
		ruleName = in.text(0x81)
	}
	if in.peek() == 0x82 {
		f.noAttr = false
		f.describe(in.text(0x82))
	}
	value = in.text(0x83)
	if in.peek() == 0x84 {
		f.dn = in.boolean(0x84)
	}
	if in.err != nil || f.bad {
		return
	}
	if ruleName == "" && f.noAttr {
		in.fail()
		return
	}
	if ruleName != "" {
		r, ok := matchingRules[strings.ToLower(ruleName)]
		if !ok || !f.noAttr && (r == ruleInteger || r == ruleDN) != (f.attr.typ.rule == r) {
			f.bad = true
			return
		}
		f.rule, f.class = r, false
		f.bits = ruleName == "1.2.840.113556.1.4.803" || ruleName == "1.2.840.113556.1.4.804"
		f.every = ruleName == "1.2.840.113556.1.4.803"
		f.chain = ruleName == oidInChain
	}
	if f.rule == ruleNone {
		f.bad = true
		return
	}
	v, ok := f.rule.normal(value)
	f.value, f.bad = v, !ok
}
