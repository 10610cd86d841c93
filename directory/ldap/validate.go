package ldap

import (
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
	v.oneOf(c.Server, "server", []string{serverAuto, serverOpenLDAP, server389, serverAD, serverGeneric}, nil)
	v.oneOf(c.Changes, "changes", []string{changesAuto, engineDirSync, engineUSN, engineSyncrepl, engineTimestamp, changesFull}, nil)
	v.oneOf(c.SASL, "sasl", []string{"external", "gssapi"}, nil)
	v.kerberos(c)
	v.connection(c)
	if len(c.People.Bases) == 0 {
		v.at("people must have bases", `as in people = { bases = ["ou=people,dc=corp,dc=example"] }`, "people", "bases")
	}
	v.bases(c.People.Bases, "people", "bases")
	v.bases(c.Groups.Bases, "groups", "bases")
	v.filter(c.People.Filter, "people", "filter")
	v.filter(c.Groups.Filter, "groups", "filter")
	for _, m := range c.Groups.Members {
		v.attribute(m, "groups", "members")
	}
	v.attribute(c.Groups.Name, "groups", "name")
	v.attribute(c.IDAttribute, "id_attribute")
	for _, name := range c.AccountState {
		if len(believed([]string{name})) == 0 {
			v.at(fmt.Sprintf("%q is no attribute that says when an account may be used", name), "one of "+strings.Join(believed(nil), ", ")+"; for others there are start and end under person", "account_state")
		}
	}
	for _, a := range []struct{ value, key string }{{c.Person.Login, "login"}, {c.Person.Mail, "mail"}, {c.Person.Name, "name"}, {c.Person.Key, "key"}} {
		v.attribute(a.value, "person", a.key)
	}
	v.canaries(c)
	for _, t := range []struct {
		value int64
		key   string
	}{{int64(c.PageSize), "page_size"}, {int64(c.DialTimeout), "dial_timeout"}, {int64(c.IdleTimeout), "idle_timeout"}, {int64(c.TotalTimeout), "total_timeout"}} {
		if t.value < 0 {
			v.at("it must not be negative", "leave it out for the default", t.key)
		}
	}
	for _, r := range c.IgnoreReferrals {
		if !strings.Contains(r, "://") {
			v.at(fmt.Sprintf("%q is not the beginning of a URL", r), `as in "ldap://other.corp.example/"; an empty one would ignore all`, "ignore_referrals")
		}
	}
}

type validation struct {
	path   []string
	report problem.Report
}

func (v validation) at(message, hint string, key ...string) {
	v.report.At(append(slices.Clone(v.path), key...), message, hint)
}

// oneOf takes a known word or none; what comes later is named as such.
func (v validation) oneOf(value, key string, now, later []string) {
	switch {
	case value == "" || slices.Contains(now, value):
	case slices.Contains(later, value):
		v.at(fmt.Sprintf("%q comes later", value), "for now: "+strings.Join(now, ", "), key)
	default:
		v.at(fmt.Sprintf("%q is not known here", value), "one of "+strings.Join(append(slices.Clone(now), later...), ", "), key)
	}
}

