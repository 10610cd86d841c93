package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DN is a distinguished name (RFC 4514). It is an attribute of an entry, never
// its identity: entries are renamed and moved. Two spellings of one name are
// compared by Equal or Key and by nothing else; == does not compile.
//
// The zero value is the root, the empty name. A DN is immutable.
type DN struct {
	_   [0]func()
	raw string
	key string
}

// AVA is one attribute type and value of an RDN. Type is in lower case, with
// its usual short name where it has one; Value is unescaped, as it was written.
type AVA struct{ Type, Value string }

// ParseDN reads a name in the form of RFC 4514, and in that of LDAPv2 where it
// is not ambiguous: quoted values, ";" for ",", blanks around separators, an
// "oid." before a number. The empty text is the root.
func ParseDN(s string) (DN, error) {
	var space [256]byte
	p := dnParser{in: s}
	key, err := p.name(space[:0])
	if err != nil {
		return DN{}, fmt.Errorf("parse DN %.300q: at byte %d: %w", s, p.pos+1, err)
	}
	if string(key) == s {
		return DN{raw: s, key: s}, nil
	}
	return DN{raw: s, key: string(key)}, nil
}

// MustDN is ParseDN for constants and tests. It panics if s is not a name.
func MustDN(s string) DN {
	dn, err := ParseDN(s)
	if err != nil {
		panic(err)
	}
	return dn
}

// Key is the canonical text of the name: two DNs are equal if and only if their
// keys are. Attribute types have their short names in lower case; values are
// prepared for comparison as RFC 4518 says for caseIgnoreMatch; the parts of a
// multi-valued RDN are sorted; a separator inside a value is a hex pair. So
// every comma in a key separates two RDNs, and the key of a child ends in a
// comma and the key of its parent. A key is itself a name with that key.
func (d DN) Key() string { return d.key }

// String is the name as it was written.
func (d DN) String() string { return d.raw }

// Equal says whether both are spellings of one name.
func (d DN) Equal(o DN) bool { return d.key == o.key }

// IsZero says whether the name is the root.
func (d DN) IsZero() bool { return d.key == "" }

// Depth is the number of RDNs; the root has none.
func (d DN) Depth() int {
	if d.key == "" {
		return 0
	}
	return strings.Count(d.key, ",") + 1
}

// Parent is the name without its first RDN; that of the root is the root.
func (d DN) Parent() DN {
	i := strings.IndexByte(d.key, ',')
	if i < 0 {
		return DN{}
	}
	_, rest := cutRDN(d.raw)
	return DN{raw: rest, key: d.key[i+1:]}
}

// Within says whether the name is base or lies below it. Everything lies
// within the root.
func (d DN) Within(base DN) bool {
	if !strings.HasSuffix(d.key, base.key) {
		return false
	}
	n := len(d.key) - len(base.key)
	return n == 0 || base.key == "" || d.key[n-1] == ','
}

// RDN is the first RDN, its parts in the order in which they were written; nil
// for the root.
func (d DN) RDN() []AVA {
	if d.key == "" {
		return nil
	}
	var out []AVA
	first, _ := cutRDN(d.raw)
	p := dnParser{in: first, out: &out}
	if _, err := p.name(nil); err != nil {
		panic("identity: a DN that was parsed no longer parses: " + err.Error())
	}
	return out
}

// cutRDN splits a valid name behind its first RDN.
func cutRDN(raw string) (first, rest string) {
	quoted := false
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',', ';':
			if !quoted {
				return raw[:i], strings.TrimLeft(raw[i+1:], " ")
			}
		}
	}
	return raw, ""
}

// JoinRDN makes the name of the child of parent with this naming attribute. It
// panics if attr is not an attribute type (ValidType): it comes from the
// configuration, which has checked it.
func JoinRDN(attr, value string, parent DN) DN {
	s := attr + "=" + EscapeValue(value)
	if !parent.IsZero() {
		s += "," + parent.raw
	}
	return MustDN(s)
}

// ValidType says whether s can stand as the attribute type in a name.
func ValidType(s string) bool {
	p := dnParser{in: s + "="}
	_, err := p.attributeType()
	return err == nil && p.pos == len(s)+1 && s == strings.TrimSpace(s)
}

