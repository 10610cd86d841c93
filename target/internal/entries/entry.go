package entries

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// entry is an account as it was read.
type entry struct {
	rec  ldapwire.Record
	dn   identity.DN
	id   target.NativeID
	name string
}

// attributes are those to ask for: what an entry needs to be understood, and
// more.
func (t *Accounts) attributes(more ...string) []string {
	all := slices.Concat([]string{t.cfg.IDAttribute, t.cfg.Name, t.cfg.RDN, t.cfg.Mark}, t.cfg.Switch.Attributes, t.cfg.Guarded.Attributes, t.cfg.Groups.Primary.Attributes, more)
	var out []string
	for _, a := range all {
		if a != "" && !isContainer(a) && !slices.ContainsFunc(out, func(b string) bool { return strings.EqualFold(a, b) }) {
			out = append(out, a)
		}
	}
	return out
}

// entry reads what identifies an account.
func (t *Accounts) entry(rec ldapwire.Record) (entry, error) {
	dn, err := identity.ParseDN(rec.DN)
	if err != nil {
		return entry{}, refused("", "read an account: %w", err)
	}
	e := entry{rec: rec, dn: dn, id: target.NativeID(t.id(rec))}
	if e.id == "" {
		return entry{}, &target.Error{Class: target.Denied, Err: fmt.Errorf("read the account %s: it shows no %s", rec.DN, t.cfg.IDAttribute),
			Tip: fmt.Sprintf("give %s the right to read %s, or set id_attribute", t.cfg.Wire.BindDN, t.cfg.IDAttribute)}
	}
	for _, a := range t.cfg.Switch.Attributes {
		if t.cfg.Switch.Always && len(rec.Values(a)) == 0 {
			return entry{}, &target.Error{Class: target.Denied, Err: fmt.Errorf("read the account %s: it shows no %s", rec.DN, a),
				Tip: fmt.Sprintf("give %s the right to read %s", t.who(), a)}
		}
	}
	names := rec.Values(t.cfg.Name)
	if len(names) > 0 {
		e.name = names[0]
	}
	for _, ava := range dn.RDN() { // the one of several that the DN shows
		if !t.isName(ava.Type) {
			continue
		}
		if i := slices.IndexFunc(names, func(n string) bool { return Canon(t.cfg.Name, n) == Canon(t.cfg.Name, ava.Value) }); i >= 0 {
			e.name = names[i]
		}
	}
	return e, nil
}

// id is the ID of the account, as text; empty if the entry shows none.
func (t *Accounts) id(rec ldapwire.Record) string {
	if id := rec.First(t.cfg.IDAttribute); t.cfg.IDText == nil || id == "" {
		return id
	}
	return t.cfg.IDText(rec.First(t.cfg.IDAttribute))
}

// idFilter finds the account with the ID; empty if nobody can have it.
func (t *Accounts) idFilter(id target.NativeID) string {
	value := string(id)
	if t.cfg.IDValue != nil {
		if value = t.cfg.IDValue(value); value == "" {
			return ""
		}
	}
	return "(" + t.cfg.IDAttribute + "=" + ldapwire.EscapeFilterValue(value) + ")"
}

// isName says whether the attribute is the name of accounts.
func (t *Accounts) isName(attribute string) bool { return strings.EqualFold(attribute, t.cfg.Name) }

// isRDN says whether the attribute names entries.
func (t *Accounts) isRDN(attribute string) bool { return strings.EqualFold(attribute, t.cfg.RDN) }

// titled says whether entries are named by another attribute than accounts.
func (t *Accounts) titled() bool { return !t.isName(t.cfg.RDN) }

// title is the value of the naming attribute in the name of the entry.
func (t *Accounts) title(dn identity.DN) string {
	for _, ava := range dn.RDN() {
		if t.isRDN(ava.Type) {
			return ava.Value
		}
	}
	return ""
}

// enabled says whether the account may be used.
func (t *Accounts) enabled(e entry) bool {
	if !t.cfg.MoveTo.IsZero() {
		return !e.dn.Within(t.cfg.MoveTo)
	}
	return t.cfg.Switch.On == nil || t.cfg.Switch.On(e.rec)
}

// account is the entry as a reader with the scope sees it, its entitlements
// aside.
func (t *Accounts) account(e entry, scope target.Scope) target.Account {
	a := target.Account{ID: e.id, Name: e.name, Enabled: t.enabled(e), Reference: e.dn.String(), Attributes: make(map[string][]string, len(scope.Attributes))}
	for _, name := range scope.Attributes {
		if isContainer(name) {
			if !t.closedPlace(e.dn) {
				a.Attributes[name] = []string{e.dn.Parent().String()}
			}
			continue
		}
		if v := e.rec.Values(name); len(v) > 0 {
			a.Attributes[name] = v
		}
	}
	if t.cfg.Mark != "" {
		a.Mark = e.rec.First(t.cfg.Mark)
	}
	a.Protected = t.cfg.Guarded.Is != nil && t.cfg.Guarded.Is(e.rec)
	return a
}

// rdnText writes the first RDN of the name, with another value for the naming
// attribute if value is not empty.
func (t *Accounts) rdnText(dn identity.DN, value string) string {
	var parts []string
	for _, ava := range dn.RDN() {
		v := ava.Value
		if value != "" && t.isRDN(ava.Type) {
			v = value
		}
		parts = append(parts, ava.Type+"="+identity.EscapeValue(v))
	}
	return strings.Join(parts, "+")
}
