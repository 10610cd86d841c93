package ldap

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

func sound() Config {
	return Config{
		URLs: []string{"ldaps://apps.example"}, BindDN: "cn=rosterd,dc=apps,dc=example", Password: secret.Env("X"),
		Base: "ou=accounts,dc=apps,dc=example", ObjectClasses: []string{"inetOrgPerson"},
		Disable: Disable{Attribute: "employeeType", Disabled: "disabled", Enabled: "active"},
		Groups:  Groups{Base: "ou=groups,dc=apps,dc=example"},
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Config)
		want string // the key, "" for none
	}{
		"sound": {func(*Config) {}, ""},
		"external": {func(c *Config) {
			c.URLs, c.BindDN, c.Password, c.SASL = []string{"ldapi://%2Frun%2Fslapd"}, "", secret.Secret{}, "external"
		}, ""},
		"move":                   {func(c *Config) { c.Disable = Disable{MoveTo: "ou=left,dc=apps,dc=example"} }, ""},
		"no urls":                {func(c *Config) { c.URLs = nil }, "urls"},
		"a URL":                  {func(c *Config) { c.URLs = []string{"apps.example"} }, "urls"},
		"no base":                {func(c *Config) { c.Base = "" }, "base"},
		"a base":                 {func(c *Config) { c.Base = "accounts" }, "base"},
		"no class":               {func(c *Config) { c.ObjectClasses = nil }, "object_classes"},
		"a class":                {func(c *Config) { c.ObjectClasses = []string{"inet org"} }, "object_classes"},
		"containers":             {func(c *Config) { c.Containers = "make" }, "containers"},
		"containers made":        {func(c *Config) { c.Containers = "create" }, ""},
		"a filter":               {func(c *Config) { c.Filter = "(uid=*" }, "filter"},
		"an RDN":                 {func(c *Config) { c.RDN = "u id" }, "rdn"},
		"a mark":                 {func(c *Config) { c.Mark = "a=b" }, "mark"},
		"an ID":                  {func(c *Config) { c.IDAttribute = "(x)" }, "id_attribute"},
		"nobody":                 {func(c *Config) { c.BindDN, c.Password = "", secret.Secret{} }, "bind_dn"},
		"no password":            {func(c *Config) { c.Password = secret.Secret{} }, "bind_dn"},
		"no bind DN":             {func(c *Config) { c.BindDN = "" }, "password"},
		"a bind DN":              {func(c *Config) { c.BindDN = "rosterd" }, "bind_dn"},
		"another SASL":           {func(c *Config) { c.SASL = "gssapi" }, "sasl"},
		"external and password":  {func(c *Config) { c.URLs, c.SASL = []string{"ldapi://%2Frun%2Fslapd"}, "external" }, "sasl"},
		"half a certificate":     {func(c *Config) { c.CertFile = "/x" }, "cert_file"},
		"both ways to disable":   {func(c *Config) { c.Disable.MoveTo = "ou=left,dc=apps,dc=example" }, "disable"},
		"no disabled value":      {func(c *Config) { c.Disable.Disabled = "" }, "disable.disabled"},
		"the same values":        {func(c *Config) { c.Disable.Enabled = "DISABLED" }, "disable.enabled"},
		"a value alone":          {func(c *Config) { c.Disable = Disable{Enabled: "x"} }, "disable.attribute"},
		"a move_to":              {func(c *Config) { c.Disable = Disable{MoveTo: "left"} }, "disable.move_to"},
		"a base in move_to":      {func(c *Config) { c.Disable = Disable{MoveTo: "dc=apps,dc=example"} }, "disable.move_to"},
		"groups without base":    {func(c *Config) { c.Groups = Groups{Style: "member"} }, "groups.base"},
		"a style":                {func(c *Config) { c.Groups.Style = "memberuid" }, "groups.style"},
		"a group filter":         {func(c *Config) { c.Groups.Filter = "x" }, "groups.filter"},
		"a group name":           {func(c *Config) { c.Groups.Name = "c n" }, "groups.name"},
		"an account for nobody":  {func(c *Config) { c.Groups.Placeholder = "uid=x,ou=accounts,dc=apps,dc=example" }, "groups.placeholder"},
		"a placeholder":          {func(c *Config) { c.Groups.Placeholder = "nobody" }, "groups.placeholder"},
		"a needless placeholder": {func(c *Config) { c.Groups.Style, c.Groups.Placeholder = "memberUid", "cn=x" }, "groups.placeholder"},
		"a mark elsewhere":       {func(c *Config) { c.Mark = "UID" }, "mark"},
		"a mark that closes":     {func(c *Config) { c.Mark = "employeetype" }, "mark"},
		"a mark that opens":      {func(c *Config) { c.Mark = "aci" }, "mark"},
		"a mark that is the ID":  {func(c *Config) { c.Mark, c.IDAttribute = "employeeNumber", "employeenumber" }, "mark"},
		"a class to close":       {func(c *Config) { c.Disable.Attribute = "objectClass" }, "disable.attribute"},
		"the name to close":      {func(c *Config) { c.Disable.Attribute = "uid" }, "disable.attribute"},
		"the server's to close":  {func(c *Config) { c.Disable = presets[NSAccountLock] }, ""},
		"a name that is a group": {func(c *Config) { c.RDN = "member" }, "rdn"},
		"connections":            {func(c *Config) { c.Connections = -1 }, "connections"},
		"a time-out":             {func(c *Config) { c.IdleTimeout = -1 }, "idle_timeout"},
	} {
		cfg := sound()
		c.edit(&cfg)
		var got []problem.Problem
		cfg.Validate([]string{"target", "dir"}, func(p problem.Problem) { got = append(got, p) })
		switch {
		case c.want == "" && len(got) == 0:
			if _, err := New(cfg, "dir"); err != nil {
				t.Errorf("%s: New refuses what Validate admits: %v", name, err)
			}
		case c.want == "":
			t.Errorf("%s: %+v", name, got)
		case len(got) != 1 || strings.Join(got[0].Path, ".") != "target.dir."+c.want:
			t.Errorf("%s: %+v, want one at %s", name, got, c.want)
		case got[0].Hint == "" || got[0].Message == "":
			t.Errorf("%s: no words: %+v", name, got[0])
		}
	}
}