var (
	errNoType  = errors.New("expected an attribute type and \"=\"")
	errEscape  = errors.New("a backslash must be followed by a special character or two hex digits")
	errHex     = errors.New("expected pairs of hex digits after \"#\"")
	errQuote   = errors.New("unbalanced quote")
	errTooLate = errors.New("expected \",\" or the end")
	errNUL     = errors.New("a NUL must be escaped")
)

// dnParser reads in, from pos on. What it reads it appends to the key, which
// goes through its methods by value so that it can stay on the stack, and to
// out, if that is set.
type dnParser struct {
	in  string
	pos int
	out *[]AVA
}

func (p *dnParser) name(key []byte) ([]byte, error) {
	p.blanks()
	if p.pos == len(p.in) {
		return key, nil
	}
	start := len(key) // of the RDN
	var cuts []int    // where the AVAs of an RDN begin, if it has several
	for {
		typ, err := p.attributeType()
		if err != nil {
			return key, err
		}
		key = append(append(key, typ...), '=')
		if key, err = p.value(key, typ); err != nil {
			return key, err
		}
		sep := byte(0)
		if p.pos < len(p.in) {
			sep = p.in[p.pos]
			p.pos++
		}
		if sep == '+' {
			if len(cuts) == 0 {
				cuts = append(cuts, start)
			}
			key = append(key, '+')
			cuts = append(cuts, len(key))
			continue
		}
		if len(cuts) > 0 {
			sortRDN(key, cuts)
			cuts = cuts[:0]
		}
		switch sep {
		case 0:
			return key, nil
		case ',', ';':
			key = append(key, ',')
			start = len(key)
		default:
			p.pos--
			return key, errTooLate
		}
	}
}

// sortRDN puts the AVAs of the last RDN in key into their canonical order.
func sortRDN(key []byte, cuts []int) {
	parts := make([]string, len(cuts))
	for i, at := range cuts {
		end := len(key)
		if i+1 < len(cuts) {
			end = cuts[i+1] - 1
		}
		parts[i] = string(key[at:end])
	}
	slices.Sort(parts)
	copy(key[cuts[0]:], strings.Join(parts, "+"))
}

func (p *dnParser) blanks() {
	for p.pos < len(p.in) && p.in[p.pos] == ' ' {
		p.pos++
	}
}

// attributeType reads a type and the "=" after it, and returns its canonical
// name.
func (p *dnParser) attributeType() (string, error) {
	p.blanks()
	start, upper := p.pos, false
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		if !isAlpha(c) && !isDigit(c) && c != '-' && c != '.' && c != '_' {
			break
		}
		upper = upper || 'A' <= c && c <= 'Z'
		p.pos++
	}
	typ := p.in[start:p.pos]
	p.blanks()
	if typ == "" || p.pos == len(p.in) || p.in[p.pos] != '=' {
		return "", errNoType
	}
	p.pos++
	if upper {
		typ = lowerType(typ)
	}
	if strings.HasPrefix(typ, "oid.") {
		typ = typ[len("oid."):]
	}
	switch {
	case typ == "":
		return "", errNoType
	case isDigit(typ[0]):
		if !numericOID(typ) {
			return "", errNoType
		}
	case !isAlpha(typ[0]) || strings.IndexByte(typ, '.') >= 0:
		return "", errNoType
	}
	return shortName(typ), nil
}

// value reads one value, up to the separator or the end.
func (p *dnParser) value(key []byte, typ string) ([]byte, error) {
	p.blanks()
	if p.pos < len(p.in) {
		switch p.in[p.pos] {
		case '#':
			return p.hexValue(key, typ)
		case '"':
			return p.quotedValue(key, typ)
		}
	}
	if p.out == nil {
		if plain, ok := p.plainValue(key); ok {
			return plain, nil
		}
	}
	var buf []byte
	keep := 0 // up to here blanks are escaped, or followed by something
	for ; p.pos < len(p.in); p.pos++ {
		c := p.in[p.pos]
		switch c {
		case ',', ';', '+':
			return p.store(key, typ, string(buf[:keep])), nil
		case '"':
			return key, errQuote
		case 0:
			return key, errNUL
		case '\\':
			d, err := p.escaped()
			if err != nil {
				return key, err
			}
			buf = append(buf, d)
			keep = len(buf)
			continue
		}
		buf = append(buf, c)
		if c != ' ' {
			keep = len(buf)
		}
	}
	return p.store(key, typ, string(buf[:keep])), nil
}

