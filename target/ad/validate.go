package ad

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/problem"
)

// Validate says what is wrong with the settings; path is where they stand. It
// does no I/O.
func (c *Config) Validate(path []string, report problem.Report) {
	v := validation{path, report}
	v.connection(c)
	switch base := v.dn(c.Base, "base"); {
	case c.Base == "":
		v.at("no base", `as in base = "OU=Accounts,DC=corp,DC=example"`, "base")
	case !base.IsZero() && domainOf(base).IsZero():
		v.at("the base is in no domain", `it ends in the name of the domain, as in "OU=Accounts,DC=corp,DC=example"`, "base")
	}
	for _, class := range c.ObjectClasses {
		v.attribute(class, "object_classes")
	}
	if len(c.ObjectClasses) > 0 && !slices.ContainsFunc(c.ObjectClasses, isUser) {
		v.at("none of the object classes is that of a user", `write ["user"], with more classes beside it if need be`, "object_classes")
	}
	if c.Containers != "" && c.Containers != create {
		v.at(fmt.Sprintf("%q is not a choice here", c.Containers), `only "create" is; leave it out, and a container that is missing is an error`, "containers")
	}
	v.filter(c.Filter, "filter")
	v.attribute(c.Mark, "mark")
	if c.Mark != "" && identity.ValidType(c.Mark) && !suitsMark(c.Mark) {
		v.at(c.Mark+" is an attribute that something else lives by", `name one that nothing else uses, such as "info"`, "mark")
	}
	if w := c.WithoutPassword; w != "" && w != withRandom && w != withSmartcard {
		v.at(fmt.Sprintf("%q is not a way to be without a password", w), `"random" or "smartcard"; left out, an account is closed until rosterd has set a password`, "without_password")
	}
	v.groups(c.Groups)
	for _, t := range []struct {
		value int64
		key   string
	}{{int64(c.Connections), "connections"}, {int64(c.DialTimeout), "dial_timeout"}, {int64(c.IdleTimeout), "idle_timeout"}, {int64(c.TotalTimeout), "total_timeout"}} {
		if t.value < 0 {
			v.at("it must not be negative", "leave it out for the default", t.key)
		}
	}
}

func isUser(class string) bool {
	return strings.EqualFold(class, "user") || strings.EqualFold(class, "inetOrgPerson")
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
		v.at("no URL", `as in urls = ["ldaps://dc1.corp.example"]`, "urls")
	}
	for _, u := range c.URLs {
		if err := (ldapwire.Config{URLs: []string{u}}).Validate(); err != nil {
			v.error(err, "urls")
		} else if strings.HasPrefix(strings.ToLower(u), "ldapi:") {
			v.at("a controller has no socket to connect to", "an ldaps:// URL, or ldap:// with StartTLS", "urls")
		}
	}
	switch {
	case c.BindDN == "":
		v.at("nobody to bind as", `as in bind_dn = "CN=rosterd,OU=Services,DC=corp,DC=example"`, "bind_dn")
	case !c.Password.IsSet():
		v.at("bind_dn without a password", `as in password = { credential = "corp-accounts" }`, "bind_dn")
	}
}

func (v validation) groups(g Groups) {
	v.dn(g.Base, "groups", "base")
	if g.Base == "" {
		if g != (Groups{}) {
			v.at("groups without a base", `as in base = "OU=Groups,DC=corp,DC=example"`, "groups", "base")
		}
		return
	}
	v.attribute(g.Name, "groups", "name")
	v.filter(g.Filter, "groups", "filter")
}

// dn reads a name; the zero name if it is left out or wrong.
func (v validation) dn(text string, key ...string) identity.DN {
	dn, err := identity.ParseDN(text)
	if err != nil {
		v.at(err.Error(), `as in "OU=Accounts,DC=corp,DC=example"`, key...)
		return identity.DN{}
	}
	return dn
}

func (v validation) error(err error, key ...string) {
	var h interface{ Hint() string }
	hint := ""
	if errors.As(err, &h) {
		hint = h.Hint()
	}
	v.at(err.Error(), hint, key...)
}

func (v validation) filter(filter string, key ...string) {
	if filter == "" {
		return
	}
	if err := ldapwire.CheckFilter(filter); err != nil {
		v.error(err, key...)
	}
}

func (v validation) attribute(name string, key ...string) {
	if name != "" && !identity.ValidType(name) {
		v.at(fmt.Sprintf("%q is not a name in a schema", name), "letters, digits and hyphens", key...)
	}
}
