package mapping

import (
	"fmt"
	"maps"
	"slices"
)

// Exclusive is a list of entitlements of which an account holds one: the first that
// its roles give.
type Exclusive struct {
	Name    string
	Members []string // in their order
	Where   string
}

// Has says whether the entitlement is in the list.
func (x Exclusive) Has(entitlement string) bool { return slices.Contains(x.Members, entitlement) }

// Outranked is an entitlement that a role gives, and one before it in an exclusive
// list takes its place.
type Outranked struct {
	Entitlement string
	Reason      Reason
}

// exclusives compiles [target.NAME.exclusive].
func (m *compiler) exclusives(t *targetPolicy, c Target) {
	var named []string
	for _, e := range t.entitlements {
		named = append(named, e.name)
	}
	in := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Exclusive)) {
		path := []string{"target", t.name, "exclusive", name}
		list := c.Exclusive[name]
		if len(list) < 2 {
			m.fail(path, `write ["Full", "Light"]: the one that counts most first`, "an exclusive list has two entitlements at least")
			continue
		}
		for i, e := range list {
			switch other, twice := in[e]; {
			case !slices.Contains(named, e):
				m.fail(path, oneOf(e, named), "no role gives %q here", e)
			case slices.Contains(list[:i], e):
				m.fail(path, "name it once, where it ranks highest", "%q stands here twice", e)
			case twice && other != name:
				m.fail(path, "put both lists into one", "%q is in the exclusive list %q already", e, other)
			}
			in[e] = name
		}
		t.exclusive = append(t.exclusive, Exclusive{Name: name, Members: slices.Clone(list), Where: m.reason("", path...).Where})
		for _, role := range slices.Sorted(maps.Keys(c.Entitlements)) {
			var both []string
			for _, e := range list {
				if slices.Contains(c.Entitlements[role], e) && !slices.Contains(both, e) {
					both = append(both, e)
				}
			}
			if len(both) > 1 {
				m.warn(path, "take the others out of the role", "the role %q gives more than one of these: whoever has it gets %s", role, both[0])
			}
		}
	}
}

// settle leaves of each exclusive list the first entitlement that is given. Where
// one that might be given comes before it, neither is given nor taken: what is
// behind both goes all the same.
func (t *targetPolicy) settle(a *Account) {
	a.Exclusive = t.exclusive
	for i := range t.exclusive {
		x := &t.exclusive[i]
		var open Entitlement // one that may come first
		first := ""
		for _, name := range x.Members {
			at := slices.IndexFunc(a.Entitlements, func(e Entitlement) bool { return e.Name == name })
			if at < 0 {
				continue
			}
			e := &a.Entitlements[at]
			switch {
			case first != "":
				a.Outranked = append(a.Outranked, Outranked{name, t.outranks(x, first)})
				a.Entitlements = slices.Delete(a.Entitlements, at, at+1)
			case e.Doubt.Any():
				if open.Name == "" {
					open = *e
				}
			case open.Name != "":
				first = name
				e.Roles, e.Because = nil, nil
				e.Doubt = Doubt{Rule: doubtExclusive, Text: fmt.Sprintf("%s, which comes before it in the exclusive list %s, is in doubt: %s", open.Name, x.Name, open.Doubt.Text)}
			default:
				first = name
			}
		}
	}
}

func (t *targetPolicy) outranks(x *Exclusive, first string) Reason {
	return Reason{Rule: "target." + t.name + ".exclusive." + x.Name, Where: x.Where, Text: first + " comes before it in the exclusive list " + x.Name}
}