// plainValue reads a value of printable ASCII without escapes, which nearly
// all are, straight into the key. Anything else leaves the parser as it was.
func (p *dnParser) plainValue(key []byte) ([]byte, bool) {
	blank := false
	for i := p.pos; ; i++ {
		var c byte
		if i < len(p.in) {
			c = p.in[i]
		} else {
			c = ','
		}
		switch plain[c] {
		case 0:
			if c == ' ' {
				blank = true
				continue
			}
			if c == ',' || c == ';' || c == '+' {
				p.pos = i
				return key, true
			}
			return nil, false
		default:
			if blank {
				key, blank = append(key, ' '), false
			}
			key = append(key, plain[c])
		}
	}
}

// plain maps a character of a value to its folded form; 0: it needs a thought.
var plain = func() (t [256]byte) {
	for c := byte(0x21); c < 0x7f; c++ {
		t[c] = c
		if 'A' <= c && c <= 'Z' {
			t[c] = c + 'a' - 'A'
		}
	}
	for _, c := range []byte(`,;+\"<>`) {
		t[c] = 0
	}
	return t
}()

func (p *dnParser) quotedValue(key []byte, typ string) ([]byte, error) {
	var buf []byte
	for p.pos++; p.pos < len(p.in); p.pos++ {
		switch c := p.in[p.pos]; c {
		case '"':
			p.pos++
			p.blanks()
			if p.pos < len(p.in) && strings.IndexByte(",;+", p.in[p.pos]) < 0 {
				return key, errTooLate
			}
			return p.store(key, typ, string(buf)), nil
		case '\\':
			d, err := p.escaped()
			if err != nil {
				return key, err
			}
			buf = append(buf, d)
		default:
			buf = append(buf, c)
		}
	}
	return key, errQuote
}

// escaped reads the escape that pos points at and leaves pos on its last byte.
func (p *dnParser) escaped() (byte, error) {
	rest := p.in[p.pos+1:]
	if len(rest) >= 2 {
		if b, ok := hexPair(rest[0], rest[1]); ok {
			p.pos += 2
			return b, nil
		}
	}
	// RFC 4514, and what Samba escapes besides; ADSI has people escape the slash.
	if rest != "" && strings.IndexByte(`\"+,;<>=# ?/`, rest[0]) >= 0 {
		p.pos++
		return rest[0], nil
	}
	return 0, errEscape
}

// hexValue reads the "#" form: the BER encoding of a value. The string types
// are what they spell; anything else stays as it is.
func (p *dnParser) hexValue(key []byte, typ string) ([]byte, error) {
	start := p.pos
	var ber []byte
	for p.pos++; p.pos+1 < len(p.in); p.pos += 2 {
		b, ok := hexPair(p.in[p.pos], p.in[p.pos+1])
		if !ok {
			break
		}
		ber = append(ber, b)
	}
	end := p.pos
	p.blanks()
	if len(ber) == 0 || p.pos < len(p.in) && strings.IndexByte(",;+", p.in[p.pos]) < 0 {
		return key, errHex
	}
	if s, ok := berString(ber); ok {
		return p.store(key, typ, s), nil
	}
	if p.out != nil {
		*p.out = append(*p.out, AVA{Type: typ, Value: p.in[start:end]})
	}
	return append(key, strings.ToLower(p.in[start:end])...), nil
}

// store appends a value to the key in its canonical form, and to out as it is.
func (p *dnParser) store(key []byte, typ, value string) []byte {
	if p.out != nil {
		*p.out = append(*p.out, AVA{Type: typ, Value: value})
	}
	return appendCanonical(key, value)
}
