package ldap

import (
	"math/big"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// asked says whether a filter finds somebody, by the attributes that were read of
// them. What was not read, or is compared in a way that only the server knows, is
// Maybe, and of what. The one that found them is given: what follows from it is so.
func asked(c, found clause, p identity.Person) (directory.Answer, string) {
	return askedOf(c, found, p, false)
}

// askedOf is asked in or below a negation, where an assertion that the server cannot
// compare is another thing than one that fails: the opposite of either finds nobody,
// or somebody.
func askedOf(c, found clause, p identity.Person, negated bool) (directory.Answer, string) {
	if implies(found, c) {
		return directory.Yes, ""
	}
	switch c.op {
	case opAnd, opOr:
		out, why := directory.Yes, ""
		if c.op == opOr {
			out = directory.No
		}
		for _, part := range c.parts {
			a, of := askedOf(part, found, p, negated)
			if a == directory.Maybe && why == "" {
				why = of
			}
			if c.op == opAnd {
				out = out.And(a)
			} else {
				out = out.Or(a)
			}
		}
		if out != directory.Maybe {
			why = ""
		}
		return out, why
	case opNot:
		a, why := askedOf(c.parts[0], found, p, !negated)
		return a.Not(), why
	}
	if c.odd {
		return directory.Maybe, "only the server can match " + c.attr + " so"
	}
	values, presence := p.Attributes.Get(c.attr)
	if presence == identity.NotRead {
		values, presence = p.Attributes.Get(canonical(c.attr))
	}
	if presence == identity.NotRead {
		return directory.Maybe, c.attr + " was not read"
	}
	if c.op == opPresent {
		if len(values) > 0 {
			return directory.Yes, ""
		}
		return directory.No, ""
	}
	out := directory.No
	if negated && !c.sensible() {
		out = directory.Maybe
	}
	for _, v := range values {
		out = out.Or(c.matches(v))
	}
	if out == directory.Maybe {
		return out, "only the server can compare " + c.attr
	}
	return out, ""
}

// caseless are attributes whose values are the same in any case, in the schema of
// every server.
var caseless = strings.Fields(`uid cn sn givenname initials mail title employeetype employeenumber departmentnumber department company
	division ou o l st c co street postalcode description displayname samaccountname userprincipalname physicaldeliveryofficename
	businesscategory roomnumber preferredlanguage objectclass`)

// numeric are numbers, and naming are names of entries, in the schema of every
// server.
var (
	numeric = strings.Fields(`uidnumber gidnumber useraccountcontrol accountexpires pwdlastset primarygroupid usnchanged usncreated
		shadowexpire shadowlastchange`)
	naming = strings.Fields(`manager secretary memberof seealso owner directreports`)
)

// sensible says whether every server can compare values of that attribute so. One
// that cannot finds nobody, and neither does the opposite.
func (c clause) sensible() bool {
	name := canonical(c.attr)
	value := ""
	if len(c.values) > 0 {
		value = c.values[0]
	}
	switch {
	case slices.Contains(caseless, name):
		return c.op == opEqual && value != "" || c.op == opPieces
	case slices.Contains(numeric, name):
		_, ok := number(value)
		return ok && c.op != opPieces && c.op != opApprox
	case slices.Contains(naming, name):
		dn, err := identity.ParseDN(value)
		return c.op == opEqual && err == nil && !dn.IsZero()
	}
	return false
}

// matches compares one value. Yes and No are said where every rule by which servers
// compare texts, numbers or names says so.
func (c clause) matches(v string) directory.Answer {
	switch c.op {
	case opEqual, opApprox:
		return c.equals(v)
	case opPieces:
		return c.hasPieces(v)
	case opGreater, opLess:
		a, ok := number(v)
		b, ok2 := number(c.values[0])
		if !ok || !ok2 || !slices.Contains(numeric, canonical(c.attr)) {
			return directory.Maybe
		}
		return answer(a.Cmp(b) == 0 || (a.Cmp(b) > 0) == (c.op == opGreater))
	case opRule:
		return c.bits(v)
	}
	return directory.Maybe
}

func answer(yes bool) directory.Answer {
	if yes {
		return directory.Yes
	}
	return directory.No
}

func (c clause) equals(v string) directory.Answer {
	w := c.values[0]
	if v == w {
		return directory.Yes
	}
	a, b := identity.Fold(v), identity.Fold(w)
	if slices.Contains(caseless, canonical(c.attr)) {
		if c.op == opApprox && a != b {
			return directory.Maybe // what sounds alike is the server's to say
		}
		return answer(a == b)
	}
	switch {
	case a == b, c.op == opApprox:
		return directory.Maybe
	}
	if x, ok := number(v); ok {
		if y, ok := number(w); ok && x.Cmp(y) == 0 {
			return directory.Maybe // 7 and 007
		}
	}
	if x, err := identity.ParseDN(v); err == nil && !x.IsZero() {
		if y, err := identity.ParseDN(w); err == nil && x.Equal(y) {
			if slices.Contains(naming, canonical(c.attr)) {
				return directory.Yes
			}
			return directory.Maybe
		}
	}
	if strings.EqualFold(strip(v), strip(w)) {
		return directory.Maybe // a telephone number
	}
	return directory.No
}

// strip leaves out what some rules leave out.
func strip(s string) string { return strings.NewReplacer(" ", "", "-", "").Replace(s) }

func (c clause) hasPieces(v string) directory.Answer {
	if !slices.Contains(caseless, canonical(c.attr)) {
		return directory.Maybe // there may be no rule for pieces, or one that minds case
	}
	folded := make([]string, len(c.values))
	for i, p := range c.values {
		if folded[i] = identity.Fold(p); strings.TrimSpace(p) != p {
			return directory.Maybe // blanks at the edge of a piece have rules of their own
		}
	}
	return answer(inOrder(identity.Fold(v), folded))
}

// inOrder says whether a text begins with the first piece, ends with the last and
// has the others in between, in their order.
func inOrder(v string, pieces []string) bool {
	first, last := pieces[0], pieces[len(pieces)-1]
	v, ok := strings.CutPrefix(v, first)
	if !ok {
		return false
	}
	if v, ok = strings.CutSuffix(v, last); !ok {
		return false
	}
	for _, p := range pieces[1 : len(pieces)-1] {
		if _, v, ok = strings.Cut(v, p); !ok {
			return false
		}
	}
	return true
}

// The rules of Active Directory that look at bits.
const (
	allBits = "1.2.840.113556.1.4.803"
	anyBits = "1.2.840.113556.1.4.804"
)

func (c clause) bits(v string) directory.Answer {
	a, ok := number(v)
	mask, ok2 := number(c.values[0])
	if !ok || !ok2 || c.rule != allBits && c.rule != anyBits {
		return directory.Maybe
	}
	common := new(big.Int).And(a, mask)
	if c.rule == allBits {
		return answer(common.Cmp(mask) == 0)
	}
	return answer(common.Sign() != 0)
}

func number(s string) (*big.Int, bool) {
	if len(s) > 40 || strings.ContainsAny(s, "_+") {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

// implies says whether whoever a finds is found by b, by their form alone. False
// means that it cannot be told.
func implies(a, b clause) bool {
	if same(a, b) {
		return true
	}
	switch {
	case a.op == opOr:
		return len(a.parts) > 0 && !slices.ContainsFunc(a.parts, func(p clause) bool { return !implies(p, b) })
	case b.op == opAnd:
		return !slices.ContainsFunc(b.parts, func(p clause) bool { return !implies(a, p) })
	}
	if b.op == opOr && slices.ContainsFunc(b.parts, func(p clause) bool { return implies(a, p) }) {
		return true
	}
	if a.op == opAnd {
		return slices.ContainsFunc(a.parts, func(p clause) bool { return implies(p, b) })
	}
	if a.odd || b.odd || canonical(a.attr) != canonical(b.attr) || a.attr == "" {
		return false
	}
	switch b.op {
	case opPresent:
		return a.op >= opPresent
	case opEqual:
		return a.op == opEqual && a.attr == "objectclass" && slices.Contains(above[strings.ToLower(a.values[0])], strings.ToLower(b.values[0]))
	}
	return false
}

// above are the classes that an entry of a class has too.
var above = map[string][]string{
	"inetorgperson":        {"organizationalperson", "person", "top"},
	"organizationalperson": {"person", "top"},
	"user":                 {"organizationalperson", "person", "top"},
	"person":               {"top"},
}

// same says whether two filters are written alike.
func same(a, b clause) bool {
	if a.raw != "" && a.raw == b.raw {
		return true
	}
	if a.op != b.op || a.odd || b.odd || a.rule != b.rule || canonical(a.attr) != canonical(b.attr) || len(a.parts) != len(b.parts) {
		return false
	}
	if a.op == opAnd || a.op == opOr {
		within := func(x, y []clause) bool {
			return !slices.ContainsFunc(x, func(p clause) bool { return !slices.ContainsFunc(y, func(q clause) bool { return same(p, q) }) })
		}
		return within(a.parts, b.parts) && within(b.parts, a.parts)
	}
	if !slices.EqualFunc(a.parts, b.parts, same) {
		return false
	}
	if a.attr == "objectclass" {
		return slices.EqualFunc(a.values, b.values, strings.EqualFold)
	}
	return slices.Equal(a.values, b.values)
}
