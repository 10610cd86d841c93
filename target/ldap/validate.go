package ldap

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// Validate says what is wrong with the settings; path is where they stand. It
// does no I/O.
func (c *Config) Validate(path []string, report problem.Report) {
	v := validation{path, report}
	v.connection(c)
	base := v.dn(c.Base, "base")
	if c.Base == "" {
		v.at("no base", `as in base = "ou=accounts,dc=apps,dc=example"`, "base")
	}
	if len(c.ObjectClasses) == 0 {
		v.at("no object class for new accounts", `as in object_classes = ["inetOrgPerson"]`, "object_classes")
	}
	for _, oc := range c.ObjectClasses {
		v.attribute(oc, "object_classes")
	}
	if c.Containers != "" && c.Containers != create {
		v.at(fmt.Sprintf("%q is not a choice here", c.Containers), `only "create" is; leave it out, and a container that is missing is an error`, "containers")
	}
	v.filter(c.Filter, "filter")
	v.attribute(c.RDN, "rdn")
	v.attribute(c.Mark, "mark")
	v.attribute(c.IDAttribute, "id_attribute")
	v.apart(c)
	v.disable(c, base)
	v.groups(c, base)
	for _, t := range []struct {
		value int64
		key   string
	}{{int64(c.Connections), "connections"}, {int64(c.DialTimeout), "dial_timeout"}, {int64(c.IdleTimeout), "idle_timeout"}, {int64(c.TotalTimeout), "total_timeout"}} {
		if t.value < 0 {
			v.at("it must not be negative", "leave it out for the default", t.key)
		}
	}
}

// apart: what rosterd itself writes is no attribute that something else lives by, and
// each is another one. A switch may be one that the server heeds.
func (v validation) apart(c *Config) {
	d := c.withDefaults()
	taken := entries.Reserved{"objectClass": "", "userPassword": "", d.IDAttribute: ""}
	for _, own := range []struct {
		name string
		key  []string
		not  entries.Reserved
	}{{d.RDN, []string{"rdn"}, reserved}, {d.Disable.Attribute, []string{"disable", "attribute"}, nil}, {c.Mark, []string{"mark"}, reserved}} {
		if own.name == "" || !identity.ValidType(own.name) {
			continue
		}
		if own.not.And(taken).Admit(own.name) != nil {
			v.at(fmt.Sprintf("%s is an attribute that something else lives by", own.name), "name one that nothing else uses", own.key...)
		}
		taken = taken.And(entries.Reserved{own.name: ""})
	}
}

type validation struct {
	path   []string
	report problem.Report
}

func (v validation) at(message, hint string, key ...string) {
	v.report.At(append(slices.Clone(v.path), key...), message, hint)
}

func (v validation) connection(c *Config) {
	if len(c.URLs) == 0 {
		v.at("no URL", `as in urls = ["ldaps://apps.example"]`, "urls")
	}
	external := c.SASL == "external"
	for _, u := range c.URLs {
		w := ldapwire.Config{URLs: []string{u}, External: external, CertFile: c.CertFile, KeyFile: c.CertFile}
		v.error(w.Validate(), "urls")
	}
	v.dn(c.BindDN, "bind_dn")
	switch {
	case c.SASL != "" && !external:
		v.at(fmt.Sprintf("%q is not known here", c.SASL), `only sasl = "external" is`, "sasl")
	case external && (c.BindDN != "" || c.Password.IsSet()):
		v.at(`sasl = "external" needs neither bind_dn nor password`, "leave one of them out", "sasl")
	case c.BindDN != "" && !c.Password.IsSet():
		v.at("bind_dn without a password", `as in password = { credential = "apps-bind" }`, "bind_dn")
	case c.BindDN == "" && c.Password.IsSet():
		v.at("a password without bind_dn", `as in bind_dn = "cn=rosterd,dc=apps,dc=example"`, "password")
	case c.BindDN == "" && !external:
		v.at("nobody to bind as", `set bind_dn and password, or sasl = "external"`, "bind_dn")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		key := "cert_file"
		if c.CertFile == "" {
			key = "key_file"
		}
		v.at("a client certificate needs its key, and a key its certificate", "set cert_file and key_file", key)
	}
}

func (v validation) disable(c *Config, base identity.DN) {
	d := c.Disable
	v.attribute(d.Attribute, "disable", "attribute")
	move := v.dn(d.MoveTo, "disable", "move_to")
	switch {
	case d.Attribute != "" && d.MoveTo != "":
		v.at("an account is disabled by an attribute or by a move, not by both", "leave one of them out", "disable")
	case d.Attribute != "" && d.Disabled == "":
		v.at("the value of a disabled account is missing", `as in disable = { attribute = "employeeType", disabled = "disabled", enabled = "active" }`, "disable", "disabled")
	case d.Attribute != "" && entries.Same(d.Attribute, []string{d.Disabled}, []string{d.Enabled}):
		v.at("enabled and disabled are the same value", "give them different ones", "disable", "enabled")
	case d.Attribute == "" && (d.Disabled != "" || d.Enabled != ""):
		v.at("a value without the attribute that takes it", `as in disable = { attribute = "employeeType", disabled = "disabled", enabled = "active" }`, "disable", "attribute")
	case !move.IsZero() && !base.IsZero() && base.Within(move):
		v.at("the base lies within move_to, so every account would count as disabled", "give disabled accounts a container of their own", "disable", "move_to")
	}
}

func (v validation) groups(c *Config, base identity.DN) {
	g := c.Groups
	v.dn(g.Base, "groups", "base")
	if g.Base == "" {
		if g != (Groups{}) {
			v.at("groups without a base", `as in base = "ou=groups,dc=apps,dc=example"`, "groups", "base")
		}
		return
	}
	if _, known := groupFilters[g.Style]; g.Style != "" && !known {
		v.at(fmt.Sprintf("%q is not a style of groups", g.Style), "one of member, uniqueMember, memberUid", "groups", "style")
	}
	v.attribute(g.Name, "groups", "name")
	v.filter(g.Filter, "groups", "filter")
	if g.Placeholder == "" || g.Placeholder == entries.PlaceholderSelf {
		return
	}
	if g.Style == entries.StyleMemberUID {
		v.at("a group of memberUid may be empty and needs no placeholder", "leave it out", "groups", "placeholder")
		return
	}
	p := v.dn(g.Placeholder, "groups", "placeholder")
	move, err := identity.ParseDN(c.Disable.MoveTo)
	if !p.IsZero() && (!base.IsZero() && p.Within(base) || err == nil && !move.IsZero() && p.Within(move)) {
		v.at("the placeholder lies where accounts do: that account would hold every group", `write "self", or a DN elsewhere`, "groups", "placeholder")
	}
}

// dn reads a name; the zero name if it is left out or wrong.
func (v validation) dn(text string, key ...string) identity.DN {
	dn, err := identity.ParseDN(text)
	if err != nil {
		v.at(err.Error(), `as in "ou=accounts,dc=apps,dc=example"`, key...)
		return identity.DN{}
	}
	return dn
}

func (v validation) error(err error, key ...string) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			v.error(e, key...)
		}
		return
	}
	v.at(err.Error(), hintOf(err), key...)
}

func (v validation) filter(filter string, key ...string) {
	if filter != "" {
		v.error(ldapwire.CheckFilter(filter), key...)
	}
}

func (v validation) attribute(name string, key ...string) {
	if name != "" && !identity.ValidType(name) {
		v.at(fmt.Sprintf("%q is not a name in a schema", name), "letters, digits and hyphens", key...)
	}
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