func (v validation) connection(c *Config) {
	if len(c.URLs) == 0 {
		v.at("no URL", `as in urls = ["ldaps://ldap.corp.example"]`, "urls")
	}
	external := c.SASL == "external"
	for _, u := range c.URLs {
		w := ldapwire.Config{URLs: []string{u}, External: external, CertFile: c.CertFile, KeyFile: c.KeyFile}
		if external || (c.CertFile == "") != (c.KeyFile == "") {
			w.KeyFile = w.CertFile // the pair has a message of its own
		}
		v.error(w.Validate(), "urls")
		if isCatalog(u) {
			v.at(fmt.Sprintf("%s is a global catalog: it has a part of the attributes, and what it lacks would look empty", u),
				"use port 636 (ldaps://) or 389 (ldap://, StartTLS) of a domain controller", "urls")
		}
	}
	if c.BindDN != "" && !isPrincipal(c.BindDN) {
		if _, err := identity.ParseDN(c.BindDN); err != nil {
			v.at(err.Error(), `as in bind_dn = "cn=rosterd,ou=services,dc=corp,dc=example"`, "bind_dn")
		}
	}
	kerberos := c.SASL == "gssapi"
	switch {
	case kerberos && (c.BindDN != "" || c.Password.IsSet()):
		v.at(`sasl = "gssapi" needs neither bind_dn nor password`, "leave one of them out", "sasl")
	case external && (c.BindDN != "" || c.Password.IsSet()):
		v.at(`sasl = "external" needs neither bind_dn nor password`, "leave one of them out", "sasl")
	case c.BindDN != "" && !c.Password.IsSet():
		v.at("bind_dn without a password", `as in password = { credential = "corp-bind" }`, "bind_dn")
	case c.BindDN == "" && c.Password.IsSet():
		v.at("a password without bind_dn", `as in bind_dn = "cn=rosterd,ou=services,dc=corp,dc=example"`, "password")
	case c.BindDN == "" && !external && !kerberos:
		v.report(problem.Problem{Path: append(slices.Clone(v.path), "urls"), Offset: -1, Warning: true,
			Message: "the directory is read as anybody", Hint: `set bind_dn and password, or sasl = "external" or "gssapi"`})
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		key := "cert_file"
		if c.CertFile == "" {
			key = "key_file"
		}
		v.at("a client certificate needs its key, and a key its certificate", "set cert_file and key_file", key)
	}
}

// isCatalog says whether a URL has a port of the global catalog of Active
// Directory.
func isCatalog(u string) bool {
	u = strings.TrimRight(u, "/")
	return strings.HasSuffix(u, ":3268") || strings.HasSuffix(u, ":3269")
}

// isPrincipal says whether a name is one by which Active Directory lets somebody
// in who does not know their DN: user@domain, DOMAIN\user.
func isPrincipal(name string) bool {
	i := strings.IndexAny(name, "@\\=,")
	return i > 0 && i+1 < len(name) && (name[i] == '@' || name[i] == '\\')
}

func (v validation) error(err error, key ...string) {
	if err == nil {
		return
	}
	hint := ""
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			v.error(e, key...)
		}
		return
	}
	if h, ok := err.(interface{ Hint() string }); ok {
		hint = h.Hint()
	}
	v.at(err.Error(), hint, key...)
}

func (v validation) bases(bases []string, key ...string) {
	for _, b := range bases {
		switch dn, err := identity.ParseDN(b); {
		case err != nil:
			v.at(err.Error(), `as in "ou=people,dc=corp,dc=example"`, key...)
		case dn.IsZero():
			v.at("an empty base is no place to read from", `as in "ou=people,dc=corp,dc=example"`, key...)
		}
	}
}

func (v validation) filter(filter string, key ...string) {
	if filter != "" {
		v.error(ldapwire.CheckFilter(filter), key...)
	}
}

func (v validation) attribute(name string, key ...string) {
	if name != "" && !identity.ValidType(name) {
		v.at(fmt.Sprintf("%q is not the name of an attribute", name), "letters, digits and hyphens; options such as ;lang-de are not read", key...)
	}
}

// canaries must be where they can be seen.
func (v validation) canaries(c *Config) {
	v.canary(c.Canaries, "canaries", c.People.Bases, c.Groups.Bases)
	v.canary(c.ClosedCanaries, "closed_canaries", c.People.Bases, nil)
	if len(c.ClosedCanaries) > 0 && len(believed(c.AccountState)) == 0 {
		v.at("nobody is closed where no attribute counts", "leave account_state out, or closed_canaries", "guard", "closed_canaries")
	}
}

func (v validation) canary(canaries []string, key string, people, groups []string) {
	for _, text := range canaries {
		dn, err := identity.ParseDN(text)
		if err != nil {
			v.at(err.Error(), `as in `+key+` = ["uid=canary,ou=people,dc=corp,dc=example"]`, "guard", key)
			continue
		}
		within := func(b string) bool {
			base, err := identity.ParseDN(b)
			return err != nil || dn.Within(base)
		}
		if dn.IsZero() || !slices.ContainsFunc(people, within) && !slices.ContainsFunc(groups, within) {
			v.at(fmt.Sprintf("the canary %q is in none of the bases, so no read could be complete", text),
				"name a person or a group that is read, and that never goes away", "guard", key)
		}
	}
}
